"""The package's monitor on a Xen that is played here; tests/live has a real one.

What the hypervisor would do with a call is not known here, but which calls are made, in
which order, and that every request is answered.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import functools
import io
import operator
import os
import re
import select
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xen_vm_event.xenctrl.v4
from playing import ARM, Begin
from xen_vm_event import v7
from xen_vm_event.monitor import EVENTS, Monitor, MonitorError, Xen, recover
from xen_vm_event.monitor.arguments import flags_given
from xen_vm_event.monitor.signals import SIGNALS, Signals
from xen_vm_event.testing import PlayedXen
from xen_vm_event.testing.capabilities import capabilities
from xen_vm_event.testing.libraries import STABLE

WRITE = v7.VmEventReason.WRITE_CTRLREG
CPUID = v7.VmEventReason.CPUID
PAUSED = v7.VmEventFlag.VCPU_PAUSED
USUAL = ("write_ctrlreg:cr3", "cpuid")

# How each release's monitor leaves after `cpuid` and `write_ctrlreg:cr3`.
CR3 = v7.VM_EVENT_X86_CR3
LEAVE = [
    ("xc_monitor_cpuid", 1, False),
    ("xc_monitor_write_ctrlreg", 1, CR3, False, True, 0, False),
    *(("xc_domain_pause", 1), ("xc_domain_unpause", 1)),
    ("xc_monitor_disable", 1),
    ("xc_interface_close",),
]


def request(reason: int, vcpu: int = 0, **members: int) -> Any:
    made = v7.vm_event_st(version=7, reason=reason, vcpu_id=vcpu, flags=PAUSED)
    for name, value in members.items():
        setattr(made.payload, name, value)
    made.data.regs.x86.rip = 0x1000
    return made


def watch(
    xen: PlayedXen,
    *rounds: list[Any],
    limit: int | None = None,
    events: Sequence[str] = USUAL,
    **handlers: Callable[[Any], Any],
) -> list[str]:
    """The reasons that a monitor showed of these rounds; the guest is gone after them."""
    xen.guests[1].rounds = list(rounds)
    shown: list[str] = []
    with Monitor(1, events, handlers) as monitor:
        xen.calls.clear()
        for request in monitor:
            shown.append(monitor.reason(request))
            if len(shown) == limit:
                break
    return shown


def test_every_request_is_shown_and_answered(xen: PlayedXen) -> None:
    assert watch(xen, [request(WRITE), request(99)], [request(WRITE, vcpu=1)]) == [
        *("WRITE_CTRLREG", "UNKNOWN_99", "WRITE_CTRLREG")
    ]
    answers = xen.guests[1].answers
    assert [(a.version, a.reason, a.vcpu_id, a.flags) for a in answers] == [
        *((7, WRITE, 0, PAUSED), (7, 99, 0, PAUSED), (7, WRITE, 1, PAUSED))
    ]
    assert xen.calls == LEAVE


def test_there_is_time_for_other_things_when_the_guest_does_nothing(
    xen: PlayedXen,
) -> None:
    """And not between two requests that come at once, or one after the other."""
    xen.guests[1].rounds = [
        [request(CPUID)],
        [request(CPUID)],
        [],
        [request(WRITE)] * 2,
    ]
    done: list[str] = []
    with Monitor(1, USUAL, idle=lambda: done.append("idle")) as monitor:
        for each in monitor:
            done.append(monitor.reason(each))
    assert done == [
        *("CPUID", "CPUID", "idle", "WRITE_CTRLREG", "WRITE_CTRLREG", "idle")
    ]


def test_what_a_loop_in_idle_left_is_answered_by_the_outer_one(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [
        *([request(99)], [], [request(CPUID), request(WRITE)], [request(WRITE, vcpu=1)])
    ]
    shown: list[tuple[str, int]] = []

    def idle() -> None:
        if len(shown) == 1:
            guest.send()
        for each in monitor.pending():
            shown.append((f"idle: {monitor.reason(each)}", each.vcpu_id))
            break

    with Monitor(1, USUAL, idle=idle) as monitor:
        for each in monitor:
            shown.append((monitor.reason(each), each.vcpu_id))
            monitor.answer(each)
            assert monitor.ring.rsp_prod_pvt == len(shown)
    assert shown == [
        *(("UNKNOWN_99", 0), ("idle: CPUID", 0)),
        *(("WRITE_CTRLREG", 0), ("WRITE_CTRLREG", 1)),
    ]
    assert [each.reason for each in guest.answers] == [99, CPUID, WRITE, WRITE]


def test_what_a_loop_in_idle_left_on_the_ring_needs_no_event(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(99)], [], [request(CPUID), request(WRITE)]]
    shown: list[str] = []

    def idle() -> None:
        if len(shown) == 1:
            guest.send()
        for each in monitor.pending():
            shown.append(f"idle: {monitor.reason(each)}")
            break

    with Monitor(1, USUAL, idle=idle) as monitor:
        for each in monitor:
            shown.append(monitor.reason(each))
    assert shown == ["UNKNOWN_99", "idle: CPUID", "WRITE_CTRLREG"]


def test_a_monitor_is_used_a_second_time(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(CPUID)], [request(CPUID)]]
    monitor = Monitor(1, USUAL)
    for _ in range(2):
        with monitor:
            guest.send()
            assert len(list(monitor.pending())) == 1
            assert [each.reason for each in guest.answers] == [CPUID]
        guest.answers.clear()


def test_a_request_that_does_not_wait_is_not_answered_as_if_it_did(
    xen: PlayedXen,
) -> None:
    asynchronous = request(WRITE)
    asynchronous.flags = 0
    watch(xen, [asynchronous])
    assert [answer.flags for answer in xen.guests[1].answers] == [0]


def test_a_handler_comes_after_what_the_reason_needs(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        assert request.data.regs.x86.rip == 0x1002
        request.data.regs.x86.rax = 0x1234
        return int(v7.VmEventFlag.RESET_VMTRACE)

    watch(xen, [request(CPUID, insn_length=2)], CPUID=handler)
    [answer] = xen.guests[1].answers
    assert (answer.data.regs.x86.rip, answer.data.regs.x86.rax) == (0x1002, 0x1234)
    flag = v7.VmEventFlag
    assert answer.flags == PAUSED | flag.SET_REGISTERS | flag.RESET_VMTRACE


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_nobody_waits(
    xen: PlayedXen, error: type[BaseException]
) -> None:
    def handler(request: Any) -> None:
        raise error

    begun = [request(CPUID, insn_length=2), request(WRITE, vcpu=1)]
    with pytest.raises(error):
        watch(xen, begun, CPUID=handler)
    first, second = xen.guests[1].answers
    assert (first.vcpu_id, first.data.regs.x86.rip) == (0, 0x1002)
    assert (second.vcpu_id, second.flags) == (1, PAUSED)
    assert xen.calls == LEAVE


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        *((1 << 32, ValueError), (-1, ValueError), ("x", TypeError)),
        *((1.0, TypeError), (v7.vm_event_st(), TypeError)),
    ],
)
def test_a_handler_that_gives_no_flags_is_told(
    xen: PlayedXen, flags: Any, kind: type[Exception]
) -> None:
    """And the guest goes on as if the handler had failed."""
    said = r"^the handler of CPUID gave .*: flags are a number of 32 bits"
    with pytest.raises(kind, match=said):
        watch(xen, [request(CPUID, insn_length=2)], CPUID=lambda request: flags)
    [answer] = xen.guests[1].answers
    assert answer.flags == PAUSED | v7.VmEventFlag.SET_REGISTERS
    assert answer.data.regs.x86.rip == 0x1002


class Number:
    """A number by its __index__ alone, as other libraries have."""

    def __index__(self) -> int:
        return int(v7.VmEventFlag.DENY)


@pytest.mark.parametrize(
    "flags", [None, 0, False, True, v7.VmEventFlag.VCPU_PAUSED, Number()]
)
def test_what_a_handler_may_give(xen: PlayedXen, flags: Any) -> None:
    watch(xen, [request(WRITE)], WRITE_CTRLREG=lambda request: flags)
    given = [answer.flags for answer in xen.guests[1].answers]
    assert given == [PAUSED | operator.index(flags or 0)]


@pytest.mark.parametrize(
    ("flags", "kind"), [(1 << 32, ValueError), (-1, ValueError), ("x", TypeError)]
)
def test_an_answer_with_flags_that_there_are_not(
    xen: PlayedXen, flags: Any, kind: type[Exception]
) -> None:
    said = (
        r"^answer\(\) was given .*: flags are a number of 32 bits, such as a VmEventFl"
    )
    xen.guests[1].rounds = [[request(WRITE)]]
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            with pytest.raises(kind, match=said):
                monitor.answer(each, flags)
    assert [answer.flags for answer in xen.guests[1].answers] == [PAUSED]


def test_after_its_limit_it_answers_but_shows_no_more(xen: PlayedXen) -> None:
    assert watch(xen, [request(WRITE), request(CPUID)], limit=1) == ["WRITE_CTRLREG"]
    assert [answer.reason for answer in xen.guests[1].answers] == [WRITE, CPUID]


def test_requests_of_another_version_are_not_decoded(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Xen, "interface_version", lambda self: 6)
    with pytest.raises(MonitorError, match="speaks vm_event version 7, not 6"):
        watch(xen, [request(WRITE)])
    [answer] = xen.guests[1].answers
    assert (answer.version, answer.flags) == (7, PAUSED)
    assert xen.calls == LEAVE


def test_it_does_not_stay_attached_when_it_cannot_begin(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no memory barrier")

    monkeypatch.setattr(v7, "BackRing", refuse)
    with pytest.raises(RuntimeError):
        watch(xen)
    assert [name for name, *_ in xen.calls] == [
        *("xc_monitor_enable", "xc_monitor_disable", "xc_interface_close")
    ]


def test_a_guest_that_is_gone_cannot_be_left_in_order(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ProcessLookupError(3, "xc_monitor_cpuid: No such process")

    def end(request: Any) -> None:
        xen.guests[1].alive = False
        monkeypatch.setattr(xen_vm_event.xenctrl.v4.library, "_call", refuse)

    with pytest.raises(ProcessLookupError):
        watch(xen, [request(CPUID)], CPUID=end)


@pytest.mark.parametrize(
    "event",
    [
        *("nonsense", "write_ctrlreg", "write_ctrlreg:cr9", "write_ctrlreg:cr99"),
        *("write_ctrlreg:-1", "write_ctrlreg:3", "mov_to_msr:x", "cpuid:1"),
    ],
)
def test_an_event_that_there_is_not(xen: PlayedXen, event: str) -> None:
    said = f"no event '{event}'; name one of {', '.join(EVENTS)}"
    name = event.partition(":")[0]
    said += f"; this one as {name}" if name in EVENTS else ""
    with pytest.raises(MonitorError, match=f"^{said}"):
        watch(xen, events=[event])
    assert xen.calls == [("xc_interface_close",)]


SOME = ("write_ctrlreg:cr3", "guest_request", "mov_to_msr:0x174")


@pytest.mark.parametrize(
    ("release", "calls"),
    [
        (
            "4.7",
            [
                ("xc_monitor_write_ctrlreg", 1, CR3, True, True, False),
                ("xc_monitor_guest_request", 1, True, True),
                ("xc_monitor_mov_to_msr", 1, True, True),
            ],
        ),
        (
            "4.9",
            [
                ("xc_monitor_write_ctrlreg", 1, CR3, True, True, False),
                ("xc_monitor_guest_request", 1, True, True),
                ("xc_monitor_mov_to_msr", 1, 0x174, True),
            ],
        ),
        (
            "4.10",
            [
                ("xc_monitor_write_ctrlreg", 1, CR3, True, True, 0, False),
                ("xc_monitor_guest_request", 1, True, True, False),
                ("xc_monitor_mov_to_msr", 1, 0x174, True),
            ],
        ),
        (
            "4.20",
            [
                ("xc_monitor_write_ctrlreg", 1, CR3, True, True, 0, False),
                ("xc_monitor_guest_request", 1, True, True, False),
                ("xc_monitor_mov_to_msr", 1, 0x174, True, False),
            ],
        ),
    ],
)
def test_each_release_is_called_as_it_declares_its_functions(
    begin: Begin, release: str, calls: list[Any]
) -> None:
    xen = begin(release)
    with Monitor(1, SOME):
        (attached, *_), *switched = xen.calls
    assert (attached, switched) == ("xc_monitor_enable", calls)


@pytest.mark.parametrize(
    ("event", "on", "off"),
    [
        (
            "write_ctrlreg:cr4:onchange:0x80",
            (
                "xc_monitor_write_ctrlreg",
                1,
                v7.VM_EVENT_X86_CR4,
                True,
                True,
                0x80,
                True,
            ),
            (
                "xc_monitor_write_ctrlreg",
                1,
                v7.VM_EVENT_X86_CR4,
                False,
                True,
                0x80,
                True,
            ),
        ),
        (
            "mov_to_msr:0x174:onchange",
            ("xc_monitor_mov_to_msr", 1, 0x174, True, True),
            ("xc_monitor_mov_to_msr", 1, 0x174, False, True),
        ),
        ("vmexit", *(("xc_monitor_vmexit", 1, on, False) for on in (True, False))),
        ("io_instruction", *(("xc_monitor_io", 1, on) for on in (True, False))),
        *(
            (event, (f"xc_monitor_{event}", 1, True), (f"xc_monitor_{event}", 1, False))
            for event in ("emul_unimplemented", "singlestep", "software_breakpoint")
        ),
    ],
)
def test_an_event_is_switched_on_and_off(
    xen: PlayedXen, event: str, on: Any, off: Any
) -> None:
    with Monitor(1, [event]):
        assert xen.calls[1:] == [on]
        xen.calls.clear()
    assert off in xen.calls


def test_every_reason_is_an_event_or_comes_on_another_ring(xen: PlayedXen) -> None:
    with_more = {
        "mov_to_msr": ["mov_to_msr:0x174"],
        "write_ctrlreg": ["write_ctrlreg:cr3"],
        "interrupt": ["interrupt", "cpuid"],
    }
    elsewhere: list[str] = []
    for reason in v7.VmEventReason.__members__:
        event = reason.lower()
        xen.capabilities |= ARM if event == "privileged_call" else 0
        try:
            with Monitor(1, with_more.get(event, [event])):
                assert event in EVENTS
        except MonitorError:
            elsewhere.append(event)
    assert elsewhere == ["unknown", "mem_sharing", "mem_paging"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("mov_to_msr:0x1ffffffffff", "0x1ffffffffff is no number of 32 bits"),
        ("mov_to_msr:-1", "-1 is no number of 32 bits"),
        (
            "write_ctrlreg:cr3:onchange:0x10000000000000000",
            "0x10000000000000000 is no number of 64 bits",
        ),
        ("write_ctrlreg:cr3:onchange:-1", "-1 is no number of 64 bits"),
    ],
)
def test_an_event_with_a_number_that_cannot_be(
    xen: PlayedXen, event: str, said: str
) -> None:
    with pytest.raises(MonitorError, match=f"^{event}: {said}$"):
        watch(xen, events=[event])
    assert xen.calls == [("xc_interface_close",)]


@pytest.mark.parametrize(
    ("release", "event", "said"),
    [
        ("4.9", "write_ctrlreg:cr4:onchange:0x80", "a mask is there since Xen 4.10"),
        ("4.10", "mov_to_msr:0x174:onchange", "onchange is there since Xen 4.11"),
    ],
)
def test_what_an_event_of_a_release_cannot_be_told(
    begin: Begin, release: str, event: str, said: str
) -> None:
    xen = begin(release)
    with pytest.raises(MonitorError, match=f"{event}: {said}"):
        watch(xen, events=[event])
    assert xen.calls == [("xc_interface_close",)]


def test_interrupts_are_asked_for_by_every_answer_until_the_monitor_leaves(
    xen: PlayedXen,
) -> None:
    wanted = v7.VmEventFlag.GET_NEXT_INTERRUPT
    interrupt = v7.VmEventReason.INTERRUPT
    rounds = [request(WRITE), request(interrupt)]
    watch(
        xen,
        rounds,
        [request(WRITE)],
        events=["interrupt", "write_ctrlreg:cr3"],
        limit=3,
    )
    assert [answer.flags & ~PAUSED for answer in xen.guests[1].answers] == [
        *(wanted, wanted, 0)
    ]


def test_an_io_instruction_is_carried_out_while_they_are_not_reported(
    xen: PlayedXen,
) -> None:
    step, io = v7.VmEventReason.SINGLESTEP, v7.VmEventReason.IO_INSTRUCTION
    toggle = v7.VmEventFlag.TOGGLE_SINGLESTEP
    shown = watch(xen, [request(io)], [request(step)], events=["io_instruction"])
    assert shown == ["IO_INSTRUCTION"]
    answers = xen.guests[1].answers
    assert [answer.flags & ~PAUSED for answer in answers] == [toggle, toggle]
    stop = [("xc_domain_debug_control", 1, 0, vcpu) for vcpu in (0, 1)]
    assert xen.calls[:7] == [
        ("xc_monitor_io", 1, False),
        ("xc_monitor_singlestep", 1, True),
        ("xc_monitor_io", 1, True),
        *stop,
        ("xc_monitor_singlestep", 1, False),
        ("xc_monitor_io", 1, False),
    ]


def test_leaving_at_an_io_instruction_has_no_vcpu_step(xen: PlayedXen) -> None:
    io = v7.VmEventReason.IO_INSTRUCTION
    watch(xen, [request(WRITE), request(io)], events=["io_instruction"], limit=1)
    assert [answer.flags & ~PAUSED for answer in xen.guests[1].answers] == [0, 0]
    assert xen.calls[0] == ("xc_monitor_io", 1, False)
    assert "xc_monitor_singlestep" not in {name for name, *_ in xen.calls}


def test_an_argument_too_many_is_an_error_of_the_library_that_is_played(
    begin: Begin,
) -> None:
    begin("4.9")
    own = Xen()
    write = own.module.xc_monitor_write_ctrlreg
    with pytest.raises(TypeError, match="takes 6 positional arguments but 7 were"):
        write(own.handle, 1, CR3, True, True, 0, False)
    library, handle = own.module.library, own.handle
    with pytest.raises(AssertionError, match="xc_monitor_write_ctrlreg takes 6"):
        library.unless_negative(write, handle, 1, CR3, True, True, False, 0)


@pytest.mark.parametrize(
    ("release", "event", "missing"),
    [
        (
            "4.7",
            "cpuid",
            "xc_monitor_cpuid: not in libxenctrl.so.4.7 of Xen 4.7; it is there since Xen 4.8",
        ),
        (
            "4.8",
            "descriptor_access",
            "xc_monitor_descriptor_access: not in libxenctrl.so.4.8 of Xen 4.8;"
            " it is there since Xen 4.9",
        ),
    ],
)
def test_a_function_that_a_release_lacks_is_told_before_it_attaches(
    begin: Begin, release: str, event: str, missing: str
) -> None:
    xen = begin(release)
    with pytest.raises(OSError, match=f"^{missing}$"):
        watch(xen, events=["guest_request", event])
    assert xen.calls == [("xc_interface_close",)]


@pytest.mark.parametrize("name", ["libxentoollog.so.1", "libxenevtchn.so.1"])
def test_without_one_of_xens_libraries_it_does_not_attach(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delitem(STABLE, name)
    with pytest.raises(OSError, match=f"cannot load {re.escape(name)}"):
        watch(xen, events=["guest_request"])
    assert ("xc_monitor_enable", 1) not in [call[:2] for call in xen.calls]


def test_recover_frees_every_vcpu(xen: PlayedXen) -> None:
    recover(1)
    assert [(a.version, a.vcpu_id, a.flags) for a in xen.guests[1].answers] == [
        *((7, 0, PAUSED), (7, 1, PAUSED))
    ]
    first, *_, last, _ = xen.calls
    assert first == last == ("xc_monitor_disable", 1)


def test_recover_takes_away_what_a_killed_monitor_had_xen_do(xen: PlayedXen) -> None:
    recover(1)
    for call in (
        ("xc_altp2m_set_domain_state", 1, False),
        ("xc_domain_set_access_required", 1, False),
        *(("xc_domain_debug_control", 1, 0, vcpu) for vcpu in (0, 1)),
    ):
        assert call in xen.calls


ATTRIBUTES = [
    *("xen", "vm_event", "ring", "memory", "views", "breakpoints", "stepping"),
    *("emulator", "physical"),
]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_is_there_within_the_context_alone(xen: PlayedXen, name: str) -> None:
    monitor = Monitor(1, USUAL)
    with pytest.raises(MonitorError, match=r"^nothing is monitored but in `with M"):
        _ = getattr(monitor, name).anything
    with monitor:
        assert "Outside" not in repr(getattr(monitor, name))


def test_what_a_monitor_never_has(xen: PlayedXen) -> None:
    said = "'Monitor' object has no attribute 'memories'"
    with pytest.raises(AttributeError, match=said):
        _ = Monitor(1, USUAL).memories  # type: ignore[attr-defined]
    with Monitor(1, USUAL) as monitor, pytest.raises(AttributeError, match=said):
        _ = monitor.memories  # type: ignore[attr-defined]


# --- what cannot be had, and is told before anything is attached ------------------------


def test_an_event_that_the_machine_does_not_have(xen: PlayedXen) -> None:
    xen.capabilities = capabilities("4.20", is_arm=True)
    with pytest.raises(
        MonitorError,
        match=r"^cpuid: this machine, or this build of Xen, does not report that of this guest;"
        r" it reports guest_request, privileged_call$",
    ):
        watch(xen, events=["guest_request", "cpuid"])
    assert xen.calls == [("xc_interface_close",)]


@pytest.mark.parametrize(
    ("domain", "kind", "said"),
    [
        (
            "1",
            TypeError,
            "domain '1' is no number; `xl domid NAME` tells that of a name",
        ),
        (1.0, TypeError, "domain 1.0 is no number"),
        (None, TypeError, "domain None is no number"),
        (-1, ValueError, "no domain has the number -1; `xl list` tells which do"),
        (0x7FF0, ValueError, "no domain has the number 32752"),
        (2**32 + 1, ValueError, "no domain has the number 4294967297"),
    ],
)
def test_what_is_no_domain(
    xen: PlayedXen, domain: Any, kind: type[Exception], said: str
) -> None:
    """The bits that Xen takes of a longer number are another domain's."""
    for use in (lambda: Monitor(domain, ["cpuid"]), lambda: recover(domain)):
        with pytest.raises(kind, match=f"^{said}"):
            use()
    assert not xen.calls


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ("cpuid", r"the events are a list: write \['cpuid'\]"),
        ([3], "3 is no event: write its name, as in 'cpuid'"),
        ([CPUID], ".*CPUID.* is no event: write its name"),
        (b"cpuid", "99 is no event: write its name"),
        (None, "None is no list of events: write names, as in"),
    ],
)
def test_what_is_no_list_of_events(xen: PlayedXen, events: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said}"):
        Monitor(1, events)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"xen": 4.17}, r"xen=4\.17 is none: make one by Xen\(\), or leave it out"),
        ({"idle": 0.5}, r"idle=0\.5 cannot be called: write a function"),
        ({"recording": b"a.rec"}, "recording=b'a.rec' is no path of a file"),
        ({"recording": io.BytesIO()}, ".* is no path .*that is open, make a Recording"),
    ],
)
def test_what_is_given_by_name_is_of_its_kind(
    xen: PlayedXen, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=f"^{said}"):
        Monitor(1, ["cpuid"], **given)
    assert not xen.calls


