"""Breakpoints in a guest, what its memory holds, and what Xen carries out in its place."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
from playing import ARM, Begin
from xen_vm_event import v7
from xen_vm_event.monitor import Monitor, MonitorError
from xen_vm_event.testing import RELEASES, PlayedXen, execute, played, read, write

REASON = v7.VmEventReason
FLAG = v7.VmEventFlag
PAUSED = FLAG.VCPU_PAUSED
CODE = bytes.fromhex("55 48 89 e5 48 83 ec 10 90 90 90 90 90 90 90 90 90 90")
AT = 0x3010  # where it is


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    """A guest that has code in its memory."""
    xen = begin("4.20")
    xen.guests[1].memory.pages[3] = page = ctypes.create_string_buffer(4096)
    ctypes.memmove(ctypes.addressof(page) + AT % 4096, CODE, len(CODE))
    return xen


def hit(address: int, vcpu: int = 0) -> Any:
    made = event(REASON.SOFTWARE_BREAKPOINT, vcpu)
    made.u.software_breakpoint.gfn = address // 4096
    made.u.software_breakpoint.insn_length = 1
    made.u.software_breakpoint.type = 6
    made.data.regs.x86.rip = 0xFFFF_8000_0000_0000 + address
    return made


def event(reason: int, vcpu: int = 0) -> Any:
    return v7.vm_event_st(version=7, reason=reason, vcpu_id=vcpu, flags=PAUSED)


def exchange(xen: PlayedXen, monitor: Monitor, *requests: Any) -> list[str]:
    """Have requests answered; gives the reasons of those that were shown."""
    xen.guests[1].rounds = [list(requests)]
    xen.guests[1].send()
    return [monitor.reason(request) for request in monitor.pending()]


def flags(xen: PlayedXen) -> list[int]:
    return [answer.flags & ~PAUSED for answer in xen.guests[1].answers]


def code(xen: PlayedXen, size: int = 2) -> bytes:
    """What the guest has there now."""
    found: bytes = xen.guests[1].memory.pages[3].raw[AT % 4096 : AT % 4096 + size]
    return found


def test_a_breakpoint_is_there_until_the_monitor_leaves(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT)
        monitor.breakpoints.add(AT + 1)
        assert ("xc_monitor_software_breakpoint", 1, True) in xen.calls
        assert code(xen, 3) == b"\xcc\xcc\x89"
        monitor.breakpoints.remove(AT + 1)
        assert code(xen) == b"\xcc\x48"
    assert code(xen, len(CODE)) == CODE
    assert ("xc_monitor_software_breakpoint", 1, False) in xen.calls
    assert xen.guests[1].memory.mapped.gfns == []


def test_a_step_carries_out_the_instruction_and_sets_the_breakpoint_again(
    xen: PlayedXen,
) -> None:
    with Monitor(1, ["software_breakpoint"]) as monitor:
        monitor.breakpoints.add(AT)
        assert exchange(xen, monitor, hit(AT)) == ["SOFTWARE_BREAKPOINT"]
        assert code(xen, len(CODE)) == CODE
        assert exchange(xen, monitor, event(REASON.SINGLESTEP)) == []
        assert code(xen) == b"\xcc\x48"
    assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP] * 2
    assert "xc_hvm_inject_trap" not in {name for name, *_ in xen.calls}


def test_two_vcpus_at_one_breakpoint_each_end_their_step(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT)
        exchange(xen, monitor, hit(AT), hit(AT, vcpu=1))
        exchange(xen, monitor, event(REASON.SINGLESTEP))
        assert code(xen, 1) == CODE[:1]
        exchange(xen, monitor, event(REASON.SINGLESTEP, vcpu=1))
        assert code(xen, 1) == b"\xcc"


def test_xen_carries_out_the_instruction_that_was_there(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT, then="emulate")
        monitor.breakpoints.add(AT + 1)
        exchange(xen, monitor, hit(AT))
        assert code(xen) == b"\xcc\xcc"
    [answer] = xen.guests[1].answers
    assert flags(xen) == [FLAG.EMULATE | FLAG.SET_EMUL_INSN_DATA]
    assert bytes(answer.data.emul.insn.data) == CODE[:16]


def test_one_for_once(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT, then="remove")
        exchange(xen, monitor, hit(AT))
        assert code(xen, len(CODE)) == CODE
        # Another vCPU's that was there before goes on, too.
        exchange(xen, monitor, hit(AT, vcpu=1))
    assert flags(xen) == [0, 0]
    assert "xc_hvm_inject_trap" not in {name for name, *_ in xen.calls}


def test_a_guests_own_breakpoint_is_given_to_it(xen: PlayedXen) -> None:
    def handler(request: Any) -> None:
        seen.append(monitor.breakpoints.address(request))

    seen: list[int | None] = []
    xen.guests[1].memory.pages[3][0x20] = b"\xcc"
    handlers = {"SOFTWARE_BREAKPOINT": handler}
    with Monitor(1, [], handlers) as monitor:
        monitor.breakpoints.add(AT)
        exchange(xen, monitor, hit(0x3020, vcpu=1), hit(AT))
    assert ("xc_hvm_inject_trap", 1, 1, 3, 6, 0xFFFF_FFFF, 1, 0) in xen.calls
    assert flags(xen) == [0, FLAG.TOGGLE_SINGLESTEP]
    assert seen == [None, AT]


def test_leaving_in_the_midst_of_a_step_leaves_no_breakpoint(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT)
        exchange(xen, monitor, hit(AT))
        xen.guests[1].rounds = [[event(REASON.SINGLESTEP), hit(AT, vcpu=1)]]
        xen.guests[1].send()
    assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP, 0, 0]
    assert code(xen, len(CODE)) == CODE
    assert "xc_hvm_inject_trap" not in {name for name, *_ in xen.calls}


def test_a_release_without_instructions_for_the_emulator(begin: Begin) -> None:
    begin("4.7")
    said = "no flag SET_EMUL_INSN_DATA in vm_event version 1 of Xen 4.7"
    with Monitor(1, []) as monitor, pytest.raises(MonitorError, match=said):
        monitor.breakpoints.add(AT, then="emulate")


def test_a_machine_without_breakpoints(xen: PlayedXen) -> None:
    xen.capabilities = ARM
    with (
        Monitor(1, []) as monitor,
        pytest.raises(MonitorError, match="does not report"),
    ):
        monitor.breakpoints.add(AT, then="remove")
    assert code(xen, 1) == CODE[:1]


# --- what the memory holds --------------------------------------------------------------


def test_memory_is_read_and_written_across_pages(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        memory = monitor.physical
        memory.write(0x4FFE, b"abcd")
        assert (memory.read(0x4FFD, 6), memory.read(AT, 4)) == (b"\0abcd\0", CODE[:4])
        assert memory.translate(0xFFFF_FFFF_0000_3010) == AT
        with pytest.raises(OSError, match="page 0x100: the guest's pages are 0x0-0xff"):
            memory.read(0xFFFFF, 2)
        for address in (-1, -0x1000, 2**64 + 0x3010):  # whose low bits are another's
            with pytest.raises(MonitorError, match="the guest's pages are 0x0-0xff"):
                monitor.breakpoints.add(address)
    assert xen.guests[1].memory.mapped.gfns == []


# --- what Xen carries out otherwise -----------------------------------------------------


def test_an_instruction_reads_what_the_monitor_says(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        return monitor.emulator.with_data(request, b"secret")

    with Monitor(1, [], {"MEM_ACCESS": handler}) as monitor:
        monitor.memory.restrict(3, "--x", then="emulate")
        access = event(REASON.MEM_ACCESS)
        access.u.mem_access.gfn = 3
        exchange(xen, monitor, access)
    [answer] = xen.guests[1].answers
    read = answer.data.emul.read
    assert flags(xen) == [FLAG.EMULATE | FLAG.SET_EMUL_READ_DATA]
    assert (read.size, bytes(read.data[:7])) == (6, b"secret\0")


def test_an_instruction_in_place_of_another(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        return monitor.emulator.instead(request, b"\x90")

    with Monitor(1, [], {"SOFTWARE_BREAKPOINT": handler}) as monitor:
        monitor.breakpoints.add(AT, then=None)
        exchange(xen, monitor, hit(AT))
    [answer] = xen.guests[1].answers
    assert flags(xen) == [FLAG.EMULATE | FLAG.SET_EMUL_INSN_DATA]
    assert bytes(answer.data.emul.insn.data) == b"\x90".ljust(16, b"\0")


def test_what_the_emulator_cannot_be_told(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        emulator, request = monitor.emulator, event(REASON.MEM_ACCESS)
        assert emulator.without_writes() == FLAG.EMULATE | FLAG.EMULATE_NOWRITE
        with pytest.raises(MonitorError, match="17 bytes of code, of 16 at most"):
            emulator.instead(request, bytes(17))
        room = len(request.data.emul.read.data)
        with pytest.raises(MonitorError, match=f"to be read, of {room} at most"):
            emulator.with_data(request, bytes(room + 1))


def test_there_is_no_emulator_on_arm(xen: PlayedXen) -> None:
    xen.capabilities = ARM
    with Monitor(1, []) as monitor, pytest.raises(MonitorError, match="on Arm"):
        monitor.emulator.as_it_is()


def test_what_the_guest_wrote_over_a_breakpoint_stays(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT)
        guest.memory.write(AT, b"\x99")
    assert code(xen) == b"\x99\x48"


def test_what_a_step_wrote_over_its_breakpoint_is_what_leaving_gives_back(
    xen: PlayedXen,
) -> None:
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT)
        assert exchange(xen, monitor, hit(AT)) == ["SOFTWARE_BREAKPOINT"]
        xen.guests[1].memory.write(AT, b"\x99")
        assert exchange(xen, monitor, event(REASON.SINGLESTEP)) == []
        assert code(xen) == b"\xcc\x48"
    assert code(xen) == b"\x99\x48"


@pytest.mark.parametrize("then", ["step", "emulate"])
def test_a_breakpoint_on_the_guests_own_is_given_to_it(
    xen: PlayedXen, then: Any
) -> None:
    xen.guests[1].memory.write(AT, b"\xcc")
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(AT, then)
        assert exchange(xen, monitor, hit(AT)) == ["SOFTWARE_BREAKPOINT"]
    assert [call[0] for call in xen.calls].count("xc_hvm_inject_trap") == 1
    assert flags(xen) == [0]
    assert code(xen) == b"\xcc\x48"


def test_another_event_is_at_no_breakpoint(xen: PlayedXen) -> None:
    access = event(REASON.MEM_ACCESS)
    access.u.mem_access.gfn = AT // 4096
    access.data.regs.x86.rip = 0x7000 + AT % 4096
    with Monitor(1, ["guest_request", "mem_access"]) as monitor:
        monitor.breakpoints.add(AT)
        xen.guests[1].rounds = [[access, event(REASON.GUEST_REQUEST, 1)]]
        xen.guests[1].send()
        found = [monitor.breakpoints.address(each) for each in monitor.pending()]
    assert found == [None, None]


# --- on a page whose accesses are reported ----------------------------------------------


@pytest.mark.parametrize("then", ["emulate", "step"])
@pytest.mark.parametrize("in_view", [False, True])
def test_the_guest_reads_its_own_byte(then: Any, in_view: bool) -> None:
    with played() as xen:
        guest = xen.guests[1]
        guest.memory.write(AT, CODE)
        looks = read(AT, 2)
        guest.script([looks, write(AT, b"\x91"), read(0x5000), execute(AT)])
        with Monitor(1, []) as monitor:
            monitor.breakpoints.add(AT)
            if in_view:
                view = monitor.views.create()
                view.restrict(3, "--x", then)
                view.show_to_all()
            else:
                monitor.memory.restrict(3, "--x", then)
            seen = [monitor.reason(each) for each in monitor]
        assert looks.value == CODE[:2]
        assert seen == ["MEM_ACCESS", "MEM_ACCESS", "SOFTWARE_BREAKPOINT"]
        assert guest.memory.read(AT, 2) == b"\x91" + CODE[1:2]


@pytest.mark.parametrize("then", ["emulate", "step"])
@pytest.mark.parametrize("passes", ["emulate", "step", "remove"])
def test_the_guest_executes_its_own_byte(then: Any, passes: Any) -> None:
    with played() as xen:
        guest = xen.guests[1]
        guest.memory.write(AT, CODE)
        at, behind = execute(AT), execute(AT + 1)
        vcpu = guest.script([at, behind])
        with Monitor(1, []) as monitor:
            monitor.breakpoints.add(AT, passes)
            monitor.memory.restrict(3, "rw-", then)
            seen = [monitor.reason(each) for each in monitor]
        assert seen == ["MEM_ACCESS", "SOFTWARE_BREAKPOINT", "MEM_ACCESS"]
        assert vcpu.exceptions == []
        assert (at.value, behind.value) == (CODE[:1], CODE[1:2])


def test_a_page_that_is_shown_in_a_views_place_has_its_own_byte() -> None:
    with played() as xen:
        guest = xen.guests[1]
        guest.memory.write(AT, CODE)
        looks = read(0x5010, 2)
        guest.script([looks])
        with Monitor(1, []) as monitor:
            monitor.breakpoints.add(AT)
            view = monitor.views.create()
            view.remap(5, AT // 4096)
            view.restrict(5, "--x", "emulate")
            view.show_to_all()
            monitor.run()
        assert looks.value == CODE[:2]


def test_what_a_handler_has_xen_carry_out_meets_the_int3() -> None:
    with played() as xen:
        xen.guests[1].memory.write(AT, CODE)
        looks = read(AT, 2)
        xen.guests[1].script([looks])
        with Monitor(1, []) as monitor:
            monitor.breakpoints.add(AT)
            monitor.memory.restrict(3, "--x", None)
            for request in monitor:
                monitor.answer(request, monitor.emulator.as_it_is())
        assert looks.value == b"\xcc" + CODE[1:2]


@pytest.mark.parametrize("release", RELEASES)
def test_what_xen_reads_is_given_on_every_release(release: str) -> None:
    with played(release) as xen:
        looks = read(0x3010, 6)
        xen.guests[1].script([looks])
        with Monitor(1, []) as monitor:
            monitor.memory.restrict(3, "--x", None)
            for request in monitor:
                flags = monitor.emulator.with_data(request, b"secret")
                monitor.answer(request, flags)
        assert looks.value == b"secret"


@pytest.mark.parametrize("release", RELEASES)
def test_no_release_emulates_on_arm(release: str) -> None:
    with played(release, "arm64"), Monitor(1, []) as monitor:
        with pytest.raises(MonitorError, match="emulates nothing on Arm"):
            monitor.memory.restrict(3, "--x", "emulate")
        with pytest.raises(MonitorError, match="emulates nothing on Arm"):
            monitor.emulator.as_it_is()
