"""What a Xen that is played says of monitors: each mistake by its name, and nothing else.

`Own` is a monitor by hand that is right; each of its heirs does one thing wrong.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from mmap import PROT_READ, PROT_WRITE
from typing import Any

import monitor
import pytest
from support import PROJECT
from xen_vm_event import RingOverflow, interface_for_xen, interface_of, records
from xen_vm_event.monitor import Monitor, Xen, channel, recover
from xen_vm_event.monitor.channel import Channel
from xen_vm_event.testing import (
    ADVICE,
    RELEASES,
    Guest,
    MonitorMistakes,
    cpuid,
    guest_request,
    played,
    privileged_call,
    read,
)
from xen_vm_event.xenforeignmemory import v1 as libxenforeignmemory


class Own:
    """A monitor of cpuid and guest requests, by nothing but a channel and a ring."""

    def __init__(self) -> None:
        self.xen = Xen()
        self.functions: Any = self.xen.functions
        self.vm_event: Any = self.xen.vm_event()
        self.flag = self.vm_event.VmEventFlag
        self.reason = self.vm_event.VmEventReason

    def run(self) -> None:
        with self.xen:
            self.channel = Channel(self.xen, 1)
            self.ring = self.vm_event.BackRing(self.channel.page, start=0)
            self.ring.sring.shared_ring_init()
            self.switch(True)
            while self.xen.is_alive(1):
                if self.channel.next(1000):
                    self.take()
            self.leave()

    def take(self) -> None:
        for request in self.ring.requests():
            self.answer(request)
        self.push()

    def switch(self, on: bool) -> None:
        self.functions.xc_monitor_cpuid(self.xen.handle, 1, on)
        self.functions.xc_monitor_guest_request(self.xen.handle, 1, on, True, False)

    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            request.data.regs.x86.rip += 2
            flags |= self.flag.SET_REGISTERS
        self.ring.respond(request, flags=flags)

    def write(self, octets: bytes) -> None:
        """Write the next answer past the ring, which would not give it."""
        response = self.ring.get_response(self.ring.rsp_prod_pvt)
        for member in response._members_:
            record = type(response).from_buffer_copy(octets)
            setattr(response, member.name, getattr(record, member.name))
        self.ring.rsp_prod_pvt += 1

    def push(self) -> None:
        if self.ring.push_responses_and_check_notify():
            self.channel.notify()

    def leave(self) -> None:
        self.switch(False)
        self.ring.detach()
        self.channel.close()


class Unanswered(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            super().answer(request, flags)


class AnsweredTwice(Own):
    """The last request, since its own ring finds the indices wrong at one more."""

    def answer(self, request: Any, flags: int = 0) -> None:
        super().answer(request, flags)
        if self.ring.rsp_prod_pvt < 3:
            return
        self.write(bytes(self.ring.get_response(self.ring.rsp_prod_pvt - 1)))


class PauseLost(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            super().answer(request, flags)
        else:
            self.ring.respond(request, flags=0, hold=True)


class NotMovedOn(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        self.ring.respond(request, flags=flags)


class MovedBack(Own):
    """The registers of a guest request are those before it: Xen goes back to it."""

    def answer(self, request: Any, flags: int = 0) -> None:
        super().answer(request, int(self.flag.SET_REGISTERS))


class IgnoredFlag(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        is_request = request.reason == self.reason.GUEST_REQUEST
        super().answer(request, int(self.flag.EMULATE) if is_request else 0)


class Denied(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        super().answer(request, int(self.flag.DENY))


class IgnoredRegister(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            request.data.regs.x86.cr3 = 0x5000
        super().answer(request, flags)


class IgnoredPayload(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            request.u.cpuid.leaf = 2
        super().answer(request, flags)


class FlagOfRequests(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        super().answer(request, int(self.flag.FOREIGN))


class TwoWaysToStep(Own):
    """Steps on and off, each beside a fast step, which Xen does not heed then."""

    def switch(self, on: bool) -> None:
        super().switch(on)
        self.functions.xc_monitor_singlestep(self.xen.handle, 1, on)

    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.GUEST_REQUEST:
            flags = int(self.flag.TOGGLE_SINGLESTEP | self.flag.FAST_SINGLESTEP)
        super().answer(request, flags)


class ChangedAnswerTwice(AnsweredTwice):
    """With other flags and registers the second time."""

    def answer(self, request: Any, flags: int = 0) -> None:
        before = self.ring.rsp_prod_pvt
        super().answer(request, flags)
        if self.ring.rsp_prod_pvt == before + 2:
            again = self.ring.get_response(before + 1)
            again.data.regs.x86.rax ^= 1
            again.flags |= self.flag.SET_REGISTERS


class ClosedTooEarly(Own):
    def leave(self) -> None:
        self.xen.close()
        super().leave()


class UnknownFlag(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        super().answer(request, 1 << 30)


class OtherVersion(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        request.version += 1
        super().answer(request)


class OtherVcpu(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        request.vcpu_id += 1
        super().answer(request)


class OtherReason(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.GUEST_REQUEST:
            request.reason = self.reason.MOV_TO_MSR
        super().answer(request)


class UnknownView(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        request.altp2m_idx = 3
        super().answer(request, int(self.flag.ALTERNATE_P2M))


class RegistersOverwritten(Own):
    def switch(self, on: bool) -> None:
        access = 0 if on else 7
        self.functions.xc_set_mem_access(self.xen.handle, 1, access, 1, 1)

    def answer(self, request: Any, flags: int = 0) -> None:
        emulated = self.flag.EMULATE | self.flag.SET_EMUL_READ_DATA
        super().answer(request, int(emulated | self.flag.SET_REGISTERS))


class AnotherAccessEmulated(RegistersOverwritten):
    def answer(self, request: Any, flags: int = 0) -> None:
        request.u.mem_access.gfn += 1
        self.ring.respond(request, flags=int(self.flag.EMULATE))


class WrittenLate(Own):
    def answer(self, request: Any, flags: int = 0) -> None:
        self.ring.rsp_prod_pvt += 1
        self.must_notify = self.ring.push_responses_and_check_notify()
        self.ring.rsp_prod_pvt -= 1
        request.data.regs.x86.rax = 0x1234  # else it is what lies there already
        super().answer(request, int(self.flag.RESET_VMTRACE))

    def push(self) -> None:
        if self.must_notify:
            self.channel.notify()
        self.must_notify = False

    must_notify = False


class OutOfReach(Own):
    def push(self) -> None:
        self.ring.rsp_prod_pvt += 5
        super().push()

    def take(self) -> None:
        with suppress(RingOverflow):  # it is its own ring that it spoils
            super().take()


class WaitsTooFar(Own):
    def take(self) -> None:
        super().take()
        ring = self.ring.sring
        ring.words[1] = ring.words[0] + 3


class NotNotified(Own):
    def push(self) -> None:
        self.ring.push_responses_and_check_notify()


class DisabledTooEarly(Own):
    def leave(self) -> None:
        self.ring.detach()
        self.channel.close()
        with suppress(FileExistsError):  # Xen has switched it off by then
            self.functions.xc_monitor_cpuid(self.xen.handle, 1, False)
        with suppress(FileExistsError):
            self.functions.xc_monitor_guest_request(
                self.xen.handle, 1, False, True, False
            )


class AnsweredTooLate(Unanswered):
    def answer(self, request: Any, flags: int = 0) -> None:
        if request.reason == self.reason.CPUID:
            super().answer(request, flags)
        else:
            self.late = request
            self.xen.is_alive = lambda domain: False  # type: ignore[method-assign]

    def leave(self) -> None:
        self.switch(False)
        self.functions.xc_monitor_disable(self.xen.handle, 1)
        self.ring.respond(self.late, flags=0)
        self.push()
        self.ring.detach()
        self.channel.close()


class UnmappedTooEarly(Own):
    def leave(self) -> None:
        self.switch(False)
        self.channel.close()


class EventsLeftOn(Own):
    def leave(self) -> None:
        self.ring.detach()
        self.channel.close()


class PageLeftRestricted(Own):
    def leave(self) -> None:
        self.functions.xc_set_mem_access(self.xen.handle, 1, 1, 2, 1)
        super().leave()


class LaterPagesLeftRestricted(Own):
    def leave(self) -> None:
        self.functions.xc_set_mem_access(self.xen.handle, 1, 1, 2**64 - 1, 0)
        super().leave()


class ViewLeft(Own):
    def leave(self) -> None:
        self.functions.xc_altp2m_set_domain_state(self.xen.handle, 1, True)
        view = ctypes.c_uint16()
        self.functions.xc_altp2m_create_view(self.xen.handle, 1, 7, view)
        super().leave()


class VcpuLeftStepping(Own):
    def leave(self) -> None:
        self.functions.xc_domain_debug_control(self.xen.handle, 1, 1, 0)
        super().leave()


class PageLeftMapped(Own):
    def leave(self) -> None:
        self.map()
        super().leave()

    def map(self) -> Any:
        self.opened = libxenforeignmemory.xenforeignmemory_open(None, 0)
        address = libxenforeignmemory.xenforeignmemory_map(
            self.opened, 1, PROT_READ | PROT_WRITE, 1, [2], None
        )
        return (ctypes.c_char * 0x1000).from_address(address)


class BreakpointLeft(PageLeftMapped):
    def map(self) -> None:
        page = super().map()
        page[0x10] = 0xCC
        libxenforeignmemory.xenforeignmemory_unmap(self.opened, page, 1)


class RingLeft(Own):
    def leave(self) -> None:
        self.switch(False)
        address = self.ring.sring.address
        self.ring.detach()
        channel.unmap(address)  # and no more
        # What would close it otherwise at the end of the process.
        self.channel._undo.pop_all()


PLANTED = [
    *[(each, "not-moved-on") for each in (NotMovedOn, MovedBack)],
    *[(each, "ignored-flag") for each in (IgnoredFlag, Denied, FlagOfRequests)],
    *[(each, "ignored-flag") for each in (TwoWaysToStep, AnotherAccessEmulated)],
    *[(each, "answered-twice") for each in (AnsweredTwice, ChangedAnswerTwice)],
    *[(each, "out-of-reach") for each in (OutOfReach, WaitsTooFar)],
    (Unanswered, "unanswered"),
    (IgnoredPayload, "ignored-payload"),
    (ClosedTooEarly, "closed-too-early"),
    (PauseLost, "pause-lost"),
    (IgnoredRegister, "ignored-register"),
    (UnknownFlag, "unknown-flag"),
    (OtherVersion, "other-version"),
    (OtherVcpu, "other-vcpu"),
    (OtherReason, "other-reason"),
    (UnknownView, "unknown-view"),
    (RegistersOverwritten, "registers-overwritten"),
    (WrittenLate, "written-late"),
    (NotNotified, "not-notified"),
    (DisabledTooEarly, "disabled-too-early"),
    (AnsweredTooLate, "answered-too-late"),
    (UnmappedTooEarly, "unmapped-too-early"),
    (EventsLeftOn, "events-left-on"),
    (PageLeftRestricted, "page-left-restricted"),
    (LaterPagesLeftRestricted, "page-left-restricted"),
    (ViewLeft, "view-left"),
    (VcpuLeftStepping, "vcpu-left-stepping"),
    (PageLeftMapped, "page-left-mapped"),
    (BreakpointLeft, "breakpoint-left"),
    (RingLeft, "ring-left"),
]
# The releases whose functions a monitor by hand calls as it does.
BY_HAND = RELEASES[RELEASES.index("4.10") :]


def script(guest: Guest) -> None:
    guest.script([cpuid(1), guest_request(), read(0x1000), guest_request()])


# Those of a pager, which test_paging.py plants.
OF_PAGERS = {"ring-in-reach", "not-loaded", "other-content", "page-left-out"}


def test_every_kind_is_planted() -> None:
    assert {kind for _, kind in PLANTED} == set(ADVICE) - OF_PAGERS


@pytest.mark.parametrize("release", BY_HAND)
def test_a_monitor_that_is_right(release: str) -> None:
    with played(release) as xen:
        script(xen.guests[1])
        Own().run()
        assert len(xen.guests[1].answers) == 3


@pytest.mark.parametrize(("own", "kind"), PLANTED)
def test_a_mistake_is_named_and_nothing_else(own: type[Own], kind: str) -> None:
    with (
        pytest.raises(MonitorMistakes, match=f"{kind}: domain 1") as raised,
        played() as xen,
    ):
        script(xen.guests[1])
        own().run()
    assert raised.value.findings.kinds == [kind]
    assert ADVICE[kind] in str(raised.value)


@pytest.mark.parametrize("named", [0, 1, 2])
def test_an_answer_for_another_vcpu_at_the_same_event(named: int) -> None:
    """One for each, but all for the same."""

    def change(request: Any) -> None:
        request.vcpu_id = named

    with played(strict=False, vcpus=3) as xen:
        for vcpu in range(3):
            xen.guests[1].script([guest_request()], vcpu)
        with Monitor(1, ["guest_request"], {"GUEST_REQUEST": change}) as confused:
            confused.run()
    assert [str(each).partition(";")[0] for each in xen.findings] == [
        f"other-vcpu: domain 1, vCPU {named} for vCPU {other}, GUEST_REQUEST"
        for other in range(3)
        if other != named
    ]


class OneTwiceOfThree(Own):
    """Where the others wait at the same event: the second has its answer after it."""

    def take(self) -> None:
        requests = list(self.ring.requests())
        for request in requests[:1] + requests[:2]:
            self.write(bytes(request))
        self.ring.push_responses()
        self.channel.notify()


def test_an_answer_that_comes_twice_where_others_wait() -> None:
    with played(strict=False, vcpus=3) as xen:
        for vcpu in range(3):
            xen.guests[1].script([guest_request()], vcpu)
        OneTwiceOfThree().run()
    assert [str(each).partition(";")[0] for each in xen.findings] == [
        "answered-twice: domain 1, vCPU 0, GUEST_REQUEST",
        "unanswered: domain 1, vCPU 2, GUEST_REQUEST",
    ]


def test_what_is_given_back_is_nothing_wrong() -> None:
    """A page has what it had, a guest's own int3 stays, as does one among data."""
    with played() as xen:
        guest = xen.guests[1]
        guest.memory.access[2] = 1
        guest.memory.write(0x3000, b"\xcc\x90")
        guest.script([guest_request()])
        with Monitor(1, ["guest_request"]) as careful:
            careful.memory.restrict(2, "--x")
            view = careful.views.create()
            view.restrict(2, "--x")
            view.show_to_all()
            careful.breakpoints.add(0x3000)
            careful.breakpoints.add(0x3001)
            careful.physical.write(0x4000, b"\x01\xcc\x02")
            for request in careful:
                careful.answer(request, careful.stepping.start(request))
        assert guest.memory.access_of(2) == 1
        assert guest.memory.read(0x3000, 2) == b"\xcc\x90"


