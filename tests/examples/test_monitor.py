"""The examples' monitor on a Xen that is played here; tests/live has a real one.

What the hypervisor would do with a call is not known here, but which calls are made, in
which order, and that every request is answered.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import monitor
import pytest
import watching
import xenctrl
from xen_vm_event import v6, v7

WRITE = v7.VmEventReason.WRITE_CTRLREG
CPUID = v7.VmEventReason.CPUID
PAUSED = v7.VmEventFlag.VCPU_PAUSED

LEAVE = [
    ("xc_monitor_cpuid", 1, False),
    ("xc_monitor_write_ctrlreg", 1, v7.VM_EVENT_X86_CR3, False, True, 0, False),
    "let_run",
    "close",
]


class Xen:
    """A hypervisor with one domain, and what was called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.alive = True

    def call(self, function: str, *arguments: Any) -> int:
        self.calls.append((function, *arguments))
        return 0

    def is_alive(self, domain: int) -> bool:
        return self.alive

    def vcpus(self, domain: int) -> list[tuple[bool, int]]:
        return [(True, 0), (True, 0)]

    def let_run(self, domain: int) -> None:
        self.calls.append("let_run")


class Channel:
    """A ring whose other side sends `rounds` of requests, one at each wait."""

    rounds: list[list[Any]]
    last: Channel

    def __init__(self, xen: Xen, domain: int) -> None:
        self.xen = xen
        indices = (70).to_bytes(4, "little") * 4  # of a monitor before
        self.page = memoryview(bytearray(indices.ljust(4096, b"\0")))
        self.front = v7.FrontRing(self.page, start=0)
        self.answers: list[Any] = []
        Channel.last = self

    def wait(self, seconds: float) -> bool:
        if not self.rounds:
            self.xen.alive = False
            return False
        for request in self.rounds.pop(0):
            self.front.send(request)
        self.front.push_requests_and_check_notify()
        return True

    def notify(self) -> None:
        """Take answers as Xen does, which does not ask whether there was a request."""
        front = self.front
        while front.has_unconsumed_responses():
            self.answers.append(front.get_response(front.rsp_cons).copy())
            front.rsp_cons += 1

    def close(self) -> None:
        self.notify()
        self.front.detach()
        self.page.release()  # fails if the other half still has it
        self.xen.calls.append("close")


@pytest.fixture
def xen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Xen]:
    monkeypatch.setattr(watching, "Channel", Channel)
    monkeypatch.setattr(watching, "ARM", False)
    yield Xen()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, watching.SIGNALS)


def request(reason: int, vcpu: int = 0, **members: int) -> Any:
    made = v7.vm_event_st(version=7, reason=reason, vcpu_id=vcpu, flags=PAUSED)
    for name, value in members.items():
        setattr(made.payload, name, value)
    made.data.regs.x86.rip = 0x1000
    return made


def watch(
    xen: Any,
    *rounds: list[Any],
    limit: int | None = None,
    vm_event: Any = v7,
    **handlers: Callable[[Any], Any],
) -> list[str]:
    """The reasons that a monitor showed of these rounds; the guest is gone after them."""
    Channel.rounds = list(rounds)
    shown: list[str] = []

    def show(reason: str, request: Any) -> None:
        shown.append(reason)

    with watching.Watching(xen, 1, vm_event, show, handlers) as monitor:
        monitor.watch("write_ctrlreg:cr3")
        monitor.watch("cpuid")
        xen.calls.clear()
        monitor.run(limit)
    return shown


def test_every_request_is_shown_and_answered(xen: Xen) -> None:
    assert watch(xen, [request(WRITE), request(99)], [request(WRITE, vcpu=1)]) == [
        *("WRITE_CTRLREG", "UNKNOWN_99", "WRITE_CTRLREG")
    ]
    answers = Channel.last.answers
    assert [(a.version, a.reason, a.vcpu_id, a.flags) for a in answers] == [
        *((7, WRITE, 0, PAUSED), (7, 99, 0, PAUSED), (7, WRITE, 1, PAUSED))
    ]
    assert xen.calls == LEAVE


