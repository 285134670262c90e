"""The package's pager, and what has memory freed for shared pages, on a Xen that is played.

What xenpaging and the library do with the ring's page is done here in the same order; nothing of
this was held against a Xen with paging.
"""

from __future__ import annotations

import asyncio
import errno
import select
from collections.abc import Iterator
from typing import Any

import pytest
from playing import Begin
from xen_vm_event.monitor import Monitor, MonitorError, Paging, Sharing, Xen
from xen_vm_event.testing import (
    RELEASES,
    Guest,
    MonitorMistakes,
    PlayedXen,
    cpuid,
    execute,
    played,
    read,
    write,
)
from xen_vm_event.testing.libraries import fail

PAGE = 4096


def payload(request: Any) -> Any:
    """What a request says of its page."""
    return request.payload


@pytest.fixture(params=RELEASES)
def guest(request: pytest.FixtureRequest) -> Iterator[Guest]:
    """One whose test fails for what a real Xen would punish."""
    with played(request.param) as xen:
        yield xen.guests[1]


@pytest.fixture
def xen(begin: Begin) -> PlayedXen:
    return begin(RELEASES[-1])


def test_a_page_comes_back_when_it_is_used(guest: Guest) -> None:
    guest.memory.write(0x5010, b"kept")
    used = read(0x5010, 4)
    guest.script([cpuid(1), used, read(0x5020)])
    with Paging(1) as paging:
        assert paging.evict(5)
        assert paging.pages[5][0x10:0x14] == b"kept"
        assert guest.memory.read(0x5010, 4) == bytes(4)
        asked = [(paging.reason(each), payload(each).gfn) for each in paging]
        assert paging.pages == {}
    assert asked == [("MEM_PAGING", 5)]
    assert used.value == b"kept"


@pytest.mark.parametrize("use", [read(0x5000), write(0x5000, b"a"), execute(0x5000)])
def test_every_use_asks_for_the_page(use: Any) -> None:
    with played() as xen:
        xen.guests[1].script([use])
        with Paging(1) as paging:
            paging.evict(5)
            assert len(list(paging)) == 1


def test_both_vcpus_that_use_a_page_are_answered(guest: Guest) -> None:
    guest.script([read(0x5000)])
    guest.script([write(0x5008, b"b")], vcpu=1)
    with Paging(1) as paging:
        paging.evict(5)
        assert [each.vcpu_id for each in paging] == [0, 1]
    assert guest.memory.read(0x5008, 1) == b"b"


def test_more_vcpus_than_the_ring_has_room_for_are_answered() -> None:
    with played(vcpus=64) as xen:
        for number in range(64):
            xen.guests[1].script([read(PAGE * number)], vcpu=number)
        with Paging(1) as paging:
            assert all(paging.evict(number) for number in range(64))
            assert sorted(payload(each).gfn for each in paging) == list(range(64))


def test_all_pages_are_back_after_leaving(guest: Guest) -> None:
    guest.memory.write(0x5000, b"kept")
    with pytest.raises(ZeroDivisionError), Paging(1) as paging:
        paging.evict(5)
        paging.evict(6)
        raise ZeroDivisionError
    assert guest.memory.read(0x5000, 4) == b"kept"
    assert guest.paged.states == {}


def test_a_page_that_could_not_be_loaded_is_kept(guest: Guest) -> None:
    """Its request waits, and leaving loads it."""
    guest.memory.write(0x5000, b"kept")
    used = read(0x5000, 4)
    guest.script([used])
    load, errors = guest.paged.load, iter([errno.ENOMEM])
    with Paging(1) as paging:
        paging.evict(5)
        guest.paged.load = lambda gfn, octets: next(errors, 0) or load(gfn, octets)  # type: ignore[method-assign]
        with pytest.raises(OSError, match="Cannot allocate memory"):
            paging.run()
        assert list(paging.pages) == [5]
        [waiting] = paging.ring.unanswered()
        assert payload(waiting).gfn == 5
    guest.run()
    assert used.value == b"kept"


def test_requests_that_a_break_leaves_are_answered(guest: Guest) -> None:
    guest.script([read(0x5000)])
    guest.script([read(0x6000)], vcpu=1)
    with Paging(1) as paging:
        paging.evict(5)
        paging.evict(6)
        for _ in paging:
            break
    assert len(guest.paged.side.answers) == 2


def test_pages_are_kept_where_it_is_said() -> None:
    kept: dict[int, bytes] = {}
    with played(), Paging(1, kept) as paging:
        paging.evict(5)
        assert kept == {5: bytes(PAGE)}
        paging.load(5)
        assert kept == {}
        with pytest.raises(KeyError):
            paging.load(5)


