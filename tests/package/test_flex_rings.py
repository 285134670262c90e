"""What people do with a flex ring of a generated package, and what a hostile side can do to it."""

from __future__ import annotations

import ctypes
import importlib
import io
import random
import struct
import typing
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from flex_rings import (
    INDICES,
    KINDS,
    PAGE_SIZE,
    Kind,
    attach,
    library,
    module,
    new_page,
    require_kind,
)
from hypothesis import given
from hypothesis import strategies as st

U32 = 0xFFFF_FFFF
LARGEST = PAGE_SIZE << 3  # of the memory behind a page here


class Made:
    """A package of a kind of ring, and the same functions compiled."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self.module: Any = module(kind, folder, f"flex_{uuid4().hex}")
        self.c = library(kind, folder)
        self.runtime = f"{self.module.__package__}.runtime"

    def part(self, name: str) -> ModuleType:
        """A run-time module of the package."""
        return importlib.import_module(f"{self.runtime}.{name}")

    def memory(self, order: int = 0, start: int = 0) -> bytearray:
        memory = bytearray(PAGE_SIZE + max(PAGE_SIZE, PAGE_SIZE << order))
        new_page(self.kind, self.module, memory, order, start)
        return memory

    def attach(self, memory: Any, side: str, **options: Any) -> Any:
        return attach(self.kind, self.module, memory, side, **options)

    def both(self, order: int = 0, start: int = 0) -> tuple[Any, Any]:
        memory = self.memory(order, start)
        return self.attach(memory, "Front"), self.attach(memory, "Back")

    def set(self, memory: Any, name: str, value: int) -> None:
        """Write an index as the other side may."""
        setattr(getattr(self.module, self.kind.page).from_buffer(memory), name, value)


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    kind = KINDS[request.param]
    require_kind(kind)
    return Made(kind, tmp_path_factory.mktemp("flex"))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Made:
    require_kind(KINDS["own"])
    return Made(KINDS["own"], tmp_path_factory.mktemp("flex"))


# --- what people do ---------------------------------------------------------------------


def test_what_one_side_writes_the_other_reads(made: Made) -> None:
    front, back = made.both()
    assert front.write(b"question") == 8
    assert (back.queued, front.queued) == (8, 0)
    assert back.peek(5) == b"quest"
    assert back.read(5) == b"quest"
    assert back.read() == b"ion"
    assert back.write(b"answer") == 6
    room = bytearray(10)
    assert front.readinto(room) == 6
    assert room == b"answer\0\0\0\0"
    assert front.read() == b""


def test_as_much_is_written_as_fits(made: Made) -> None:
    front, back = made.both(start=U32 - 5)
    size = front.free
    assert front.write(bytes(size - 3)) == size - 3
    assert front.write(b"abcdef") == 3
    assert front.write(b"def") == front.free == 0
    assert back.queued == size
    assert back.read(size - 3) == bytes(size - 3)
    assert front.free == size - 3
    assert back.read() == b"abc"


def test_any_buffer_is_written_whole(made: Made) -> None:
    front, back = made.both()
    assert front.write(memoryview(struct.pack("2I", 1, 2)).cast("I")) == 8
    assert back.read() == struct.pack("2I", 1, 2)


def test_a_ring_in_use_goes_on_where_it_was_left(made: Made) -> None:
    memory = made.memory(start=U32 - 1)
    with made.attach(memory, "Front") as front:
        front.write(b"one two")
    with made.attach(memory, "Back") as back:
        assert back.read(4) == b"one "
    assert made.attach(memory, "Back").read() == b"two"


def test_a_detached_ring_lets_go_of_its_memory(made: Made) -> None:
    memory = made.memory()
    ring = made.attach(memory, "Front")
    ring.detach()
    with pytest.raises(ValueError, match="released"):
        ring.read()
    with pytest.raises(ValueError, match="released"):
        ring.write(b"a")
    memory.extend(b"more")  # which no view forbids


@given(st.data())
def test_every_byte_of_the_memory_is_as_c_would_have_it(
    made: Made, data: st.DataObject
) -> None:
    start = data.draw(st.one_of(st.just(0), st.integers(U32 - 3000, U32)))
    memory = made.memory(0, start)
    sides = made.attach(memory, "Front"), made.attach(memory, "Back")
    shadow = Shadow(made, bytes(memory))
    dice = random.Random(data.draw(st.integers(0, 1 << 32)))
    for _ in range(data.draw(st.integers(1, 30))):
        is_front = data.draw(st.booleans())
        ring = sides[not is_front]
        if data.draw(st.booleans()):
            packet = dice.randbytes(data.draw(st.integers(0, 3000)))
            assert ring.write(packet) == shadow.write(is_front, packet)
        else:
            size = data.draw(st.integers(0, 3000))
            assert ring.read(size) == shadow.read(is_front, size)
        assert memory == shadow.memory
        assert ring.queued == shadow.queued(is_front)


class Shadow:
    """The same memory, worked on by the header's functions as C programs call them."""

    def __init__(self, made: Made, memory: bytes) -> None:
        self.c = made.c
        self.memory = bytearray(memory)
        self.page = getattr(made.module, made.kind.page).from_buffer(self.memory)
        if made.kind.interface:
            half = made.c.c_ring_size(self.page.ring_order)
            self.places = {"in": (PAGE_SIZE, half), "out": (PAGE_SIZE + half, half)}
        else:
            record = type(self.page)
            into, out = record.in_, record.out
            self.places = {
                "in": (into.offset, into.size),
                "out": (out.offset, out.size),
            }

    def indices(self, name: str) -> tuple[int, int]:
        return getattr(self.page, f"{name}_prod"), getattr(self.page, f"{name}_cons")

    def queued(self, is_front: bool) -> int:
        name = "in" if is_front else "out"
        queued: int = self.c.c_queued(*self.indices(name), self.places[name][1])
        return queued

    def write(self, is_front: bool, packet: bytes) -> int:
        name = "out" if is_front else "in"
        at, size = self.places[name]
        prod, cons = self.indices(name)
        count: int = min(len(packet), size - self.c.c_queued(prod, cons, size))
        octets = (ctypes.c_char * size).from_buffer(self.memory, at)
        masked = self.c.c_mask(prod, size), self.c.c_mask(cons, size)
        self.c.c_write_packet(octets, packet, ctypes.c_uint64(count), *masked, size)
        setattr(self.page, f"{name}_prod", (prod + count) & U32)
        return count

    def read(self, is_front: bool, most: int) -> bytes:
        name = "in" if is_front else "out"
        at, size = self.places[name]
        prod, cons = self.indices(name)
        count = min(most, self.c.c_queued(prod, cons, size))
        octets = (ctypes.c_char * size).from_buffer(self.memory, at)
        packet = ctypes.create_string_buffer(count)
        masked = self.c.c_mask(prod, size), self.c.c_mask(cons, size)
        self.c.c_read_packet(packet, octets, ctypes.c_uint64(count), *masked, size)
        setattr(self.page, f"{name}_cons", (cons + count) & U32)
        return packet.raw


