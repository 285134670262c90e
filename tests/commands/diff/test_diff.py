"""What tells two versions of an interface apart, and which differences break a monitor.

The rules are a table: two headers, the verdict, and the words.  The project's own
versions have golden files in tests/golden/diff, and the facts that a C compiler found
about Xen's headers hold them to account.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from golden_files import ACCEPT, check_golden
from hypothesis import given
from hypothesis import strategies as st
from support import INSTALLED, PROJECT, SPEC, require, tree, xenbind
from xenbind import spec as specs
from xenbind.commands.diff.as_json import as_json
from xenbind.commands.diff.compare import Difference, Verdict, diff
from xenbind.commands.diff.members import Member, MemberChange
from xenbind.commands.diff.text import Kind, lines
from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import Scalar
from xenbind.ir.interface import Field, Interface, Record
from xenbind.ir.layout import Part, lay_out
from xenbind.pipeline import read
from xenbind.plain import replace
from xenbind.source import Coord
from xenbind.toolchain.compiler import find_compiler

GOLDEN = PROJECT / "tests" / "golden" / "diff"
FACTS = PROJECT / "tests" / "data" / "facts"
MACRO = "VM_EVENT_INTERFACE_VERSION"
RELEASES = [version.directory.name for version in specs.load(SPEC).versions]
PAIRS = list(pairwise(RELEASES))
# A version that has just been added has no golden file before `make accept`.
SHOWN = [
    (old, new)
    for old, new in PAIRS
    if ACCEPT in os.environ or (GOLDEN / f"{old}-{new}.txt").exists()
]

SAME, ADDITIONS, BREAKING = Verdict.SAME, Verdict.ADDITIONS, Verdict.BREAKING

Side = Callable[[str, str, int], Interface]
Compare = Callable[..., Difference]


@pytest.fixture(scope="session")
def versions() -> dict[str, Interface]:
    """The project's own interfaces, by the first release that has each."""
    spec = specs.load(SPEC)
    command = find_compiler(None)
    found = [read(spec, version, command) for version in spec.versions]
    return dict(zip(RELEASES, found, strict=True))


def plain(found: Difference, *sides: str) -> str:
    """The lines as a terminal without colours shows them."""
    return "".join(f"{line}\n" for line in lines(found, *sides))


def read_tree(folder: Path) -> Interface:
    spec = specs.load(SPEC).for_tree(folder)
    return read(spec, spec.versions[0], find_compiler(None))


@pytest.fixture
def side(tmp_path: Path) -> Side:
    """Read a header, given by a name, C declarations and a version number."""

    def read_side(name: str, text: str, number: int) -> Interface:
        header = f"#define {MACRO} {number}\nstruct first {{ int x; }};\n{text}\n"
        return read_tree(tree(tmp_path / name, header))

    return read_side


@pytest.fixture
def compare(side: Side) -> Compare:
    """Compare two headers given as C declarations and version numbers."""

    def run(old: str, new: str, numbers: tuple[int, int] = (1, 2)) -> Difference:
        return diff(side("old", old, numbers[0]), side("new", new, numbers[1]), MACRO)

    return run


# --- the rules ------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One rule; `told` is the text below the first line."""

    name: str
    old: str
    new: str
    verdict: Verdict
    told: str


CONSTANTS = [
    Rule(
        "a constant added is an addition",
        old="#define A 1",
        new="#define A 1\n#define B (1 << 4)\n#define C (A) | (B)",
        verdict=ADDITIONS,
        told="""
        constants
          + B = 1 << 4
          + C = (A) | (B)
        """,
    ),
    Rule(
        "a constant removed breaks",
        old="#define A 1\n#define B (A | 4)",
        new="#define A 1",
        verdict=BREAKING,
        told="""
        constants
          - B = A | 4
        """,
    ),
    Rule(
        "a constant of a new value breaks, and so does one that is made of it",
        old="#define A 1\n#define B (A | 4)",
        new="#define A 2\n#define B (A | 4)",
        verdict=BREAKING,
        told="""
        constants
          ~ A: 1 → 2
          ~ B: 5 → 6
        """,
    ),
    Rule(
        "a constant written in another way is the same",
        old="#define A 0x10\n#define B (1) | (2)",
        new="#define A (1 << 4)\n#define B 3",
        verdict=SAME,
        told="",
    ),
]

