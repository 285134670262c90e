"""The guest of a Xen that is played: how its vCPUs go on from answers, as Xen has them do."""

from __future__ import annotations

import asyncio
import ctypes
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from support import PROJECT
from xen_vm_event.monitor import Monitor, Xen
from xen_vm_event.monitor.channel import Channel
from xen_vm_event.testing import (
    RELEASES,
    Guest,
    Instruction,
    MonitorMistakes,
    PlayedXen,
    PlayXen,
    Vcpu,
    cpuid,
    debug_exception,
    descriptor_access,
    execute,
    guest_request,
    interrupt,
    mov_to_msr,
    played,
    privileged_call,
    read,
    write,
    write_cr3,
    write_ctrlreg,
)
from xen_vm_event.testing.port import LOCAL_PORT, Port
from xen_vm_event.xenforeignmemory import v1 as libxenforeignmemory

R, RX, RWX = 1, 5, 7  # XENMEM_access_*
Handlers = dict[str, Callable[[Any], Any]]
XenFunctions = tuple[Any, Any]


def watch(
    events: Sequence[str] = (), handlers: Handlers | None = None, also: Any = None
) -> list[str]:
    """The reasons that a monitor shows; `also` is called with it when it is attached."""
    with Monitor(1, events, handlers or {}) as monitor:
        if also is not None:
            also(monitor)
        return [monitor.reason(request) for request in monitor]


@pytest.fixture
def xen_functions(played_xen: PlayedXen) -> Iterator[XenFunctions]:
    """Xen's functions, and what they are given first, without a monitor."""
    with Xen() as xen:
        yield xen.functions, xen.handle


@pytest.fixture
def guest(played_xen: PlayedXen) -> Guest:
    return played_xen.guests[1]


# --- scripts ----------------------------------------------------------------------------


def test_only_what_is_switched_on_is_reported(guest: Guest) -> None:
    vcpu = guest.script([cpuid(1), write_cr3(0x5000), mov_to_msr(0x174, 8)])
    assert watch(["write_ctrlreg:cr3", "mov_to_msr:0x175"]) == ["WRITE_CTRLREG"]
    assert (vcpu.control, vcpu.msrs) == ({"CR3": 0x5000}, {0x174: 8})


def test_a_vcpu_that_waits_does_nothing_else(guest: Guest) -> None:
    guest.script([guest_request(), guest_request()])
    guest.script([guest_request()], vcpu=1)
    with Monitor(1, ["guest_request"]) as monitor:
        first = next(iter(monitor))
        seen = [first.vcpu_id, *(each.vcpu_id for each in monitor.pending())]
        assert seen == [0, 1]
        assert len(guest.outstanding) == 1
        assert [each.vcpu_id for each in monitor] == [0]


def test_a_script_may_go_by_what_the_vcpu_has(guest: Guest) -> None:
    def script(vcpu: Vcpu) -> Iterator[Instruction]:
        yield cpuid(1, result=(1, 2, 3, 4))
        yield write_cr3(vcpu.registers.rcx)

    def hide(request: Any) -> None:
        request.data.regs.x86.rcx = 0x7000

    vcpu = guest.script(script)
    watch(["cpuid"], {"CPUID": hide})
    assert (vcpu.registers.rbx, vcpu.control["CR3"]) == (2, 0x7000)


def test_the_guest_is_gone_when_its_script_is_done(guest: Guest) -> None:
    guest.script([guest_request()])
    assert guest.alive
    watch(["guest_request"])
    assert not guest.alive


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_on_x86(play_xen: PlayXen, release: str) -> None:
    guest = play_xen(release).guests[1]
    vcpu = guest.script([write_cr3(0x5000), guest_request(), write_ctrlreg("CR4", 8)])
    events = ["write_ctrlreg:cr3", "guest_request"]
    assert watch(events) == ["WRITE_CTRLREG", "GUEST_REQUEST"]
    assert vcpu.control == {"CR3": 0x5000, "CR4": 8}
    [answer, _] = guest.answers
    assert answer.version == guest.vm_event.VM_EVENT_INTERFACE_VERSION


