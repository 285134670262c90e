"""The two halves of a ring in two processes: one in Python, one in C with ring.h's macros.

Every request crosses a shared page and comes back as its response. Both sides count, number
and sum up what they see, and must have seen the same. With --exhaustive the numbers are
the full ones.
"""

from __future__ import annotations

import ctypes
import itertools
import random
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ring_peer import (
    DONE,
    PAGE_SIZE,
    STOP,
    U32,
    Peer,
    Shared,
    compile_peer,
    limited,
    on_a_cpu_each,
)
from xen_vm_event import VERSIONS, Barriers, NoBarrier, RingFull, interface, v7
from xen_vm_event.runtime import barriers as memory


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_peer(tmp_path_factory.mktemp("ring"))


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


# A million requests each way with --exhaustive, both sides polling.


@pytest.fixture
def count(exhaustive: bool) -> int:
    """How many requests: the ordinary run finds the same, but less often."""
    return 1_000_000 if exhaustive else 20_000


def wrapping_half_way(count: int) -> int:
    """The index to start at."""
    return (1 << 32) - count // 2


def test_requests_of_c_are_taken_whole(program: Path, count: int) -> None:
    number, requests_sum = 0, 1
    with (
        Shared(wrapping_half_way(count)) as shared,
        v7.BackRing(shared.page) as ring,
        Peer(program, "front", shared, count=count) as peer,
    ):
        while number < count:
            before = number
            for request in ring.requests():
                assert request.u.mem_access.gfn == number
                requests_sum = zlib.adler32(request, requests_sum)
                ring.respond(request, flags=~number & U32)
                number += 1
            ring.push_responses()
            if number == before:
                peer.idle()
        # The front end has compared every response with its request, in order.
        seen = peer.report()
    assert (seen["requests"], seen["responses"]) == (count, count)
    assert seen["requests_sum"] == requests_sum


def test_requests_of_c_are_taken_by_selected_members(program: Path, count: int) -> None:
    pack = struct.Struct("<QIHQH").pack
    number, members_sum = 0, 1
    with (
        Shared(wrapping_half_way(count)) as shared,
        v7.BackRing(shared.page) as ring,
        Peer(program, "front", shared, count=count) as peer,
    ):
        selection = ring.select(
            *("u.mem_access.gfn", "reason", "altp2m_idx"),
            *("data.regs.x86.rip", "data.regs.x86.gs_sel"),
        )
        while number < count:
            before = number
            for members in selection:
                assert members[0] == number
                members_sum = zlib.adler32(pack(*members), members_sum)
                selection.respond(flags=~number & U32)
                number += 1
            ring.push_responses()
            if number == before:
                peer.idle()
        seen = peer.report()
    assert (seen["requests"], seen["responses"]) == (count, count)
    assert seen["members_sum"] == members_sum


def test_requests_to_c_are_all_answered(program: Path, count: int) -> None:
    requests = random_requests(1009)
    sent: deque[v7.vm_event_st] = deque()
    number, answered, requests_sum, responses_sum = 0, 0, 1, 1
    with (
        Shared(wrapping_half_way(count)) as shared,
        v7.FrontRing(shared.page) as ring,
        Peer(program, "back", shared, count=count) as peer,
    ):
        while answered < count:
            while number < count and not ring.ring_full():
                request = requests[number % len(requests)]
                request.u.mem_access.gfn = number
                ring.send(request)
                sent.append(request)
                requests_sum = zlib.adler32(request, requests_sum)
                number += 1
            ring.push_requests()
            before = answered
            for response in ring.responses():
                request = sent.popleft()
                request.flags = ~answered & U32
                assert bytes(response) == bytes(request)
                responses_sum = zlib.adler32(response, responses_sum)
                answered += 1
            if answered == before:
                peer.idle()
        seen = peer.report()
    assert (seen["requests"], seen["responses"]) == (count, count)
    assert seen["requests_sum"] == requests_sum
    assert seen["responses_sum"] == responses_sum


def random_requests(count: int) -> list[v7.vm_event_st]:
    dice = random.Random(1)
    size = ctypes.sizeof(v7.vm_event_st)
    return [v7.vm_event_st.from_buffer_copy(dice.randbytes(size)) for _ in range(count)]


