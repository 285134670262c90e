"""The modes of examples/access.py, each with an event of its, on a Xen that is played."""

from __future__ import annotations

import sys
from typing import Any

import access
import pytest
from playing import ARM
from xen_vm_event import v7
from xen_vm_event.testing import PlayedXen

REASON = v7.VmEventReason
FLAG = v7.VmEventFlag
PAUSED = FLAG.VCPU_PAUSED
STEP_ASIDE = FLAG.ALTERNATE_P2M | FLAG.TOGGLE_SINGLESTEP


def event(reason: int, flags: int = 0, view: int = 0) -> Any:
    return v7.vm_event_st(
        version=7, reason=reason, flags=PAUSED | flags, altp2m_idx=view
    )


def watched(xen: PlayedXen, mode: str, request: Any) -> int:
    """Have a mode answer a request; gives the flags."""
    xen.guests[1].rounds = [[request]]
    access.watch(1, mode)
    [answer] = xen.guests[1].answers
    return int(answer.flags) & ~PAUSED


@pytest.mark.parametrize(
    ("mode", "reason", "flags", "switch"),
    [
        ("write", REASON.MEM_ACCESS, 0, "xc_set_mem_access"),
        ("exec", REASON.MEM_ACCESS, 0, "xc_set_mem_access"),
        (
            *("breakpoint", REASON.SOFTWARE_BREAKPOINT),
            *(0, "xc_monitor_software_breakpoint"),
        ),
        ("debug", REASON.DEBUG_EXCEPTION, 0, "xc_monitor_debug_exceptions"),
        ("cpuid", REASON.CPUID, FLAG.SET_REGISTERS, "xc_monitor_cpuid"),
        (
            *("desc_access", REASON.DESCRIPTOR_ACCESS),
            *(FLAG.EMULATE, "xc_monitor_descriptor_access"),
        ),
        ("write_ctrlreg_cr4", REASON.WRITE_CTRLREG, 0, "xc_monitor_write_ctrlreg"),
        (
            *("privcall", REASON.PRIVILEGED_CALL),
            *(FLAG.SET_REGISTERS, "xc_monitor_privileged_call"),
        ),
    ],
)
def test_a_mode_of_the_guests_own_memory(
    xen: PlayedXen,
    capsys: pytest.CaptureFixture[str],
    mode: str,
    reason: Any,
    flags: int,
    switch: str,
) -> None:
    if mode == "privcall":
        xen.capabilities = ARM
    assert watched(xen, mode, event(reason)) == flags
    assert switch in {name for name, *_ in xen.calls}
    assert reason.name in capsys.readouterr().out


@pytest.mark.parametrize("mode", access.VIEWS)
def test_a_mode_of_a_view(
    xen: PlayedXen, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    violation = event(REASON.MEM_ACCESS, FLAG.ALTERNATE_P2M, view=1)
    assert watched(xen, mode, violation) == STEP_ASIDE
    assert ("xc_altp2m_switch_to_view", 1, 1) in xen.calls
    ignores = ("xc_monitor_inguest_pagefault", 1, True) in xen.calls
    assert ignores == (mode == "altp2m_write_no_gpt")
    assert "MEM_ACCESS" in capsys.readouterr().out


def test_there_are_the_eleven_modes_of_xen_access() -> None:
    known = access.MODES
    assert known == [
        *("altp2m_exec", "altp2m_write", "altp2m_write_no_gpt", "breakpoint", "cpuid"),
        *("debug", "desc_access", "exec", "privcall", "write", "write_ctrlreg_cr4"),
    ]


def test_what_cannot_be_done_is_a_line(
    xen: PlayedXen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    xen.capabilities = ARM
    monkeypatch.setattr(sys, "argv", ["access.py", "1", "cpuid"])
    assert access.main() == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "access: domain 1: cpuid: this machine, or this build of Xen"
    )
