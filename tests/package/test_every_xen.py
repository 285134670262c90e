"""One handler for every release: run on a recording of each, and what it may ask for.

`tests/data/typing/every_xen.py` is the handler, which type checkers hold against every module.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from support import PROJECT, series
from xen_vm_event import (
    VERSIONS,
    common,
    interface_for_xen,
    records,
    releases,
    since,
    xenctrl,
)
from xen_vm_event.xenctrl import common as xenctrl_common

RELEASES = [release for speaking in VERSIONS.values() for release in speaking]
HANDLERS = runpy.run_path(str(PROJECT / "tests" / "data" / "typing" / "every_xen.py"))
tell: Callable[[Any], str] = HANDLERS["tell"]


def recording(xen: ModuleType) -> bytes:
    """Requests as that Xen sends them."""
    access = xen.vm_event_st(vcpu_id=1, reason=xen.VM_EVENT_REASON_MEM_ACCESS)
    access.u.mem_access.gfn = 0x1F00
    access.data.regs.x86.rip = 0xFFFF_8000
    written = xen.vm_event_st(reason=xen.VM_EVENT_REASON_MOV_TO_MSR)
    written.u.mov_to_msr.msr = 0x174
    for name in ("value", "new_value"):
        if common.has(written.u.mov_to_msr, name):
            setattr(written.u.mov_to_msr, name, 0x10)
    asked = xen.vm_event_st(vcpu_id=3, reason=xen.VM_EVENT_REASON_GUEST_REQUEST)
    left = xen.vm_event_st(reason=15)
    if common.has(left.u, "vmexit"):
        left.u.vmexit.arch.vmx.reason = 48
    return b"".join(map(bytes, [access, written, asked, left]))


@pytest.mark.parametrize("release", RELEASES)
def test_one_handler_reads_what_every_xen_sends(release: str) -> None:
    xen = interface_for_xen(release)
    told = [tell(request) for request in records(xen.vm_event_st, recording(xen))]
    has_exit = hasattr(xen, "VM_EVENT_REASON_VMEXIT")
    assert told == [
        "access to 0x1f00 at 0xffff8000",
        "0x174 becomes 0x10",
        "reason 8 of vCPU 3",
        "exit 48" if has_exit else "reason 15 of vCPU 0",
    ]


def test_the_handlers_are_held_against_the_module_of_every_release() -> None:
    """Of those that were there when they were written."""
    modules = {type(request).__module__ for request in HANDLERS["every_request"]()}
    known = [r for r in RELEASES if series(r) <= (4, 22)]
    assert modules == {interface_for_xen(release).__name__ for release in known}


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("VM_EVENT_FLAG_VCPU_PAUSED", "4.6"),
        ("VM_EVENT_FLAG_SET_REGISTERS", "4.7"),
        ("VM_EVENT_REASON_VMEXIT", "4.17"),
        ("vm_event_st", "4.6"),
        ("vm_event_io", "4.18"),
        ("vm_event_st.u.vmexit", "4.17"),
        ("vm_event_regs_x86.dr6", "4.12"),
        ("vm_event_desc_access.arch.vmx.instr_info", "4.9"),
    ],
)
def test_since_when_something_is_there(name: str, release: str) -> None:
    assert since(name) == release


def test_what_changed_or_went_away_is_there_for_some_releases() -> None:
    assert releases("vm_event_regs_arm.cpsr") == (("4.8", "4.15"), ("4.16", None))
    assert releases("vm_event_mov_to_msr.value") == (("4.6", "4.10"),)


def test_a_name_of_no_release_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"no Xen has .* called 'vm_event_st\.v'"):
        since("vm_event_st.v")
    with pytest.raises(LookupError, match=r"did you mean 'vm_event_st\.u\.vmexit'"):
        since("vm_event_st.u.vmexi")


def vm_event_u(release: str) -> Any:
    return interface_for_xen(release).vm_event_st().u


def guest_request(release: str) -> Any:
    return xenctrl.interface_for_xen(release).xc_monitor_guest_request


@pytest.mark.parametrize("release", ["4.6", "4.22"])
@pytest.mark.parametrize(
    ("thing", "misspelt", "nearest"),
    [
        (vm_event_u, "vmexitt", "vmexit"),
        (vm_event_u, "mem_acces", "mem_access"),
        (interface_for_xen, "VM_EVENT_REASON_VMEXI", "VM_EVENT_REASON_VMEXIT"),
        (xenctrl.interface_for_xen, "xc_monitor_vmexi", "xc_monitor_vmexit"),
        (guest_request, "alow_userspace", "allow_userspace"),
    ],
)
def test_has_refuses_what_no_release_has(
    release: str, thing: Callable[[str], Any], misspelt: str, nearest: str
) -> None:
    """It names the nearest, which this release may lack: that is no error."""
    ours = thing in (vm_event_u, interface_for_xen)
    has: Any = common.has if ours else xenctrl_common.has
    with pytest.raises(LookupError, match=f"did you mean .*'{nearest}'"):
        has(thing(release), misspelt)
    assert has(thing(release), nearest) == (
        release == "4.22" or nearest == "mem_access"
    )


@pytest.mark.parametrize("release", RELEASES)
def test_a_module_has_what_its_release_has_and_nothing_else(release: str) -> None:
    """The history and the module, which are made of the headers in two ways."""
    xen = interface_for_xen(release)
    place = RELEASES.index(release)
    for name, spans in HISTORY.items():
        there = any(
            RELEASES.index(first) <= place
            and (last is None or place <= RELEASES.index(last))
            for first, last in spans
        )
        thing, *path = name.split(".")
        found: Any = getattr(xen, thing, None)
        for member in path:
            names = {m.c_name: m.type for m in getattr(found, "_members_", ())}
            found = names.get(member)
        assert (found is not None) == there, name


HISTORY: dict[str, tuple[tuple[str, str | None], ...]] = vars(
    __import__("xen_vm_event.history", fromlist=["*"])
)["_RELEASES"]
