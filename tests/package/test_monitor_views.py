"""Alternative views of a guest's memory, on a Xen that is played."""

from __future__ import annotations

from typing import Any

import pytest
from playing import ARM, Begin
from xen_vm_event import v7
from xen_vm_event.monitor import Monitor, MonitorError, View
from xen_vm_event.testing import PlayedXen
from xen_vm_event.testing.memory import RWX

REASON = v7.VmEventReason
FLAG = v7.VmEventFlag
PAUSED = FLAG.VCPU_PAUSED
RX = 5  # XENMEM_access_rx
SWITCH = FLAG.ALTERNATE_P2M


def event(reason: int, view: int = 0, gfn: int = 0) -> Any:
    made = v7.vm_event_st(version=7, reason=reason, flags=PAUSED)
    if view:
        made.flags |= SWITCH
        made.altp2m_idx = view
    if reason == REASON.MEM_ACCESS:
        made.u.mem_access.gfn = gfn
    return made


def answers(xen: PlayedXen, monitor: Monitor, request: Any) -> list[tuple[int, int]]:
    """The flags and views of the answers to a request."""
    guest = xen.guests[1]
    guest.answers.clear()
    guest.rounds = [[request]]
    guest.send()
    for _ in monitor.pending():
        pass
    return [(answer.flags & ~PAUSED, answer.altp2m_idx) for answer in guest.answers]


