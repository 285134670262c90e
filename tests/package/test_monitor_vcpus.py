"""vCPUs that go on where a page, a breakpoint and a view are in each other's way."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from playing import Begin
from xen_vm_event.monitor import Monitor
from xen_vm_event.testing import PlayedXen, execute, guest_request, write
from xen_vm_event.testing.libraries import fail

REQUESTS = ["guest_request"]


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    return begin("4.17")


def shown(monitor: Monitor, most: int = 8) -> list[str]:
    """The reasons of the requests, of which there are no more than these."""
    found: list[str] = []
    for request in monitor:
        found.append(monitor.reason(request))
        assert len(found) <= most
    return found


def test_a_page_that_is_restricted_again_during_a_step_is_stepped_over(
    xen: PlayedXen,
) -> None:
    guest = xen.guests[1]
    guest.script([write(0x5000, b"a")])
    guest.script([guest_request()], vcpu=1)

    def handler(request: Any) -> None:
        monitor.memory.restrict(5, "r-x", "step")

    with Monitor(1, REQUESTS, {"GUEST_REQUEST": handler}) as monitor:
        monitor.memory.restrict(5, "r-x", "step")
        assert shown(monitor).count("MEM_ACCESS") == 2
        assert guest.memory.access_of(5) == 5
    assert guest.memory.read(0x5000, 1) == b"a"


def test_a_breakpoint_in_a_page_that_a_view_shows_elsewhere(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.script([execute(0x3000), guest_request()])
    with Monitor(1, REQUESTS) as monitor:
        view = monitor.views.create()
        view.remap(3, 8)
        view.show_to_all()
        monitor.breakpoints.add(0x8000)
        assert shown(monitor) == ["SOFTWARE_BREAKPOINT", "GUEST_REQUEST"]
    assert not list(map(str, xen.findings))


def test_a_guests_own_breakpoint_in_such_a_page(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.memory.write(0x8000, b"\xcc")
    vcpu = guest.script([execute(0x3000)])
    with Monitor(1, ["software_breakpoint"]) as monitor:
        view = monitor.views.create()
        view.remap(3, 8)
        view.show_to_all()
        assert shown(monitor) == ["SOFTWARE_BREAKPOINT"]
    assert vcpu.exceptions == [3]


def test_a_fast_step_and_a_breakpoint_at_one_instruction(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    vcpu = guest.script([execute(0x3000), guest_request()])
    with Monitor(1, REQUESTS) as monitor:
        view = monitor.views.create()
        view.restrict(3, "rw-", "fast_step")
        view.show_to_all()
        monitor.breakpoints.add(0x3000)
        assert shown(monitor)[-1] == "GUEST_REQUEST"
        assert guest.memory.read(0x3000, 1) == b"\xcc"
        assert (vcpu.steps, vcpu.view) == (False, view.number)
    assert not list(map(str, xen.findings))


def test_a_vcpu_that_steps_makes_no_fast_step(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    vcpu = guest.script([guest_request(), write(0x5000, b"a"), guest_request()])

    def handler(request: Any) -> int:
        return monitor.stepping.start(request)

    with Monitor(1, REQUESTS, {"GUEST_REQUEST": handler}) as monitor:
        view = monitor.views.create()
        view.restrict(5, "r-x", "fast_step")
        view.show_to_all()
        reasons = shown(monitor)
        assert reasons.count("MEM_ACCESS") == 1
        assert vcpu.steps
        assert vcpu.view == view.number
    assert not list(map(str, xen.findings))


@pytest.mark.parametrize(
    "change",
    [
        lambda monitor, view: None,
        lambda monitor, view: (monitor.views.destroy(view), monitor.views.create()),
    ],
    ids=["shown no more", "another of its number"],
)
def test_a_step_does_not_end_in_a_view_that_is_shown_no_more(
    xen: PlayedXen, change: Any
) -> None:
    guest = xen.guests[1]
    vcpu = guest.script([write(0x5000, b"a"), guest_request()])
    guest.script([guest_request()], vcpu=1)
    with Monitor(1, REQUESTS) as monitor:
        view = monitor.views.create()
        view.restrict(5, "r-x", "step")
        view.show_to_all()
        for request in monitor:
            if request.vcpu_id == 1:
                monitor.views.show_original_to_all()
                change(monitor, view)
        assert vcpu.view == 0


def test_a_view_that_is_seen_still_is_there_after_it_could_not_be_destroyed(
    xen: PlayedXen,
) -> None:
    guest = xen.guests[1]
    guest.script([write(0x5000, b"a"), guest_request()])
    with Monitor(1, REQUESTS) as monitor:
        view = monitor.views.create()
        view.restrict(5, "r-x", "step")
        view.show_to_all()
        with pytest.raises(OSError, match="xc_altp2m_destroy_view"):
            monitor.views.destroy(view)
        assert shown(monitor) == ["MEM_ACCESS", "GUEST_REQUEST"]
    assert not list(map(str, xen.findings))
    assert set(guest.memory.views) == {0}


def test_a_view_whose_pages_cannot_be_restricted_is_an_error(xen: PlayedXen) -> None:
    def fails(*_: Any) -> int:
        return fail(errno.EPERM)

    vars(xen)["_xc_altp2m_set_mem_access"] = fails
    vars(xen)["_xc_altp2m_set_mem_access_multi"] = fails
    with Monitor(1, []) as monitor, pytest.raises(PermissionError):
        monitor.views.create("r-x")


def test_a_hole_keeps_no_page_of_a_view_free(xen: PlayedXen) -> None:
    def has_hole(*_: Any) -> int:
        return fail(errno.ESRCH)

    vars(xen)["_xc_altp2m_set_mem_access_multi"] = has_hole
    with Monitor(1, []) as monitor:
        view = monitor.views.create("r-x")
        access = xen.guests[1].memory.views[view.number].access
        assert access == dict.fromkeys(range(0x100), 5)


def unimplemented(xen: PlayedXen, vcpu: int = 0) -> Any:
    return event(xen, "EMUL_UNIMPLEMENTED", vcpu)


def event(xen: PlayedXen, reason: str, vcpu: int = 0) -> Any:
    module: Any = xen.vm_event
    return module.vm_event_st(
        version=module.VM_EVENT_INTERFACE_VERSION,
        reason=module.VmEventReason[reason],
        vcpu_id=vcpu,
        flags=module.VmEventFlag.VCPU_PAUSED,
    )


def breakpoint_at(xen: PlayedXen, address: int) -> Any:
    made = event(xen, "SOFTWARE_BREAKPOINT")
    made.payload.gfn = address // 4096
    made.data.regs.x86.rip = address
    return made


def last_flags(xen: PlayedXen) -> Any:
    answer = xen.guests[1].answers[-1]
    return xen.vm_event.VmEventFlag(answer.flags & ~1)


def test_a_breakpoint_whose_instruction_xen_cannot_emulate_is_stepped_over(
    xen: PlayedXen,
) -> None:
    guest = xen.guests[1]
    guest.rounds = [[breakpoint_at(xen, 0x3000)], [unimplemented(xen)]]
    with Monitor(1, ["emul_unimplemented"]) as monitor:
        monitor.breakpoints.add(0x3000, "emulate")
        assert shown(monitor) == ["SOFTWARE_BREAKPOINT", "EMUL_UNIMPLEMENTED"]
        assert guest.memory.read(0x3000, 1) == b"\0"
        assert last_flags(xen).name == "TOGGLE_SINGLESTEP"


def test_a_descriptor_access_that_xen_cannot_emulate_is_stepped_over(
    xen: PlayedXen,
) -> None:
    guest = xen.guests[1]
    guest.rounds = [[event(xen, "DESCRIPTOR_ACCESS")], [unimplemented(xen)]]
    with Monitor(1, ["emul_unimplemented", "descriptor_access"]) as monitor:
        shown(monitor)
        assert xen.calls.count(("xc_monitor_descriptor_access", 1, False)) == 1
        assert last_flags(xen).name == "TOGGLE_SINGLESTEP"


def test_what_xen_carried_out_before_is_not_stepped_over(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.rounds = [
        [breakpoint_at(xen, 0x3000)],
        [event(xen, "GUEST_REQUEST")],
        [unimplemented(xen)],
    ]
    with Monitor(1, ["emul_unimplemented", *REQUESTS]) as monitor:
        monitor.breakpoints.add(0x3000, "emulate")
        shown(monitor)
        assert not last_flags(xen)


def test_an_instruction_that_goes_on_in_another_page(xen: PlayedXen) -> None:
    def translate(xch: int, domain: int, vcpu: int, address: int) -> int:
        return {4: 7}[address // 4096]

    vars(xen)["_xc_translate_foreign_address"] = translate
    guest = xen.guests[1]
    guest.memory.write(0x3FFE, b"\x0f\xa2")
    guest.memory.write(0x7000, bytes(range(1, 15)))
    guest.rounds = [[breakpoint_at(xen, 0x3FFE)]]
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(0x3FFE, "emulate")
        monitor.breakpoints.add(0x7001)
        shown(monitor)
    [answer] = guest.answers
    assert bytes(answer.data.emul.insn.data) == b"\x0f\xa2" + bytes(range(1, 15))


def test_one_that_may_go_on_where_there_is_no_memory_is_stepped_over(
    xen: PlayedXen,
) -> None:
    vars(xen)["_xc_translate_foreign_address"] = lambda *_: fail(errno.EFAULT, 0)
    guest = xen.guests[1]
    guest.rounds = [[breakpoint_at(xen, 0x3FFE)]]
    with Monitor(1, []) as monitor:
        monitor.breakpoints.add(0x3FFE, "emulate")
        shown(monitor)
        assert last_flags(xen).name == "TOGGLE_SINGLESTEP"
