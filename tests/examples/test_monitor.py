"""What the examples' monitor prints; tests/package/ has the library that it is made of."""

from __future__ import annotations

import json
import subprocess
import sys

import monitor
from xen_vm_event import v7


def test_decode_reads_what_it_prints_as_json() -> None:
    request = v7.vm_event_st(version=7, reason=v7.VmEventReason.CPUID, vcpu_id=3)
    printed = monitor.json_object("CPUID", request, index=0)
    decoded = subprocess.run(
        [sys.executable, "-m", "xenbind", "decode", "--json", "-"],
        input=printed,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(printed)
    again = json.loads(decoded.stdout)
    assert said.pop("details").items() <= again["details"].items()
    assert said.items() <= again.items()