STRUCTS = [
    Rule(
        "a struct added is an addition",
        old="",
        new="struct s { uint32_t a; };",
        verdict=ADDITIONS,
        told="""
        structs and unions
          + struct s (4 bytes)
        """,
    ),
    Rule(
        "a struct removed breaks",
        old="struct s { uint8_t a; };",
        new="",
        verdict=BREAKING,
        told="""
        structs and unions
          - struct s (1 byte)
        """,
    ),
    Rule(
        "a struct under another tag is another struct",
        old="struct s { uint32_t a; };",
        new="struct t { uint32_t a; };",
        verdict=BREAKING,
        told="""
        structs and unions
          - struct s (4 bytes)
          + struct t (4 bytes)
        """,
    ),
    Rule(
        "the order of declarations does not count",
        old="struct s { int a; };\nstruct t { int b; };\n#define A 1\n#define B 2",
        new="#define B 2\n#define A 1\nstruct t { int b; };\nstruct s { int a; };",
        verdict=SAME,
        told="",
    ),
]

MEMBERS = [
    Rule(
        "a member in the middle breaks: it moves those behind it",
        old="struct s { uint64_t a, b, c, d, e; };",
        new="struct s { uint64_t a, new, b, c, d, e; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 40 to 48 bytes
          + new: uint64_t at byte 8
          ~ b to e: 4 members moved by +8 bytes
        """,
    ),
    Rule(
        "a member at the end breaks: it makes the struct larger",
        old="struct s { uint64_t a; };",
        new="struct s { uint64_t a, b, c; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 8 to 24 bytes
          + b, c: uint64_t from byte 8
        """,
    ),
    Rule(
        "members that change places break, those that stay are not told",
        old="struct s { uint32_t a, b, c; };",
        new="struct s { uint32_t c, b, a; };",
        verdict=BREAKING,
        told="""
        struct s: still 12 bytes
          ~ c: moved by -8 bytes
          ~ a: moved by +8 bytes
        """,
    ),
    Rule(
        "a member that stays parts those that move alike",
        old="struct s { uint16_t a, pad1; uint32_t b; uint16_t c, pad2; };",
        new="struct s { uint16_t pad1, a; uint32_t b; uint16_t pad2, c; };",
        verdict=BREAKING,
        told="""
        struct s: still 12 bytes
          ~ a: moved by +2 bytes
          ~ c: moved by +2 bytes
        """,
    ),
    Rule(
        "padding does not part them",
        old="struct s { uint32_t a; uint16_t b, pad; uint32_t c; };",
        new="struct s { uint32_t new, a; uint16_t b, pad; uint32_t c; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 12 to 16 bytes
          + new: uint32_t at byte 0
          ~ a, b, c: moved by +4 bytes
        """,
    ),
    Rule(
        "a member removed breaks, though nothing moves",
        old="struct s { uint64_t a; uint8_t b, c; };",
        new="struct s { uint64_t a; uint8_t b; };",
        verdict=BREAKING,
        told="""
        struct s: still 16 bytes
          - c: uint8_t at byte 9
        """,
    ),
    Rule(
        "a member of another size breaks, though nothing moves",
        old="struct s { uint32_t a; uint64_t b; };",
        new="struct s { uint64_t a; uint64_t b; };",
        verdict=BREAKING,
        told="""
        struct s: still 16 bytes
          ~ a: uint32_t → uint64_t, grew from 4 to 8 bytes
        """,
    ),
    Rule(
        "another name for the type of one size and sign is the same",
        old="struct s { uint32_t a; };",
        new="typedef unsigned int index;\nstruct s { index a; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 4 bytes
            a: uint32_t → index, the same layout

        typedefs
          + index = unsigned int
        """,
    ),
    Rule(
        "another sign breaks",
        old="struct s { uint32_t a; };",
        new="struct s { int32_t a; };",
        verdict=BREAKING,
        told="""
        struct s: still 4 bytes
          ~ a: uint32_t → int32_t
        """,
    ),
    Rule(
        "a name that comes to stand for another type is told with that type",
        old="typedef uint32_t index;\nstruct s { index a; };",
        new="typedef int32_t index;\nstruct s { index a; };",
        verdict=BREAKING,
        told="""
        struct s: still 4 bytes
          ~ a: index (uint32_t) → index (int32_t)

        typedefs
          ~ index: uint32_t → int32_t
        """,
    ),
    Rule(
        "a new name at the old place is a rename, and breaks",
        old="struct s { uint64_t a, value; };",
        new="struct s { uint64_t a, new_value, old_value; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 16 to 24 bytes
          ~ value: renamed to new_value
          + old_value: uint64_t at byte 16
        """,
    ),
    Rule(
        "several members renamed in a row",
        old="struct s { uint32_t a, b; };",
        new="struct s { uint32_t x, y; };",
        verdict=BREAKING,
        told="""
        struct s: still 8 bytes
          ~ a: renamed to x
          ~ b: renamed to y
        """,
    ),
    Rule(
        "another type at the old place is no rename",
        old="struct s { uint32_t a; };",
        new="struct s { int32_t b; };",
        verdict=BREAKING,
        told="""
        struct s: still 4 bytes
          - a: uint32_t at byte 0
          + b: int32_t at byte 0
        """,
    ),
    Rule(
        "a member that came to the old place behind another one is no rename",
        old="struct s { uint64_t a; uint32_t b; };",
        new="struct s { uint32_t c, d, e; uint64_t a; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 16 to 24 bytes
          + c, d, e: uint32_t from byte 0
          ~ a: moved by +16 bytes
          - b: uint32_t at byte 8
        """,
    ),
    Rule(
        "a bit-field made wider breaks",
        old="struct s { uint32_t limit : 20, ar : 12; };",
        new="struct s { uint32_t limit : 23, ar : 9; };",
        verdict=BREAKING,
        told="""
        struct s: still 4 bytes
          ~ limit: from 20 to 23 bits
          ~ ar: from 12 to 9 bits, moved by +3 bits
        """,
    ),
    Rule(
        "a bit-field in bits that were free is an addition",
        old="struct s { uint32_t limit : 20; };",
        new="struct s { uint32_t limit : 20, ar : 4, more : 4; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 4 bytes
          + ar: uint32_t at byte 0, bits 20 to 23, in former padding
          + more: uint32_t at byte 0, bits 24 to 27, in former padding
        """,
    ),
]

PADDING = [
    Rule(
        "a member in place of padding is an addition",
        old="struct s { uint32_t a; uint32_t _pad; };",
        new="struct s { uint32_t a; uint16_t b; uint16_t _pad; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 8 bytes
          + b: uint16_t at byte 4, in former padding
            padding: _pad shrank from 4 to 2 bytes
        """,
    ),
    Rule(
        "a member that takes all of the padding is no renamed padding",
        old="struct s { uint32_t a; uint32_t _pad; };",
        new="struct s { uint32_t a; uint32_t b; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 8 bytes
          + b: uint32_t at byte 4, in former padding
            padding: _pad gone
        """,
    ),
    Rule(
        "a member in a hole that the compiler left is an addition",
        old="struct s { uint32_t a; uint64_t b; };",
        new="struct s { uint32_t a; uint32_t new; uint64_t b; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 16 bytes
          + new: uint32_t at byte 4, in former padding
        """,
    ),
    Rule(
        "padding under another name, or of another type, is the same",
        old="struct s { uint8_t a; uint8_t _pad[3]; uint32_t b, pad2; };",
        new="struct s { uint8_t a; uint8_t __pad[3]; uint32_t b; uint16_t pad2[2]; };",
        verdict=SAME,
        told="""
        struct s: still 12 bytes
            padding: _pad gone, __pad new, pad2 uint32_t → uint16_t[2]
        """,
    ),
    Rule(
        "a name that only begins like padding is a member",
        old="struct s { uint64_t paddr; };",
        new="struct s { uint64_t maddr; };",
        verdict=BREAKING,
        told="""
        struct s: still 8 bytes
          ~ paddr: renamed to maddr
        """,
    ),
]