@pytest.mark.parametrize("release", [each for each in RELEASES if each != "4.7"])
def test_every_release_on_arm64(play_xen: PlayXen, release: str) -> None:
    guest = play_xen(release, architecture="arm64").guests[1]
    vcpu = guest.script([privileged_call(), guest_request()])
    start = vcpu.pc
    events = ["privileged_call", "guest_request"]
    assert watch(events) == ["PRIVILEGED_CALL", "GUEST_REQUEST"]
    assert vcpu.pc == start + 8


def test_arm64_has_what_xen_has_there(play_xen: PlayXen) -> None:
    play_xen(architecture="arm64")
    with pytest.raises(OSError, match=r"it reports guest_request, privileged_call$"):
        watch(["cpuid"])


def test_a_vcpu_does_not_wait_where_that_is_not_asked_for(guest: Guest) -> None:
    guest.script([guest_request(), guest_request()])
    with Monitor(1, []) as monitor:
        functions: Any = monitor.xen.functions
        functions.xc_monitor_guest_request(monitor.xen.handle, 1, True, False, False)
        seen = [request.flags for request in monitor]
        functions.xc_monitor_guest_request(monitor.xen.handle, 1, False, False, False)
    assert seen == [0, 0]


@pytest.mark.parametrize(
    ("mask", "only_changes", "reported"),
    [(0, False, [8, 8, 0x80]), (0, True, [8, 0x80]), (0x80, False, [8, 8])],
)
def test_only_some_writes_are_reported(
    guest: Guest, mask: int, only_changes: bool, reported: list[int]
) -> None:
    guest.script([write_ctrlreg("CR4", value) for value in (8, 8, 0x80)])
    cr4 = guest.vm_event.VM_EVENT_X86_CR4
    with Monitor(1, []) as monitor:
        write: Any = monitor.xen.functions.xc_monitor_write_ctrlreg
        handle = monitor.xen.handle
        write(handle, 1, cr4, True, True, mask, only_changes)
        payloads: Iterator[Any] = (request.payload for request in monitor)
        assert [each.new_value for each in payloads] == reported
        write(handle, 1, cr4, False, True, 0, False)


@pytest.mark.parametrize("on", [True, False])
def test_what_is_switched_to_what_it_is_is_an_error(guest: Guest, on: bool) -> None:
    with Monitor(1, ["cpuid"] if on else []) as monitor:
        functions: Any = monitor.xen.functions
        with pytest.raises(FileExistsError):
            functions.xc_monitor_cpuid(monitor.xen.handle, 1, on)


def test_a_view_that_a_vcpu_sees_cannot_go(guest: Guest) -> None:
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        with pytest.raises(OSError, match="Invalid argument"):
            functions.xc_altp2m_create_view(handle, 1, RWX, ctypes.c_uint16())
        functions.xc_altp2m_set_domain_state(handle, 1, True)
        numbers = [ctypes.c_uint16() for _ in range(9)]
        for number in numbers:
            functions.xc_altp2m_create_view(handle, 1, RWX, number)
        assert [each.value for each in numbers] == list(range(1, 10))
        with pytest.raises(OSError, match="No space left"):
            functions.xc_altp2m_create_view(handle, 1, RWX, ctypes.c_uint16())
        functions.xc_altp2m_switch_to_view(handle, 1, 2)
        with pytest.raises(OSError, match="busy"):
            functions.xc_altp2m_destroy_view(handle, 1, 2)
        functions.xc_altp2m_switch_to_view(handle, 1, 0)
        functions.xc_altp2m_destroy_view(handle, 1, 2)
        functions.xc_altp2m_set_domain_state(handle, 1, False)


