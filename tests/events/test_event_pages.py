"""Pages of events against C: the same states, the same page after it, the same in between.

Each runs on two copies of a page, one in C by the header's macros and one in Python: with our
headers, and with Xen's own. The barriers are hooks that sum the page up and then change a word
of it, as the other side may: what is written on the wrong side of one is seen.
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import mmap
import random
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from event_packages import (
    DISPLIF,
    KBDIF,
    OURS,
    SOURCES,
    Header,
    library_of,
    module_of,
    require_source,
    spec_text,
)
from support import INSTALLED, require
from xenbind import pipeline, spec
from xenbind.ir.interface import Interface
from xenbind.plain import replace
from xenbind.source import Coord

PAGE = 4096
U32 = 0xFFFF_FFFF
NOWHERE = Coord("", 1, 1)
READERS = {"in": "FrontEventPage", "out": "BackEventPage"}
WRITERS = {"in": "BackEventPage", "out": "FrontEventPage"}


# Our headers declare what Xen's do.


def read(folder: Path, header: Header, tree: Path) -> Interface:
    path = folder / "spec.toml"
    path.write_text(spec_text(header, "xen_events"))
    loaded = spec.load(path).for_tree(tree)
    return pipeline.read(loaded, loaded.versions[0], ("gcc",))


def declared(interface: Interface) -> dict[str, object]:
    """The records, macros and pages of an interface, without comments and places."""
    found: dict[str, object] = {
        record.key: [
            (f.name, f.type, f.offset, f.size, f.bit_offset) for f in record.fields
        ]
        for record in interface.records
    }
    found |= {constant.name: constant.value for constant in interface.constants}
    for page in interface.event_pages:
        rings = [replace(ring, coord=NOWHERE) for ring in page.rings]
        found[f"page {page.record}"] = rings
    return found


@pytest.mark.parametrize("header", [KBDIF, DISPLIF], ids=lambda header: header.name)
def test_our_headers_declare_what_xen_s_do(header: Header, tmp_path: Path) -> None:
    require_source("xen's", header)
    ours = declared(read(tmp_path, header, OURS))
    theirs = declared(read(tmp_path, header, INSTALLED / "io"))
    assert ours.items() <= theirs.items()
    assert f"page {header.page}" in ours


# The same in C and in Python.


class Both:
    """A header's module and its macros in C, with a page for each."""

    def __init__(self, header: Header, module: ModuleType, library: Any) -> None:
        self.header, self.module, self.library = header, module, library
        self.c, self.python = bytearray(PAGE), bytearray(PAGE)
        self.c_page = (ctypes.c_char * PAGE).from_buffer(self.c)
        self.sums: list[int] = []
        self.script: list[tuple[int, int]] = []

    def ring(self, direction: str) -> Any:
        return getattr(self.module, READERS[direction]).takes

    def fill(self, dice: random.Random, direction: str) -> None:
        """Put both pages into one random state, and have the other side plan its steps."""
        ring = self.ring(direction)
        self.c[:] = dice.randbytes(PAGE)
        consumed = near(dice)
        distance = dice.choice(
            [
                *(0, 1, ring.length - 1, ring.length, ring.length + 1),
                *(dice.randint(0, ring.length), dice.getrandbits(32), -1),
                (1 << 31) + dice.randint(0, ring.length),
            ]
        )
        produced = (consumed + distance) & U32
        self.c[ring.consumer : ring.consumer + 4] = consumed.to_bytes(4, "little")
        self.c[ring.producer : ring.producer + 4] = produced.to_bytes(4, "little")
        self.python[:] = self.c
        self.script = [
            (
                4 * dice.choice([dice.randrange(4), dice.randrange(PAGE // 4)]),
                near(dice),
            )
            for _ in range(8)
        ]
        self.sums = []

    def word(self, place: int) -> int:
        return int.from_bytes(self.c[place : place + 4], "little")

    def side(self, name: str) -> Any:
        return getattr(self.module, name)(self.python, barriers=_Barriers(self))

    def in_c(self, function: str, *arguments: Any) -> int:
        """Call C with the other side's plans, and keep what its barriers summed up."""
        plans = b"".join(
            place.to_bytes(4, "little") + word.to_bytes(4, "little")
            for place, word in self.script
        )
        self.library.begin(self.c_page, plans)
        result: int = self.library[function](self.c_page, *arguments)
        out = (ctypes.c_uint32 * 8)()
        self.c_sums = list(out[: self.library.end(out)])
        return result

    def check(self) -> None:
        assert self.sums == self.c_sums
        assert self.python == self.c


class _Barriers:
    """Barriers at which the page is summed up, and the other side takes its next step."""

    def __init__(self, both: Both) -> None:
        self.both = both
        self.xen_mb = lambda: self.hook(1)
        self.xen_wmb = lambda: self.hook(2)

    def hook(self, kind: int) -> None:
        both = self.both
        place, word = both.script[len(both.sums)]
        both.sums.append(zlib.adler32(both.python, kind))
        both.python[place : place + 4] = word.to_bytes(4, "little")


def near(dice: random.Random) -> int:
    """An index: around one of the places where 32-bit arithmetic turns, or anywhere."""
    base = dice.choice([0, 1 << 31, 1 << 32, dice.getrandbits(32)])
    return (base + dice.choice([-1, 0, 1, dice.randint(-70, 70)])) % (1 << 32)


@pytest.fixture(
    scope="module", params=SOURCES, ids=lambda source: f"{source[0]}-{source[1].name}"
)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    source, header = request.param
    require(shutil.which("gcc") is not None, "gcc")
    require_source(source, header)
    folder = tmp_path_factory.mktemp("events")
    return Both(
        header, module_of(folder, source, header), library_of(folder, source, header)
    )


def directions(both: Both) -> Iterator[tuple[str, Any]]:
    for direction in both.header.events:
        yield direction, both.ring(direction)


def error_of(step: Callable[..., object], *arguments: object) -> tuple[object, ...]:
    """What a step ends with: the name of the error, and the indices that it tells of."""
    try:
        step(*arguments)
    except RuntimeError as error:
        return type(error).__name__, *vars(error).values()
    return ()


def compare_places(both: Both, count: int) -> None:
    dice = random.Random(1)
    for direction, ring in directions(both):
        place = both.library[f"place_{direction}"]
        for index in [*range(2 * ring.length), *(near(dice) for _ in range(count))]:
            assert ring.place(index) == place(ctypes.c_uint32(index)), index
        assert ring.event.__name__ in both.header.events[direction].split()


def compare_room(both: Both, count: int) -> None:
    dice = random.Random(2)
    for direction, ring in directions(both):
        for _ in range(count):
            both.fill(dice, direction)
            produced = both.word(ring.producer)
            side = both.side(WRITERS[direction])
            room = both.in_c(f"room_{direction}", ctypes.c_uint32(produced))
            if room < 0:
                overflow = ("RingOverflow", both.word(ring.consumer), produced)
                assert error_of(getattr, side, "free") == overflow
            else:
                assert room == side.free


def compare_put(both: Both, count: int) -> None:
    dice = random.Random(3)
    for direction, ring in directions(both):
        for _ in range(count):
            both.fill(dice, direction)
            event = ring.event.from_buffer_copy(dice.randbytes(ring.size))
            side = both.side(WRITERS[direction])
            index = ctypes.c_uint32(side._produced)
            put = both.in_c(
                f"put_{direction}", ctypes.byref(index), ctypes.byref(event)
            )
            if put < 0:
                overflow = ("RingOverflow", both.word(ring.consumer), index.value)
                assert error_of(side.put, event) == overflow
            elif not put:
                assert error_of(side.put, event) == ("RingFull",)
            else:
                side.put(event)
            assert side._produced == index.value
            both.check()


def compare_take(both: Both, count: int) -> None:
    dice = random.Random(4)
    for direction, ring in directions(both):
        for _ in range(count):
            both.fill(dice, direction)
            most = dice.choice([1, 2, 7])
            side = both.side(READERS[direction])
            index = ctypes.c_uint32(side._consumed)
            events = (ring.event * 7)()
            taken = both.in_c(f"take_{direction}", ctypes.byref(index), events, most)
            if taken < 0:
                overflow = ("RingOverflow", both.word(ring.producer), index.value)
                assert error_of(next, side.events()) == overflow
            else:
                given = list(itertools.islice(side.events(), most))
                assert [bytes(event) for event in given] == [
                    bytes(events[number]) for number in range(taken)
                ]
            both.check()
            assert side._consumed == index.value


COMPARISONS = [compare_places, compare_room, compare_put, compare_take]


@pytest.mark.parametrize("compare", COMPARISONS)
def test_python_does_what_c_does(
    compare: Callable[[Both, int], None], both: Both, exhaustive: bool
) -> None:
    compare(both, 5000 if exhaustive else 150)


# Steps of the other side that change nothing: words that no header says anything of.
NO_STEPS = b"".join((32).to_bytes(4, "little") + bytes(4) for _ in range(8))


# The whole way, past 2^32: whoever puts and whoever takes, in C or in Python, on one page.


@pytest.mark.parametrize("writer", ["c", "python"])
@pytest.mark.parametrize("reader", ["c", "python"])
def test_each_event_arrives_once(
    writer: str, reader: str, both: Both, exhaustive: bool
) -> None:
    count = 20_000 if exhaustive else 1000
    for direction, ring in directions(both):
        dice = random.Random(5)
        start = (-count // 2) & U32
        page = bytearray(PAGE)
        for place in (ring.consumer, ring.producer):
            page[place : place + 4] = start.to_bytes(4, "little")
        c_page = (ctypes.c_char * PAGE).from_buffer(page)
        puts = getattr(both.module, WRITERS[direction])(page)
        takes = getattr(both.module, READERS[direction])(page)
        put_index, take_index = ctypes.c_uint32(start), ctypes.c_uint32(start)
        events = (ring.event * ring.length)()
        under_way: deque[bytes] = deque()
        sent = 0
        while sent < count or under_way:
            for _ in range(dice.choice([1, 2, ring.length + 1]) if sent < count else 0):
                event = ring.event.from_buffer_copy(dice.randbytes(ring.size))
                if writer == "python":
                    room = puts.free
                    if room:
                        puts.put(event)
                else:
                    both.library.begin(c_page, NO_STEPS)
                    room = both.library[f"put_{direction}"](
                        c_page, ctypes.byref(put_index), ctypes.byref(event)
                    )
                if not room:
                    break
                under_way.append(bytes(event))
                sent += 1
            most = dice.choice([1, 3, 7])
            if reader == "python":
                given = [bytes(e) for e in itertools.islice(takes.events(), most)]
            else:
                both.library.begin(c_page, NO_STEPS)
                taken = both.library[f"take_{direction}"](
                    c_page, ctypes.byref(take_index), events, min(most, 7)
                )
                given = [bytes(event) for event in events[:taken]]
            assert given == [under_way.popleft() for _ in given]
        assert (
            int.from_bytes(page[ring.consumer :][:4], "little") == (start + sent) & U32
        )


# A page with what is before and behind it, which nothing may touch.


class Pair:
    """Both sides of our keyboard's page, in the middle of memory that is none of theirs."""

    def __init__(self, module: Any, start: int = 0) -> None:
        self.module = module
        self.memory = bytearray(b"\xaa" * 3 * PAGE)
        self.page = memoryview(self.memory)[PAGE : 2 * PAGE]
        self.page[:] = bytes(PAGE)
        self.words = self.page.cast("I")
        self.words[IN_CONS] = self.words[IN_PROD] = start
        self.front = module.FrontEventPage(self.page)
        self.back = module.BackEventPage(self.page)

    def put(self, *keycodes: int) -> None:
        for keycode in keycodes:
            event = self.module.xenkbd_in_event(type=self.module.XENKBD_TYPE_KEY)
            event.key.keycode = keycode
            self.back.put(event)

    def taken(self) -> list[int]:
        return [event.key.keycode for event in self.front.events()]

    def check(self) -> None:
        assert self.memory[:PAGE] == self.memory[2 * PAGE :] == b"\xaa" * PAGE


IN_CONS, IN_PROD, OUT_CONS, OUT_PROD = range(4)
LENGTH = 51
STARTS = [0, 5, (1 << 31) - 3, U32 - 20]


@pytest.fixture(scope="module")
def keyboard(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return module_of(tmp_path_factory.mktemp("pair"), "ours", KBDIF)


@pytest.fixture(params=STARTS)
def pair(request: pytest.FixtureRequest, keyboard: ModuleType) -> Iterator[Pair]:
    pair = Pair(keyboard, request.param)
    yield pair
    pair.check()


def test_events_come_in_their_order(pair: Pair) -> None:
    pair.put(1, 2, 3)
    assert pair.taken() == [1, 2, 3]
    pair.put(*range(4, 20))
    assert pair.taken() == list(range(4, 20))
    assert pair.taken() == []


def test_a_full_page_takes_no_event(keyboard: ModuleType) -> None:
    pair = Pair(keyboard)
    assert pair.back.free == LENGTH
    pair.put(*range(LENGTH))
    assert pair.back.free == 0
    with pytest.raises(error(keyboard, "RingFull"), match="no place is free"):
        pair.put(LENGTH)
    assert next(pair.front.events()).key.keycode == 0
    assert pair.back.free == 1
    pair.put(LENGTH)
    assert pair.taken() == list(range(1, LENGTH + 1))


def test_no_event_is_run_over_where_the_index_wraps_around(
    keyboard: ModuleType,
) -> None:
    # 2^32 is one more than a multiple of 51: the last index has the place of the first.
    pair = Pair(keyboard, U32)
    pair.put(1)
    assert pair.back.free == 0
    with pytest.raises(error(keyboard, "RingFull")):
        pair.put(2)
    assert pair.taken() == [1]
    assert pair.back.free == LENGTH


def error(module: ModuleType, name: str) -> type[Exception]:
    package = importlib.import_module(str(module.__package__))
    found: type[Exception] = getattr(package, name)
    return found


@pytest.mark.parametrize("distance", [LENGTH + 1, 1 << 31, U32])
def test_an_impossible_index_of_events_to_take(pair: Pair, distance: int) -> None:
    ours = pair.words[IN_CONS]
    pair.words[IN_PROD] = theirs = (ours + distance) & U32
    with pytest.raises(
        error(pair.module, "RingOverflow"), match="event index"
    ) as overflow:
        next(pair.front.events())
    assert vars(overflow.value) == {"theirs": theirs, "ours": ours}
    # Nothing was taken, and all is well once the index is.
    assert pair.words[IN_CONS] == ours
    pair.words[IN_PROD] = ours
    pair.put(7)
    assert pair.taken() == [7]


@pytest.mark.parametrize("distance", [1, LENGTH + 1, 1 << 31])
def test_an_impossible_index_of_events_taken(pair: Pair, distance: int) -> None:
    ours = pair.words[IN_PROD]
    pair.words[IN_CONS] = theirs = (ours + distance) & U32
    before = bytes(pair.page)
    for step in (lambda: pair.back.free, lambda: pair.put(1)):
        with pytest.raises(error(pair.module, "RingOverflow")) as overflow:
            step()
        assert vars(overflow.value) == {"theirs": theirs, "ours": ours}
    assert bytes(pair.page) == before


def test_a_side_s_own_index_is_its_own(pair: Pair) -> None:
    pair.put(1, 2)
    start = pair.words[IN_CONS]
    pair.words[IN_CONS] = (start + 1) & U32
    assert pair.taken() == [1, 2]
    pair.words[IN_PROD] = pair.words[IN_CONS]
    pair.put(3)
    assert pair.words[IN_PROD] == (start + 3) & U32


def test_an_event_does_not_change_with_the_page(pair: Pair) -> None:
    pair.put(1)
    (event,) = pair.front.events()
    pair.page[16:] = b"\xff" * (PAGE - 16)
    assert event.key.keycode == 1


def test_a_place_is_free_once_its_event_is_given_out(keyboard: ModuleType) -> None:
    pair = Pair(keyboard)
    pair.put(*range(LENGTH))
    for number, event in enumerate(pair.front.events()):
        assert event.key.keycode == number
        assert pair.words[IN_CONS] == number + 1
        assert pair.back.free == 1
        pair.put(LENGTH + number)  # for the next time
    assert pair.taken() == list(range(LENGTH, 2 * LENGTH))


def test_a_producer_that_never_stops_is_not_followed_for_ever(
    keyboard: ModuleType,
) -> None:
    pair = Pair(keyboard)
    pair.put(0)
    taken = 0
    for _ in pair.front.events():
        pair.put(0)
        taken += 1
    assert taken == 1


def test_one_iteration_inside_another_takes_each_event_once(pair: Pair) -> None:
    pair.put(1, 2, 3)
    taken = []
    for event in pair.front.events():
        taken.append(event.key.keycode)
        pair.put(*range(10 * len(taken), 10 * len(taken) + 3))
        taken += pair.taken()
    assert taken == [1, 2, 3, 10, 11, 12]


def test_a_page_in_use_goes_on(pair: Pair) -> None:
    pair.put(1, 2)
    assert next(pair.front.events()).key.keycode == 1
    pair.front.detach()
    pair.back.detach()
    pair.back = pair.module.BackEventPage(pair.page)
    pair.front = pair.module.FrontEventPage(pair.page)
    pair.put(3)
    assert pair.taken() == [2, 3]


def test_a_page_can_be_closed_behind_the_with_block(keyboard: ModuleType) -> None:
    page = mmap.mmap(-1, PAGE)
    with keyboard.FrontEventPage(page) as front, keyboard.BackEventPage(page) as back:
        back.put(keyboard.xenkbd_in_event(type=1))
        events = front.events()
        event = next(events)
    page.close()
    assert event.type == 1
    assert list(events) == []
    with pytest.raises(ValueError, match="released"):
        back.put(event)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(bytes(PAGE), id="bytes"),
        pytest.param(memoryview(bytearray(PAGE)).toreadonly(), id="view"),
        pytest.param(bytearray(3072 + 25 * 40 - 1), id="too small"),
    ],
)
def test_a_side_needs_a_writable_page(page: Any, keyboard: ModuleType) -> None:
    for side in (keyboard.FrontEventPage, keyboard.BackEventPage):
        with pytest.raises(ValueError, match="a writable page of 4072 bytes or more"):
            side(page)


def test_events_of_another_type_are_refused(keyboard: ModuleType) -> None:
    pair = Pair(keyboard)
    with pytest.raises(
        TypeError, match="a xenkbd_in_event is wanted, not a xenkbd_key"
    ):
        pair.back.put(keyboard.xenkbd_key())
    with pytest.raises(TypeError, match="wanted, not a xenkbd_in_event"):
        pair.front.put(keyboard.xenkbd_in_event())
    assert pair.taken() == []


def test_a_page_of_one_direction_is_put_on_by_one_side(tmp_path: Path) -> None:
    display = module_of(tmp_path, "ours", DISPLIF)
    assert not hasattr(display.FrontEventPage, "put")
    assert not hasattr(display.BackEventPage, "events")
    page = bytearray(PAGE)
    display.BackEventPage(page).put(display.xendispl_evt(id=3))
    assert [event.id for event in display.FrontEventPage(page).events()] == [3]


def test_an_event_selects_what_it_holds(tmp_path: Path) -> None:
    spec_of_events = (
        '[event_ring.XENKBD_IN_RING_REF]\ntag = "type"\nprefix = "XENKBD_TYPE_"\n'
    )
    spec_of_events += '[event_ring.XENKBD_OUT_RING_REF]\nreader = "backend"\n'
    keyboard = module_of(tmp_path, "ours", KBDIF, "tagged_kbdif", spec_of_events)
    page = bytearray(PAGE)
    back, front = keyboard.BackEventPage(page), keyboard.FrontEventPage(page)
    for kind in (1, 2, 3, 4, 5, 200):
        back.put(keyboard.xenkbd_in_event(type=kind))
    names = [type(event.payload).__name__ for event in front.events()]
    assert names == [
        *("xenkbd_motion", "NoneType", "xenkbd_key", "xenkbd_position"),
        *("xenkbd_mtouch", "NoneType"),
    ]
    event = keyboard.xenkbd_in_event(type=3)
    event.payload.keycode = 7
    assert event.key.keycode == 7
    assert repr(event) == (
        "xenkbd_in_event(key=xenkbd_key(type=3, pressed=0, keycode=7))"
    )
    event.type = 2
    assert repr(event) == "xenkbd_in_event(type | motion | key | pos | mtouch)"