# --- pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_the_order_says_how_large_a_ring_is(own: Made, order: int) -> None:
    front, back = own.both(order)
    assert front.free == back.free == PAGE_SIZE << order >> 1


def test_a_page_grants_as_many_pages_as_it_says(own: Made) -> None:
    memory = own.memory(2)
    ring = own.module.FrontFlexRing
    ring.refs(memory)[:] = memoryview(struct.pack("4I", 7, 8, 9, 10)).cast("I")
    assert list(ring.refs(memory)) == [7, 8, 9, 10]
    assert struct.unpack_from("4I", memory, 132) == (7, 8, 9, 10)


@pytest.mark.parametrize("order", [10, 11, 31, 32, 1 << 31, U32])
def test_an_order_for_which_the_page_has_no_room_is_refused(
    own: Made, order: int
) -> None:
    memory = own.memory()
    own.set(memory, "ring_order", order)
    page = memoryview(memory)[:PAGE_SIZE]
    attempts: list[Callable[[], Any]] = [
        lambda: own.attach(memory, "Back"),
        lambda: own.module.BackFlexRing.order(page),
        lambda: own.module.BackFlexRing.refs(page),
    ]
    for attempt in attempts:
        with pytest.raises(
            own.part("flex_ring").RingOrder, match="9 at most"
        ) as raised:
            attempt()
        assert (raised.value.theirs, raised.value.most) == (order, 9)


