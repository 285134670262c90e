"""Members through Python's own interface: what C fills is read, what is assigned C reads."""

from __future__ import annotations

import copy
import ctypes
import gc
import importlib
import pickle
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
from support import tree, xenbind

HEADER = """\
#define VM_EVENT_INTERFACE_VERSION 1
typedef char letter;
#define ALL (SOME | MORE)
#define SOME 1
#define MORE 2
#define MINUS (-1)
#define TOP 0x80000000
#define BOTH MINUS | TOP
struct text { uint8_t kind; char name[6]; };
struct texts { struct text first; char last[4]; char grid[2][3]; };
union either { char name[8]; uint64_t number; };
struct packed_text { uint8_t kind; char name[6]; uint32_t number; } __attribute__((packed));
struct bools { _Bool a : 1; _Bool b : 1; unsigned c : 6; _Bool d : 1; _Bool whole; };
struct address { uint32_t paddr, padlock, pad, _pad1, padding; };
struct odd { uint32_t _length_, _type_, _swappedbytes_, _fields_; };
struct tight { int a : 3; unsigned b : 7; uint64_t c : 60; int64_t d : 33; _Bool e : 1; }
    __attribute__((packed));
struct node { uint32_t value; };
struct link { uint8_t kind; struct node *next; const uint32_t *word; } __attribute__((packed));
union links { uint8_t kind; struct link link; struct node *next; } __attribute__((packed));
struct letters { letter a : 3; letter b : 5; char c : 4; };
"""
C_SIDE = """\
#include <stdint.h>
#include <string.h>
#include "vm_event.h"
void fill_text(struct text *t) { t->kind = 7; memcpy(t->name, "ab\\0de", 6); }
void fill_packed(struct packed_text *t) { memcpy(t->name, "ab\\0de", 6); t->number = 9; }
int letter_of(const struct text *t, int i) { return t->name[i]; }
void fill_bools(struct bools *s, int bits)
{ s->a = bits & 1; s->b = bits >> 1 & 1; s->c = bits >> 2; s->d = bits >> 8 & 1; s->whole = 1; }
int read_bools(const struct bools *s)
{ return s->a | s->b << 1 | s->c << 2 | s->d << 8 | s->whole << 9; }
void fill_letters(struct letters *s, int a, int b, int c) { s->a = a; s->b = b; s->c = c; }
int read_letters(const struct letters *s) { return s->a * 10000 + s->b * 100 + s->c; }
"""


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The C side, compiled from the same header."""
    folder = tree(tmp_path_factory.mktemp("c"), HEADER)
    (folder / "side.c").write_text(C_SIDE)
    command = "gcc -std=gnu11 -include stdint.h -shared -fPIC side.c -o side.so"
    subprocess.run(shlex.split(command), cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "side.so"))


@pytest.fixture(scope="module")
def py(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module that is generated from it, in a package of its own."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "spec.toml").write_text(
        '[interface]\nname = "members"\npackage = "members_package"\n'
        'header = "vm_event.h"\nneeds = ["stdint.h"]\n'
    )
    headers = tree(folder / "headers", HEADER)
    out: Path = folder / "out"
    made = xenbind(
        *("generate", "--spec", folder / "spec.toml"),
        *("--include", headers, "--out", out),
    )
    assert made.returncode == 0, made.stderr
    sys.path.insert(0, str(out))
    yield importlib.import_module("members_package.v0")
    sys.path.remove(str(out))


def test_chars_are_what_the_buffer_holds(c: Any, py: ModuleType) -> None:
    text = py.text()
    assert text.name == bytes(6)
    c.fill_text(ctypes.byref(text))
    assert text.name == b"ab\0de\0"
    text.name = b"xyz"
    assert [c.letter_of(ctypes.byref(text), index) for index in range(6)] == [
        *b"xyz",
        *(0, 0, 0),
    ]
    assert text.name == b"xyz\0\0\0"
    assert repr(text) == r"text(kind=7, name=b'xyz\x00\x00\x00')"


def test_chars_in_other_records(c: Any, py: ModuleType) -> None:
    texts = py.texts(last=b"last")
    texts.first.name = b"inner"
    texts.grid[1].raw = b"abc"
    assert bytes(texts) == b"\0inner\0last\0\0\0abc"
    assert texts.last == b"last"
    either = py.either(number=0x6261)
    assert either.name == b"ab\0\0\0\0\0\0"
    either.number = 0x63
    assert either.name == b"c\0\0\0\0\0\0\0"
    packed = py.packed_text()
    c.fill_packed(ctypes.byref(packed))
    assert (packed.name, packed.number) == (b"ab\0de\0", 9)
    packed.name = b"123456"
    assert (packed.kind, packed.name, packed.number) == (0, b"123456", 9)


@pytest.mark.parametrize("again", [copy.copy, lambda t: pickle.loads(pickle.dumps(t))])
def test_chars_in_copies(again: Any, py: ModuleType) -> None:
    assert again(py.text(name=b"a\0b")).name == b"a\0b\0\0\0"


@pytest.mark.parametrize(
    ("value", "error"),
    [(b"seven..", ValueError), ("str", TypeError), (5, TypeError)],
)
def test_what_is_no_chars_is_refused(
    value: Any, error: type[Exception], py: ModuleType
) -> None:
    text = py.text(name=b"old")
    with pytest.raises(error):
        text.name = value
    assert text.name == b"old\0\0\0"


@pytest.mark.parametrize("bits", range(0, 512, 7))
def test_bools_in_bit_fields(bits: int, c: Any, py: ModuleType) -> None:
    filled = py.bools()
    c.fill_bools(ctypes.byref(filled), bits)
    assert [filled.a, filled.b, filled.d, filled.whole] == [
        bool(bits & 1),
        bool(bits & 2),
        bool(bits & 256),
        True,
    ]
    assert filled.c == bits >> 2 & 63
    made = py.bools(a=bits & 1, b=bits & 2, c=bits >> 2, d=bits & 256)
    assert c.read_bools(ctypes.byref(made)) == bits


def test_typedefs_of_char_in_bit_fields(c: Any, py: ModuleType) -> None:
    letters = py.letters()
    c.fill_letters(ctypes.byref(letters), -3, 11, -8)
    assert (letters.a, letters.b, letters.c) == (-3, 11, -8)
    letters.b = -16
    assert c.read_letters(ctypes.byref(letters)) == -3 * 10000 - 16 * 100 - 8


def test_members_that_ctypes_takes_for_itself(py: ModuleType) -> None:
    odd = py.odd(_length__=1, _type__=2, _swappedbytes__=3, _fields__=4)
    assert bytes(odd) == bytes([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])


def test_columns_of_bit_fields(c: Any, py: ModuleType) -> None:
    arrays = importlib.import_module("members_package.runtime.arrays")
    records = [
        py.tight(a=-3, b=bit, c=2**40 + bit, d=-bit, e=bit % 2) for bit in range(9)
    ]
    held = numpy.frombuffer(b"".join(map(bytes, records)), arrays.dtype(py.tight))
    for name in "abcde":
        seen = arrays.column(held, py.tight, name)
        assert seen.tolist() == [getattr(record, name) for record in records], name


def test_what_a_pointer_leads_to_lives_as_long_as_its_record(py: ModuleType) -> None:
    held = []
    for value in range(500):
        link = py.link(kind=1, next=ctypes.pointer(py.node(value)))
        link.word = ctypes.pointer(ctypes.c_uint32(value + 1))
        links = py.links(next=ctypes.pointer(py.node(value + 2)))
        held.append((link, links))
    gc.collect()
    [bytes(size) for size in range(4096)]  # what was freed would be used again
    for value, (link, links) in enumerate(held):
        assert link.next.contents.value == value
        assert link.word.contents.value == value + 1
        assert links.next.contents.value == value + 2


def test_constants_have_the_values_of_c(py: ModuleType) -> None:
    assert (py.ALL, py.SOME, py.MORE) == (3, 1, 2)
    assert (py.MINUS, py.TOP, py.BOTH) == (-1, 0x80000000, 0xFFFFFFFF)


def test_what_is_printed_is_all_but_padding(py: ModuleType) -> None:
    assert repr(py.address(1, 2)) == "address(paddr=1, padlock=2)"


def test_raw_bytes_are_the_buffer(c: Any, py: ModuleType) -> None:
    package = importlib.import_module(py.__name__.rpartition(".")[0])
    page = bytearray(ctypes.sizeof(py.texts))
    record = py.texts.from_buffer(page)
    view = package.raw(record, "first.name")
    view[1:3] = b"\0x"
    assert record.first.name == bytes(view) == b"\0\0x\0\0\0"
    assert page[1:7] == record.first.name
    c.fill_text(ctypes.byref(record.first))
    assert bytes(view) == b"ab\0de\0"
    assert bytes(package.raw(record)) == bytes(page)

    tight = py.packed_text()
    package.raw(tight, "number")[:] = b"\1\2\0\0"
    assert tight.number == 0x201
    for path in ("first.nothing", "grid[0]"):
        with pytest.raises(ValueError, match="has no bytes of a member"):
            package.raw(record, path)
    with pytest.raises(ValueError, match="has no bytes of a member 'a'"):
        package.raw(py.bools(), "a")
