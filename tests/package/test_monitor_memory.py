"""What a guest may do with its memory, and how it goes on, on a Xen that is played."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from documents import program, text_of
from playing import ARM, Begin
from support import PROJECT
from xen_vm_event import v7
from xen_vm_event.monitor import Monitor, MonitorError
from xen_vm_event.testing import PlayedXen, PlayXen
from xen_vm_event.testing.memory import RWX

REASON = v7.VmEventReason
FLAG = v7.VmEventFlag
PAUSED = FLAG.VCPU_PAUSED
R, RW, RX = 1, 3, 5  # XENMEM_access_*


def violation(gfn: int, vcpu: int = 0) -> Any:
    made = v7.vm_event_st(
        version=7, reason=REASON.MEM_ACCESS, vcpu_id=vcpu, flags=PAUSED
    )
    made.u.mem_access.gfn = gfn
    return made


def event(reason: int, vcpu: int = 0) -> Any:
    return v7.vm_event_st(version=7, reason=reason, vcpu_id=vcpu, flags=PAUSED)


def exchange(xen: PlayedXen, monitor: Monitor, *requests: Any) -> list[str]:
    """Have requests answered; gives the reasons of those that were shown."""
    xen.guests[1].rounds = [list(requests)]
    xen.guests[1].send()
    return [monitor.reason(request) for request in monitor.pending()]


def flags(xen: PlayedXen) -> list[int]:
    """Those of the answers until now, which this forgets."""
    given = [answer.flags & ~PAUSED for answer in xen.guests[1].answers]
    xen.guests[1].answers.clear()
    return given


class Endless:
    """All numbers from 0 on."""

    def __iter__(self) -> Iterator[int]:
        return itertools.count()


# --- what is restricted, and what it is when the monitor has left -----------------------


def test_a_page_a_range_and_a_list_get_back_what_they_had(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.memory.access[4] = RW
    with Monitor(1, []) as monitor:
        monitor.memory.restrict(3, "r-x")
        monitor.memory.restrict(range(4, 7), "r--")
        monitor.memory.restrict([9, 12], "rw-")
        assert guest.memory.access == {3: RX, 4: R, 5: R, 6: R, 9: RW, 12: RW}
        assert [monitor.memory.access(gfn) for gfn in (3, 4, 99)] == [
            *("r-x", "r--", "rwx")
        ]
        monitor.memory.restrict(4, "---")
    assert guest.memory.access == {3: RWX, 4: RW, 5: RWX, 6: RWX, 9: RWX, 12: RWX}


def test_all_of_the_memory_and_what_comes_later(xen: PlayedXen) -> None:
    default = 0xFFFF_FFFF_FFFF_FFFF
    with Monitor(1, []) as monitor:
        monitor.memory.restrict_all("r-x")
        assert ("xc_set_mem_access", 1, RX, default, 0) in xen.calls
        assert set(xen.guests[1].memory.access.items()) == {
            (gfn, RX) for gfn in range(0x100)
        }
        xen.calls.clear()
    assert ("xc_set_mem_access", 1, RWX, default, 0) in xen.calls
    assert set(xen.guests[1].memory.access.values()) == {RWX}


def test_on_arm_a_page_may_be_written_and_not_read(xen: PlayedXen) -> None:
    xen.capabilities = ARM
    with Monitor(1, ["mem_access:-wx:3"]):
        assert xen.guests[1].memory.access == {3: 6}


def test_all_of_the_memory_of_a_guest_that_is_played_on_arm(
    play_xen: PlayXen,
) -> None:
    xen = play_xen("4.17", "arm64")
    with Monitor(1, ["mem_access:r-x"]):
        assert list(xen.guests[1].memory.access) == list(range(0x100))


def test_memory_begins_elsewhere_on_arm(xen: PlayedXen) -> None:
    xen.capabilities = ARM
    xen.guests[1].memory.last_gfn = 0x40010
    with Monitor(1, ["mem_access:r-x"]):
        assert list(xen.guests[1].memory.access) == list(range(0x40000, 0x40011))


@pytest.mark.parametrize(
    ("event", "restricted"),
    [
        ("mem_access", {}),
        ("mem_access:r-x:0x40", {0x40: RX}),
        ("mem_access:r--:0x40-0x42", {0x40: R, 0x41: R, 0x42: R}),
        ("mem_access:rw-:7:step", {7: RW}),
        ("mem_access:rx2rw:7", {7: 8}),
    ],
)
def test_an_event_restricts_pages(
    xen: PlayedXen, event: str, restricted: dict[int, int]
) -> None:
    with Monitor(1, [event]):
        assert xen.guests[1].memory.access == restricted
    assert xen.guests[1].memory.access == dict.fromkeys(restricted, RWX)


@pytest.mark.parametrize("release", ["4.7", "4.8"])
def test_a_list_is_one_call_where_the_release_has_it(
    begin: Begin, release: str
) -> None:
    xen = begin(release)
    with Monitor(1, []) as monitor:
        monitor.memory.restrict([3, 9], "r-x")
    names = [name for name, *_ in xen.calls]
    assert ("xc_set_mem_access_multi" in names) == (release != "4.7")
    assert xen.guests[1].memory.access == {3: RWX, 9: RWX}


def test_pages_that_are_gone_do_not_keep_the_others_restricted(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> int:
        return -1 if leaving else together(*arguments)

    leaving = False
    together = xen._xc_set_mem_access_multi
    monkeypatch.setattr(xen, "_xc_set_mem_access_multi", refuse)
    with Monitor(1, []) as monitor:
        monitor.memory.restrict([3, 9], "r-x")
        leaving = True
    assert xen.guests[1].memory.access == {3: RWX, 9: RWX}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("mem_access:rxw", "no access 'rxw'; write such as r-x, or n, r, "),
        ("mem_access:-w-:1", "'-w-': the CPU has no page that may be written and not"),
        ("mem_access:r-x:here", "mem_access:r-x:here: no pages 'here'"),
        ("mem_access:r-x:2-1", "mem_access:r-x:2-1: no pages '2-1'"),
        ("mem_access:r-x:1:jump", "no way on 'jump'; name one of lift, emulate, step"),
        (
            "mem_paging",
            "a ring of its own, not on the monitor's; xen_vm_event.monitor.Paging",
        ),
        (
            "mem_sharing",
            "a ring of its own, not on the monitor's; xen_vm_event.monitor.Sharing",
        ),
    ],
)
def test_what_there_is_not_is_told_before_it_attaches(
    xen: PlayedXen, event: str, said: str
) -> None:
    with pytest.raises(MonitorError, match=said), Monitor(1, [event]):
        pass
    assert xen.calls == [("xc_interface_close",)]


@pytest.mark.parametrize(
    "gfns", ["0-0xffffffffffffffff", "0x100", "0xffffffffffffffff"]
)
def test_an_event_of_pages_that_the_guest_cannot_have(
    xen: PlayedXen, gfns: str
) -> None:
    event = f"mem_access:r-x:{gfns}"
    said = f"{event}: the guest's pages are 0x0-0xff; name some of these"
    with pytest.raises(MonitorError, match=f"^{said}$"), Monitor(1, [event]):
        pass
    assert "xc_monitor_enable" not in {name for name, *_ in xen.calls}


@pytest.mark.parametrize(
    ("gfns", "told"),
    [
        (-1, "page -0x1"),
        (0x100, "page 0x100"),
        (2**64 - 1, "page 0xffffffffffffffff"),
        (2**64 + 3, "page 0x10000000000000003"),
        (range(2**40), "pages 0x0-0xffffffffff"),
        (range(0, 2**40, 2), "pages 0x0-0xfffffffffe"),
        (range(3, -2, -1), "pages -0x1-0x3"),
        ([3, -1], "page -0x1"),
        (Endless(), "page 0x100"),
    ],
)
def test_pages_that_the_guest_cannot_have(xen: PlayedXen, gfns: Any, told: str) -> None:
    """To Xen -1 is all pages that come later; what is longer is no number of its."""
    said = f"^{told}: the guest's pages are 0x0-0xff; name some of these$"
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
        xen.calls.clear()
        tracemalloc.start()
        for pages in (monitor.memory, view):
            for change in (pages.restrict, pages.lift):
                with pytest.raises(MonitorError, match=said):
                    change(gfns)
        if isinstance(gfns, int):
            for use in (
                monitor.memory.access,
                lambda gfn: view.remap(gfn, 3),
                lambda gfn: view.remap(3, gfn),
            ):
                with pytest.raises(MonitorError, match=said):
                    use(gfns)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()
        assert {name for name, *_ in xen.calls} == {"xc_domain_maximum_gpfn"}
    assert set(xen.guests[1].memory.access) == set()


def test_pages_that_the_guest_got_later(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.memory.restrict(0xFF, "r-x")
        xen.guests[1].memory.last_gfn = 0x1FF
        monitor.memory.restrict(0x100, "r-x")
        assert set(xen.guests[1].memory.access) == {0xFF, 0x100}


@pytest.mark.parametrize("gfns", ["r-x", [1.0], ["0x3"]])
def test_what_is_no_page(xen: PlayedXen, gfns: Any) -> None:
    with (
        Monitor(1, []) as monitor,
        pytest.raises(
            TypeError, match="is no page: give a guest frame number, a range"
        ),
    ):
        monitor.memory.restrict(gfns)


@pytest.mark.parametrize("as_sequence", [False, True])
def test_a_page_may_be_any_whole_number(xen: PlayedXen, as_sequence: bool) -> None:
    import numpy

    with Monitor(1, []) as monitor:
        gfn = numpy.uint64(5)
        monitor.memory.restrict([gfn] if as_sequence else gfn, "r-x")
        assert xen.guests[1].memory.access == {5: RX}


def test_pages_may_be_an_array_of_numpys(xen: PlayedXen) -> None:
    import numpy

    with Monitor(1, []) as monitor:
        monitor.memory.restrict(numpy.array([5, 6]), "r-x")
        assert xen.guests[1].memory.access == {5: RX, 6: RX}


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("step", "singlestep: this machine, or this build of Xen, does not report"),
        ("emulate", "emulate: Xen emulates nothing on Arm; lift is what it has"),
    ],
)
def test_a_way_on_that_the_machine_does_not_have(
    xen: PlayedXen, then: str, said: str
) -> None:
    xen.capabilities = ARM
    with (
        pytest.raises(MonitorError, match=said),
        Monitor(1, [f"mem_access:r-x:1:{then}"]),
    ):
        pass
    assert xen.calls == [("xc_interface_close",)]


# --- how the guest goes on --------------------------------------------------------------


def test_lift_is_for_the_first_access_to_each_page(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    with Monitor(1, ["mem_access:r-x:3-4"]) as monitor:
        assert exchange(xen, monitor, violation(3)) == ["MEM_ACCESS"]
        assert flags(xen) == [0]
        assert guest.memory.access == {3: RWX, 4: RX}
    with Monitor(1, ["mem_access:r-x"]) as monitor:
        exchange(xen, monitor, violation(5))
        assert {
            gfn for gfn, access in guest.memory.access.items() if access == RWX
        } == {5}


def test_emulate_leaves_the_page_restricted(xen: PlayedXen) -> None:
    with Monitor(1, ["mem_access:r-x:3:emulate"]) as monitor:
        exchange(xen, monitor, violation(3))
        assert flags(xen) == [FLAG.EMULATE]
        assert xen.guests[1].memory.access == {3: RX}


def test_what_xen_cannot_emulate_is_stepped_over(xen: PlayedXen) -> None:
    events = ["mem_access:r-x:3:emulate", "emul_unimplemented"]
    with Monitor(1, events) as monitor:
        exchange(xen, monitor, violation(3), event(REASON.EMUL_UNIMPLEMENTED))
        assert flags(xen) == [FLAG.EMULATE, FLAG.TOGGLE_SINGLESTEP]
        assert xen.guests[1].memory.access == {3: RWX}
        assert exchange(xen, monitor, event(REASON.SINGLESTEP)) == []
        assert xen.guests[1].memory.access == {3: RX}


def test_a_step_is_the_monitors_own_and_restricts_the_page_again(
    xen: PlayedXen,
) -> None:
    guest = xen.guests[1]
    with Monitor(1, ["mem_access:r-x:3:step"]) as monitor:
        assert exchange(xen, monitor, violation(3)) == ["MEM_ACCESS"]
        assert ("xc_monitor_singlestep", 1, True) in xen.calls
        assert guest.memory.access == {3: RWX}
        assert exchange(xen, monitor, event(REASON.SINGLESTEP)) == []
        assert guest.memory.access == {3: RX}
        assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP] * 2
    assert ("xc_monitor_singlestep", 1, False) in xen.calls


def test_two_vcpus_at_one_page_each_end_their_step(xen: PlayedXen) -> None:
    with Monitor(1, ["mem_access:r-x:3:step"]) as monitor:
        exchange(xen, monitor, violation(3), violation(3, vcpu=1))
        # Xen has what is on already for an error.
        assert xen.calls.count(("xc_monitor_singlestep", 1, True)) == 1
        exchange(xen, monitor, event(REASON.SINGLESTEP, vcpu=1))
        assert xen.guests[1].memory.access == {3: RWX}
        exchange(xen, monitor, event(REASON.SINGLESTEP))
        assert xen.guests[1].memory.access == {3: RX}


def test_an_instruction_at_two_pages_is_one_step(xen: PlayedXen) -> None:
    with Monitor(1, ["mem_access:r-x:3-4:step"]) as monitor:
        exchange(xen, monitor, violation(3), violation(4))
        assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP, 0]
        exchange(xen, monitor, event(REASON.SINGLESTEP))
        assert xen.guests[1].memory.access == {3: RX, 4: RX}


def test_leaving_in_the_midst_of_a_step_has_no_vcpu_step_on(xen: PlayedXen) -> None:
    with Monitor(1, ["mem_access:r-x:3:step"]) as monitor:
        exchange(xen, monitor, violation(3))
        flags(xen)
        xen.guests[1].rounds = [[event(REASON.SINGLESTEP), violation(3, vcpu=1)]]
        xen.guests[1].send()
        xen.calls.clear()
    assert flags(xen) == [0, 0]
    names = [name for name, *_ in xen.calls]
    assert names[:4] == [
        *("xc_set_mem_access", "xc_domain_debug_control", "xc_domain_debug_control"),
        "xc_monitor_singlestep",
    ]
    assert xen.guests[1].memory.access == {3: RWX}


def test_what_was_answered_is_published_before_vcpus_are_told_to_step_no_more(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that came after that would have a vCPU step on."""

    def tell(*_: object) -> int:
        answered.append(len(xen.guests[1].answers))
        return 0

    answered: list[int] = []
    monkeypatch.setattr(xen, "_xc_domain_debug_control", tell, raising=False)
    events = ["guest_request", "mem_access:r-x:3:step"]
    xen.guests[1].rounds = [[violation(3), event(REASON.GUEST_REQUEST, vcpu=1)]]
    with pytest.raises(ZeroDivisionError), Monitor(1, events) as monitor:
        xen.guests[1].send()
        requests = monitor.pending()  # which lives on, and has not come to its end
        for request in requests:
            if monitor.reason(request) == "GUEST_REQUEST":
                raise ZeroDivisionError
    assert answered == [1, 1]  # of two vCPUs
    assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP, 0]


