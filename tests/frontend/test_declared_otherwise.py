"""What another target's compiler reads otherwise: the names, and what is laid out by them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support import require
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.errors import SourceError
from xenbind.frontend.declared_otherwise import Reading, declared_otherwise
from xenbind.spec import Spec
from xenbind.toolchain.targets import candidates

COMMON = """\
typedef unsigned int __word;
typedef __word word_t, *word_pointer;
typedef __word (*word_function)(struct other *, long);
struct __attribute__((packed)) holder { word_t of; struct inner { char c; } in; };
struct other { char name[8]; };
enum colour { RED, GREEN = sizeof(word_t) };
struct painted { char of[GREEN]; };
extern word_t counter;
word_t function(struct other *);
static inline int body(struct other *o) { struct local { word_t w; } l; return "};{"[0]; }
struct plain { uint64_t size; char c; };
typedef struct { struct plain p; } plain_t;
"""


def names(ours: str, theirs: str) -> set[str]:
    found = declared_otherwise(Reading(ours), Reading(theirs))
    assert found == declared_otherwise(Reading(theirs), Reading(ours)) or ours != COMMON
    return found


def test_the_same_text_declares_nothing_otherwise() -> None:
    assert names(COMMON, COMMON) == set()
    moved = "".join(
        f'# {n} "h.h"\n{line}\n' for n, line in enumerate(COMMON.split("\n"))
    )
    assert names(COMMON, moved) == set()


def test_what_mentions_a_name_goes_with_it() -> None:
    found = names(
        COMMON, COMMON.replace("typedef unsigned int", "typedef unsigned long")
    )
    assert {"__word", "word_t", "word_pointer", "word_function", "holder"} <= found
    assert {"colour", "RED", "GREEN", "painted", "counter", "local"} <= found
    assert found.isdisjoint(
        {"other", "plain", "plain_t", "function", "body", "uint64_t"}
    )


def test_a_record_with_another_member() -> None:
    found = names(COMMON, COMMON.replace("char name[8]", "char name[4]"))
    assert "other" in found
    assert found.isdisjoint({"plain", "holder", "word_t"})


def test_a_name_of_stdint_means_the_same_whatever_it_is_made_of() -> None:
    def with_base(base: str) -> str:
        return f"typedef {base} __u; typedef __u uint64_t; {COMMON}"

    found = names(with_base("unsigned long"), with_base("unsigned long long"))
    assert found == {"__u"}


def test_another_pragma_may_be_about_anything() -> None:
    found = names(COMMON, f"#pragma pack(1)\n{COMMON}")
    assert {"other", "plain", "holder"} <= found


def test_a_declaration_that_one_lacks() -> None:
    assert "plain" in names(COMMON, COMMON.replace("struct plain {", "struct simple {"))


# --- held against a whole reading -----------------------------------------------------------

HEADERS = {
    "types of the target": "#include <linux/types.h>\nstruct s { __u64 a; __kernel_size_t b; };",
    "a typedef behind a typedef": "#include <sys/types.h>\nstruct s { off_t at; };",
    "stdint alone": "#include <stdint.h>\nstruct s { char c; uint64_t a; intptr_t n; };",
    "a branch": "#ifdef __i386__\nstruct s { int a; };\n#else\nstruct s { char a[3]; };\n#endif",
    "a macro of the target": "struct s { char a[__SIZEOF_LONG__]; };\nstruct t { struct s b; };",
    "sizeof, which is no macro": "#include <limits.h>\nstruct s { char a[sizeof(long)]; };",
    "packed on one target": (
        "#ifdef __x86_64__\n#pragma pack(1)\n#endif\nstruct s { char c; int i; };"
    ),
    "an enum": "#include <stddef.h>\nenum e { A = sizeof(wchar_t), B = 'a' };\n"
    "struct s { enum e a; char b[A]; wchar_t c; };",
    "refused on one": "#ifdef __arm__\n#error no\n#endif\n#include <stdint.h>\n"
    "struct s { intptr_t a; };",
    "refused by a check": "#include <stdint.h>\nstruct s { long a; };\n"
    '_Static_assert(sizeof(struct s) == 8, "of 64 bits");',
}


def loaded(folder: Path, header: str) -> Spec:
    (folder / "h.h").write_text(f"{header}\n")
    (folder / "spec.toml").write_text(
        '[interface]\nname = "h"\npackage = "h"\nheader = "h.h"\n'
    )
    return specs.load(folder / "spec.toml").for_tree(folder)


@pytest.mark.parametrize("header", HEADERS)
def test_layouts_are_those_of_whole_readings(tmp_path: Path, header: str) -> None:
    """Of each target: of the types that one compiler read, or of those that its own did."""
    spec = loaded(tmp_path, HEADERS[header])
    version = spec.versions[0]
    machines = [first for first, *_ in candidates(("gcc",)).values()]
    require(len(machines) > 4, "a compiler for each target")
    _, lay_out = pipeline.read_for_all(spec, version, ("gcc",))
    layouts = lay_out()
    for machine in machines:
        abi = machine.target.abi
        try:
            whole = pipeline.read(spec, version, machine.command, abi)
        except SourceError:
            assert not layouts[abi.name]
            continue
        assert layouts[abi.name] == whole.records_by_key
        assert whole.records


def test_a_compiler_that_fails_gives_way_to_clang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(shutil.which("clang") is not None, "clang")
    (tmp_path / "bin").mkdir()
    broken = tmp_path / "bin" / "riscv64-linux-gnu-gcc"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    spec = loaded(tmp_path, HEADERS["a macro of the target"])
    _, lay_out = pipeline.read_for_all(spec, spec.versions[0], ("gcc",))
    assert lay_out()["riscv64"]["struct s"].size == 8
