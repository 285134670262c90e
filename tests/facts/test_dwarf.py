"""Debug information as an oracle: what compilers write into it, and a lie in each kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import SPEC, require, tree, xenbind
from xenbind import spec
from xenbind.backend.python_facts import class_questions
from xenbind.backend.reference import render_questions
from xenbind.commands.verify import compare
from xenbind.facts import dwarf
from xenbind.facts.debug_info import debug_information
from xenbind.facts.object_file import answers, compile_reference
from xenbind.facts.probes import Answer, expected, questions
from xenbind.pipeline import compiler_for, read
from xenbind.toolchain.targets import machine_of
from xenbind.workers import Workers

HEADER = """\
#define VM_EVENT_INTERFACE_VERSION 1
#define KIND_SMALL KIND_SMALL
#define KIND_BELOW KIND_BELOW
enum kind { KIND_SMALL = 1, KIND_BELOW = -3, KIND_OTHER };
typedef uint8_t digest_t[20];
struct inner { uint16_t low; volatile uint16_t high; };
union choice { uint8_t byte; uint32_t few : 3; uint64_t wide; };
struct pair {
    uint32_t first;
    uint32_t part : 12, rest : 20;
    struct inner inner, list[3];
    union choice choice;
    struct { uint8_t kind; union { uint16_t a; uint32_t b[2][3]; } u; } slots[2][2];
    enum kind kind;
    digest_t digest, digests[2];
    void *pointer;
    int (*call)(struct inner *);
    uint64_t none[0];
    uint64_t last[];
};
"""

# A record without a tag is known by its typedef; a bit-field without a name is nobody.
MORE = """\
typedef struct { uint16_t low, high; } halves_t;
struct halved { halves_t halves, more[2]; };
struct gaps {
    uint64_t long_part : 40;
    uint8_t bit : 1;
    uint32_t a : 5, : 3, b : 20;
    uint64_t c : 7, : 0;
    uint8_t d : 3;
};
struct later;
struct qualified { volatile struct inner guarded; volatile uint8_t *volatile list[3]; };
struct nameless {
    uint8_t tag;
    union { struct { uint32_t x, y : 7; }; uint64_t both; };
    struct later *next;
};
struct later { uint8_t count; struct { uint16_t id; } entries[]; };
struct kinds {
    char letter, text[2][3];
    signed char tiny;
    _Bool yes, bit : 1;
    float real;
    double more;
    int8_t below : 3;
    uint32_t whole : 32;
};
typedef int (*call_t)(struct scoped *);
struct scoped { uint32_t of; };
struct __attribute__((packed)) dense { uint8_t a; uint32_t b : 20, c : 12; uint64_t d; };
enum unused { UNUSED_ONE = 7 };
#define UNUSED_ONE UNUSED_ONE
"""

# What the header of the debug information says instead, and the facts that differ then.
LIES = {
    "size": ("uint64_t wide;", "uint64_t wide[2];", ["union choice size"]),
    "a member's size": (
        "uint16_t a;",
        "uint8_t a;",
        ["struct pair.slots[0][0].u.a size"],
    ),
    "offset": ("uint32_t first;", "uint64_t first;", ["struct pair.inner offset"]),
    "a nested offset": (
        "{ uint8_t kind; union",
        "{ uint64_t kind; union",
        ["struct pair.slots[0][0].u offset", "struct pair.slots[0][0].u.b offset"],
    ),
    "bit position": ("part : 12", "part : 11", ["struct pair.rest bit_offset"]),
    "bit width": ("few : 3", "few : 4", ["union choice.few bit_width"]),
    "a length": (
        "b[2][3]",
        "b[3][2]",
        ["struct pair.slots[0][0].u.b length", "struct pair.slots[0][0].u.b[0] length"],
    ),
    "another length": ("b[2][3]", "b[3][3]", ["struct pair.slots[0][0].u.b size"]),
    "a sign": ("uint16_t low;", "int16_t low;", ["struct inner.low kind"]),
    "a kind": ("uint8_t byte;", "char byte;", ["union choice.byte kind"]),
    "a record": (
        "struct inner inner, list[3];",
        "struct other { uint16_t low, high; } inner, list[3];",
        ["struct pair.inner kind", "struct pair.list kind"],
    ),
    "an enumerator": ("KIND_SMALL = 1", "KIND_SMALL = 2", ["KIND_SMALL value"]),
    "an enumerator's sign": (
        "KIND_BELOW = -3",
        "KIND_BELOW = 3",
        ["KIND_BELOW value", "KIND_BELOW negative"],
    ),
    "a member more": (
        "uint8_t byte;",
        "uint8_t byte, more;",
        ["union choice.more size"],
    ),
    "a member less": (
        "uint8_t byte;",
        "",
        ["union choice.byte size"],
    ),
    "a member's name": (
        "union choice choice;",
        "union choice selection;",
        ["struct pair.choice offset", "struct pair.selection offset"],
    ),
}


class Compiled:
    """A header's reference, compiled, and the questions that it answers."""

    def __init__(self, folder: Path, header: str, command: str = "gcc") -> None:
        loaded = spec.load(SPEC).for_tree(tree(folder / "headers", header))
        version = loaded.versions[0]
        interface = read(loaded, version, ("gcc",))
        source = folder / "reference.c"
        self.reference = questions(interface).also(class_questions(interface))
        source.write_text(render_questions(loaded, interface, self.reference))
        compiler = compiler_for(loaded, version, tuple(command.split()))
        self.object = compile_reference(source, compiler)
        self.keys = {record.key for record in interface.records}
        self.constants = {constant.name for constant in interface.constants}
        self.bit_fields = {probe.name for probe in self.reference.bit_fields}

    @property
    def debug(self) -> dict[str, Answer]:
        information = debug_information(self.object)
        return dwarf.facts(information, self.keys, self.constants, self.bit_fields)


