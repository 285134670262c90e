"""Debug information as an oracle: what compilers write into it, and a lie in each kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import SPEC, require, tree, xenbind
from xenbind import spec
from xenbind.backend.render import render_reference
from xenbind.commands.verify import compare
from xenbind.facts import dwarf
from xenbind.facts.object_file import answers, compile_reference
from xenbind.facts.probes import reference
from xenbind.pipeline import compiler_for, read
from xenbind.toolchain.targets import machine_of

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
    "a length": ("b[2][3]", "b[3][2][1]", []),
    "another length": ("b[2][3]", "b[3][3]", ["struct pair.slots[0][0].u.b size"]),
    "an enumerator": ("KIND_SMALL = 1", "KIND_SMALL = 2", ["KIND_SMALL value"]),
    "an enumerator's sign": (
        "KIND_BELOW = -3",
        "KIND_BELOW = 3",
        ["KIND_BELOW value", "KIND_BELOW negative"],
    ),
    "a member more": (
        "uint8_t byte;",
        "uint8_t byte, more;",
        ["union choice.more size", "struct pair.choice.more offset"],
    ),
    "a member less": (
        "uint8_t byte;",
        "",
        ["union choice.byte size", "struct pair.choice.byte offset"],
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
        source.write_text(render_reference(loaded, interface))
        compiler = compiler_for(loaded, version, tuple(command.split()))
        self.object = compile_reference(source, compiler)
        self.reference = reference(interface)
        self.keys = {record.key for record in interface.records}
        self.constants = {constant.name for constant in interface.constants}

    @property
    def debug(self) -> dict[str, int]:
        return dwarf.facts(self.object, self.keys, self.constants)


@pytest.mark.parametrize("form", ["2", "3", "4", "5"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_every_form_of_dwarf_is_read(compiler: str, form: str, tmp_path: Path) -> None:
    require(shutil.which(compiler) is not None, compiler)
    made = Compiled(tmp_path, HEADER + MORE, f"{compiler} -gdwarf-{form}")
    c = answers(made.object, made.reference)
    enumerators = ("KIND_", "UNUSED_ONE")
    assert made.debug == {
        fact: value
        for fact, value in c.items()
        if dwarf.covers(fact) or fact.startswith(enumerators)
    }
    assert c["KIND_BELOW value"] == 2**64 - 3
    assert made.debug["struct later.entries size"] == 0
    assert made.debug["struct qualified.guarded.high offset"] == 2
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
    report = compare.verify(
        loaded, loaded.versions[0], package / "out", machine_of(("gcc",))
    )
    found = {mismatch.fact: dict(mismatch.said) for mismatch in report.mismatches}
    assert set(facts) <= set(found)
    assert bool(facts) == bool(found)
    for said in found.values():
        debug = said.pop("DWARF")
        assert len(said) >= 3 and debug not in said.values()
        assert len(set(said.values())) == 1


def test_no_lie_is_no_mismatch(package: Path) -> None:
    result = xenbind("verify", "--include", "headers", "--out", "out", cwd=package)
    assert (result.returncode, result.stderr) == (0, "")