def test_what_a_view_has_can_be_asked_for(guest: Guest) -> None:
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        is_on, seen = ctypes.c_bool(True), ctypes.c_uint16()
        functions.xc_altp2m_get_domain_state(handle, 1, is_on)
        assert not is_on.value
        view = monitor.views.create()
        functions.xc_altp2m_get_domain_state(handle, 1, is_on)
        assert is_on.value
        view.show_to_all()
        functions.xc_altp2m_get_vcpu_p2m_idx(handle, 1, 0, seen)
        assert seen.value == view.number
        view.restrict(1, "r-x")
        for gfn, access in ((1, RX), (2, RWX)):
            found = ctypes.c_uint()
            functions.xc_altp2m_get_mem_access(handle, 1, view.number, gfn, found)
            assert found.value == access


def test_xen_can_be_told_to_take_answers(guest: Guest) -> None:
    guest.script([guest_request()])
    with Monitor(1, ["guest_request"]) as monitor:
        for request in monitor:
            monitor.ring.respond(request)
            monitor.postpone(request)
            monitor.ring.push_responses_and_check_notify()
            functions: Any = monitor.xen.functions
            functions.xc_monitor_resume(monitor.xen.handle, 1)
            assert len(guest.answers) == 1


def test_pytest_is_not_needed() -> None:
    without = "import sys; sys.modules['pytest'] = None; import xen_vm_event.testing"
    environment = {"PYTHONPATH": str(PROJECT / "generated")}
    subprocess.run([sys.executable, "-c", without], env=environment, check=True)


def test_one_xen_is_played_at_a_time(play_xen: PlayXen) -> None:
    play_xen("4.17")
    with pytest.raises(RuntimeError, match="a Xen is being played"):
        play_xen("4.18")


def test_one_may_be_played_after_another() -> None:
    for release in ("4.17", "4.18"):
        with played(release) as xen:
            xen.guests[1].script([cpuid(1)])
            assert watch(["cpuid"]) == ["CPUID"]


def test_no_such_domain(xen_functions: XenFunctions) -> None:
    functions, handle = xen_functions
    for call in (
        lambda: functions.xc_monitor_cpuid(handle, 7, True),
        lambda: functions.xc_monitor_enable(handle, 7, ctypes.c_uint32()),
        lambda: functions.xc_domain_pause(handle, 7),
        lambda: libxenforeignmemory.xenforeignmemory_map(
            libxenforeignmemory.xenforeignmemory_open(None, 0), 7, 1, 1, [1], None
        ),
    ):
        with pytest.raises(ProcessLookupError, match="No such process"):
            call()


# --- what answers do --------------------------------------------------------------------


def test_deny_drops_a_register_write(guest: Guest) -> None:
    deny = guest.flag("DENY")
    vcpu = guest.script(
        [write_cr3(0x5000), mov_to_msr(0x174, 1), write_ctrlreg("CR4", 8)]
    )
    handlers: Handlers = {
        "WRITE_CTRLREG": lambda _: deny,
        "MOV_TO_MSR": lambda _: deny,
    }
    watch(["write_ctrlreg:cr3", "mov_to_msr:0x174"], handlers)
    assert (vcpu.control, vcpu.msrs) == ({"CR4": 8}, {})


def test_a_cpuid_that_is_not_moved_on_comes_again() -> None:
    with played(strict=False) as xen:
        vcpu = xen.guests[1].script([cpuid(1), guest_request()])

        def stay(request: Any) -> None:
            request.data.regs.x86.rip -= 2

        assert watch(["cpuid"], {"CPUID": stay}) == ["CPUID"] * 3
        assert xen.findings.kinds == ["not-moved-on"]
        assert vcpu.is_idle


def test_a_descriptor_access_is_emulated(guest: Guest) -> None:
    vcpu = guest.script([descriptor_access("IDTR")])
    assert watch(["descriptor_access"]) == ["DESCRIPTOR_ACCESS"]
    assert vcpu.is_idle


def test_an_answer_sets_general_registers_alone() -> None:
    def change(request: Any) -> None:
        registers = request.data.regs.x86
        registers.r15, registers.rflags, registers.cr3 = 1, 2, 0x5000
        registers.cs.limit = 3

    with played(strict=False) as xen:
        vcpu = xen.guests[1].script([cpuid(1)])
        watch(["cpuid"], {"CPUID": change})
        assert [str(each).partition(";")[0] for each in xen.findings] == [
            f"ignored-register: domain 1, vCPU 0, {name} for CPUID"
            for name in ("cr3", "cs")
        ]
    had = vcpu.registers
    assert (had.r15, had.rflags, had.cr3, had.cs.limit) == (1, 2, 0, 0)


