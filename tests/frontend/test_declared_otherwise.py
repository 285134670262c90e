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
from xenbind.ir.abi import ABIS
from xenbind.ir.interface import Record
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
    return declared_otherwise(Reading(ours), Reading(theirs), ABIS["i386"])


def test_the_same_text_declares_nothing_otherwise() -> None:
    assert names(COMMON, COMMON) == set()
    moved = "".join(
        f'# {n} "h.h"\n{line}\n' for n, line in enumerate(COMMON.split("\n"))
    )
    assert names(COMMON, moved) == set()


def test_what_mentions_a_name_goes_with_it() -> None:
    found = names(COMMON, COMMON.replace("typedef unsigned int", "typedef short"))
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


def test_a_typedef_of_another_integer_type_that_is_the_same_there() -> None:
    """As `long` and `int` on a target of 32 bits, whatever is between them and the name."""

    def with_base(declared: str) -> str:
        return f"{declared} typedef struct {{ __n of; }} user;"

    ours = with_base("typedef int __n;")
    for same in ("typedef long __n;", "typedef __signed__ __m; typedef __m __n;"):
        assert "user" not in names(ours, with_base(same)), same
        assert "user" not in names(with_base(same), ours), same
    for other in ("unsigned", "long long", "char", "int __attribute__((aligned(2)))"):
        assert "user" in names(ours, with_base(f"typedef {other} __n;")), other
    assert "user" in names(ours, with_base("typedef struct { int of; } __n;"))
    assert "user" in names(ours, with_base("typedef char int_; typedef int_ __n;"))


def test_another_pragma_may_be_about_anything() -> None:
    found = names(COMMON, f"#pragma pack(1)\n{COMMON}")
    assert {"other", "plain", "holder"} <= found


def test_a_declaration_that_one_lacks() -> None:
    assert "plain" in names(COMMON, COMMON.replace("struct plain {", "struct simple {"))


# --- held against a whole reading -----------------------------------------------------------

WORD = (
    "#ifdef __i386__\ntypedef int word_t;\n#else\ntypedef long long word_t;\n#endif\n"
)
HEADERS = {
    "types of the target": "#include <linux/types.h>\nstruct s { __u64 a; __kernel_size_t b; };",
    "a typedef behind a typedef": "#include <sys/types.h>\nstruct s { off_t at; };",
    "stdint alone": "#include <stdint.h>\nstruct s { char c; uint64_t a; intptr_t n; };",
    "a branch": "#ifdef __i386__\nstruct s { int a; };\n#else\nstruct s { char a[3]; };\n#endif",
    "a macro of the target": "struct s { char a[__SIZEOF_LONG__]; };\nstruct t { struct s b; };",
    "sizeof, which is no macro": "#include <limits.h>\nstruct s { char a[sizeof(long)]; };",
    "a tag and a typedef of one name": (
        "typedef unsigned foo;\nstruct foo {\n#ifdef __i386__\nint a;\n#else\nlong long a;\n"
        "#endif\n};\nstruct bar { foo f; struct foo g; };"
    ),
    "a pragma elsewhere": (
        "#ifdef __i386__\n#pragma pack(1)\n#endif\nint dummy(void);\nstruct s { char c; int d; };\n"
        "#ifndef __i386__\n#pragma pack(1)\n#endif"
    ),
    "an attribute before a tag": f"{WORD}struct __attribute((packed)) s {{ char c; word_t w; }};",
    "an attribute before an enum's": (
        f"{WORD}enum __attribute((packed)) e {{ N = sizeof(word_t), M = 200 }};\n"
        "struct s { char c[N]; };"
    ),
    "an attribute of many parentheses": (
        f"{WORD}typedef struct __attribute__((aligned((sizeof(word_t))))) {{ char c; }} s_t;"
    ),
    "a bool and a char": (
        "#ifdef __i386__\ntypedef _Bool flag_t;\n#else\ntypedef unsigned char flag_t;\n#endif\n"
        "struct s { char c[(flag_t)2]; flag_t f; };"
    ),
    "a typedef that is repeated": (
        "#ifdef __i386__\ntypedef int word_t;\ntypedef word_t word_t;\n#else\n"
        "typedef long long word_t;\n#endif\nstruct s { word_t w; };"
    ),
    "packed on one target": (
        "#ifdef __x86_64__\n#pragma pack(1)\n#endif\nstruct s { char c; int i; };"
    ),
    "an enum": "#include <stddef.h>\nenum e { A = sizeof(wchar_t), B = 'a' };\n"
    "struct s { enum e a; char b[A]; wchar_t c; };",
    "asked for by a macro alone": "#include <sys/stat.h>\n"
    "#define ROOM sizeof(struct stat)\nstruct s { int a; };",
    "refused on one": "#ifdef __arm__\n#error no\n#endif\n#include <stdint.h>\n"
    "struct s { intptr_t a; };",
    "all of a system header": "#include <sys/epoll.h>",
    "a macro that is taken back": "#include <limits.h>\n"
    "struct s { char of[LONG_MAX > INT_MAX ? 2 : 1]; };\n#undef LONG_MAX\n#undef INT_MAX",
    "a bit-field of a macro's width": "#define WIDTH 40\n#include <stdint.h>\n"
    "struct s { unsigned long a : WIDTH; };",
    "refused by a check": "#include <stdint.h>\nstruct s { long a; };\n"
    '_Static_assert(sizeof(struct s) == 8, "of 64 bits");',
}


def loaded(folder: Path, header: str) -> Spec:
    (folder / "h.h").write_text(f"{header}\n")
    (folder / "spec.toml").write_text(
        '[interface]\nname = "h"\npackage = "h"\nheader = "h.h"\n'
    )
    return specs.load(folder / "spec.toml").for_tree(folder)


def places(record: Record) -> list[object]:
    """All that a layout says of a record, but for what its members' types are called."""
    members = [
        (f.name, f.offset, f.size, f.bit_offset, f.bit_width) for f in record.fields
    ]
    return [record.key, record.size, record.alignment, members]


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
        here = layouts[abi.name].values()
        assert list(map(places, here)) == list(map(places, whole.records))
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