def test_less_memory_than_the_order_says_is_refused(own: Made) -> None:
    memory = own.memory(1)
    own.set(memory, "ring_order", 2)
    with pytest.raises(ValueError, match="order 2 has 16384 bytes, not 8192"):
        own.attach(memory, "Back")


def test_memory_that_is_no_ring_s_is_refused(own: Made) -> None:
    ring, cell = own.part("byte_ring"), own.part("byte_ring").cell
    page = bytearray(8)
    for octets in (bytearray(3), bytearray(0)):
        with pytest.raises(ValueError, match="power of two"):
            ring.Consumer(octets, cell(page, 0), cell(page, 4))
    with pytest.raises(ValueError, match="needs memory that is writable"):
        ring.Producer(bytes(4), cell(page, 0), cell(page, 4))
    with pytest.raises(ValueError, match="own index to be writable"):
        ring.Producer(page, cell(bytes(8), 0), cell(page, 4))


def test_a_page_that_has_no_room_for_indices_is_refused(own: Made) -> None:
    front = own.module.FrontFlexRing
    for size in (0, 8):
        with pytest.raises(ValueError, match=f"a page of {size} bytes has no index"):
            front(bytearray(size), bytearray(2 * PAGE_SIZE))
    with pytest.raises(ValueError, match="own index to be writable"):
        front(bytes(PAGE_SIZE), bytearray(2 * PAGE_SIZE))


# --- a hostile side ---------------------------------------------------------------------


@pytest.mark.parametrize("far", [1, 2, 1 << 31, U32 - (1 << 15)])
@pytest.mark.parametrize("start", [0, 77, U32])
def test_an_index_out_of_reach_is_an_error(made: Made, far: int, start: int) -> None:
    overflow = made.part("ring").RingOverflow
    memory = made.memory(0, start)
    front = made.attach(memory, "Front")
    size = front.consumer.size
    made.set(memory, "in_prod", (start + size + far) & U32)
    for attempt in (front.read, front.peek, lambda: front.queued):
        with pytest.raises(overflow, match="producer's index"):
            attempt()
    made.set(memory, "out_cons", (start + far) & U32)
    for attempt in (lambda: front.write(b"a"), lambda: front.free):
        with pytest.raises(overflow, match="consumer's index") as raised:
            attempt()
        assert raised.value.theirs == (start + far) & U32
        assert raised.value.ours == start


def test_the_own_index_is_not_read_from_the_page_again(made: Made) -> None:
    memory = made.memory()
    front, back = made.attach(memory, "Front"), made.attach(memory, "Back")
    front.write(b"abc")
    made.set(memory, "out_prod", 999)  # by the other side, which has no business there
    front.write(b"def")
    assert back.read(2) == b"ab"
    made.set(memory, "out_cons", 1)
    assert back.read() == b"cdef"
    assert getattr(made.module, made.kind.page).from_buffer(memory).out_cons == 6