def test_views_are_gone_when_the_monitor_leaves(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    with Monitor(1, []) as monitor:
        first, second = monitor.views.create(), monitor.views.create()
        assert (first.number, second.number) == (1, 2)
        assert guest.params[35] == 2
        assert xen.calls.count(("xc_altp2m_set_domain_state", 1, True)) == 1
        second.show_to_all()
        assert xen.calls[-1] == ("xc_altp2m_switch_to_view", 1, 2)
        monitor.views.destroy(first)
        xen.calls.clear()
    assert xen.calls[:3] == [
        ("xc_altp2m_switch_to_view", 1, 0),
        ("xc_altp2m_destroy_view", 1, 2),
        ("xc_altp2m_set_domain_state", 1, False),
    ]


@pytest.mark.parametrize(("release", "mode"), [("4.9", 1), ("4.10", 2)])
def test_a_guest_is_let_have_views_as_its_release_knows_it(
    begin: Begin, release: str, mode: int
) -> None:
    xen = begin(release)
    with Monitor(1, []) as monitor:
        monitor.views.create()
    assert xen.guests[1].params[35] == mode


def test_a_guest_whose_configuration_says_it_may_have_views(xen: PlayedXen) -> None:
    xen.lets_params_be_set = False
    xen.guests[1].params[35] = 1
    with Monitor(1, []) as monitor:
        monitor.views.create()


def test_a_guest_that_may_not_have_views(xen: PlayedXen) -> None:
    xen.lets_params_be_set = False
    with (
        Monitor(1, []) as monitor,
        pytest.raises(MonitorError, match='has to say altp2m = "external"'),
    ):
        monitor.views.create()


def test_there_are_no_views_on_arm(xen: PlayedXen) -> None:
    xen.capabilities = ARM
    with Monitor(1, []) as monitor, pytest.raises(MonitorError, match="on x86 alone"):
        monitor.views.create()


def accesses(xen: PlayedXen) -> dict[int, dict[int, int]]:
    """What was said of pages in each view, of which 0 is the guest's own memory."""
    views = xen.guests[1].memory.views
    return {number: view.access for number, view in views.items()}


def test_a_view_has_accesses_and_pages_of_its_own(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
        view.restrict(3, "r-x")
        view.restrict([5, 9], "---")
        view.remap(7, 8)
        view.remap(7, None)
        assert accesses(xen) == {0: {}, 1: {3: RX, 5: 0, 9: 0}}
    assert [call for call in xen.calls if call[0] == "xc_altp2m_change_gfn"] == [
        ("xc_altp2m_change_gfn", 1, 1, 7, 8),
        ("xc_altp2m_change_gfn", 1, 1, 7, 2**64 - 1),
    ]


def test_a_view_of_which_all_pages_are_restricted(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.views.create("r-x")
        assert accesses(xen) == {0: {}, 1: dict.fromkeys(range(0x100), RX)}


@pytest.mark.parametrize(
    ("then", "flags", "seen"),
    [
        ("lift", 0, 1),
        ("emulate", FLAG.EMULATE, 1),
        ("step", SWITCH | FLAG.TOGGLE_SINGLESTEP, 0),
        ("fast_step", SWITCH | FLAG.FAST_SINGLESTEP, 0),
        ("leave", SWITCH, 0),
    ],
)
def test_how_a_vcpu_goes_on(xen: PlayedXen, then: Any, flags: int, seen: int) -> None:
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
        view.restrict(3, "r-x", then)
        violation = event(REASON.MEM_ACCESS, view=1, gfn=3)
        assert answers(xen, monitor, violation) == [(flags, seen)]
        assert accesses(xen)[1] == {3: RWX if then == "lift" else RX}
        if then == "step":
            step = event(REASON.SINGLESTEP)
            assert answers(xen, monitor, step) == [(SWITCH | FLAG.TOGGLE_SINGLESTEP, 1)]
        if then == "fast_step":
            assert xen.guests[1].answers[0].u.fast_singlestep.p2midx == 1
            assert ("xc_monitor_singlestep", 1, True) in xen.calls


def test_what_xen_cannot_emulate_is_stepped_over_in_the_guests_own_memory(
    xen: PlayedXen,
) -> None:
    with Monitor(1, ["emul_unimplemented"]) as monitor:
        monitor.views.create().restrict(3, "r-x", "emulate")
        answers(xen, monitor, event(REASON.MEM_ACCESS, view=1, gfn=3))
        unknown = event(REASON.EMUL_UNIMPLEMENTED, view=1)
        assert answers(xen, monitor, unknown) == [(SWITCH | FLAG.TOGGLE_SINGLESTEP, 0)]


def test_a_violation_in_the_guests_own_memory_is_that_memorys(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.views.create().restrict(3, "r-x", "step")
        monitor.memory.restrict(3, "---", "lift")
        assert answers(xen, monitor, event(REASON.MEM_ACCESS, gfn=3)) == [(0, 0)]
        assert xen.guests[1].memory.access == {3: RWX}


def test_an_access_in_a_view_that_nobody_here_asked_for(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        monitor.views.create()
        violation = event(REASON.MEM_ACCESS, view=1, gfn=3)
        assert answers(xen, monitor, violation) == [(0, 1)]
        assert accesses(xen) == {0: {}, 1: {3: RWX}}


def test_a_handler_chooses_what_a_vcpu_sees(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        seen.append(monitor.views.seen(request))
        if seen[-1]:
            return monitor.views.show_original(request)
        return view.show(request)

    seen: list[View | None] = []
    with Monitor(1, ["guest_request"], {"GUEST_REQUEST": handler}) as monitor:
        view = monitor.views.create()
        request = event(REASON.GUEST_REQUEST)
        assert answers(xen, monitor, request) == [(SWITCH, 1)]
        request = event(REASON.GUEST_REQUEST, view=1)
        assert answers(xen, monitor, request) == [(SWITCH, 0)]
        assert seen == [None, view]


@pytest.mark.parametrize(
    ("release", "flags"),
    [
        ("4.14", SWITCH | FLAG.TOGGLE_SINGLESTEP),
        ("4.18", SWITCH | FLAG.TOGGLE_SINGLESTEP),
        ("4.19", SWITCH | FLAG.FAST_SINGLESTEP),
    ],
)
def test_a_release_that_cannot_end_a_fast_step_in_time_has_a_step(
    begin: Begin, release: str, flags: int
) -> None:
    xen = begin(release)
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
        view.restrict(3, "r-x", "fast_step")
        vm_event: Any = xen.guests[1].vm_event
        made = vm_event.vm_event_st(
            version=vm_event.VM_EVENT_INTERFACE_VERSION,
            reason=REASON.MEM_ACCESS,
            flags=PAUSED | FLAG.ALTERNATE_P2M,
            altp2m_idx=1,
        )
        made.u.mem_access.gfn = 3
        xen.guests[1].rounds = [[made]]
        xen.guests[1].send()
        for _ in monitor.pending():
            pass
        [answer] = xen.guests[1].answers
        assert (answer.flags & ~PAUSED, answer.altp2m_idx) == (flags, 0)


def test_a_release_without_fast_steps(begin: Begin) -> None:
    begin("4.13")
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
        with pytest.raises(MonitorError, match="no flag FAST_SINGLESTEP in vm_event"):
            view.restrict(3, "r-x", "fast_step")
