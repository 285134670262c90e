"""`xenbind verify` fails when it should: each kind of fact is broken on purpose once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from support import require, tree, xenbind
from xenbind.errors import SourceError
from xenbind.facts.object_file import compile_reference
from xenbind.toolchain import process
from xenbind.toolchain.compiler import Compiler

HEADER = """\
#define VM_EVENT_INTERFACE_VERSION 1
#define PAIR_LIMIT 5
struct inner {
    uint16_t low;
    uint16_t high;
};
struct pair {
    uint32_t first;
    uint32_t part : 12;
    uint32_t rest : 20;
    struct inner inner;
    uint64_t last;
};
"""

# What the header says later on, and the mismatches with the package made from HEADER.
CHANGES = {
    "size": (
        ("uint64_t last;", "uint64_t last[2];"),
        ["struct pair size", "struct pair.last size"],
    ),
    "offset": (
        ("uint32_t first;", "uint64_t first;"),
        ["struct pair.first size", "struct pair.inner offset"],
    ),
    "alignment": (
        ("uint64_t last;", "uint32_t last; uint32_t more;"),
        ["struct pair alignment", "struct pair.last size", "struct pair.more offset"],
    ),
    "bit position": (
        ("part : 12", "part : 11"),
        ["struct pair.part bit_width", "struct pair.rest bit_offset"],
    ),
    "a member's size": (("uint16_t low;", "uint8_t low;"), ["struct inner.low size"]),
    "a member's name": (
        ("uint16_t high;", "uint16_t top;"),
        ["struct inner.top offset", "struct inner.high offset"],
    ),
    "a constant": (("PAIR_LIMIT 5", "PAIR_LIMIT 6"), ["PAIR_LIMIT value"]),
    "a constant's sign": (
        ("PAIR_LIMIT 5", "PAIR_LIMIT (-5)"),
        ["PAIR_LIMIT value", "PAIR_LIMIT negative"],
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    tree(folder / "headers", HEADER)
    arguments = ("--include", "headers", "--out", "out")
    assert xenbind("generate", *arguments, cwd=folder).returncode == 0
    assert xenbind("verify", *arguments, cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_header_is_told_by_member(
    kind: str, made: Path, tmp_path: Path
) -> None:
    (old, new), facts = CHANGES[kind]
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    tree(tmp_path / "headers", HEADER.replace(old, new))
    arguments = ("--include", "headers", "--out", "out")

    result = xenbind("verify", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    for fact in facts:
        assert f": {fact}: " in result.stdout
    answer = json.loads(xenbind("verify", "--json", *arguments, cwd=tmp_path).stdout)
    assert set(facts) <= {mismatch["fact"] for mismatch in answer[0]["mismatches"]}


def test_a_mismatch_says_where_and_what(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    tree(tmp_path / "headers", HEADER.replace("uint32_t first;", "uint64_t first;"))
    shown = xenbind(
        "verify", "--include", "headers", "--out", "out", cwd=tmp_path
    ).stdout
    assert (
        "headers/vm_event.h:8:14: struct pair.first size:"
        " C says 8, DWARF 8, xenbind 8, the package 4\n" in shown
    )


def test_a_package_that_lies_is_found(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    module = tmp_path / "out" / "xen_vm_event" / "v1.py"
    module.write_text(
        module.read_text().replace("first: uint32_t", "first: uint16_t")
        + "\nINVENTED: Final = 1\n"
    )
    shown = xenbind("verify", "--include", "headers", "--out", "out", cwd=tmp_path)
    assert shown.returncode == 1
    assert (
        "struct pair.first size: C says 4, DWARF 4, xenbind 4, the package 2\n"
        in shown.stdout
    )
    assert (
        "INVENTED value: C says nothing, xenbind nothing, the package 1\n"
        in shown.stdout
    )


def test_no_package_is_an_error(tmp_path: Path) -> None:
    result = xenbind("verify", "--out", tmp_path / "none")
    assert result.returncode == 3
    assert "run `xenbind generate` with the same --out first" in result.stderr


def verified(folder: Path, header: str, *options: str) -> str:
    """What `verify` says of a package that is made of a header, with nothing wrong in it."""
    tree(folder / "headers", VERSION + header)
    arguments = ("--include", "headers", "--out", "out")
    assert xenbind("generate", *arguments, cwd=folder).returncode == 0
    result = xenbind("verify", *arguments, *options, cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


VERSION = "#define VM_EVENT_INTERFACE_VERSION 1\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_bit_field_as_wide_as_its_type_is_no_mismatch(
    compiler: str, tmp_path: Path
) -> None:
    # clang's DWARF has no width for it.
    require(shutil.which(compiler) is not None, compiler)
    header = (
        "struct pair { uint8_t a : 8; int32_t b : 32; uint64_t c : 64; _Bool d : 1; };"
    )
    assert verified(tmp_path, header, "--cc", compiler) == (
        "x86_64 version 1: 12 facts held against"
        f" {compiler}, 13 against its DWARF, 0 mismatches\n"
    )


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_transparent_union_is_held_as_any_other(
    compiler: str, tmp_path: Path
) -> None:
    # Of one by a typedef, gcc makes another type, and its DWARF lists no members.
    require(shutil.which(compiler) is not None, compiler)
    header = (
        "typedef union { int *a; long *b; } any __attribute__((transparent_union));"
        "union named { int *c; };"
        "typedef union named other __attribute__((__transparent_union__));"
        "struct pair { any first; other second; };"
    )
    assert verified(tmp_path, header, "--cc", compiler) == (
        "x86_64 version 1: 27 facts held against"
        f" {compiler}, 18 against its DWARF, 0 mismatches\n"
    )


def test_a_header_that_one_target_refuses_is_verified_for_the_others(
    tmp_path: Path,
) -> None:
    require(shutil.which("clang") is not None, "clang")
    wide = "#define VM_EVENT_INTERFACE_VERSION 1\nstruct wide { long bits : 40; };\n"
    folder = tree(tmp_path / "headers", wide)
    arguments = ("--include", folder, "--out", tmp_path / "out", "--cc", "clang")
    assert xenbind("generate", *arguments).returncode == 0
    result = xenbind("verify", *arguments, "--target", "all")
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == "i386: refused by its compiler"
    assert "arm64 version 1: " in result.stdout


def test_a_compiler_that_contradicts_itself_is_no_mismatch(tmp_path: Path) -> None:
    require(shutil.which("clang") is not None, "clang")
    # Where C sets the bits of b clang's DWARF does not know.
    member = "uint16_t a : 5; uint8_t b : 8 __attribute__((packed));"
    assert verified(tmp_path, f"struct pair {{ {member} }};", "--cc", "clang") == (
        "headers/vm_event.h:2:39: struct pair.b bit_offset: the compiler's own answers"
        " differ: C says 5, DWARF 0, xenbind 5, the package 5\n"
        "x86_64 version 1: 8 facts held against clang, 7 against its DWARF,"
        " 0 mismatches, 1 fact on which clang and its DWARF differ\n"
    )
    arguments = ("--include", "headers", "--out", "out", "--cc", "clang", "--json")
    (report,) = json.loads(xenbind("verify", *arguments, cwd=tmp_path).stdout)
    assert report["mismatches"] == []
    assert [item["fact"] for item in report["differing"]] == [
        "struct pair.b bit_offset"
    ]


@pytest.mark.parametrize(
    "number", [200, pytest.param(4000, marks=pytest.mark.exhaustive)]
)
def test_many_structs(number: int, tmp_path: Path) -> None:
    header = "".join(
        f"struct a_name_of_usual_length_{index} {{ uint32_t first_of_its_members,"
        " second_of_its_members; uint8_t bytes_that_follow[8]; uint64_t the_last; };\n"
        for index in range(number)
    )
    said = verified(tmp_path, header)
    assert said.endswith(" 0 mismatches\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_object_file_without_end_is_told_as_that(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(shutil.which(compiler) is not None, compiler)
    monkeypatch.setattr(process, "OUTPUT", 50_000)
    source = tmp_path / "large.c"
    source.write_text("const char large[100000] = {1};")
    told = Compiler((compiler,), tmp_path, (), (), ())
    with pytest.raises(SourceError) as caught:
        compile_reference(source, told)
    assert str(caught.value) == "the C compiler wrote more than 32 MB"
    assert "--cc" not in caught.value.advice


def test_no_compiler_is_asked_to_read_a_pipe(tmp_path: Path) -> None:
    """It would wait for whoever writes into that."""
    asked, compiler = tmp_path / "asked", tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexec gcc "$@"\n')
    compiler.chmod(0o755)
    os.mkfifo(tmp_path / "vm_event.h")
    result = xenbind(
        *("verify", "--include", tmp_path, "--out", tmp_path / "out"), CC=str(compiler)
    )
    assert result.returncode == 1
    assert "vm_event.h:1:1: error: not a regular file" in result.stderr
    assert "vm_event.h" not in asked.read_text()