def test_a_debug_exception_is_the_guests_if_it_is_injected(guest: Guest) -> None:
    vcpu = guest.script([debug_exception()])
    watch(["debug_exception"])
    assert vcpu.exceptions == [1]


@pytest.mark.parametrize("moved_by", [0, 0x10])
def test_an_injected_breakpoint_is_a_trap_behind_its_int3(
    guest: Guest, moved_by: int
) -> None:
    """As where it is not reported; of an answer's registers, behind where these are."""
    guest.memory.write(0x3000, b"\xcc")
    vcpu = guest.script([execute(0x3000)])

    def move(request: Any) -> int:
        request.data.regs.x86.rip += moved_by
        return guest.flag("SET_REGISTERS") if moved_by else 0

    watch(["software_breakpoint"], {"SOFTWARE_BREAKPOINT": move})
    assert (vcpu.exceptions, vcpu.pc) == ([3], 0x3001 + moved_by)


def test_the_next_interrupt_is_reported_once(guest: Guest) -> None:
    flag = guest.flag("GET_NEXT_INTERRUPT")
    vcpu = guest.script([interrupt(3), guest_request(), interrupt(5), interrupt(6)])
    handlers: Handlers = {"GUEST_REQUEST": lambda _: flag}
    assert watch(["guest_request"], handlers) == ["GUEST_REQUEST", "INTERRUPT"]
    assert vcpu.exceptions == [3, 5, 6]


# --- memory -----------------------------------------------------------------------------


def restrict(access: int, gfn: int) -> Callable[[Monitor], None]:
    """What has a page restricted, and leaves it to handlers how a vCPU goes on."""
    text = "".join(kind if access & 1 << n else "-" for n, kind in enumerate("rwx"))
    return lambda monitor: monitor.memory.restrict(gfn, text, None)


def test_an_access_comes_again_until_the_page_is_free(guest: Guest) -> None:
    guest.script([read(0x1000), write(0x1008, b"abcd")])
    with Monitor(1, []) as monitor:
        restrict(R, 1)(monitor)
        [request] = (each for each in monitor if not restrict(RWX, 1)(monitor))
        names = guest.vm_event
        assert (request.u.mem_access.gfn, request.u.mem_access.offset) == (1, 8)
        assert request.u.mem_access.flags & names.MEM_ACCESS_W
    assert guest.memory.read(0x1008, 4) == b"abcd"


def test_an_access_to_a_page_that_stays_restricted() -> None:
    with played(strict=False) as xen:
        xen.guests[1].script([write(0x1000, b"abcd")])
        assert watch(also=restrict(R, 1)) == ["MEM_ACCESS"] * 3
        assert xen.findings.kinds == ["not-moved-on"]


@pytest.mark.parametrize(
    ("flags", "found"),
    [(["EMULATE"], b"abcd"), (["EMULATE", "EMULATE_NOWRITE"], bytes(4))],
)
def test_a_write_that_xen_emulates(
    guest: Guest, flags: list[str], found: bytes
) -> None:
    given = sum(map(guest.flag, flags))
    guest.script([write(0x1000, b"abcd")])
    handlers: Handlers = {"MEM_ACCESS": lambda _: given}
    assert watch([], handlers, restrict(R, 1)) == ["MEM_ACCESS"]
    assert guest.memory.read(0x1000, 4) == found
    assert guest.memory.access_of(1) == RWX  # as it was


def test_a_read_of_what_the_monitor_gives(guest: Guest) -> None:
    def give(request: Any) -> int:
        request.data.emul.read.size = 4
        request.data.emul.read.data = b"fake"
        return guest.flag("EMULATE") | guest.flag("SET_EMUL_READ_DATA")

    own = read(0x1000, 4)
    guest.script([own])
    watch([], {"MEM_ACCESS": give}, restrict(0, 1))
    assert own.value == b"fake"