class Killed(BreakpointLeft):
    """Changes all that it can, and is no more at its first request."""

    def run(self) -> None:
        self.channel = Channel(self.xen, 1)
        self.ring = self.vm_event.BackRing(self.channel.page, start=0)
        self.ring.sring.shared_ring_init()
        self.switch(True)
        handle, view = self.xen.handle, ctypes.c_uint16()
        self.functions.xc_set_mem_access(handle, 1, 1, 2, 1)
        self.functions.xc_set_mem_access(handle, 1, 1, 2**64 - 1, 0)
        self.functions.xc_altp2m_set_domain_state(handle, 1, True)
        self.functions.xc_altp2m_create_view(handle, 1, 7, view)
        self.functions.xc_domain_debug_control(handle, 1, 1, 0)
        self.map()
        assert self.channel.next(1000)


class KilledWithAPage(Killed):
    map = PageLeftMapped.map


@pytest.mark.parametrize(
    ("killed", "left"), [(Killed, ["breakpoint-left"]), (KilledWithAPage, [])]
)
def test_what_a_killed_monitor_did_is_not_recovers(
    killed: type[Killed], left: list[str]
) -> None:
    with played(strict=False) as xen:
        vcpu = xen.guests[1].script([cpuid(1), cpuid(2), guest_request()])
        gone = killed()
        gone.run()
        recover(1)
        assert vcpu.is_idle
    assert xen.findings.kinds == left
    gone.ring.detach()
    gone.channel._undo.pop_all()