@given(st.data())
def test_whatever_is_on_the_page_a_side_stays_within_its_memory(
    made: Made, data: st.DataObject
) -> None:
    overflow = made.part("ring").RingOverflow
    start = data.draw(st.integers(0, U32))
    memory = made.memory(0, start)
    ring = made.attach(memory, data.draw(st.sampled_from(["Front", "Back"])))
    most = max(ring.consumer.size, ring.producer.size)
    near = st.integers(-most - 2, most + 2).map(lambda n: (start + n) & U32)
    for _ in range(data.draw(st.integers(1, 20))):
        name = data.draw(st.sampled_from(INDICES))
        made.set(memory, name, data.draw(near | st.integers(0, U32)))
        try:
            assert 0 <= ring.queued <= ring.consumer.size
            assert len(ring.read(data.draw(st.integers(-1, 3 * most)))) <= most
            assert ring.write(bytes(data.draw(st.integers(0, 3 * most)))) <= most
        except overflow:
            pass


def test_the_order_is_looked_at_once(own: Made) -> None:
    memory = own.memory(1)
    back = own.attach(memory, "Back")
    own.set(memory, "ring_order", 9)
    assert back.write(bytes(LARGEST)) == PAGE_SIZE


# --- what the other side sees in which order --------------------------------------------


def test_barriers_stand_between_bytes_and_indices(own: Made) -> None:
    memory = own.memory()
    words = memoryview(memory).cast("I")
    seen: list[tuple[str, int, int, bytes]] = []

    def barrier(name: str) -> Any:
        out = PAGE_SIZE + PAGE_SIZE // 2
        return lambda: seen.append(
            (name, words[17], words[16], bytes(memory[out : out + 3]))
        )

    names = ("xen_mb", "xen_rmb", "xen_wmb")
    barriers = SimpleNamespace(**{name: barrier(name) for name in names})
    front = own.attach(memory, "Front", barriers=barriers)
    back = own.attach(memory, "Back", barriers=barriers)
    front.write(b"abc")
    assert seen == [("xen_mb", 0, 0, bytes(3)), ("xen_wmb", 0, 0, b"abc")]
    assert words[17] == 3
    seen.clear()
    back.read()
    assert seen == [("xen_rmb", 3, 0, b"abc"), ("xen_mb", 3, 0, b"abc")]
    assert words[16] == 3


# --- as a file --------------------------------------------------------------------------


def test_a_file_that_has_nothing_to_wait_by_does_not_block(made: Made) -> None:
    front, back = made.both()
    file = front.file()
    assert file.readable() and file.writable()
    assert file.read(4) is None
    back.write(b"abcdef")
    assert file.read(4) == b"abcd"
    size = front.free
    assert file.write(bytes(size + 1)) == size
    assert file.write(b"a") is None
    assert file.write(b"") == 0
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def test_a_file_waits_for_the_rest_and_tells_what_it_took(made: Made) -> None:
    front, back = made.both()
    pieces = [b"\x01\0", b"\0\0\x02", b"\x03\0and more"]
    told: list[int] = []
    file = back.file(
        wait=lambda: front.write(pieces.pop(0)), notify=lambda: told.append(back.queued)
    )
    reader = io.BufferedReader(file)
    assert struct.unpack("<IBH", reader.read(7)) == (1, 2, 3)
    assert reader.read(8) == b"and more"
    assert told == [0, 0, 0]


def test_a_file_waits_for_room(made: Made) -> None:
    front, back = made.both()
    taken: list[bytes] = []
    packet = random.Random(1).randbytes(5000)
    with io.BufferedWriter(front.file(wait=lambda: taken.append(back.read()))) as file:
        file.write(packet)
    assert b"".join([*taken, back.read()]) == packet


def test_type_hints_can_be_asked_for(own: Made) -> None:
    for name in ("byte_ring", "byte_file", "flex_ring"):
        part = own.part(name)
        for cls in vars(part).values():
            if getattr(cls, "__module__", "") == part.__name__:
                for each in vars(cls).values() if isinstance(cls, type) else [cls]:
                    function = getattr(each, "fget", getattr(each, "__func__", each))
                    if isinstance(function, FunctionType):
                        assert typing.get_type_hints(function) is not None
