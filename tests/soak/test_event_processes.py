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
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from event_packages import BELL, SOURCES, Header, module_of, require_source
from event_peer import EventConsumer, EventPeer, EventShared, compile_event_peer
from ring_peer import ENOUGH, U32, limited
from support import require
from xen_tree import XenTree, interface_of


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


@dataclass(frozen=True)
class Page:
    """A header with a page of events, its module, and the program that is its other side."""

    header: Header
    module: ModuleType
    program: Path


@pytest.fixture(
    scope="module",
    params=[source for source in SOURCES if source[1] is not BELL],
    ids=lambda source: f"{source[0]}-{source[1].name}",
)
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    source, header = request.param
    require(shutil.which("gcc") is not None, "gcc")
    require_source(source, header)
    folder = tmp_path_factory.mktemp("soak")
    program = compile_event_peer(folder, source, header)
    if source == "xen's":
        tree: XenTree = request.getfixturevalue("xen_tree")
        yield Page(header, tree.module(f"io/{header.name}.h"), program)
    else:
        module = module_of(folder, source, header, f"soak_{header.name}")
        sys.path.append(str(folder / module.__name__.partition(".")[0]))
        yield Page(header, module, program)
        sys.path.pop()


def test_these_are_all_pages_of_events(xen_tree: XenTree) -> None:
    found = {
        (interface.name.removesuffix(".h"), page.record)
        for header in set(xen_tree.having("pages").values())
        for interface in [interface_of(header)]
        for page in interface.event_pages
    }
    xens = [header for source, header in SOURCES if source == "xen's"]
    assert found == {(f"io/{header.name}", header.page) for header in xens}


@pytest.mark.parametrize("role", ["front", "back"])
def test_every_event_crosses_once_in_each_direction(
    role: str, page: Page, exhaustive: bool
) -> None:
    count = 1_000_000 if exhaustive else 5_000
    name = {"front": "BackEventPage", "back": "FrontEventPage"}[role]
    dice = random.Random(1)
    put = taken = 0
    put_sum = taken_sum = 1
    with (
        EventShared((-count // 2) & U32) as shared,
        getattr(page.module, name)(shared.page) as side,
        EventPeer(page.program, role, shared, count) as peer,
    ):
        to_put = count if hasattr(side, "puts") else 0
        to_take = count if hasattr(side, "takes") else 0
        events = [random_event(side.puts, dice) for _ in range(99)] if to_put else []
        while put < to_put or taken < to_take:
            before = put + taken
            if to_put:
                for _ in range(min(dice.randrange(8), side.free, count - put)):
                    event = events[put % len(events)]
                    side.put(event)
                    put_sum = zlib.adler32(event, put_sum)
                    put += 1
            if to_take:
                for event in side.events():
                    taken_sum = zlib.adler32(event, taken_sum)
                    taken += 1
            if put + taken == before:
                peer.idle()
        seen = peer.report()
        with memoryview(shared.page) as octets, octets.cast("I") as words:
            moved = 2 * len(page.header.events)
            assert list(words[:moved]) == [count - count // 2] * moved
    assert (seen["put"], seen["taken"]) == (taken, put) == (to_take, to_put)
    assert (seen["put_sum"], seen["taken_sum"]) == (taken_sum, put_sum)


def random_event(ring: Any, dice: random.Random) -> Any:
    return ring.event.from_buffer_copy(dice.randbytes(ring.size))


@pytest.mark.parametrize("role", ["front", "back"])
def test_nonsense_on_the_page_is_survived(
    role: str, page: Page, exhaustive: bool
) -> None:
    seconds = 10 if exhaustive else 0.3
    with (
        EventShared() as shared,
        EventPeer(page.program, "wild", shared),
        EventConsumer(page.module.__name__, role, shared, seconds) as consumer,
    ):
        seen: dict[str, Any] = consumer.report()
    assert seen.pop("slowest_ms") < 2000
    assert min(seen.values()) > ENOUGH
