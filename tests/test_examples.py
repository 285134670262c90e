"""The programs in examples/ run, and print what they should."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support import PROJECT
from xen_vm_event import VERSIONS

SHOWN = """\
vCPU 0: MEM_ACCESS vm_event_mem_access(gfn=0x1f00, offset=0x0, gla=0x0, flags=W)
vCPU 1: WRITE_CTRLREG vm_event_write_ctrlreg(index=CR3, new_value=0x100000, old_value=0x0)
vCPU 0 goes on: VCPU_PAUSED|EMULATE
vCPU 1 goes on: VCPU_PAUSED
"""


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_simulation(version: int) -> None:
    shown = subprocess.run(
        [sys.executable, "examples/simulation.py", str(version)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": "generated"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.stdout, shown.stderr) == (SHOWN, "")