def test_words_for_an_error_are_made_for_an_error() -> None:
    made: list[int] = []

    def whose(number: int) -> str:
        made.append(number)
        return f"number {number} gave"

    assert flags_given(PAUSED, whose, 3) == PAUSED
    assert not made
    with pytest.raises(ValueError, match=r"^number 4 gave -1: flags are"):
        flags_given(-1, whose, 4)


@pytest.mark.parametrize(
    ("handlers", "said"),
    [
        (print, r".* are no handlers: write them by name, as in \{'CPUID': handler\}"),
        ({CPUID: print}, r".*CPUID.* is no reason's name: write handlers as in"),
        ({"CPUID": None}, "the handler of CPUID is None: write a function"),
        (
            {"mem_access": print, "MEM_ACCESS": len},
            "'mem_access' and 'MEM_ACCESS' are one reason: write one handler",
        ),
    ],
)
def test_what_are_no_handlers(xen: PlayedXen, handlers: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said}"):
        Monitor(1, ["cpuid"], handlers)


def test_a_handler_of_a_reason_that_there_is_not(begin: Begin) -> None:
    xen = begin("4.9")
    with pytest.raises(MonitorError, match="no reason 'VMEXIT' in vm_event version 2"):
        watch(xen, VMEXIT=lambda request: None)
    assert xen.calls == [("xc_interface_close",)]


