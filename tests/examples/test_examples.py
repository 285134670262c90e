"""The programs in examples/ run, and print what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT
from xen_vm_event import VERSIONS

SHOWN = """\
vCPU 0: MEM_ACCESS vm_event_mem_access(gfn=0x1f00, offset=0x0, gla=0x0, flags=W)
vCPU 1: WRITE_CTRLREG vm_event_write_ctrlreg(index=CR3, new_value=0x100000, old_value=0x0)
vCPU 0 goes on: VCPU_PAUSED|EMULATE
vCPU 1 goes on: VCPU_PAUSED
"""


def example(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT / "examples",
        env={**os.environ, "PYTHONPATH": str(PROJECT / "generated")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_simulation(version: int) -> None:
    shown = example("simulation.py", str(version))
    # A header whose comments do not say what an index is has a number there.
    assert shown.stdout.replace("index=1,", "index=CR3,") == SHOWN
    assert shown.stderr == ""


@pytest.mark.skipif(Path("/sys/hypervisor").exists(), reason="this machine has Xen")
def test_the_monitor_without_xen() -> None:
    """What it does with one is in live/."""
    shown = example("monitor.py", "1")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert (
        shown.stderr == "monitor: domain 1: no hypervisor runs here; run this in dom0\n"
    )


def test_what_xens_libraries_declare_is_in_the_package_alone() -> None:
    for path in (PROJECT / "examples").glob("*.py"):
        words = set(re.findall(r"\w+", path.read_text()))
        assert not words & {"argtypes", "restype", "struct", "unpack_from"}, path