UNIONS = [
    Rule(
        "a union member that fits is an addition, and no rename of its neighbour",
        old="struct s { union { uint64_t a; } u; };",
        new="struct s { union { uint64_t a; uint64_t b; uint32_t c; } u; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 8 bytes
          + u.b: uint64_t
          + u.c: uint32_t
        """,
    ),
    Rule(
        "a union member of another name at the one place is no rename",
        old="union u { uint32_t a; uint32_t b; };",
        new="union u { uint32_t a; uint32_t c; };",
        verdict=BREAKING,
        told="""
        union u: still 4 bytes
          - b: uint32_t
          + c: uint32_t
        """,
    ),
    Rule(
        "a union member that does not fit breaks",
        old="struct s { union { uint64_t a; } u; uint64_t z; };",
        new="struct s { union { uint64_t a; uint64_t b[2]; } u; uint64_t z; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 16 to 24 bytes
          + u.b: uint64_t[2]
          ~ z: moved by +8 bytes
          ~ u: grew by 8 bytes
        """,
    ),
    Rule(
        "the order in a union does not count",
        old="union u { uint32_t a; uint64_t b; };",
        new="union u { uint64_t b; uint32_t a; };",
        verdict=SAME,
        told="",
    ),
    Rule(
        "what an anonymous struct holds goes by its path, with its place in the whole",
        old="struct s { uint32_t a; struct { uint32_t x, y; } in; };",
        new="struct s { uint32_t a; struct { uint32_t x, z; } in; };",
        verdict=BREAKING,
        told="""
        struct s: still 12 bytes
          ~ in.y: renamed to in.z
        """,
    ),
    Rule(
        "an anonymous struct that moves is told once, not by its members",
        old="struct s { struct { uint32_t x, y; } in; uint32_t a, b; };",
        new="struct s { uint32_t a; struct { uint32_t x, y; } in; uint32_t b; };",
        verdict=BREAKING,
        told="""
        struct s: still 16 bytes
          ~ a: moved by -8 bytes
          ~ in: moved by +4 bytes
        """,
    ),
    Rule(
        "it moves along with its neighbours",
        old="struct s { uint32_t a; struct { uint32_t x, y; } in; uint32_t b; };",
        new="struct s { uint32_t new, a; struct { uint32_t x, y; } in; uint32_t b; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 16 to 20 bytes
          + new: uint32_t at byte 0
          ~ a, in, b: moved by +4 bytes
        """,
    ),
    Rule(
        "an anonymous struct that becomes a union breaks",
        old="struct s { struct { uint32_t x, y; } in; };",
        new="struct s { union { uint32_t x, y[2]; } in; };",
        verdict=BREAKING,
        told="""
        struct s: still 8 bytes
          ~ in: struct <anonymous> → union <anonymous>
        """,
    ),
    Rule(
        "an array of anonymous structs",
        old="struct s { struct { uint16_t x; uint16_t _pad; } in[2]; };",
        new="struct s { struct { uint16_t x; uint16_t y; } in[2]; };",
        verdict=ADDITIONS,
        told="""
        struct s: still 8 bytes
          + in[].y: uint16_t at byte 2, in former padding
            padding: in[]._pad gone
        """,
    ),
]

NESTED = """
struct inner {{ {} }};
struct outer {{ uint64_t a; struct inner one; struct inner two; uint64_t z; }};
union shell {{ struct outer outer; uint64_t raw; }};
"""

CONTAINERS = [
    Rule(
        "what happens in a struct is told there; what follows from it is told in a line",
        old=NESTED.format("uint64_t x;"),
        new=NESTED.format("uint64_t x, y;"),
        verdict=BREAKING,
        told="""
        struct inner: grew from 8 to 16 bytes
          + y: uint64_t at byte 8

        in consequence
          ~ struct outer: grew from 32 to 48 bytes; two: moved by +8 bytes;\
 z: moved by +16 bytes; one, two: grew by 8 bytes
          ~ union shell: grew from 32 to 48 bytes; outer: grew by 16 bytes
        """,
    ),
    Rule(
        "a member of another struct with the same members is the same",
        old="struct s { uint32_t x; };\nstruct t { struct s m; };",
        new="struct s { uint32_t x; };\nstruct r { uint32_t x; };\n"
        "struct t { struct r m; };",
        verdict=ADDITIONS,
        told="""
        structs and unions
          + struct r (4 bytes)

        struct t: still 4 bytes
            m: struct s → struct r, the same layout
        """,
    ),
    Rule(
        "a member of another struct breaks",
        old="struct s { uint32_t x; };\nstruct r { uint32_t y; };\n"
        "struct t { struct s m; };",
        new="struct s { uint32_t x; };\nstruct r { uint32_t y; };\n"
        "struct t { struct r m; };",
        verdict=BREAKING,
        told="""
        struct t: still 4 bytes
          ~ m: struct s → struct r
        """,
    ),
]

OPEN_ENDED = [
    Rule(
        "ring[1] and ring[] are the same ring",
        old="struct s { uint64_t count; uint64_t ring[1]; };",
        new="struct s { uint64_t count; uint64_t ring[]; };",
        verdict=SAME,
        told="""
        struct s
            ring: uint64_t[1] → uint64_t[], the same layout
        """,
    ),
    Rule(
        "an array with a length is not open-ended",
        old="struct s { uint64_t count; uint64_t ring[1]; };",
        new="struct s { uint64_t count; uint64_t ring[2]; };",
        verdict=BREAKING,
        told="""
        struct s: grew from 16 to 24 bytes
          ~ ring: uint64_t[1] → uint64_t[2], grew from 8 to 16 bytes
        """,
    ),
    Rule(
        "an entry that grows is told at the entry, not at the ring",
        old="struct e { uint64_t x; };\nstruct s { struct e ring[1]; };",
        new="struct e { uint64_t x, y; };\nstruct s { struct e ring[1]; };",
        verdict=BREAKING,
        told="""
        struct e: grew from 8 to 16 bytes
          + y: uint64_t at byte 8
        """,
    ),
    Rule(
        "an entry of another type breaks",
        old="struct s { uint32_t count; uint32_t ring[1]; };",
        new="struct s { uint32_t count; uint16_t ring[1]; };",
        verdict=BREAKING,
        told="""
        struct s
          ~ ring: uint32_t[1] → uint16_t[1]
        """,
    ),
    Rule(
        "a ring that begins elsewhere breaks",
        old="struct s { uint64_t count; uint64_t ring[1]; };",
        new="struct s { uint64_t count, more; uint64_t ring[]; };",
        verdict=BREAKING,
        told="""
        struct s
          + more: uint64_t at byte 8
          ~ ring: uint64_t[1] → uint64_t[], moved by +8 bytes
        """,
    ),
]

TYPEDEFS = [
    Rule(
        "a typedef added is an addition",
        old="",
        new="typedef struct first first_t;",
        verdict=ADDITIONS,
        told="""
        typedefs
          + first_t = struct first
        """,
    ),
    Rule(
        "a typedef removed breaks",
        old="typedef struct first first_t;",
        new="",
        verdict=BREAKING,
        told="""
        typedefs
          - first_t = struct first
        """,
    ),
    Rule(
        "a typedef for another type breaks",
        old="typedef uint32_t word;",
        new="typedef uint64_t word;",
        verdict=BREAKING,
        told="""
        typedefs
          ~ word: uint32_t → uint64_t
        """,
    ),
    Rule(
        "a typedef for another type of the same layout is the same",
        old="typedef uint32_t word;",
        new="typedef unsigned int word;",
        verdict=SAME,
        told="""
        typedefs
            word: uint32_t → unsigned int, the same layout
        """,
    ),
]

KINDS = [
    *(CONSTANTS, STRUCTS, MEMBERS, PADDING),
    *(UNIONS, CONTAINERS, OPEN_ENDED, TYPEDEFS),
]
RULES = [rule for kind in KINDS for rule in kind]
# The first rule of each kind, and the others with --exhaustive.
SAMPLED = [
    pytest.param(rule, marks=() if index == 0 else pytest.mark.exhaustive)
    for kind in KINDS
    for index, rule in enumerate(kind)
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule(rule: Rule, compare: Compare) -> None:
    found = compare(rule.old, rule.new, (1, 1))
    head = f"vm_event version 1 → 1: {rule.verdict.value}\n"
    if rule.verdict is BREAKING:
        head += f"warning: the ABI broke but {MACRO} is still 1\n"
    told = dedent(rule.told)
    assert plain(found) == head + told
    assert found.verdict is rule.verdict
    assert found.unannounced is (rule.verdict is BREAKING)


@pytest.mark.parametrize("rule", SAMPLED, ids=lambda rule: rule.name)
def test_nothing_differs_from_itself(rule: Rule, side: Side) -> None:
    read_once = side("one", rule.new, 1)
    found = diff(read_once, read_once, MACRO)
    assert found.verdict is SAME
    assert (found.constants, found.records, found.typedefs) == ((), (), ())


def test_each_line_has_the_kind_to_colour_it_by(compare: Compare) -> None:
    found = compare(
        "#define A 1\n#define B 1\nstruct s { uint8_t a, _pad[3]; };",
        "#define A 2\n#define C 1\nstruct s { uint8_t a, b, _pad[2]; };",
        (1, 1),
    )
    assert [(line.kind.value, line.text) for line in lines(found)] == [
        ("heading", "vm_event version 1 → 1: breaking"),
        ("warning", f"the ABI broke but {MACRO} is still 1"),
        ("note", ""),
        ("heading", "constants"),
        ("changed", "A: 1 → 2"),
        ("removed", "B = 1"),
        ("added", "C = 1"),
        ("note", ""),
        ("heading", "struct s: still 4 bytes"),
        ("added", "b: uint8_t at byte 1, in former padding"),
        ("note", "padding: _pad shrank from 3 to 2 bytes"),
    ]


# --- the version number -----------------------------------------------------------------

GROWN = "struct s { int x; };", "struct s { int x, y; };"


def test_a_break_under_a_new_number_is_announced(compare: Compare) -> None:
    found = compare(*GROWN, (1, 2))
    assert (found.verdict, found.unannounced) == (BREAKING, False)
    assert not any(line.kind is Kind.WARNING for line in lines(found))


def test_the_version_number_is_no_changed_constant(compare: Compare) -> None:
    found = compare("", "", (6, 7))
    assert found.verdict is SAME
    assert found.constants == ()
    assert plain(found) == (
        "vm_event version 6 → 7: same\n"
        f"    a monitor that compares {MACRO} has to be rebuilt nevertheless\n"
    )


def test_what_is_no_number_is_the_same_as_before(compare: Compare) -> None:
    infinite = "#define A __builtin_inf()\n"
    no_number = '#define B __builtin_nan("")\nstruct s { int x; };'
    assert compare(no_number, no_number).verdict == SAME
    changed = compare("#define A 1.5\n" + no_number, infinite + no_number)
    (told,) = as_json(changed)["constants"]
    assert (told["name"], told["old"], told["new"]) == ("A", 1.5, "inf")


def test_an_enumerator_has_a_value_though_the_header_says_none(
    compare: Compare,
) -> None:
    found = compare("enum e { A, B };", "enum e { A, NEW, B };")
    assert "+ NEW = 1\n" in plain(found)
    assert "B: 1 → 2\n" in plain(found)


def test_the_sides_can_be_named(compare: Compare) -> None:
    found = compare("", "", (7, 7))
    first = lines(found, "Xen 4.17", "headers/v7")[0]
    assert first.text == "vm_event version 7 (Xen 4.17) → 7 (headers/v7): same"


# --- the project's own versions ---------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), SHOWN)
def test_text(old: str, new: str, versions: dict[str, Interface]) -> None:
    found = diff(versions[old], versions[new], MACRO)
    check_golden(GOLDEN / f"{old}-{new}.txt", plain(found, f"Xen {old}", f"Xen {new}"))


def test_json(versions: dict[str, Interface]) -> None:
    found = as_json(diff(versions["4.13"], versions["4.14"], MACRO))
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    check_golden(GOLDEN / "4.13-4.14.json", text)


def test_json_has_no_size_where_it_means_nothing(compare: Compare) -> None:
    found = compare(
        "struct s { uint64_t count; uint64_t ring[1]; };",
        "struct s { uint64_t count; uint64_t ring[]; };",
    )
    (told,) = as_json(found)["records"]
    assert (told["name"], told["old_size"], told["new_size"]) == (
        "struct s",
        None,
        None,
    )


def test_installed_headers_are_those_of_their_release(
    versions: dict[str, Interface],
) -> None:
    header = INSTALLED / "vm_event.h"
    require(header.exists(), str(header))
    has_io = "VM_EVENT_REASON_IO_INSTRUCTION" in header.read_text()
    is_flexible = "FLEX_ARRAY_DIM" in (INSTALLED / "io" / "ring.h").read_text()
    release = "4.17" if not has_io else "4.19" if is_flexible else "4.18"
    found = diff(read_tree(INSTALLED), versions[release], MACRO)
    assert (found.verdict, found.records) == (SAME, ())


# --- against the compiler's facts -------------------------------------------------------

Leaf = tuple[int, int, int | None, int | None]  # offset, size, first bit, bits


def facts(release: str) -> dict[str, Any]:
    path = FACTS / f"xen-{release}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def leaves(
    fields: list[Any], path: str = "", base: int = 0
) -> Iterator[tuple[str, Leaf]]:
    """The members but padding by their paths, with offset, size, first bit and bits."""
    for field in fields:
        name, offset = path + field["name"], base + field["offset"]
        if "members" in field:
            yield from leaves(field["members"], f"{name}.", offset)
        elif not field["name"].startswith(("_pad", "__pad")):
            bit, bits = field.get("bit_offset"), field.get("bit_size")
            yield name, (offset, field["size"], bit, bits)


def place(member: Member) -> tuple[str, Leaf]:
    bits = member.bit_offset, member.bit_width
    return member.name, (member.offset, member.size, *bits)


def is_container(change: MemberChange) -> bool:
    """Whether a member is an anonymous struct or union, not in the compiler's list."""
    return change.new is not None and "<anonymous>" in change.new.type


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_constants_are_those_the_compiler_finds(
    old: str, new: str, versions: dict[str, Interface]
) -> None:
    before, after = (set(facts(v)["constants"].items()) for v in (old, new))
    found = diff(versions[old], versions[new], MACRO).constants
    removed = {(c.old.name, c.old.value) for c in found if c.old}
    added = {(c.new.name, c.new.value) for c in found if c.new}
    assert removed == before - after - {(MACRO, versions[old].version)}
    assert added == after - before - {(MACRO, versions[new].version)}


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_records_are_those_the_compiler_finds(
    old: str, new: str, versions: dict[str, Interface]
) -> None:
    before, after = facts(old)["types"], facts(new)["types"]
    found = diff(versions[old], versions[new], MACRO).records
    added = {c.new.key for c in found if c.new and not c.old}
    removed = {c.old.key for c in found if c.old and not c.new}
    resized = {
        (c.new.key, c.old.size, c.new.size)
        for c in found
        if c.old and c.new and c.old.size != c.new.size and not c.open_ended
    }
    assert added == after.keys() - before.keys()
    assert removed == before.keys() - after.keys()
    assert resized == {
        (key, before[key]["size"], after[key]["size"])
        for key in before.keys() & after.keys() - {"struct vm_event_sring"}
        if before[key]["size"] != after[key]["size"]
    }


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_members_are_those_the_compiler_finds(
    old: str, new: str, versions: dict[str, Interface]
) -> None:
    before, after = facts(old)["types"], facts(new)["types"]
    changes = {
        record.new.key: record.members
        for record in diff(versions[old], versions[new], MACRO).records
        if record.new
    }
    for key in before.keys() & after.keys() - {"struct vm_event_sring"}:
        told = [
            change
            for change in changes.get(key, ())
            if not change.padding and not is_container(change)
        ]
        olds = {place(change.old) for change in told if change.old}
        news = {place(change.new) for change in told if change.new}
        first, second = (set(leaves(side[key]["fields"])) for side in (before, after))
        assert olds - news == first - second
        assert news - olds == second - first


# --- any two structs --------------------------------------------------------------------

TYPES = {
    name: (X86_64.integers[name].size, X86_64.integers[name].signed)
    for name in (
        "uint8_t",
        "uint16_t",
        "uint32_t",
        "unsigned int",
        "int32_t",
        "uint64_t",
    )
}
NOWHERE = Coord("vm_event.h", 1, 1)


def record(kind: str, members: list[tuple[str, str, int | None]]) -> Record:
    """A struct or union whose members are given by name, type and bits."""
    parts = [
        Part(TYPES[c_type][0], TYPES[c_type][0], bits) for _, c_type, bits in members
    ]
    layout = lay_out(kind, parts)
    fields = tuple(
        Field(
            name=name,
            type=Scalar(c_type, c_type),
            offset=position.offset,
            size=TYPES[c_type][0],
            bit_offset=position.bit_offset,
            bit_width=bits,
            doc="",
            hint=None,
            coord=NOWHERE,
        )
        for (name, c_type, bits), position in zip(members, layout.places, strict=True)
    )
    size, alignment = layout.size, layout.alignment
    return Record(kind, "s", f"{kind} s", fields, size, alignment, "", NOWHERE)


MEMBER_LISTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "_pad"]),
        st.sampled_from(list(TYPES)),
        st.none() | st.integers(1, 8),
    ),
    unique_by=lambda member: member[0],
    min_size=1,
)
SIDES = st.sampled_from(["struct", "union"]).flatmap(
    lambda kind: st.tuples(
        MEMBER_LISTS.map(lambda members: record(kind, members)),
        MEMBER_LISTS.map(lambda members: record(kind, members)),
    )
)