@pytest.mark.parametrize("form", ["2", "3", "4", "5"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_form_of_dwarf_is_read(compiler: str, form: str, tmp_path: Path) -> None:
    require(shutil.which(compiler) is not None, compiler)
    made = Compiled(tmp_path, HEADER + MORE, f"{compiler} -gdwarf-{form}")
    c = answers(made.object, made.reference)
    enumerators = ("KIND_", "UNUSED_ONE")
    bits = {f"{name} kind" for name in made.bit_fields}
    known = c | {fact: expected(made.reference)[fact] for fact in bits}
    assert made.debug == {
        fact: value
        for fact, value in known.items()
        if dwarf.covers(fact) or fact.startswith(enumerators)
    }
    assert c["KIND_BELOW value"] == 2**64 - 3
    assert made.debug["struct pair.kind kind"] == "signed"
    assert made.debug["struct pair.call kind"] == "pointer"
    assert made.debug["struct pair.choice kind"] == "union choice"
    assert made.debug["struct pair.slots[0][0].u kind"] == "union"
    assert made.debug["struct pair.slots[0] length"] == 2
    assert made.debug["struct halved.more kind"] == "halves_t"
    assert made.debug["struct kinds.text[0] length"] == 3
    assert made.debug["struct kinds.text kind"] == "char"
    assert made.debug["struct kinds.tiny kind"] == "signed"
    assert made.debug["struct kinds.whole bit_width"] == 32
    assert made.debug["struct later.entries size"] == 0
    assert made.debug["struct qualified.guarded kind"] == "struct inner"
    assert made.debug["struct nameless.y bit_offset"] == 96
    assert made.debug["struct dense.c bit_offset"] == 28


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dwarf")
    tree(folder / "headers", HEADER)
    arguments = ("--include", "headers", "--out", "out")
    assert xenbind("generate", *arguments, cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_in_debug_information_is_found(
    kind: str, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, facts = LIES[kind]
    assert old in HEADER
    lie = Compiled(tmp_path, HEADER.replace(old, new)).debug
    monkeypatch.setattr(dwarf, "facts", lambda *_: lie)
    loaded = spec.load(SPEC).for_tree(package / "headers")
    with Workers(1) as workers:  # a fork, which has the lie
        report = compare.verify(
            *(loaded, loaded.versions[0], package / "out"),
            *(machine_of(("gcc",)), workers),
        )
    told = (*report.mismatches, *report.differing)
    found = {mismatch.fact: dict(mismatch.said) for mismatch in told}
    assert set(facts) <= set(found)
    # Who knows a member is said against the package, what a compiler says twice is not.
    assert all(None in dict(lie.said).values() for lie in report.mismatches)
    assert all(None not in dict(lie.said).values() for lie in report.differing)
    for said in found.values():
        debug = said.pop("DWARF")
        assert len(said) >= 2 and debug not in said.values()
        assert len(set(said.values())) == 1


def test_no_lie_is_no_mismatch(package: Path) -> None:
    result = xenbind("verify", "--include", "headers", "--out", "out", cwd=package)
    assert (result.returncode, result.stderr) == (0, "")