def test_a_page_that_is_stepped_over(guest: Guest) -> None:
    """The vCPU has it for one instruction, after which a single step is reported."""
    toggle = guest.flag("TOGGLE_SINGLESTEP")
    vcpu = guest.script([write(0x1000, b"a"), write(0x1001, b"b")])
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        functions.xc_monitor_singlestep(handle, 1, True)
        restrict(R, 1)(monitor)
        seen = []
        for request in monitor:
            seen.append(monitor.reason(request))
            is_step = seen[-1] == "SINGLESTEP"
            restrict(R if is_step else RWX, 1)(monitor)
            monitor.answer(request, toggle)
        functions.xc_monitor_singlestep(handle, 1, False)
    assert seen == ["MEM_ACCESS", "SINGLESTEP"] * 2
    assert guest.memory.read(0x1000, 2) == b"ab"
    assert not vcpu.steps


def test_a_fast_step_goes_back_into_a_view_without_a_report(guest: Guest) -> None:
    flags = guest.flag("FAST_SINGLESTEP") | guest.flag("ALTERNATE_P2M")
    vcpu = guest.script([write(0x1000, b"a"), write(0x1001, b"b")])
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        functions.xc_monitor_singlestep(handle, 1, True)
        view = ctypes.c_uint16()
        functions.xc_altp2m_set_domain_state(handle, 1, True)
        functions.xc_altp2m_create_view(handle, 1, RWX, view)
        functions.xc_altp2m_set_mem_access(handle, 1, view.value, 1, RX)
        functions.xc_altp2m_switch_to_view(handle, 1, view.value)
        seen = []
        for request in monitor:
            seen.append((monitor.reason(request), request.altp2m_idx))
            request.altp2m_idx = 0
            step: Any = request.u
            step.fast_singlestep.p2midx = view.value
            monitor.answer(request, flags)
        functions.xc_monitor_singlestep(handle, 1, False)
        assert vcpu.view == view.value
        functions.xc_altp2m_set_domain_state(handle, 1, False)
    assert seen == [("MEM_ACCESS", 1)] * 2
    assert guest.memory.read(0x1000, 2) == b"ab"


def test_another_page_in_a_view(guest: Guest) -> None:
    guest.memory.write(0x2000, b"other")
    own = read(0x1000, 5)
    guest.script([own])
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        view = ctypes.c_uint16()
        functions.xc_altp2m_set_domain_state(handle, 1, True)
        functions.xc_altp2m_create_view(handle, 1, RWX, view)
        functions.xc_altp2m_change_gfn(handle, 1, view.value, 1, 2)
        functions.xc_altp2m_switch_to_view(handle, 1, view.value)
        monitor.run()
        functions.xc_altp2m_set_domain_state(handle, 1, False)
    assert own.value == b"other"


def test_without_a_monitor_xen_has_no_accesses(xen_functions: XenFunctions) -> None:
    functions, handle = xen_functions
    accesses, gfns = (ctypes.c_uint8 * 1)(R), (ctypes.c_uint64 * 1)(1)
    with pytest.raises(OSError, match="No such device"):
        functions.xc_set_mem_access(handle, 1, R, 1, 1)
    with pytest.raises(OSError, match="No such device"):
        functions.xc_get_mem_access(handle, 1, 1, ctypes.c_uint())
    with pytest.raises(OSError, match="No such device"):
        functions.xc_set_mem_access_multi(handle, 1, accesses, gfns, 1)


def test_there_are_no_pages_beyond_the_last(guest: Guest) -> None:
    last = guest.memory.last_gfn
    with Monitor(1, []) as monitor:
        functions: Any = monitor.xen.functions
        for first, count in ((last + 1, 1), (last, 2)):
            with pytest.raises(OSError, match="Invalid argument"):
                functions.xc_set_mem_access(monitor.xen.handle, 1, R, first, count)
        with pytest.raises(OSError, match="Invalid argument"):
            functions.xc_get_mem_access(
                monitor.xen.handle, 1, last + 1, ctypes.c_uint()
            )


