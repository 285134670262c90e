"""A monitor that leaves, or never begins, has the guest as it was, whatever fails."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from playing import Begin
from xen_vm_event.monitor import Monitor, MonitorError, Recording, recover
from xen_vm_event.monitor.channel import Channel
from xen_vm_event.testing import (
    PlayedXen,
    debug_exception,
    execute,
    guest_request,
)
from xen_vm_event.testing.libraries import fail
from xen_vm_event.testing.memory import RWX

REQUESTS = ["guest_request"]


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    return begin("4.17")


def fails(number: int) -> Callable[..., int]:
    return lambda *_: fail(number)


def injected(xen: PlayedXen) -> int:
    return [name for name, *_ in xen.calls].count("xc_hvm_inject_trap")


def test_each_request_is_answered_though_one_cannot_be_dealt_with(
    xen: PlayedXen,
) -> None:
    guest, made = xen.guests[1], vars(xen)
    made["_xc_hvm_inject_trap"] = fails(errno.EBUSY)
    first = guest.script([debug_exception()])
    second = guest.script([guest_request(), guest_request()], vcpu=1)
    with (
        pytest.raises(OSError, match=r"\[Errno 16\]"),
        Monitor(1, ["debug_exception", *REQUESTS]) as monitor,
    ):
        for request in monitor:
            monitor.postpone(request)
            if request.vcpu_id == 1:
                break
    assert (first.request, second.request) == (None, None)
    assert [answer.vcpu_id for answer in guest.answers] == [0, 1]
    assert not xen.findings


def test_what_a_handler_does_while_the_monitor_leaves_is_undone(xen: PlayedXen) -> None:
    def handler(request: Any) -> int:
        monitor.breakpoints.add(0x3000)
        monitor.memory.restrict(5, "r-x")
        monitor.views.create().show_to_all()
        return monitor.stepping.start(request)

    guest = xen.guests[1]
    guest.memory.write(0x3000, b"\x90")
    vcpu = guest.script([guest_request(), guest_request()])
    with Monitor(1, REQUESTS, {"GUEST_REQUEST": handler}) as monitor:
        for _ in monitor:
            break
    assert guest.memory.read(0x3000, 1) == b"\x90"
    assert guest.memory.access_of(5) == RWX
    assert (vcpu.steps, vcpu.view, guest.memory.has_views) == (False, 0, False)
    assert ("xc_monitor_software_breakpoint", 1, False) in xen.calls
    assert not xen.findings


def test_all_is_undone_where_nobody_can_tell_whether_the_guest_is_there(
    xen: PlayedXen,
) -> None:
    xen.guests[1].script([guest_request()])
    with Monitor(1, REQUESTS) as monitor:
        monitor.memory.restrict(5, "r-x")
        for _ in monitor:
            vars(xen)["_xc_domain_getinfolist"] = fails(errno.EACCES)
            break
    assert xen.guests[1].memory.access_of(5) == RWX
    assert not xen.findings


def test_pages_are_free_though_something_else_cannot_be_undone(xen: PlayedXen) -> None:
    def require(xch: int, domain: int, required: bool) -> int:
        return 0 if required else fail(errno.EPERM)

    vars(xen)["_xc_domain_set_access_required"] = require
    with pytest.raises(PermissionError), Monitor(1, []) as monitor:
        monitor.memory.require_monitor()
        monitor.memory.restrict(5, "r-x")
    assert xen.guests[1].memory.access_of(5) == RWX


def test_an_answered_request_is_not_dealt_with_again(xen: PlayedXen) -> None:
    xen.guests[1].script([debug_exception()])
    with Monitor(1, ["debug_exception"]) as monitor:
        for request in monitor:
            monitor.answer(request)
            with pytest.raises(ValueError, match="does not wait for an answer"):
                monitor.answer(request)
    assert injected(xen) == 1


def test_a_request_is_not_dealt_with_after_the_monitor_has_left(xen: PlayedXen) -> None:
    xen.guests[1].script([debug_exception()])
    with Monitor(1, ["debug_exception"]) as monitor:
        for request in monitor:
            monitor.postpone(request)
            break
    with pytest.raises(MonitorError, match="nothing is monitored"):
        monitor.answer(request)
    assert injected(xen) == 1


def test_a_monitor_that_cannot_attach_leaves_no_ring(xen: PlayedXen) -> None:
    class Full(Recording):
        def begin(self, *_: Any) -> None:
            raise OSError(errno.ENOSPC, "no space")

    class Sink:
        def write(self, octets: Any) -> int:
            return len(octets)

    with pytest.raises(OSError, match="no space"):
        Monitor(1, REQUESTS, recording=Full(Sink())).__enter__()
    assert not xen.findings


def test_version_1_tells_nothing_of_a_breakpoint_but_its_page(begin: Begin) -> None:
    xen = begin("4.7")
    guest = xen.guests[1]
    guest.memory.write(0x3000, b"\xcc")
    vcpu = guest.script([execute(0x3000)])
    with Monitor(1, ["software_breakpoint"]) as monitor:
        monitor.run()
    assert injected(xen) == 1
    assert vcpu.exceptions


def test_nothing_is_done_to_a_guest_after_its_monitor_has_left(xen: PlayedXen) -> None:
    with Monitor(1, []) as monitor:
        view = monitor.views.create()
    controls: list[Callable[[], object]] = [
        lambda: monitor.memory.restrict(5, "r-x"),
        lambda: monitor.memory.restrict_all("r-x"),
        lambda: monitor.memory.require_monitor(),
        lambda: monitor.breakpoints.add(0x3000),
        lambda: monitor.physical.read(0, 1),
        lambda: monitor.physical.write(0, b"a"),
        lambda: monitor.views.create(),
        lambda: view.show_to_all(),
    ]
    xen.calls.clear()
    for control in controls:
        with pytest.raises(MonitorError, match="the monitor has left"):
            control()
    assert xen.calls == []
    assert xen.guests[1].memory.access_of(5) == RWX


def test_recovery_gives_the_ring_up_though_it_fails(
    xen: PlayedXen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def notify(_: Channel) -> None:
        raise OSError(errno.EIO, "no event")

    monkeypatch.setattr(Channel, "notify", notify)
    with pytest.raises(OSError, match="no event"):
        recover(1)
    assert xen.calls.count(("xc_monitor_disable", 1)) == 2
    # Nobody could be notified; but the page was not used any more when it went.
    assert "unmapped" not in str(xen.findings)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (["mem_access:r-x:0x10-0x5"], "no pages '0x10-0x5'"),
        (["interrupt"], "comes after the answer to another event"),
        (["cpuid", "cpuid"], "cpuid: this event is named twice"),
    ],
)
def test_events_that_would_report_nothing(
    xen: PlayedXen, events: list[str], said: str
) -> None:
    with pytest.raises(MonitorError, match=said):
        Monitor(1, events).__enter__()