def test_a_monitor_that_waits_with_a_postponed_request() -> None:
    with played(strict=False) as xen:
        xen.guests[1].script([guest_request()])
        with Monitor(1, ["guest_request"]) as postponing:
            for request in postponing:
                postponing.postpone(request)
        [finding] = xen.findings
    assert str(finding) == (
        "unanswered: domain 1, vCPU 0, GUEST_REQUEST; answer every request; its vCPU waits"
        " for ever"
    )


@pytest.mark.parametrize("flag", ["EMULATE", "DENY", "TOGGLE_SINGLESTEP"])
def test_what_arm64_does_not_heed(flag: str) -> None:
    with played(architecture="arm64", strict=False) as xen:
        guest = xen.guests[1]
        guest.script([privileged_call()])
        given = guest.flag(flag)
        with Monitor(
            1, ["privileged_call"], {"PRIVILEGED_CALL": lambda _: given}
        ) as answering:
            answering.run()
        [finding] = xen.findings
    assert f"{flag} for PRIVILEGED_CALL: Xen has that on x86 alone" in str(finding)


def test_arm64_takes_no_register_but_pc() -> None:
    def change(request: Any) -> None:
        request.data.regs.arm.cpsr = 0x1D3

    with played(architecture="arm64", strict=False) as xen:
        xen.guests[1].script([privileged_call()])
        with Monitor(1, ["privileged_call"], {"PRIVILEGED_CALL": change}) as answering:
            answering.run()
        [finding] = xen.findings
    assert "ignored-register: domain 1, vCPU 0, cpsr for PRIVILEGED_CALL" in str(
        finding
    )