def test_a_second_monitor_is_told_and_does_not_disturb_the_first(
    xen: PlayedXen,
) -> None:
    with Monitor(1, USUAL):
        xen.calls.clear()
        with pytest.raises(
            OSError, match="another monitor, or pager, has it already"
        ) as raised:
            watch(xen)
        assert raised.value.errno == errno.EBUSY
        assert [name for name, *_ in xen.calls] == [
            *("xc_monitor_enable", "xc_interface_close")
        ]


def test_outside_of_its_context_nothing_is_monitored(xen: PlayedXen) -> None:
    monitor = Monitor(1, USUAL)
    for use in (monitor.fileno, monitor.run, lambda: list(monitor.pending())):
        with pytest.raises(MonitorError, match="but in `with Monitor"):
            use()
    with monitor:
        pass
    with pytest.raises(MonitorError, match="but in `with Monitor"):
        monitor.run()


# --- what a loop may do with requests ---------------------------------------------------


def test_a_loop_may_answer_itself(xen: PlayedXen) -> None:
    xen.guests[1].rounds = [[request(CPUID, insn_length=2), request(WRITE)]]
    flag = v7.VmEventFlag
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            monitor.answer(each, flag.DENY)
    first, second = xen.guests[1].answers
    assert first.flags == PAUSED | flag.SET_REGISTERS | flag.DENY
    assert first.data.regs.x86.rip == 0x1002
    assert second.flags == PAUSED | flag.DENY


