"""Pages with rings of bytes against C: a console's and XenStore's, by ours and by Xen's headers.

Each step runs on two copies of a page, one in C by the header's macro and one in Python. The
barriers are hooks that sum the page up and then change a word of it, as the other side may.
"""

from __future__ import annotations

import ctypes
import io
import mmap
import random
import shutil
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from byte_packages import CONSOLE, XS_WIRE, byte_library_of
from event_packages import OURS, Header, module_of, require_source, spec_text
from support import INSTALLED, require
from xenbind import pipeline, spec
from xenbind.ir.interface import BytePage
from xenbind.plain import replace
from xenbind.source import Coord

PAGE = 4096
U32 = 0xFFFF_FFFF
READERS = {"in": "Front", "rsp": "Front", "out": "Back", "req": "Back"}
OTHER = {"Front": "Back", "Back": "Front"}


def pages(folder: Path, header: Header, tree: Path) -> list[BytePage]:
    """The pages of a header, wherever they stand in it."""
    path = folder / "spec.toml"
    path.write_text(spec_text(header, "xen_bytes"))
    loaded = spec.load(path).for_tree(tree)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    nowhere = Coord("", 1, 1)
    return [
        BytePage(
            page.record,
            tuple(replace(ring, coord=nowhere) for ring in page.rings),
            nowhere,
        )
        for page in interface.byte_pages
    ]


@pytest.mark.parametrize("header", [CONSOLE, XS_WIRE], ids=lambda header: header.name)
def test_our_headers_declare_what_xen_s_do(header: Header, tmp_path: Path) -> None:
    require_source("xen's", header)
    ours = pages(tmp_path, header, OURS)
    assert [page.record for page in ours] == [header.page]
    assert ours == pages(tmp_path, header, INSTALLED / "io")