# --- recordings -------------------------------------------------------------------------

RECORDED = [
    json.loads(line)
    for name in ("requests-v7.jsonl", "write-cr4.jsonl")
    for line in (PROJECT / "tests/data" / name).read_text().splitlines()
]
REQUESTS = b"".join(bytes.fromhex(each["request"]) for each in RECORDED)
EVENTS = (
    *("write_ctrlreg:cr3", "write_ctrlreg:cr4", "guest_request", "cpuid"),
    *("descriptor_access", "mov_to_msr:0x174", "mov_to_msr:0xc0000082"),
)
# The releases whose version is that of the recordings.
OF_VERSION = [
    release
    for release in RELEASES
    if REQUESTS[0] == interface_for_xen(release).VM_EVENT_INTERFACE_VERSION
]


def replay(guest: Guest) -> list[str]:
    """Have a guest report what was recorded; gives the reasons."""
    requests = [
        each.copy() for each in records(interface_of(REQUESTS).vm_event_st, REQUESTS)
    ]
    guest.replay(requests)
    return [guest.reason(each.reason) for each in requests]


@pytest.mark.parametrize("release", OF_VERSION)
def test_the_monitor_is_right_on_recordings(release: str) -> None:
    with played(release) as xen:
        recorded = replay(xen.guests[1])
        with Monitor(1, EVENTS) as own:
            assert [own.reason(each) for each in own] == recorded
    assert len(xen.guests[1].answers) == len(RECORDED)


@pytest.fixture
def signals() -> Iterator[None]:
    """What the example does with signals is undone."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("release", OF_VERSION)
def test_the_examples_monitor_is_right_on_recordings(
    release: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["monitor.py", "1", "--events", ",".join(EVENTS)]
    monkeypatch.setattr(sys, "argv", command)
    with played(release) as xen:
        recorded = replay(xen.guests[1])
        assert monitor.main() == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines] == recorded