def test_a_loop_within_a_loop_may_be_left(xen: PlayedXen) -> None:
    xen.guests[1].rounds = [[request(WRITE, vcpu=number) for number in range(3)]]
    seen = []
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            seen.append(each.vcpu_id)
            for other in monitor.pending():
                seen.append(other.vcpu_id)
                break
    assert seen == [0, 1, 2]
    assert [answer.vcpu_id for answer in xen.guests[1].answers] == [0, 1, 2]


def test_a_second_loop_takes_over(xen: PlayedXen) -> None:
    xen.guests[1].rounds = [[request(WRITE, vcpu=number) for number in range(3)]]
    with Monitor(1, USUAL) as monitor:
        first, second = iter(monitor), iter(monitor)
        assert [next(each).vcpu_id for each in (first, second, first)] == [0, 1, 2]
    assert [answer.vcpu_id for answer in xen.guests[1].answers] == [0, 1, 2]


def test_what_a_loop_within_leaves_needs_no_event_of_its_own(xen: PlayedXen) -> None:
    """A kernel gives the event as soon as its port may have one: to the loop within."""
    guest = xen.guests[1]
    guest.rounds = [[request(WRITE, vcpu=number) for number in range(4)]]
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            if each.vcpu_id == 0:
                guest.ring.port.deliver()
                for other in monitor.pending():
                    monitor.answer(other)
                    break
    assert [answer.vcpu_id for answer in guest.answers] == [0, 1, 2, 3]


