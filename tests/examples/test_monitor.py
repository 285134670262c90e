"""What the examples' monitor prints; tests/package/ has the library that it is made of."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import monitor
import pytest
import xen_vm_event
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


@pytest.mark.parametrize("version", xen_vm_event.VERSIONS)
def test_what_is_made_once_prints_as_repr_does(version: int) -> None:
    """Of every reason, with every member at a value of its own; names and numbers alike."""
    module = xen_vm_event.interface(version)
    for reason in module.VmEventReason:
        request = module.vm_event_st(version=version, reason=reason, vcpu_id=2)
        for first in (0, 2):
            payload = request.payload
            fill(payload, first)
            line = f"vCPU 2 0x0 {reason.name}"
            if payload is not None:
                line += " " + repr(payload).partition("(")[2].removesuffix(")")
            assert monitor.text(reason.name, request) == f"{line}\n"


def fill(payload: Any, first: int) -> None:
    """Give the numbers among the members values of their own."""
    members = () if payload is None else payload._members_
    for value, member in enumerate(members, start=first):
        with suppress(TypeError, AttributeError):
            setattr(payload, member.name, value)