def between(old: Record, new: Record, frame: Interface) -> Difference:
    """The difference of two interfaces that hold nothing else."""
    bare = replace(frame, constants=(), typedefs=())
    return diff(replace(bare, records=(old,)), replace(bare, records=(new,)), MACRO)


def promises(record: Record) -> set[Any]:
    """What a compiled monitor relies on: names, places and signs, and the size."""
    promised: set[Any] = {record.size}
    for field in record.fields:
        if field.name != "_pad" and isinstance(field.type, Scalar):
            first = 8 * field.offset + (field.bit_offset or 0)
            bits = field.bit_width or 8 * field.size
            promised.add((field.name, first, bits, TYPES[field.type.base]))
    return promised


@given(SIDES)
def test_it_breaks_if_and_only_if_a_promise_does(
    versions: dict[str, Interface], sides: tuple[Record, Record]
) -> None:
    old, new = sides
    verdict = between(old, new, versions[RELEASES[-1]]).verdict
    if not promises(old) <= promises(new):
        assert verdict is BREAKING
    elif promises(old) == promises(new):
        assert verdict is SAME
    else:
        assert verdict is ADDITIONS


@given(SIDES)
def test_the_way_back_undoes_it(
    versions: dict[str, Interface], sides: tuple[Record, Record]
) -> None:
    there = between(sides[0], sides[1], versions[RELEASES[-1]])
    back = between(sides[1], sides[0], versions[RELEASES[-1]])
    there_members = {(c.old, c.new) for r in there.records for c in r.members}
    back_members = {(c.new, c.old) for r in back.records for c in r.members}
    assert there_members == back_members


@given(SIDES)
def test_it_can_always_be_told(
    versions: dict[str, Interface], sides: tuple[Record, Record]
) -> None:
    found = between(sides[0], sides[1], versions[RELEASES[-1]])
    told = plain(found)
    for change in [c for r in found.records for c in r.members]:
        present = change.new or change.old
        assert present is not None
        assert present.name in told or " members moved by " in told
    assert json.loads(json.dumps(as_json(found))) == as_json(found)


def test_different_interfaces_are_not_compared() -> None:
    found = xenbind("diff", "xenctrl/4.9", "4.10")
    assert found.returncode == 2
    assert "'xenctrl/4.9' is of xenctrl and '4.10' of vm_event" in found.stderr