def test_a_page_in_use_is_not_taken(guest: Guest) -> None:
    """One that is mapped between its nomination and its eviction stays the guest's."""
    guest.memory.write(0x5000, b"kept")
    written = write(0x5004, b"more")
    guest.script([read(0x5000), written])
    with Paging(1) as paging:
        page = guest.memory.page(6)
        guest.memory.mapped.add(6, page)
        assert not paging.evict(6)
        guest.memory.mapped.remove(6, page)
        guest.paged.nominate(5)  # as far as an eviction that failed
        [asked] = [payload(each).flags for each in paging]
    assert asked == guest.vm_event.MEM_PAGING_EVICT_FAIL
    assert guest.memory.read(0x5000, 8) == b"keptmore"


def test_one_that_could_not_be_evicted_is_no_more_nominated_after_leaving() -> None:
    with played() as xen:
        paged = xen.guests[1].paged
        with Paging(1) as paging:
            evict, paged.evict = paged.evict, lambda gfn: errno.EBUSY  # type: ignore[method-assign]
            assert not paging.evict(5)
            assert paging.pages == {}
            assert paged.states == {5: "nominated"}
            paged.evict = evict  # type: ignore[method-assign]
        assert paged.states == {}


def test_a_page_that_the_guest_gives_up_is_forgotten(guest: Guest) -> None:
    def script() -> Iterator[Any]:
        guest.paged.drop(5)
        yield read(0x6000)

    guest.script(script())
    with Paging(1) as paging:
        paging.evict(5)
        assert len(list(paging)) == 1
        assert paging.pages == {}
    assert guest.paged.side.answers[0].payload.flags == (
        guest.vm_event.MEM_PAGING_DROP_PAGE
    )


def test_the_guest_cannot_reach_the_ring(xen: PlayedXen) -> None:
    for _ in range(2):  # its page is not the guest's any more the second time
        xen.calls.clear()
        with Paging(1):
            assert not xen.guests[1].paged.side.in_reach
        names = [name for name, *_ in xen.calls]
        assert names == [
            *("xc_domain_pause", "xc_hvm_param_get"),
            *("xc_domain_populate_physmap_exact", "xc_mem_paging_enable"),
            *("xc_domain_decrease_reservation_exact", "xc_domain_unpause"),
            *("xc_domain_pause", "xc_mem_paging_disable", "xc_domain_unpause"),
            "xc_interface_close",
        ]
    assert not xen.findings


def test_a_page_that_is_there_is_taken_as_it_is(xen: PlayedXen) -> None:
    xen.guests[1].paged.side.in_reach = True
    with Paging(1):
        pass
    assert "xc_domain_populate_physmap_exact" not in dict.fromkeys(
        name for name, *_ in xen.calls
    )


@pytest.mark.parametrize("made", [Paging, Sharing])
def test_what_cannot_be_had_is_told(made: Any, xen: PlayedXen) -> None:
    with (
        made(1),
        pytest.raises(
            OSError, match="another monitor, or pager, has it already"
        ) as busy,
        made(1),
    ):
        pass
    assert busy.value.errno == errno.EBUSY
    xen.has_paging = False
    with pytest.raises(OSError, match="hardware-assisted paging") as caught, made(1):
        pass
    assert caught.value.errno == errno.ENODEV
    assert not xen.guests[1].paged.side.in_reach
    xen.guests[1].params.clear()
    with pytest.raises(MonitorError, match="domain 1 has no page for this ring"):
        made(1).__enter__()
    with pytest.raises(TypeError, match="no number"):
        made("guest")
    assert not xen.findings, str(xen.findings)


def test_a_guest_that_does_not_go_on_after_attaching_is_left(xen: PlayedXen) -> None:
    """What fails last, when the ring is there, leaves no ring that nobody reads."""
    unpause = xen.function("xc_domain_unpause")
    errors = iter([errno.EAGAIN])

    def fails_once(handle: int, domain: int) -> int:
        status: int = unpause(handle, domain)
        return fail(error) if (error := next(errors, 0)) else status

    xen._xc_domain_unpause = fails_once  # type: ignore[assignment, method-assign]
    with pytest.raises(BlockingIOError), Paging(1):
        raise AssertionError
    assert not xen.guests[1].paged.side.is_attached
    assert not xen.findings, str(xen.findings)