# Both sides sleep on an eventfd whenever there is nothing for them. C rolls dice for when to
# send or answer, so that it often does just as Python looks a last time before it sleeps.


def without_libatomic(monkeypatch: pytest.MonkeyPatch) -> Barriers:
    """The barriers of a machine that has no libatomic."""

    def missing(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    try:
        return memory.barriers.__wrapped__()
    except NoBarrier as none:
        pytest.skip(str(none))
    finally:
        monkeypatch.undo()


@pytest.fixture(params=["usual", "without libatomic"])
def barriers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Barriers:
    if request.param == "usual":
        return memory.barriers()
    return without_libatomic(monkeypatch)


def answer_asleep(
    program: Path, barriers: Barriers, sleeps: int, patience: float, losses: int
) -> int:
    """Sleep so many times as a back end, and give the number of lost wake-ups."""
    number = 0
    with (
        Shared() as shared,
        v7.BackRing(shared.page, barriers=barriers) as ring,
        Peer(
            *(program, "front", shared),
            sleeping=True,
            patience=patience,
            losses=losses,
        ) as peer,
        on_a_cpu_each(peer),
    ):
        while not shared.page[DONE]:
            for request in ring.requests():
                ring.respond(request, flags=~number & U32)
                number += 1
                if ring.push_responses_and_check_notify():
                    peer.wake()
            if peer.sleeps >= sleeps:
                shared.page[STOP] = 1
                peer.wake()
            peer.sleep(ring.has_unconsumed_requests)
        seen = peer.report()
        assert seen["requests"] == seen["responses"] == number
    return peer.lost + seen["lost"]


def ask_asleep(
    program: Path, barriers: Barriers, sleeps: int, patience: float, losses: int
) -> int:
    """Sleep so many times as a front end, and give the number of lost wake-ups."""
    dice, number, answered = random.Random(1), 0, 0
    batches: Iterator[int] = itertools.cycle(dice.choices([1, 2, 8], [4, 2, 1], k=1009))
    with (
        Shared() as shared,
        v7.FrontRing(shared.page, barriers=barriers) as ring,
        Peer(
            *(program, "back", shared),
            sleeping=True,
            patience=patience,
            losses=losses,
        ) as peer,
        on_a_cpu_each(peer),
    ):
        request = v7.vm_event_st()
        while peer.sleeps < sleeps or answered < number:
            for _ in range(min(next(batches), ring.free_requests())):
                request.u.mem_access.gfn = number
                ring.send(request)
                number += 1
            if ring.push_requests_and_check_notify():
                peer.wake()
            for response in ring.responses():
                assert response.u.mem_access.gfn == answered
                assert response.flags == ~answered & U32
                answered += 1
            if answered < number:
                peer.sleep(ring.has_unconsumed_responses)
            if peer.sleeps >= sleeps:
                batches = itertools.repeat(0)
        shared.page[STOP] = 1
        peer.wake()
        seen = peer.report()
        assert seen["requests"] == seen["responses"] == number
    return peer.lost + seen["lost"]


@pytest.mark.parametrize("side", [answer_asleep, ask_asleep])
def test_no_wake_up_is_lost(
    program: Path, barriers: Barriers, side: Any, exhaustive: bool
) -> None:
    sleeps = 200_000 if exhaustive else 5_000
    lost = side(program, barriers, sleeps, patience=5, losses=1)
    assert lost == 0


# Both halves in one process, so that each step is determined: all versions, indices that
# wrap early, batches of any size, answers in any order.


class Model:
    """What is under way between two halves, with indices that never wrap."""

    def __init__(self, version: int) -> None:
        self.dice = random.Random(version)
        self.vm_event = interface(version)
        self.page = bytearray(PAGE_SIZE)
        self.start = 0xFFFF_FFF0
        self.words = memoryview(self.page).cast("I")
        self.words[0] = self.words[2] = self.start
        self.words[1] = self.words[3] = self.start + 1
        self.front = self.vm_event.FrontRing(self.page)
        self.back = self.vm_event.BackRing(self.page)
        self.selection = self.back.select("vcpu_id", "version")
        # How far each step has come, and the indices that each side waits for.
        self.sent = self.taken = self.answered = self.consumed = self.start
        self.back_waits = self.front_waits = self.start + 1
        self.requests: deque[bytes] = deque()
        self.unanswered: list[Any] = []
        self.paused: dict[Any, int] = {}  # whether the vCPU waits for the answer
        self.responses: deque[bytes] = deque()

    def some(self, most: int) -> int:
        return self.dice.choice([0, min(1, most), most, self.dice.randint(0, most)])

    def send(self) -> None:
        before = self.sent
        for _ in range(self.some(8 - (self.sent - self.consumed))):
            octets = self.dice.randbytes(ctypes.sizeof(self.vm_event.vm_event_st))
            request = self.vm_event.vm_event_st.from_buffer_copy(octets)
            request.version = self.vm_event.VM_EVENT_INTERFACE_VERSION
            self.front.send(request)
            self.requests.append(bytes(request))
            self.sent += 1
        self.check()
        notify = self.front.push_requests_and_check_notify()
        assert notify == (before < self.back_waits <= self.sent)

    def take(self) -> None:
        """Take as many as there are, and come to the end; or fewer, and break off."""
        limit = self.some(8)
        for request in itertools.islice(self.back.requests(), limit):
            assert bytes(request) == self.requests.popleft()
            self.unanswered.append(request)
            self.paused[request] = request.flags & self.vm_event.VmEventFlag.VCPU_PAUSED
            self.taken += 1
            limit -= 1
        if limit:
            assert self.taken == self.sent
            self.back_waits = self.taken + 1
        self.check()

    def answer(self) -> None:
        before = self.answered
        for _ in range(self.some(len(self.unanswered))):
            request = self.unanswered.pop(self.dice.randrange(len(self.unanswered)))
            expected = request.copy()
            flags, expected.vcpu_id = self.dice.randbytes(2)
            request.vcpu_id = expected.vcpu_id
            if self.dice.randrange(2):
                self.back.respond(request, flags)
            else:
                request.flags = flags
                self.back.respond(request)
            expected.flags = flags | self.paused.pop(request)
            self.responses.append(bytes(expected))
            self.answered += 1
        self.check()
        notify = self.back.push_responses_and_check_notify()
        assert notify == (before < self.front_waits <= self.answered)

    def select(self) -> None:
        """Take and answer by chosen members, for which no whole request may wait."""
        if self.unanswered:
            return
        before = self.answered
        for vcpu_id, version in self.selection:
            octets = self.requests.popleft()
            expected = self.vm_event.vm_event_st.from_buffer_copy(octets)
            assert (vcpu_id, version) == (expected.vcpu_id, expected.version)
            flags = vcpu_id ^ version
            self.selection.respond(flags)
            expected.flags = (
                flags | expected.flags & self.vm_event.VmEventFlag.VCPU_PAUSED
            )
            self.responses.append(bytes(expected))
            self.taken += 1
            self.answered += 1
        self.back_waits = self.taken + 1
        notify = self.back.push_responses_and_check_notify()
        assert notify == (before < self.front_waits <= self.answered)

    def consume(self) -> None:
        limit = self.some(8)
        for response in itertools.islice(self.front.responses(), limit):
            assert bytes(response) == self.responses.popleft()
            self.consumed += 1
            limit -= 1
        if limit:
            assert self.consumed == self.answered
            self.front_waits = self.consumed + 1
        self.check()

    def check(self) -> None:
        """The halves know what the model knows, modulo 2^32."""
        front, back = self.front, self.back
        assert back.unanswered() == self.unanswered
        assert front.free_requests() == 8 - (self.sent - self.consumed)
        assert (front.req_prod_pvt, front.rsp_cons) == (
            self.sent & U32,
            self.consumed & U32,
        )
        assert (back.rsp_prod_pvt, back.req_cons) == (
            self.answered & U32,
            self.taken & U32,
        )
        if front.ring_full():
            with pytest.raises(RingFull):
                front.send(self.vm_event.vm_event_st())


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_indices_wrap_in_every_version(version: int, exhaustive: bool) -> None:
    model = Model(version)
    steps = [model.send, model.take, model.answer, model.select, model.consume]
    while model.consumed < model.start + (10_000 if exhaustive else 2_000):
        model.dice.choice(steps)()
    assert model.words[0] == model.sent & U32 < model.start
    assert model.words[2] == model.answered & U32 < model.start
