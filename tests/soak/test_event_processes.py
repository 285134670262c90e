"""A page of events between two processes: one in Python, one in C with the header's macros.

Both directions at once, past the place where indices wrap around. Both sides count and sum up
what they see, and must have seen the same. And a side in Python whose other side writes
nonsense: it raises RingOverflow or takes what is there, does not hang, and touches nothing
outside the page. With --exhaustive the numbers are the full ones.
"""

from __future__ import annotations

import random
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from event_packages import KBDIF, module_of, require_source
from event_peer import EventConsumer, EventPeer, EventShared, compile_event_peer
from ring_peer import ENOUGH, U32, limited
from support import require


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


@pytest.fixture(scope="module", params=["ours", "xen's"])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    require(shutil.which("gcc") is not None, "gcc")
    require_source(request.param, KBDIF)
    return compile_event_peer(tmp_path_factory.mktemp("peer"), request.param)


@pytest.fixture(scope="module")
def keyboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("soak")
    module = module_of(folder, "ours", KBDIF)
    sys.path.append(str(folder / "ours_kbdif"))  # for a process of its own
    yield module
    sys.path.pop()


@pytest.mark.parametrize("role", ["front", "back"])
def test_every_event_crosses_once_in_both_directions(
    role: str, program: Path, keyboard: ModuleType, exhaustive: bool
) -> None:
    count = 1_000_000 if exhaustive else 20_000
    name = {"front": "BackEventPage", "back": "FrontEventPage"}[role]
    dice = random.Random(1)
    put = taken = 0
    put_sum = taken_sum = 1
    with (
        EventShared((-count // 2) & U32) as shared,
        getattr(keyboard, name)(shared.page) as side,
        EventPeer(program, role, shared, count) as peer,
    ):
        size = side.puts.size
        events = [
            side.puts.event.from_buffer_copy(dice.randbytes(size)) for _ in range(99)
        ]
        while put < count or taken < count:
            before = put + taken
            for _ in range(min(dice.randrange(8), side.free, count - put)):
                event = events[put % len(events)]
                side.put(event)
                put_sum = zlib.adler32(event, put_sum)
                put += 1
            for event in side.events():
                taken_sum = zlib.adler32(event, taken_sum)
                taken += 1
            if put + taken == before:
                peer.idle()
        seen = peer.report()
        with memoryview(shared.page) as octets, octets.cast("I") as words:
            assert list(words[:4]) == [count - count // 2] * 4
    assert (seen["put"], seen["taken"]) == (taken, put) == (count, count)
    assert (seen["put_sum"], seen["taken_sum"]) == (taken_sum, put_sum)


@pytest.mark.parametrize("role", ["front", "back"])
def test_nonsense_on_the_page_is_survived(
    role: str, program: Path, keyboard: ModuleType, exhaustive: bool
) -> None:
    seconds = 30 if exhaustive else 1
    with (
        EventShared() as shared,
        EventPeer(program, "wild", shared),
        EventConsumer(keyboard.__name__, role, shared, seconds) as consumer,
    ):
        seen: dict[str, Any] = consumer.report()
    assert min(seen["put"], seen["taken"], seen["overflows"]) > ENOUGH
    assert seen["slowest_ms"] < 2000
