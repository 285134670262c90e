"""The examples' monitor on a Xen that is played here; tests/live has a real one.

What the hypervisor would do with a call is not known here, but which calls are made, in
which order, and that every request is answered.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import monitor
import pytest
import watching
import xen_vm_event.xenctrl.v4
import xenctrl
from played_xen import PlayedXen, play
from xen_vm_event import v6, v7

WRITE = v7.VmEventReason.WRITE_CTRLREG
CPUID = v7.VmEventReason.CPUID
PAUSED = v7.VmEventFlag.VCPU_PAUSED

# How each release's monitor leaves after `cpuid` and `write_ctrlreg:cr3`.
OFF = ("xc_monitor_cpuid", 1, False)
CR3 = v7.VM_EVENT_X86_CR3
LEAVE = [
    OFF,
    ("xc_monitor_write_ctrlreg", 1, CR3, False, True, 0, False),
    ("xc_monitor_disable", 1),
]


class Channel(xenctrl.Channel):
    """A ring whose other side sends a round of requests at each wait."""

    xen: Any

    def wait(self, seconds: float) -> bool:
        self.xen.send()
        return super().wait(0)


@pytest.fixture
def begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[str], PlayedXen]]:
    """What starts a Xen of some release."""

    def start(release: str) -> PlayedXen:
        xen = play(monkeypatch, tmp_path, release)
        monkeypatch.setattr(Channel, "xen", xen, raising=False)
        return xen

    monkeypatch.setattr(xenctrl, "unmap", lambda address: None)
    monkeypatch.setattr(watching, "Channel", Channel)
    monkeypatch.setattr(watching, "ARM", False)
    yield start
    signal.pthread_sigmask(signal.SIG_UNBLOCK, watching.SIGNALS)


@pytest.fixture
def xen(begin: Callable[[str], PlayedXen]) -> PlayedXen:
    return begin("4.20")


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
    vm_event: Any = v7,
    events: Sequence[str] = ("write_ctrlreg:cr3", "cpuid"),
    **handlers: Callable[[Any], Any],
) -> list[str]:
    """The reasons that a monitor showed of these rounds; the guest is gone after them."""
    xen.rounds = list(rounds)
    shown: list[str] = []

    def show(reason: str, request: Any) -> None:
        shown.append(reason)

    own = xenctrl.Xen()
    switches = [watching.switch_of(own, 1, vm_event, event) for event in events]
    with watching.Watching(own, 1, vm_event, show, handlers) as monitor:
        for switch in switches:
            monitor.watch(switch)
        xen.switched_on = list(xen.calls)
        xen.calls.clear()
        monitor.run(limit)
    return shown


def test_every_request_is_shown_and_answered(xen: PlayedXen) -> None:
    assert watch(xen, [request(WRITE), request(99)], [request(WRITE, vcpu=1)]) == [
        *("WRITE_CTRLREG", "UNKNOWN_99", "WRITE_CTRLREG")
    ]
    answers = xen.answers
    assert [(a.version, a.reason, a.vcpu_id, a.flags) for a in answers] == [
        *((7, WRITE, 0, PAUSED), (7, 99, 0, PAUSED), (7, WRITE, 1, PAUSED))
    ]
    assert xen.calls == LEAVE


def test_a_request_that_does_not_wait_is_not_answered_as_if_it_did(
    xen: PlayedXen,
) -> None:
    asynchronous = request(WRITE)
    asynchronous.flags = 0
    watch(xen, [asynchronous])
    assert [answer.flags for answer in xen.answers] == [0]


def test_a_handler_comes_after_what_the_reason_needs(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        assert request.data.regs.x86.rip == 0x1002
        request.data.regs.x86.rax = 0x1234
        return int(v7.VmEventFlag.RESET_VMTRACE)

    watch(xen, [request(CPUID, insn_length=2)], CPUID=handler)
    [answer] = xen.answers
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
    first, second = xen.answers
    assert (first.vcpu_id, first.data.regs.x86.rip) == (0, 0x1002)
    assert (second.vcpu_id, second.flags) == (1, PAUSED)
    assert xen.calls == LEAVE


def test_after_its_limit_it_answers_but_shows_no_more(xen: PlayedXen) -> None:
    assert watch(xen, [request(WRITE), request(CPUID)], limit=1) == ["WRITE_CTRLREG"]
    assert [answer.reason for answer in xen.answers] == [WRITE, CPUID]


def test_requests_of_another_version_are_not_decoded(xen: PlayedXen) -> None:
    with pytest.raises(xenctrl.XenError, match="speaks vm_event version 7, not 6"):
        watch(xen, [request(WRITE)], vm_event=v6)
    [answer] = xen.answers
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
        *("xc_monitor_enable", "xc_monitor_disable")
    ]


def test_a_guest_that_is_gone_cannot_be_left_in_order(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ProcessLookupError(3, "xc_monitor_cpuid: No such process")

    def end(request: Any) -> None:
        xen.alive = False
        monkeypatch.setattr(xen_vm_event.xenctrl.v4.library, "_call", refuse)

    with pytest.raises(ProcessLookupError):
        watch(xen, [request(CPUID)], CPUID=end)


@pytest.mark.parametrize(
    "event",
    ["nonsense", "write_ctrlreg", "write_ctrlreg:cr9", "mov_to_msr:x", "cpuid:1"],
)
def test_an_event_that_there_is_not(xen: PlayedXen, event: str) -> None:
    with pytest.raises(xenctrl.XenError, match=f"no event '{event}'; name one of"):
        watch(xen, events=[event])
    assert xen.calls == []


EVENTS = ("write_ctrlreg:cr3", "guest_request", "mov_to_msr:0x174")


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
    begin: Callable[[str], PlayedXen], release: str, calls: list[Any]
) -> None:
    xen = begin(release)
    watch(xen, vm_event=xen.vm_event, events=EVENTS)
    (_, attached, _), *switched = xen.switched_on
    assert (attached, switched) == (1, calls)


def test_an_argument_too_many_is_an_error_of_the_library_that_is_played(
    begin: Callable[[str], PlayedXen],
) -> None:
    begin("4.9")
    own = xenctrl.Xen()
    write = own.module.xc_monitor_write_ctrlreg
    with pytest.raises(TypeError, match="takes 6 positional arguments but 7 were"):
        write(own.handle, 1, CR3, True, True, 0, False)
    library, handle = own.module.library, own.handle
    with pytest.raises(AssertionError, match="xc_monitor_write_ctrlreg takes 6"):
        library.unless_negative(write, handle, 1, CR3, True, True, False, 0)


@pytest.mark.parametrize(
    ("release", "event", "missing"),
    [
        ("4.7", "cpuid", "xc_monitor_cpuid: not in libxenctrl.so.4.7 of Xen 4.7"),
        (
            "4.8",
            "descriptor_access",
            "xc_monitor_descriptor_access: not in libxenctrl.so.4.8 of Xen 4.8",
        ),
    ],
)
def test_a_function_that_a_release_lacks_is_told_before_it_attaches(
    begin: Callable[[str], PlayedXen], release: str, event: str, missing: str
) -> None:
    xen = begin(release)
    with pytest.raises(OSError, match=f"^{missing}$"):
        watch(xen, vm_event=xen.vm_event, events=["guest_request", event])
    assert xen.calls == []


def test_before_libxenevtchn_there_is_no_channel(
    begin: Callable[[str], PlayedXen],
) -> None:
    xen = begin("4.6")
    with pytest.raises(OSError, match=r"cannot load libxentoollog\.so\.1"):
        watch(xen, vm_event=xen.vm_event, events=["guest_request"])
    assert xen.calls == []


def test_decode_reads_what_it_prints_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = monitor.Output(as_json=True, recording=None)
    request = v7.vm_event_st(version=7, reason=CPUID, vcpu_id=3)
    output.show("CPUID", request)
    printed = capsys.readouterr().out
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


def test_recover_frees_every_vcpu(xen: PlayedXen) -> None:
    watching.recover(xenctrl.Xen(), 1, v7)
    assert [(a.version, a.vcpu_id, a.flags) for a in xen.answers] == [
        *((7, 0, PAUSED), (7, 1, PAUSED))
    ]
    assert xen.calls[0] == ("xc_monitor_disable", 1)
    assert xen.calls[-1] == ("xc_monitor_disable", 1)