def test_a_request_that_does_not_wait_is_not_answered_as_if_it_did(xen: Xen) -> None:
    asynchronous = request(WRITE)
    asynchronous.flags = 0
    watch(xen, [asynchronous])
    assert [answer.flags for answer in Channel.last.answers] == [0]


def test_a_handler_comes_after_what_the_reason_needs(xen: Xen) -> None:
    def handler(request: Any) -> int:
        assert request.data.regs.x86.rip == 0x1002
        request.data.regs.x86.rax = 0x1234
        return int(v7.VmEventFlag.RESET_VMTRACE)

    watch(xen, [request(CPUID, insn_length=2)], CPUID=handler)
    [answer] = Channel.last.answers
    assert (answer.data.regs.x86.rip, answer.data.regs.x86.rax) == (0x1002, 0x1234)
    flag = v7.VmEventFlag
    assert answer.flags == PAUSED | flag.SET_REGISTERS | flag.RESET_VMTRACE


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_nobody_waits(xen: Xen, error: type[BaseException]) -> None:
    def handler(request: Any) -> None:
        raise error

    begun = [request(CPUID, insn_length=2), request(WRITE, vcpu=1)]
    with pytest.raises(error):
        watch(xen, begun, CPUID=handler)
    first, second = Channel.last.answers
    assert (first.vcpu_id, first.data.regs.x86.rip) == (0, 0x1002)
    assert (second.vcpu_id, second.flags) == (1, PAUSED)
    assert xen.calls == LEAVE


def test_after_its_limit_it_answers_but_shows_no_more(xen: Xen) -> None:
    assert watch(xen, [request(WRITE), request(CPUID)], limit=1) == ["WRITE_CTRLREG"]
    assert [answer.reason for answer in Channel.last.answers] == [WRITE, CPUID]


def test_requests_of_another_version_are_not_decoded(xen: Xen) -> None:
    with pytest.raises(xenctrl.XenError, match="speaks vm_event version 7, not 6"):
        watch(xen, [request(WRITE)], vm_event=v6)
    [answer] = Channel.last.answers
    assert (answer.version, answer.flags) == (7, PAUSED)
    assert xen.calls == LEAVE


def test_it_does_not_stay_attached_when_it_cannot_begin(
    xen: Xen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no memory barrier")

    monkeypatch.setattr(v7, "BackRing", refuse)
    with pytest.raises(RuntimeError):
        watch(xen)
    assert xen.calls == ["close"]


def test_a_guest_that_is_gone_cannot_be_left_in_order(xen: Xen) -> None:
    def refuse(function: str, *arguments: Any) -> int:
        raise xenctrl.XenError(function, 3)

    def show(reason: str, request: Any) -> None: ...

    Channel.rounds = []
    with watching.Watching(xen, 1, v7, show, {}) as monitor:  # type: ignore[arg-type]
        monitor.watch("cpuid")
        xen.alive, xen.call = False, refuse  # type: ignore[method-assign]
        monitor.run()
    assert xen.calls[-1] == "close"


@pytest.mark.parametrize(
    "event",
    ["nonsense", "write_ctrlreg", "write_ctrlreg:cr9", "mov_to_msr:x", "cpuid:1"],
)
def test_an_event_that_there_is_not(xen: Xen, event: str) -> None:
    with watching.Watching(xen, 1, v7, print, {}) as monitor:  # type: ignore[arg-type]
        with pytest.raises(xenctrl.XenError, match=f"no event '{event}'; name one of"):
            monitor.watch(event)
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


def test_recover_frees_every_vcpu(xen: Any) -> None:
    watching.recover(xen, 1, v7)
    answers = Channel.last.answers
    assert [(a.version, a.vcpu_id, a.flags) for a in answers] == [
        *((7, 0, PAUSED), (7, 1, PAUSED))
    ]
    assert xen.calls[0] == ("xc_monitor_disable", 1)
    assert xen.calls[-1] == "close"