def test_an_answer_may_be_postponed(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(CPUID, insn_length=2)], [request(WRITE, vcpu=1)]]
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            if monitor.reason(each) == "WRITE_CTRLREG":
                break
            monitor.postpone(each)
            postponed = each
        assert guest.answers == []
        monitor.answer(postponed)
        [answer] = guest.answers
        assert (answer.reason, answer.data.regs.x86.rip) == (CPUID, 0x1002)
    assert [answer.vcpu_id for answer in guest.answers] == [0, 1]


def test_a_loop_that_was_broken_off_goes_on_where_it_was(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(WRITE), request(99), request(98)], [request(97)]]
    with Monitor(1, USUAL) as monitor:
        for _ in monitor:
            break
        assert [each.reason for each in monitor] == [99, 98, 97]
    assert [answer.reason for answer in guest.answers] == [WRITE, 99, 98, 97]


# --- the event channel ------------------------------------------------------------------


def test_all_requests_of_an_event_are_answered_by_one(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(WRITE, vcpu=each) for each in range(5)] for _ in range(3)]
    with Monitor(1, USUAL) as monitor:
        monitor.run()
        assert (guest.unmasked, guest.notified) == (3, 3)
        assert len(guest.answers) == 15


def test_the_library_notifies_where_the_device_cannot(xen: PlayedXen) -> None:
    xen.has_ioctl = False
    watch(xen, [request(WRITE)], [request(WRITE)])
    assert len(xen.guests[1].answers) == 2