def test_outside_the_context_nothing_is_paged(xen: PlayedXen) -> None:
    paging = Paging(1)
    for use in (
        *(lambda: paging.evict(5), lambda: paging.load(5), lambda: paging.ring.sring),
        *(paging.fileno, paging.is_alive, paging.pending().__next__),
    ):
        with pytest.raises(MonitorError, match=r"but in `with Paging\(\.\.\.\)`"):
            use()
    with paging, pytest.raises(MonitorError, match="the guest's pages are 0x0-0xff"):
        paging.evict(0x100)


def test_a_guest_may_have_a_monitor_as_well() -> None:
    with played() as xen:
        guest = xen.guests[1]
        guest.script([cpuid(1), read(0x5000), cpuid(2)])
        seen: list[str] = []
        with Xen() as shared, Paging(1, xen=shared) as paging:
            paging.evict(5)
            with Monitor(1, ["cpuid"], xen=shared) as monitor:
                while guest.alive:
                    ready, _, _ = select.select([paging, monitor], [], [], 1)
                    for each in ready:
                        seen += map(each.reason, each.pending())
    assert seen == ["CPUID", "MEM_PAGING", "CPUID"]


def test_a_page_may_be_loaded_in_asyncio(guest: Guest) -> None:
    async def pager() -> int:
        count = 0
        with Paging(1) as paging:
            paging.evict(5)
            async for _ in paging:
                count += 1
        return count

    guest.script([read(0x5000)])
    assert asyncio.run(pager()) == 1


# --- sharing ----------------------------------------------------------------------------------


def test_a_vcpu_waits_until_there_is_memory(guest: Guest) -> None:
    guest.shared.pages = {5}
    guest.script([read(0x5000), write(0x5000, b"own")])
    with Sharing(1) as sharing:
        for request in sharing:
            assert (sharing.reason(request), payload(request).gfn) == ("MEM_SHARING", 5)
            assert guest.memory.read(0x5000, 3) == bytes(3)
            guest.shared.free += 1
    assert guest.memory.read(0x5000, 3) == b"own"
    assert (guest.shared.pages, guest.shared.free) == (set(), 0)


def test_a_vcpu_asks_again_while_there_is_none(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.shared.pages = {5}
    guest.script([write(0x5000, b"own")])
    with Sharing(1) as sharing:
        assert len(list(sharing)) > 1
    assert not guest.alive


# --- what the Xen that is played finds --------------------------------------------------------


def kinds(xen: PlayedXen) -> list[str]:
    xen.finish()
    found = xen.findings.kinds
    xen.findings.clear()
    return found


def attached(xen: PlayedXen) -> tuple[Any, Any]:
    """A pager's channel and ring, by the package's functions alone."""
    paging = Paging(1)
    paging.__enter__()
    return paging, paging.xen


def test_an_answer_before_the_page_is_found(xen: PlayedXen) -> None:
    xen.guests[1].script([read(0x5000)])
    with Paging(1) as paging:
        paging.evict(5)
        paging._needs = {}
        paging.run()
    assert "not-loaded" in xen.findings.kinds
    assert not xen.guests[1].alive


def test_other_content_is_found(xen: PlayedXen) -> None:
    with Paging(1) as paging:
        paging.evict(5)
        paging.pages[5] = b"x" * PAGE
    assert kinds(xen) == ["other-content"]


def test_a_page_left_out_is_found_and_ends_the_guest(xen: PlayedXen) -> None:
    xen.guests[1].script([read(0x5000)])
    with Paging(1) as paging:
        paging.evict(5)
        paging.pages.clear()
    assert kinds(xen) == ["page-left-out"]
    xen.guests[1].run()
    assert not xen.guests[1].alive


def test_a_ring_in_reach_is_found(xen: PlayedXen) -> None:
    guest = xen.guests[1]
    guest.script([read(0x5000)])
    with Paging(1) as paging:
        paging.evict(5)
        guest.paged.side.in_reach = True
        paging.run()
    assert kinds(xen) == ["ring-in-reach"]


def test_what_is_left_behind_is_found(xen: PlayedXen) -> None:
    xen.guests[1].script([read(0x5000)])
    paging, _ = attached(xen)
    paging.evict(5)
    paging.fileno()  # the guest goes on
    found = kinds(xen)
    assert found == ["unanswered", "ring-left", "page-left-mapped", "page-left-out"]
    paging.__exit__(None)
    xen.findings.clear()


def test_a_mistake_fails_the_test() -> None:
    with (
        pytest.raises(MonitorMistakes, match="page-left-out"),
        played(),
        Paging(1) as paging,
    ):
        paging.evict(5)
        paging.pages.clear()
