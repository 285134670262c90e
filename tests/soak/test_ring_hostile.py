"""A ring whose other side is broken or hostile, and a ring that is used wrongly.

Whatever the other side writes, and whenever: a half raises RingOverflow, or takes what is
there. It does not hang, it does not touch memory outside the page, and what it has given
out does not change any more.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import mmap
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ring_peer import (
    ENOUGH,
    PAGE_SIZE,
    REQ_PROD,
    RSP_PROD,
    U32,
    Consumer,
    Peer,
    Shared,
    compile_peer,
    limited,
)
from xen_vm_event import RingFull, RingOverflow, v7

ENTRIES = 8
ENTRY_SIZE = ctypes.sizeof(v7.vm_event_st)
# Around a place where nothing turns, and where the indices wrap.
STARTS = [0x1000, 0, U32, U32 - 3]


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


def every(items: Iterable[Any]) -> list[Any]:
    """All the items, if they end: a ring cannot have many at once."""
    found = list(itertools.islice(items, 100))
    assert len(found) < 100
    return found


def empty_page() -> bytearray:
    """A page whose entries have the right version, and nothing else."""
    octets = bytes(v7.vm_event_st(version=7)).ljust(ENTRY_SIZE, b"\0") * ENTRIES
    return bytearray((bytes(64) + octets).ljust(PAGE_SIZE, b"\0"))


class Ring:
    """A page with both halves on it, and its indices, to play tricks with."""

    def __init__(self, start: int = 0) -> None:
        self.page = empty_page()
        self.words = memoryview(self.page).cast("I")
        self.words[0] = self.words[2] = start
        self.words[1] = self.words[3] = (start + 1) & U32
        self.front = v7.FrontRing(self.page)
        self.back = v7.BackRing(self.page)

    def send(self, count: int) -> None:
        """Publish so many requests, each with its number as vcpu_id."""
        for number in range(count):
            self.front.send(v7.vm_event_st(version=7, vcpu_id=number))
        self.front.push_requests()

    def take(self, count: int) -> list[v7.vm_event_st]:
        """Have so many requests sent and taken."""
        self.send(count)
        return list(self.back.requests())


# A process that writes random words all over the page, from the same moment on.


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_peer(tmp_path_factory.mktemp("ring"))


@pytest.mark.parametrize("role", ["whole", "select", "front"])
def test_nothing_but_overflow_comes_of_a_scribbled_page(
    program: Path, role: str, exhaustive: bool
) -> None:
    other = "wild_back" if role == "front" else "wild_front"
    with (
        Shared() as shared,
        Peer(program, other, shared),
        Consumer(role, shared, 10 if exhaustive else 1) as consumer,
    ):
        seen = consumer.report()
    assert min(seen["overflows"], seen["taken"]) > ENOUGH
    assert seen["slowest_ms"] < 5000


def test_the_page_has_a_guard_behind_it() -> None:
    with Shared() as shared, Consumer("beyond", shared, 1) as consumer:
        assert consumer.process.wait(60) == -signal.SIGSEGV


# Indices that the other side cannot have reached.


def whole(back: v7.BackRing) -> Iterator[Any]:
    return back.requests()


def selected(back: v7.BackRing) -> Iterator[Any]:
    return iter(back.select("vcpu_id"))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("taken", [0, 3, ENTRIES])
@pytest.mark.parametrize("take", [whole, selected])
@pytest.mark.parametrize(
    "distance", [ENTRIES + 1, 1 << 31, -1], ids=["one too many", "2^31", "backwards"]
)
def test_an_impossible_request_index(
    start: int, taken: int, take: Any, distance: int
) -> None:
    ring = Ring(start)
    ring.send(taken)
    assert len(every(take(ring.back))) == taken
    # A request keeps its entry until it is answered, and there is no way back.
    theirs = (start + (taken - 1 if distance < 0 else distance)) & U32
    ring.words[REQ_PROD] = theirs
    with pytest.raises(RingOverflow, match="request index") as overflow:
        next(take(ring.back))
    assert overflow.value.theirs == theirs
    assert overflow.value.ours == (start + taken) & U32
    # Nothing was taken, and all is well once the index is.
    ring.words[REQ_PROD] = (start + ENTRIES) & U32
    assert len(every(take(ring.back))) == ENTRIES - taken


@pytest.mark.parametrize("start", STARTS)
def test_a_full_ring_is_no_overflow(start: int) -> None:
    ring = Ring(start)
    for request in ring.take(ENTRIES)[: ENTRIES // 2]:
        ring.back.respond(request)
    ring.words[REQ_PROD] = (start + ENTRIES + ENTRIES // 2) & U32
    assert len(every(ring.back.requests())) == ENTRIES // 2
    assert len(ring.back.unanswered()) == ENTRIES


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("answered", [0, 3])
@pytest.mark.parametrize("distance", [1, 1 << 31, None])
def test_an_impossible_response_index(
    start: int, answered: int, distance: int | None
) -> None:
    ring = Ring(start)
    for request in ring.take(answered):
        ring.back.respond(request)
    ring.back.push_responses()
    assert len(every(ring.front.responses())) == answered
    ring.send(2)
    behind = answered - 1
    theirs = (start + (behind if distance is None else answered + 2 + distance)) & U32
    ring.words[RSP_PROD] = theirs
    with pytest.raises(RingOverflow, match="response index") as overflow:
        next(ring.front.responses())
    assert overflow.value.theirs == theirs
    assert overflow.value.ours == (start + answered + 2) & U32


def test_a_ring_goes_on_after_it_is_attached_to_anew() -> None:
    ring = Ring()
    ring.take(3)
    ring.words[REQ_PROD] = 1 << 31
    with pytest.raises(RingOverflow):
        every(ring.back.requests())
    ring.back.detach()
    ring.words[REQ_PROD] = 3
    with v7.BackRing(ring.page) as back:
        for request in back.requests():
            back.respond(request)
        back.push_responses()
    assert [response.vcpu_id for response in ring.front.responses()] == [0, 1, 2]


# What has been given out is the receiver's.


def test_a_request_does_not_change_with_the_page() -> None:
    ring = Ring()
    requests = ring.take(ENTRIES)
    ring.page[64:] = b"\xff" * (PAGE_SIZE - 64)
    assert [request.vcpu_id for request in requests] == list(range(ENTRIES))
    assert [request.version for request in requests] == [7] * ENTRIES


def test_a_response_does_not_change_with_the_page() -> None:
    ring = Ring()
    for request in ring.take(ENTRIES):
        ring.back.respond(request, flags=1)
    ring.back.push_responses()
    responses = every(ring.front.responses())
    ring.page[64:] = b"\xff" * (PAGE_SIZE - 64)
    assert [response.vcpu_id for response in responses] == list(range(ENTRIES))
    assert [response.flags for response in responses] == [1] * ENTRIES


def test_changing_a_request_changes_nothing_on_the_page() -> None:
    ring = Ring()
    request = ring.take(1)[0]
    before = bytes(ring.page)
    request.u.mem_access.gfn = 5
    request.data.regs.x86.rip = 6
    assert ring.page == before


def test_a_copy_of_a_request_outlives_its_answer() -> None:
    ring = Ring()
    kept = []
    for request in ring.take(ENTRIES):
        kept.append(request.copy())
        ring.back.respond(request)
    ring.back.push_responses()
    every(ring.front.responses())
    ring.take(ENTRIES)
    assert [request.vcpu_id for request in kept] == list(range(ENTRIES))


# Letting go of the page.


@pytest.mark.parametrize("half", [v7.FrontRing, v7.BackRing])
def test_a_detached_page_can_be_closed(half: Any) -> None:
    page = mmap.mmap(-1, PAGE_SIZE)
    half(page).detach()
    page.close()


def test_a_page_can_be_closed_behind_the_with_block() -> None:
    page = mmap.mmap(-1, PAGE_SIZE)
    with v7.FrontRing(page) as front, v7.BackRing(page) as back:
        front.front_ring_init(front.sring, PAGE_SIZE)
        front.send(v7.vm_event_st(version=7))
        front.push_requests()
        for request in back.requests():
            back.respond(request, flags=1)
        back.push_responses()
        (response,) = front.responses()
        selection = back.select("reason")
        assert every(selection) == []
    page.close()
    assert response.flags == 1


def test_a_page_can_be_closed_after_an_overflow() -> None:
    page = mmap.mmap(-1, PAGE_SIZE)
    page[:4] = b"\xff" * 4
    with pytest.raises(RingOverflow), v7.BackRing(page) as back:
        every(back.requests())
    page.close()


@pytest.mark.parametrize("take", [whole, selected])
def test_a_page_can_be_closed_in_the_middle_of_an_iteration(take: Any) -> None:
    page = mmap.mmap(-1, PAGE_SIZE)
    page[:] = empty_page()
    page[:4] = (2).to_bytes(4, "little")
    with v7.BackRing(page) as back:
        items = take(back)
        next(items)
    page.close()
    with pytest.raises(ValueError, match="released"):
        next(items)


def test_requests_stay_readable_when_the_page_is_gone() -> None:
    page = mmap.mmap(-1, PAGE_SIZE)
    with v7.FrontRing(page) as front, v7.BackRing(page) as back:
        for number in range(ENTRIES):
            front.send(v7.vm_event_st(version=7, vcpu_id=number))
        front.push_requests()
        requests = every(back.requests())
    page.close()
    assert [request.vcpu_id for request in requests] == list(range(ENTRIES))
    assert [request.u.mem_access.gfn for request in requests] == [0] * ENTRIES
    assert back.unanswered() == requests


# What is no page.


@pytest.mark.parametrize("half", [v7.FrontRing, v7.BackRing])
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(bytes(PAGE_SIZE), id="bytes"),
        pytest.param(memoryview(bytearray(PAGE_SIZE)).toreadonly(), id="view"),
        pytest.param(mmap.mmap(-1, PAGE_SIZE, prot=mmap.PROT_READ), id="mmap"),
        pytest.param(bytearray(64 + ENTRY_SIZE - 1), id="too small"),
        pytest.param(bytearray(), id="empty"),
    ],
)
def test_a_ring_needs_a_writable_page(half: Any, page: Any) -> None:
    with pytest.raises(ValueError, match="writable page with room for an entry"):
        half(page)


@pytest.mark.parametrize("half", [v7.FrontRing, v7.BackRing])
@pytest.mark.parametrize(
    "entries, size", [(1, 1), (2, 2), (3, 2), (7, 4), (8, 8), (10, 8), (16, 16)]
)
def test_a_ring_has_as_many_entries_as_a_power_of_two(
    half: Any, entries: int, size: int
) -> None:
    assert half(bytearray(64 + entries * ENTRY_SIZE)).ring_size() == size


# Used wrongly.


def test_a_request_is_answered_once() -> None:
    ring = Ring()
    first, second = ring.take(2)
    ring.back.respond(first)
    with pytest.raises(ValueError, match="does not wait for an answer"):
        ring.back.respond(first)
    ring.back.respond(second)
    ring.back.push_responses()
    assert [response.vcpu_id for response in ring.front.responses()] == [0, 1]


@pytest.mark.parametrize(
    "wrong", [{"flgas": 1}, {"flags": "no number"}, {"u": 1}], ids=["name", "type", "u"]
)
def test_a_request_whose_answer_fails_still_waits(wrong: Any) -> None:
    ring = Ring()
    requests = ring.take(ENTRIES)
    with pytest.raises((AttributeError, TypeError)):
        ring.back.respond(requests[3], **wrong)
    assert ring.back.unanswered() == requests
    for request in requests:
        ring.back.respond(request)
    assert ring.back.rsp_prod_pvt == ENTRIES


def test_only_requests_of_this_ring_are_answered() -> None:
    ring, other = Ring(), Ring()
    ring.take(1)
    (foreign,) = other.take(1)
    for request in (foreign, foreign.copy(), v7.vm_event_st()):
        with pytest.raises(ValueError, match="does not wait for an answer"):
            ring.back.respond(request)
    assert ring.back.rsp_prod_pvt == 0


def test_a_full_ring_takes_no_request() -> None:
    ring = Ring()
    ring.send(ENTRIES)
    with pytest.raises(RingFull, match="all 8 entries"):
        ring.front.send(v7.vm_event_st())
    assert (ring.front.req_prod_pvt, ring.words[REQ_PROD]) == (ENTRIES, ENTRIES)
    assert len(every(ring.back.requests())) == ENTRIES


def test_selected_requests_are_answered_once() -> None:
    ring = Ring()
    ring.send(2)
    selection = ring.back.select("vcpu_id")
    with pytest.raises(ValueError, match="no selected request"):
        selection.respond()
    assert every(selection) == [(0,), (1,)]
    selection.respond(flags=5)
    selection.respond()
    with pytest.raises(ValueError, match="no selected request"):
        selection.respond()
    ring.back.push_responses()
    responses = [(r.vcpu_id, r.flags) for r in ring.front.responses()]
    assert responses == [(0, 5), (1, 0)]


def test_no_member_is_selected_while_whole_requests_wait() -> None:
    ring = Ring()
    (request,) = ring.take(1)
    ring.send(1)
    with pytest.raises(ValueError, match="answer the whole requests"):
        next(selected(ring.back))
    ring.back.respond(request)
    assert every(selected(ring.back)) == [(0,)]


def test_no_request_is_taken_whole_while_selected_ones_wait() -> None:
    ring = Ring()
    ring.send(1)
    selection = ring.back.select("vcpu_id")
    assert every(selection) == [(0,)]
    ring.send(1)
    with pytest.raises(ValueError, match="answer the selected requests"):
        next(ring.back.requests())
    selection.respond()
    assert len(every(ring.back.requests())) == 1


def test_whole_and_selected_requests_can_take_turns() -> None:
    ring = Ring()
    selection = ring.back.select("vcpu_id")
    for _ in range(3):
        for request in ring.take(5):
            ring.back.respond(request)
        ring.send(3)
        for (number,) in selection:
            selection.respond(flags=number)
        ring.back.push_responses()
        numbers = [response.vcpu_id for response in ring.front.responses()]
        assert numbers == [0, 1, 2, 3, 4, 0, 1, 2]


class Flickering:
    """The words of a page whose req_prod is another one at each look."""

    def __init__(self, words: Any, *values: int) -> None:
        self.words = words
        self.values = itertools.cycle(values)
        self.looks = 0

    def __getitem__(self, index: int) -> int:
        word: int = self.words[index]
        if index != REQ_PROD:
            return word
        self.looks += 1
        assert self.looks < 1000
        return next(self.values)

    def __setitem__(self, index: int, word: int) -> None:
        self.words[index] = word


@pytest.mark.parametrize("take", [whole, selected])
def test_a_producer_that_goes_to_and_fro_is_not_followed_for_ever(take: Any) -> None:
    ring = Ring()
    ring.back.sring.words = Flickering(ring.words, 0, 1)  # type: ignore[assignment]
    with contextlib.suppress(RingOverflow, StopIteration):
        next(take(ring.back))


@pytest.mark.parametrize("take", [whole, selected])
def test_one_iteration_inside_another_takes_each_request_once(take: Any) -> None:
    ring = Ring()
    ring.send(1)
    taken = 0
    for _ in take(ring.back):
        ring.send(2)
        taken += 1 + len(every(take(ring.back)))
    assert (taken, ring.back.req_cons) == (3, 3)


def test_one_iteration_inside_another_takes_each_response_once() -> None:
    ring = Ring()
    requests = ring.take(3)

    def answer() -> None:
        ring.back.respond(requests.pop())
        ring.back.push_responses()

    answer()
    taken = 0
    for _ in ring.front.responses():
        answer()
        answer()
        taken += 1 + len(every(ring.front.responses()))
    assert (taken, ring.front.rsp_cons) == (3, 3)


# Members to select.


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("flgas", id="misspelt"),
        pytest.param("u.mem_access.gnf", id="misspelt inside"),
        pytest.param("", id="empty"),
        pytest.param("u.io.in_", id="not C's name"),
        pytest.param("_pad", id="array"),
        pytest.param("data.emul.read.data", id="array inside"),
        pytest.param("u", id="union"),
        pytest.param("u.mem_access", id="struct"),
        pytest.param("data.regs.x86.cs", id="struct of bit-fields"),
        pytest.param("data.regs.x86.cs.limit", id="bit-field"),
        pytest.param("data.regs.x86.cs.ar", id="second bit-field"),
    ],
)
def test_only_numbers_can_be_selected(path: str) -> None:
    ring = Ring()
    with pytest.raises(
        ValueError, match=f"(no number '{path}'|'{path}' is a bit-field)"
    ):
        ring.back.select("reason", path)


def test_members_come_in_the_order_asked_for() -> None:
    ring = Ring()
    request = v7.vm_event_st(version=7, reason=1, vcpu_id=2, altp2m_idx=3)
    request.u.io.in_ = 4
    request.data.regs.x86.gs_sel = 5
    request.data.regs.x86.rax = 1 << 63
    ring.front.send(request)
    ring.front.push_requests()
    selection = ring.back.select(
        *("data.regs.x86.gs_sel", "vcpu_id", "u.io.in", "altp2m_idx"),
        *("data.regs.x86.rax", "reason", "vcpu_id"),
    )
    assert every(selection) == [(5, 2, 4, 3, 1 << 63, 1, 2)]


def test_members_of_a_union_are_selected_side_by_side() -> None:
    ring = Ring()
    request = v7.vm_event_st(version=7)
    request.u.mem_access.gfn = 0x8877_6655_4433_2211
    request.u.mem_access.offset = 0xFFEE_DDCC_BBAA_0099
    ring.front.send(request)
    ring.front.push_requests()
    selection = ring.back.select(
        *("u.cpuid.subleaf", "u.io.str", "u.mem_access.gfn", "u.cpuid.leaf"),
        *("u.io.port", "u.mem_access.offset", "u.cpuid.insn_length", "u.io.in"),
    )
    assert every(selection) == [
        (
            *(0xBBAA_0099, 0x88, 0x8877_6655_4433_2211, 0x8877_6655),
            *(0x6655, 0xFFEE_DDCC_BBAA_0099, 0x4433_2211, 0x77),
        )
    ]