# --- event loops ------------------------------------------------------------------------


def test_two_guests_in_a_loop_of_ones_own(xen: PlayedXen) -> None:
    first, second = xen.guests.values()
    first.rounds = [[request(WRITE)], [request(CPUID, insn_length=2)]]
    second.rounds = [[request(WRITE, vcpu=1), request(99)]]
    seen: list[tuple[int, str]] = []
    with (
        Xen() as shared,
        Monitor(1, USUAL, xen=shared) as one,
        Monitor(2, USUAL, xen=shared) as other,
    ):
        poll = select.poll()
        monitors = {monitor.fileno(): monitor for monitor in (one, other)}
        for number in monitors:
            poll.register(number, select.POLLIN)
        assert not list(one.pending()) and not list(other.pending())
        while first.rounds or second.rounds:
            for guest in (first, second):
                if guest.rounds:
                    guest.send()
            for ready, _ in poll.poll(0):
                monitor = monitors[ready]
                for each in monitor.pending():
                    seen.append((monitor.domain, monitor.reason(each)))
            assert not poll.poll(0)
    assert seen == [
        *((1, "WRITE_CTRLREG"), (2, "WRITE_CTRLREG"), (2, "UNKNOWN_99"), (1, "CPUID"))
    ]
    assert (len(first.answers), len(second.answers)) == (2, 2)
    assert xen.calls.count(("xc_interface_close",)) == 1