def test_a_handler_decides_where_nothing_else_does(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        request.data.regs.x86.rip += 3
        return int(FLAG.SET_REGISTERS)

    with Monitor(1, [], {"MEM_ACCESS": handler}) as monitor:
        monitor.memory.restrict(3, "r-x", then=None)
        exchange(xen, monitor, violation(3))
        [answer] = xen.guests[1].answers
        assert (answer.data.regs.x86.rip, answer.flags) == (
            3,
            PAUSED | FLAG.SET_REGISTERS,
        )
        assert xen.guests[1].memory.access == {3: RX}


def test_an_access_that_nobody_here_asked_for_does_not_hold_the_guest(
    xen: PlayedXen,
) -> None:
    """It was lifted after another vCPU was reported, or a killed monitor left it."""
    xen.guests[1].memory.access[8] = RX
    with Monitor(1, ["mem_access"]) as monitor:
        exchange(xen, monitor, violation(8))
        assert xen.guests[1].memory.access == {8: RWX}


def test_page_walks_may_be_ignored_for_as_long_as_it_is_monitored(
    xen: PlayedXen,
) -> None:
    with Monitor(1, []) as monitor:
        monitor.memory.ignore_page_walks()
        assert xen.calls[-1] == ("xc_monitor_inguest_pagefault", 1, True)
        xen.calls.clear()
    assert xen.calls[0] == ("xc_monitor_inguest_pagefault", 1, False)


def test_the_monitor_may_be_required_until_it_leaves(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.memory.require_monitor()
        assert xen.calls[-1] == ("xc_domain_set_access_required", 1, 1)
        xen.calls.clear()
    assert xen.calls[0] == ("xc_domain_set_access_required", 1, 0)


# --- steps that a user asks for ---------------------------------------------------------


def test_a_vcpu_steps_until_it_is_stopped(xen: PlayedXen) -> None:
    def first(request: Any) -> int:
        return monitor.stepping.start(request)

    def each(request: Any) -> int:
        steps.append(request.vcpu_id)
        return monitor.stepping.stop(request) if len(steps) == 2 else 0

    steps: list[int] = []
    handlers = {"GUEST_REQUEST": first, "SINGLESTEP": each}
    with Monitor(1, ["guest_request"], handlers) as monitor:
        step = event(REASON.SINGLESTEP)
        shown = exchange(xen, monitor, event(REASON.GUEST_REQUEST), step, step)
        assert shown == ["GUEST_REQUEST", "SINGLESTEP", "SINGLESTEP"]
        toggle = FLAG.TOGGLE_SINGLESTEP
        assert flags(xen) == [toggle, 0, toggle]


def test_no_vcpu_steps_on_whose_handler_said_so_by_a_flag(xen: PlayedXen) -> None:
    with Monitor(1, ["singlestep"]):
        pass
    names = [name for name, *_ in xen.calls]
    off, step = names.index("xc_domain_debug_control"), "xc_monitor_singlestep"
    assert names.index(step) < off < len(names) - names[::-1].index(step)


def test_a_vcpu_that_steps_for_its_user_is_not_switched_off_by_a_step_over_a_page(
    xen: PlayedXen,
) -> None:
    def first(request: Any) -> int:
        return monitor.stepping.start(request)

    handlers = {"GUEST_REQUEST": first}
    events = ["guest_request", "mem_access:r-x:3:step"]
    with Monitor(1, events, handlers) as monitor:
        step = event(REASON.SINGLESTEP)
        shown = exchange(xen, monitor, event(REASON.GUEST_REQUEST), violation(3), step)
        assert shown == ["GUEST_REQUEST", "MEM_ACCESS", "SINGLESTEP"]
        assert flags(xen) == [FLAG.TOGGLE_SINGLESTEP, 0, 0]
        assert xen.guests[1].memory.access == {3: RX}


# --- requests of a real Xen -------------------------------------------------------------


def test_requests_of_a_real_xen_are_told_and_answered(xen: PlayedXen) -> None:
    """The guest writes, reads and executes a page each, in turns with a guest request."""
    xen.capabilities = ARM
    lines = (PROJECT / "tests/data/requests-mem-access-v7.jsonl").read_text()
    recorded = [
        v7.vm_event_st.from_buffer_copy(bytes.fromhex(json.loads(line)["request"]))
        for line in lines.splitlines()
    ]
    told: list[tuple[Any, ...]] = []
    xen.guests[1].memory.last_gfn = 0x40FFF
    with Monitor(1, ["guest_request"]) as monitor:
        for gfn, access in ((0x40400, "r-x"), (0x40500, "--x"), (0x40600, "rw-")):
            monitor.memory.restrict(gfn, access)
        xen.guests[1].rounds = [recorded]
        xen.guests[1].send()
        requests: Any = monitor.pending()
        for request in requests:
            if monitor.reason(request) == "MEM_ACCESS":
                what = request.payload
                kind = v7.MemAccess(what.flags & v7.MEM_ACCESS_RWX).name
                place = (what.gfn, what.offset, what.gla)
                told.append((kind, *place, request.data.regs.arm.pc))
        assert xen.guests[1].memory.access == dict.fromkeys(
            (0x40400, 0x40500, 0x40600), RWX
        )
    one = [
        ("W", 0x40400, 0x128, 0x40400128, 0x4000_0088),
        ("R", 0x40500, 0x10, 0x40500010, 0x4000_0090),
        ("X", 0x40600, 0, 0x40600000, 0x4060_0000),
    ]
    assert told == (one + one)[: len(told)] and len(told) == 6
    assert flags(xen) == [0] * 8


def test_the_page_on_monitors_restricts_pages(xen: PlayedXen) -> None:
    begins = """from xen_vm_event.monitor import Monitor

with Monitor(1, []) as monitor:"""
    shown = program(text_of(PROJECT / "docs/monitor.md"), begins)
    guest = xen.guests[1]
    guest.memory.last_gfn = 0x8_1000
    guest.rounds = [[violation(0x200)]]
    exec(shown, {})
    [answer] = guest.answers
    assert answer.flags == PAUSED | FLAG.TOGGLE_SINGLESTEP
    assert guest.memory.access == dict.fromkeys(
        (*range(0x100, 0x180), 0x200, 0x203), RWX
    )