class Both:
    """A header's module and its macros in C, with a page for each."""

    def __init__(self, header: Header, module: ModuleType, library: Any) -> None:
        self.header, self.module, self.library = header, module, library
        self.c, self.python = bytearray(PAGE), bytearray(PAGE)
        self.c_page = (ctypes.c_char * PAGE).from_buffer(self.c)
        self.sums: list[int] = []
        self.script: list[tuple[int, int]] = []
        self.xen_mb = lambda: self.hook(1)
        self.xen_wmb = lambda: self.hook(2)
        self.xen_rmb = lambda: self.hook(3)

    def place(self, direction: str) -> Any:
        return self.side(direction, reads=True).reads

    def side(self, direction: str, reads: bool) -> Any:
        """The side that reads a direction, or the one that writes it, on Python's page."""
        reader = READERS[direction]
        word = reader if reads else OTHER[reader]
        return getattr(self.module, f"{word}ByteRing")(self.python, barriers=self)

    def hook(self, kind: int) -> None:
        place, word = self.script[len(self.sums)]
        self.sums.append(zlib.adler32(self.python, kind))
        self.python[place : place + 4] = word.to_bytes(4, "little")

    def fill(self, dice: random.Random, direction: str) -> None:
        """Put both pages into one random state, and have the other side plan its steps."""
        self.python[:] = bytes(PAGE)
        place = self.place(direction)
        self.c[:] = dice.randbytes(PAGE)
        consumed = near(dice)
        sizes = [0, 1, place.size - 1, place.size, place.size + 1, 1 << 31, U32]
        produced = consumed + dice.choice([*sizes, dice.randint(0, place.size)])
        for at, word in ((place.consumer, consumed), (place.producer, produced & U32)):
            self.c[at : at + 4] = word.to_bytes(4, "little")
        self.python[:] = self.c
        self.script = [(4 * dice.randrange(PAGE // 4), near(dice)) for _ in range(8)]
        self.sums = []

    def word(self, at: int) -> int:
        return int.from_bytes(self.c[at : at + 4], "little")

    def in_c(self, function: str, *arguments: Any) -> int:
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


def near(dice: random.Random) -> int:
    """An index: around one of the places where 32-bit arithmetic turns, or anywhere."""
    base = dice.choice([0, 1 << 31, 1 << 32, dice.getrandbits(32)])
    return (base + dice.choice([-1, 0, 1, dice.randint(-2100, 2100)])) % (1 << 32)


@pytest.fixture(
    scope="module",
    params=[(s, h) for s in ("ours", "xen's") for h in (CONSOLE, XS_WIRE)],
    ids=lambda source: f"{source[0]}-{source[1].name}",
)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    source, header = request.param
    require(shutil.which("gcc") is not None, "gcc")
    require_source(source, header)
    folder = tmp_path_factory.mktemp("bytes")
    library = byte_library_of(folder, source, header)
    return Both(header, module_of(folder, source, header), library)


def overflow(step: Any, *arguments: Any) -> tuple[int, int]:
    """The index of the other side's that a step finds impossible, and our own."""
    try:
        step(*arguments)
    except RuntimeError as error:
        assert type(error).__name__ == "RingOverflow"
        return vars(error)["theirs"], vars(error)["ours"]
    raise AssertionError("no overflow was found")


def test_a_byte_has_the_place_that_the_macro_gives(both: Both) -> None:
    dice = random.Random(1)
    for direction in both.header.events:
        place = both.place(direction)
        for index in (near(dice) for _ in range(500)):
            in_c = both.library[f"place_{direction}"](ctypes.c_uint32(index))
            both.python[:] = bytes(PAGE)
            for at in (place.consumer, place.producer):
                both.python[at : at + 4] = index.to_bytes(4, "little")
            both.script, both.sums = [(PAGE - 4, 0)] * 8, []
            assert both.side(direction, reads=False).write(b"!") == 1
            assert both.python[in_c] == ord("!")


def test_what_is_written_is_as_c_writes_it(both: Both, exhaustive: bool) -> None:
    dice = random.Random(2)
    for direction in both.header.events:
        for _ in range(3000 if exhaustive else 200):
            both.fill(dice, direction)
            data = dice.randbytes(dice.choice([0, 1, 7, 600, 1024, 3000]))
            side, place = both.side(direction, reads=False), both.place(direction)
            index = ctypes.c_uint32(both.word(place.producer))
            arguments = ctypes.byref(index), data, len(data)
            written = both.in_c(f"write_{direction}", *arguments)
            if written < 0:
                told = both.word(place.consumer), index.value
                assert overflow(side.write, data) == told
                assert overflow(getattr, side, "free") == told
            else:
                assert side.write(data) == written
            both.check()


def test_what_is_read_is_as_c_reads_it(both: Both, exhaustive: bool) -> None:
    dice = random.Random(3)
    buffer = ctypes.create_string_buffer(4000)
    for direction in both.header.events:
        for _ in range(3000 if exhaustive else 200):
            both.fill(dice, direction)
            size = dice.choice([0, 1, 7, 600, 1024, 3000])
            side, place = both.side(direction, reads=True), both.place(direction)
            index = ctypes.c_uint32(both.word(place.consumer))
            taken = both.in_c(f"read_{direction}", ctypes.byref(index), buffer, size)
            if taken < 0:
                told = both.word(place.producer), index.value
                assert overflow(side.read, size) == told
            else:
                assert side.read(size) == buffer.raw[:taken]
            both.check()


@pytest.mark.parametrize("writer", ["c", "python"])
@pytest.mark.parametrize("reader", ["c", "python"])
def test_each_byte_arrives_once(
    writer: str, reader: str, both: Both, exhaustive: bool
) -> None:
    count = 1_000_000 if exhaustive else 50_000
    buffer = ctypes.create_string_buffer(4000)
    for direction in both.header.events:
        dice = random.Random(4)
        start = (-count // 2) & U32
        place = both.place(direction)
        page = bytearray(PAGE)
        for at in (place.consumer, place.producer):
            page[at : at + 4] = start.to_bytes(4, "little")
        c_page = (ctypes.c_char * PAGE).from_buffer(page)
        reads = getattr(both.module, f"{READERS[direction]}ByteRing")(page)
        writes = getattr(both.module, f"{OTHER[READERS[direction]]}ByteRing")(page)
        produced, consumed = ctypes.c_uint32(start), ctypes.c_uint32(start)
        no_steps = b"".join(
            (PAGE - 4).to_bytes(4, "little") + bytes(4) for _ in "x" * 8
        )
        sent, received = bytearray(), bytearray()
        while len(received) < count:
            data = dice.randbytes(min(dice.randrange(1500), count - len(sent)))
            both.library.begin(c_page, no_steps)
            if writer == "python":
                written = writes.write(data)
            else:
                arguments = ctypes.byref(produced), data, len(data)
                written = both.library[f"write_{direction}"](c_page, *arguments)
            sent += data[:written]
            size = dice.randrange(1500)
            both.library.begin(c_page, no_steps)
            if reader == "python":
                received += reads.read(size)
            else:
                take = both.library[f"read_{direction}"]
                taken = take(c_page, ctypes.byref(consumed), buffer, size)
                received += buffer.raw[:taken]
        assert received == sent


# What else the sides are.


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return module_of(tmp_path_factory.mktemp("console"), "ours", CONSOLE)


def test_both_sides_talk(console: ModuleType) -> None:
    page = bytearray(PAGE)
    guest, host = console.FrontByteRing(page), console.BackByteRing(page)
    assert (guest.free, host.free) == (2048, 1024)
    assert guest.write(b"login: ") == 7
    assert (host.queued, host.read()) == (7, b"login: ")
    assert host.write(b"root\n") == 5
    assert guest.peek(4) == b"root"
    assert guest.read() == b"root\n"
    assert guest.write(b"x" * 3000) == 2048


def test_none_is_all_that_there_is_as_with_files(console: ModuleType) -> None:
    page = bytearray(PAGE)
    guest, host = console.FrontByteRing(page), console.BackByteRing(page)
    guest.write(b"login: ")
    assert host.peek(None) == host.peek() == b"login: "
    assert host.read(None) == b"login: "
    assert host.read(None) == b""


def test_a_side_is_a_file(console: ModuleType) -> None:
    page = bytearray(PAGE)
    guest, host = console.FrontByteRing(page), console.BackByteRing(page)
    host.write(b"one\ntwo\n")
    lines = io.BufferedReader(guest.file())
    assert [lines.readline(), lines.readline()] == [b"one\n", b"two\n"]


def test_a_page_can_be_closed_behind_the_with_block(console: ModuleType) -> None:
    page = mmap.mmap(-1, PAGE)
    with console.FrontByteRing(page) as guest:
        guest.write(b"bye")
    page.close()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(bytes(PAGE), id="bytes"),
        pytest.param(bytearray(3087), id="too small"),
    ],
)
def test_a_side_needs_a_writable_page(page: Any, console: ModuleType) -> None:
    for side in (console.FrontByteRing, console.BackByteRing):
        with pytest.raises(ValueError, match="a writable page of 3088 bytes or more"):
            side(page)


def test_nothing_outside_of_the_page_is_touched(console: ModuleType) -> None:
    dice = random.Random(5)
    memory = bytearray(b"\xaa" * 3 * PAGE)
    page = memoryview(memory)[PAGE : 2 * PAGE]
    for _ in range(500):
        page[:] = dice.randbytes(PAGE)
        if dice.randrange(2):
            page[3072:3088] = b"".join(near(dice).to_bytes(4, "little") for _ in "four")
        for side in (console.FrontByteRing(page), console.BackByteRing(page)):
            try:
                side.write(bytes(3000))
                assert len(side.read()) <= 2048
            except RuntimeError as error:
                assert type(error).__name__ == "RingOverflow"
    assert memory[:PAGE] == memory[2 * PAGE :] == b"\xaa" * PAGE