def test_the_default_is_for_pages_that_come_later(guest: Guest) -> None:
    later, default, every = guest.memory.last_gfn + 1, ctypes.c_uint(), 2**64 - 1
    guest.script([write(0x1000, b"a"), write(later * 0x1000, b"b")])
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        functions.xc_set_mem_access(handle, 1, R, every, 0)
        functions.xc_get_mem_access(handle, 1, every, default)
        guest.memory.page(later)
        gfns = []
        for request in monitor:
            gfns.append(request.u.mem_access.gfn)
            restrict(RWX, later)(monitor)
        functions.xc_set_mem_access(handle, 1, RWX, every, 0)
    assert (default.value, gfns) == (R, [later])


def test_without_a_monitor_a_restricted_page_is_freed(guest: Guest) -> None:
    guest.memory.access[1] = R
    guest.script([write(0x1000, b"abcd")])
    guest.run()
    assert guest.memory.read(0x1000, 4) == b"abcd"
    assert guest.memory.access_of(1) == RWX


# --- breakpoints ------------------------------------------------------------------------


@pytest.mark.parametrize("is_own", [True, False])
def test_a_breakpoint_is_taken_out_or_given_to_the_guest(
    guest: Guest, is_own: bool
) -> None:
    guest.memory.write(0x3000, b"\xcc")
    vcpu = guest.script([execute(0x3000)])
    with Monitor(1, []) as monitor:
        functions, handle = monitor.xen.functions, monitor.xen.handle
        functions.xc_monitor_software_breakpoint(handle, 1, True)
        for request in monitor:
            assert monitor.reason(request) == "SOFTWARE_BREAKPOINT"
            assert request.data.regs.x86.rip == 0x3000
            if is_own:
                guest.memory.write(0x3000, b"\x90")
        functions.xc_monitor_software_breakpoint(handle, 1, False)
    assert vcpu.exceptions == ([] if is_own else [3])
    assert len(guest.answers) == 1


# --- those who wait elsewhere -----------------------------------------------------------


def test_a_loop_of_ones_own(guest: Guest) -> None:
    guest.script([guest_request(), guest_request()])
    with Monitor(1, ["guest_request"]) as monitor:
        poll = select.poll()
        poll.register(monitor.fileno(), select.POLLIN)
        seen = 0
        while poll.poll(0):
            seen += len(list(monitor.pending()))
    assert seen == 2


def test_a_loop_that_looks_and_does_not_wait(guest: Guest) -> None:
    """However often it looks: what it writes of the event channel does not fill its file."""
    guest.script([guest_request() for _ in range(3)])
    seen = 0
    with Monitor(1, ["guest_request"]) as monitor:
        while monitor.is_alive():
            seen += len(list(monitor.pending()))
        for _ in range(1000):
            assert not list(monitor.pending())
    assert seen == 3


def test_a_signal_comes_when_what_the_guest_does_is_done(guest: Guest) -> None:
    def script(_: Vcpu) -> Iterator[Instruction]:
        yield write_cr3(0x5000)
        signal.raise_signal(signal.SIGINT)
        yield write_cr3(0x6000)

    vcpu = guest.script(script)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Monitor(1, ["write_ctrlreg:cr3"]) as monitor:
        monitor.run()
    assert vcpu.control["CR3"] == 0x6000
    assert signal.getsignal(signal.SIGINT) is before


def test_async_for_in_another_event_loop_says_what_to_do(guest: Guest) -> None:
    with Monitor(1, ["guest_request"]) as monitor:
        first: Any = aiter(monitor).__anext__()
        with pytest.raises(OSError, match=r"no asyncio loop .* wait until fileno\(\)"):
            first.send(None)


def test_asyncio(guest: Guest) -> None:
    guest.script([guest_request(), guest_request()])

    async def look() -> int:
        with Monitor(1, ["guest_request"]) as monitor:
            return len([each async for each in monitor])

    assert asyncio.run(look()) == 2


def by_for(monitor: Monitor, do: See) -> None:
    for request in monitor:
        do(request)


