"""A page with rings of bytes between two processes: one in Python, one in C.

Each such page of Xen's headers, in the package of the tree; C has the header's macros. Bytes go
both ways at once, in pieces of random lengths, past the place where indices wrap around; both sides
sum up what they see, and must have seen the same. And a side in Python whose other side writes
nonsense: it raises RingOverflow or takes what is there, does not hang, and touches nothing outside
the page. With --exhaustive the numbers are the full ones.
"""

from __future__ import annotations

import random
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from byte_peer import ByteConsumer, BytePeer, ByteShared, Layout
from ring_peer import ENOUGH, PAGE_SIZE, U32, limited
from support import require
from xen_tree import XenTree, interface_of

# The headers, and of vchan's the orders of its rings: both in the page, or one granted.
PAGES: Mapping[str, tuple[str, dict[str, int]]] = {
    "console": ("io/console.h", {}),
    "xs_wire": ("io/xs_wire.h", {}),
    "vchan": ("io/libxenvchan.h", {"left": 10, "right": 11}),
    "vchan, granted": ("io/libxenvchan.h", {"left": 13, "right": 10}),
}
OTHER = {"Front": "back", "Back": "front"}


@pytest.fixture(autouse=True)
def time_limit(exhaustive: bool) -> Iterator[None]:
    with limited(600 if exhaustive else 90):
        yield


@dataclass(frozen=True)
class Pair:
    """A page, its module, and the program that is its other side."""

    layout: Layout
    module: Any
    program: Path

    @property
    def record(self) -> Any:
        """The page's struct."""
        return getattr(self.module, self.layout.page.record.removeprefix("struct "))

    def attach(self, side: str, shared: ByteShared) -> Any:
        """Attach a side to a page, and to what memory it grants."""
        cls, reader = getattr(self.module, f"{side}ByteRing"), f"{side.lower()}end"
        octets, given = memoryview(shared.page), {}
        for ring in self.layout.page.rings:
            if self.layout.orders.get(ring.array, 0) > 11:
                does = "read" if ring.reader == reader else "write"
                given[f"{does}_memory"] = octets[PAGE_SIZE:]
        return cls(octets[:PAGE_SIZE], **given)


@pytest.fixture(scope="module", params=PAGES)
def pair(
    request: pytest.FixtureRequest,
    xen_tree: XenTree,
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    require(shutil.which("gcc") is not None, "gcc")
    header, orders = PAGES[request.param]
    (page,) = interface_of(header).byte_pages
    layout = Layout(header, page, orders)
    program = layout.compile(tmp_path_factory.mktemp("bytes"))
    return Pair(layout, xen_tree.module(header), program)


def test_these_are_all_pages_of_bytes(xen_tree: XenTree) -> None:
    headers = sorted({*xen_tree.having("pages").values()})
    found = {header for header in headers if interface_of(header).byte_pages}
    assert found == {header for header, _ in PAGES.values()}


@pytest.mark.parametrize("side", ["Front", "Back"])
def test_every_byte_crosses_once_in_both_directions(
    side: str, pair: Pair, exhaustive: bool
) -> None:
    count = 1_000_000 if exhaustive else 30_000
    start = (-count // 2) & U32
    dice = random.Random(side)
    sent = taken = 0
    sent_sum = taken_sum = 1
    with (
        ByteShared(pair.layout, pair.record, start) as shared,
        BytePeer(pair.program, OTHER[side], shared, count) as peer,
        pair.attach(side, shared) as ring,
    ):
        while sent < count or taken < count:
            size = dice.randrange(1 << dice.randrange(13))
            data = dice.randbytes(min(size, count - sent))
            fitted = ring.write(data)
            sent_sum = zlib.adler32(data[:fitted], sent_sum)
            found = ring.read(dice.choice([-1, dice.randrange(1 << 12)]))
            taken_sum = zlib.adler32(found, taken_sum)
            sent += fitted
            taken += len(found)
            if not fitted and not found:
                peer.idle()
        seen = peer.report()
    assert (seen["sent"], seen["taken"]) == (taken, sent) == (count, count)
    assert (seen["sent_sum"], seen["taken_sum"]) == (taken_sum, sent_sum)


@pytest.mark.parametrize("pair", ["console", "xs_wire", "vchan"], indirect=True)
@pytest.mark.parametrize("side", ["Front", "Back"])
def test_nonsense_on_the_page_is_survived(
    side: str, pair: Pair, exhaustive: bool
) -> None:
    seconds = 10 if exhaustive else 0.3
    with (
        ByteShared(pair.layout, pair.record) as shared,
        BytePeer(pair.program, "wild", shared, 0),
        ByteConsumer(pair.module.__name__, side, shared, seconds) as consumer,
    ):
        seen: dict[str, Any] = consumer.report()
    assert seen.pop("slowest_ms") < 2000
    assert min(seen.values()) > ENOUGH