def test_two_guests_in_asyncio(xen: PlayedXen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xen_vm_event.monitor.loop._LOOKING_AFTER", 50)
    seen: list[tuple[int, str]] = []

    async def play_guest(number: int) -> None:
        for _ in range(3):
            xen.guests[number].send()
            await asyncio.sleep(0.01)

    async def look(monitor: Monitor) -> None:
        async for each in monitor:
            seen.append((monitor.domain, monitor.reason(each)))
            await asyncio.sleep(0)

    async def both() -> None:
        with Monitor(1, USUAL) as one, Monitor(2, USUAL) as other:
            await asyncio.gather(look(one), look(other), play_guest(1), play_guest(2))

    for guest in xen.guests.values():
        guest.rounds = [[request(WRITE), request(CPUID)], [request(99)]]
    asyncio.run(both())
    shown = ["WRITE_CTRLREG", "CPUID", "UNKNOWN_99"]
    assert [[reason for of, reason in seen if of == one] for one in (1, 2)] == [
        shown
    ] * 2
    assert [len(guest.answers) for guest in xen.guests.values()] == [3, 3]


def test_a_task_that_is_cancelled_leaves_in_order(xen: PlayedXen) -> None:
    async def look() -> None:
        with Monitor(1, USUAL) as monitor:
            xen.calls.clear()
            async for _ in monitor:
                at_a_request.set()
                await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(look())
        await asyncio.sleep(0)
        xen.guests[1].rounds = [[request(WRITE), request(CPUID, insn_length=2)]]
        xen.guests[1].send()
        await at_a_request.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    at_a_request = asyncio.Event()
    asyncio.run(main())
    assert len(xen.guests[1].answers) == 2
    assert xen.calls == LEAVE


# --- Ctrl-C, and what else ends a process -----------------------------------------------


@pytest.mark.parametrize(
    "moment",
    ["xc_monitor_enable", "xc_monitor_write_ctrlreg", "xc_monitor_disable"],
)
def test_a_signal_waits_until_nothing_is_half_done(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Wherever it comes: what was begun is undone, in order, and then it is told."""
    made = xen.function

    def interrupted(name: str) -> Callable[..., Any]:
        function = made(name)

        def called(*arguments: Any) -> Any:
            if name == moment:
                signal.raise_signal(signal.SIGINT)
            return function(*arguments)

        return called

    monkeypatch.setattr(xen, "function", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watch(xen, [request(WRITE)])
    assert xen.calls[-len(LEAVE) :] == LEAVE
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_at_a_request_comes_when_it_is_answered(xen: PlayedXen) -> None:
    def handler(request: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        request.data.regs.x86.rax = 0x1234

    rounds = [request(CPUID, insn_length=2), request(WRITE)]
    with pytest.raises(KeyboardInterrupt):
        watch(xen, rounds, [request(WRITE)], CPUID=handler)
    first, *rest = xen.guests[1].answers
    assert first.data.regs.x86.rax == 0x1234
    assert [each.reason for each in rest] == [WRITE]
    assert xen.calls == LEAVE


def test_after_a_loop_a_signal_does_not_wait(xen: PlayedXen) -> None:
    """Nothing is half done there, whether the guest is gone or the loop was broken off."""
    for is_broken_off in (False, True):
        guest = xen.guests[1 + is_broken_off]
        guest.rounds = [[request(WRITE)], [request(WRITE)]]
        reached = False
        with pytest.raises(KeyboardInterrupt), Monitor(guest.number, USUAL) as monitor:
            for _ in monitor:
                if is_broken_off:
                    break
            signal.raise_signal(signal.SIGINT)
            reached = True
        assert not reached
        assert not guest.outstanding


def test_a_signal_in_a_loop_that_is_broken_off_comes_at_the_latest_on_leaving(
    xen: PlayedXen,
) -> None:
    """The loop ends where nobody would see what the signal does: it is not lost there."""
    xen.guests[1].rounds = [[request(WRITE)]]
    reached = False
    with pytest.raises(KeyboardInterrupt), Monitor(1, USUAL) as monitor:
        for _ in monitor:
            signal.raise_signal(signal.SIGINT)
            break
        reached = True
    assert reached
    assert xen.calls[-len(LEAVE) :] == LEAVE


@pytest.mark.parametrize("turns", [2, 3, 1500])
def test_monitors_that_leave_in_the_order_that_they_came_in_leave_signals_as_they_were(
    xen: PlayedXen, turns: int
) -> None:
    """As those of guests do that end one by one while others begin."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    links = [Signals() for _ in range(turns)]
    last = Signals()
    last.__enter__()
    for each in [*links, *links[:2]]:
        each.__enter__()
        last.__exit__()
        last = each
    last.held = False
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    last.__exit__()
    assert {number: signal.getsignal(number) for number in SIGNALS} == handlers


def test_a_signal_comes_when_the_last_monitor_that_holds_it_lets_it(
    xen: PlayedXen,
) -> None:
    first, second = Signals(), Signals()
    first.__enter__()
    second.__enter__()
    second.held = False
    signal.raise_signal(signal.SIGINT)  # which the first holds
    second.__exit__()
    with pytest.raises(KeyboardInterrupt):
        first.let_through()
    first.__exit__()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_monitor_that_is_attached_is_not_attached_again(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(0x3000)
        breakpoints = monitor.breakpoints
        with pytest.raises(MonitorError, match="attached already; make another one"):
            monitor.__enter__()
        assert monitor.breakpoints is breakpoints
    assert not xen.findings


def test_an_answer_of_another_task_is_published_at_once(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(WRITE), request(WRITE, vcpu=1)]]
    seen: list[int] = []

    async def answer(monitor: Monitor, postponed: Any) -> None:
        monitor.answer(postponed)
        seen.append(len(guest.answers))

    async def both() -> None:
        with Monitor(1, USUAL) as monitor:
            guest.send()
            postponed = None
            async for each in monitor:
                if postponed is None:
                    postponed = each
                    monitor.postpone(each)
                else:
                    await asyncio.create_task(answer(monitor, postponed))
                    return

    asyncio.run(both())
    assert seen == [1]


def test_a_loop_within_another_lets_no_signal_through_to_it(xen: PlayedXen) -> None:
    """The outer one has a request still, which is half done."""
    xen.guests[1].rounds = [[request(WRITE), request(CPUID, vcpu=1, insn_length=2)]]
    seen = []
    with pytest.raises(KeyboardInterrupt), Monitor(1, USUAL) as monitor:
        for outer in monitor:
            for inner in monitor.pending():
                signal.raise_signal(signal.SIGINT)
                seen.append(inner.reason)
            seen.append(outer.reason)
    assert seen == [CPUID, WRITE]
    assert xen.calls[-len(LEAVE) :] == LEAVE


class Raise:
    """Has a signal come in a step of C's, so that Python looks for it at the next of its own."""

    __neg__ = staticmethod(functools.partial(ctypes.CDLL(None)["raise"], signal.SIGINT))


def test_a_signal_at_the_first_step_of_leaving_waits_until_it_is_done(
    xen: PlayedXen,
) -> None:
    signals = Raise()
    with pytest.raises(KeyboardInterrupt), Monitor(1, USUAL):
        -signals  # noqa: B018
    assert xen.calls[-len(LEAVE) :] == LEAVE


def test_sigterm_leaves_before_it_ends_the_process(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(request: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(SystemExit) as ended:
        watch(xen, [request(WRITE)], WRITE_CTRLREG=handler)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert xen.calls == LEAVE


def test_in_another_thread_signals_are_left_alone(xen: PlayedXen) -> None:
    seen: list[object] = []

    def look() -> None:
        with Monitor(1, USUAL):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_monitors_may_be_left_in_any_order(xen: PlayedXen) -> None:
    first, second = Monitor(1, USUAL), Monitor(2, USUAL)
    with first:
        second.__enter__()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    second.__exit__(None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)


# --- what cannot be asked for within the context ------------------------------------------


@pytest.mark.parametrize("reason", ["MEM_PAGING", "mem_sharing"])
def test_a_handler_of_what_comes_on_another_ring(xen: PlayedXen, reason: str) -> None:
    with (
        pytest.raises(MonitorError, match=f"^{reason} comes on a ring of its own"),
        Monitor(1, ["cpuid"], {reason: lambda _: None}),
    ):
        pass


def test_flags_that_there_are_not(xen: PlayedXen) -> None:
    xen.guests[1].rounds = [[request(WRITE)]]
    said = (
        r" was given 0x40000000: no flag of vm_event version 7, which has VCPU_PAUSED, "
    )
    with Monitor(1, USUAL) as monitor:
        for each in monitor:
            with pytest.raises(ValueError, match=said):
                monitor.answer(each, 1 << 30)


@pytest.mark.parametrize("access", [None, 5, b"r-x"])
def test_what_is_no_access(xen: PlayedXen, access: Any) -> None:
    with Monitor(1, []) as monitor:
        for use in (
            lambda: monitor.memory.restrict(5, access),
            lambda: monitor.memory.restrict_all(access),
            lambda: monitor.views.create(access),
        ):
            with pytest.raises(TypeError, match=r"is no access: write such as 'r-x'$"):
                use()


def test_what_is_no_view_to_be_destroyed(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        destroy: Any = monitor.views.destroy
        view = monitor.views.create()
        with pytest.raises(TypeError, match=r"^1 is no view: give one that"):
            destroy(1)
        destroy(view)
        with pytest.raises(MonitorError, match=r"^view 1 is there no more"):
            destroy(view)