def by_file(monitor: Monitor, do: See) -> None:
    while monitor.is_alive():
        select.select([monitor], [], [], 0.01)
        for request in monitor.pending():
            do(request)


def by_asyncio(monitor: Monitor, do: See) -> None:
    async def look() -> None:
        async for request in monitor:
            do(request)

    asyncio.run(asyncio.wait_for(look(), 10))


See = Callable[[Any], object]
every_loop = pytest.mark.parametrize("loop", [by_for, by_file, by_asyncio])
LoopOf = Callable[[Monitor, See], None]


@every_loop
def test_every_loop_ends_with_a_guest_that_does_nothing(
    guest: Guest, loop: LoopOf
) -> None:
    with Monitor(1, ["guest_request"]) as monitor:
        loop(monitor, pytest.fail)
    assert not guest.alive


@every_loop
def test_every_loop_ends_with_a_guest_of_which_nothing_is_reported(
    guest: Guest, loop: LoopOf
) -> None:
    vcpu = guest.script([cpuid(1, result=(7, 0, 0, 0))])
    with Monitor(1, ["guest_request"]) as monitor:
        loop(monitor, pytest.fail)
    assert vcpu.registers.rax == 7


@every_loop
def test_every_loop_has_all_rounds(guest: Guest, loop: LoopOf) -> None:
    names = guest.vm_event
    request = names.vm_event_st(
        version=names.VM_EVENT_INTERFACE_VERSION,
        flags=names.VM_EVENT_FLAG_VCPU_PAUSED,
        reason=names.VM_EVENT_REASON_GUEST_REQUEST,
    )
    guest.rounds = [[request], [request]]
    seen: list[Any] = []
    with Monitor(1, ["guest_request"]) as monitor:
        loop(monitor, seen.append)
    assert len(seen) == 2


@every_loop
def test_every_loop_ends_where_an_answer_never_comes(loop: LoopOf) -> None:
    with played(strict=False) as xen:
        xen.guests[1].script([guest_request()])
        with Monitor(1, ["guest_request"]) as monitor:
            loop(monitor, monitor.postpone)
    assert xen.findings.kinds == ["unanswered"]


def test_an_answer_of_another_task_may_take_its_time(guest: Guest) -> None:
    """As long as that of a program which does other things meanwhile."""

    async def look() -> None:
        with Monitor(1, ["guest_request"]) as monitor:

            async def answer(request: Any) -> None:
                await asyncio.sleep(0.5)
                monitor.answer(request)

            tasks: list[asyncio.Task[None]] = []
            async for request in monitor:
                monitor.postpone(request)
                tasks.append(asyncio.create_task(answer(request)))

    guest.script([guest_request()])
    asyncio.run(look())
    assert len(guest.answers) == 1


def test_events_that_come_while_a_port_is_masked_are_one() -> None:
    port = Port()
    for _ in range(3):
        port.notify()
    event = port.ours.recv(4096)
    assert int.from_bytes(event, "little") == LOCAL_PORT
    port.ours.send(event)
    assert port.unmasked == 1
    assert port.ours.recv(4096) == event
    port.close()


def test_everything_is_as_it_was_afterwards() -> None:
    before = Channel.next, Channel.fileno
    with played():
        assert before != (Channel.next, Channel.fileno)
    assert before == (Channel.next, Channel.fileno)


def test_a_test_that_fails_tells_of_mistakes_too() -> None:
    with pytest.raises(ZeroDivisionError) as raised, played() as xen:
        xen.findings.add("unanswered", "here")
        _ = 1 / 0
    assert "unanswered: here" in raised.value.__notes__[0]
    with pytest.raises(MonitorMistakes, match="unanswered: here"), played() as xen:
        xen.findings.add("unanswered", "here")


def test_a_page_ends_where_it_ends(guest: Guest) -> None:
    with pytest.raises(ValueError, match="3 bytes at 0x1ffe are not in one page"):
        guest.memory.write(0x1FFE, b"abc")
    with pytest.raises(ValueError, match="not in one page"):
        guest.memory.write(-2, b"a")
