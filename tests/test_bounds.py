"""Headers whose members multiply, or are very many or very large: all is told in seconds."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest
from forked import run_module
from support import own_tests, tree, xenbind

VERSION = "#define VM_EVENT_INTERFACE_VERSION 1\n"
LEVELS = 60
DOUBLING = f"{VERSION}struct s0 {{ int x; }};\n" + "".join(
    f"struct s{level} {{ struct s{level - 1} a, b; }};\n"
    for level in range(1, LEVELS + 1)
)
ARGUMENTS = ("--include", "headers", "--out", "out")


def in_seconds(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """xenbind with ten seconds of processor time, which other work on the machine leaves it."""
    return run_module("xenbind", arguments, cwd, {}, {resource.RLIMIT_CPU: 10})


def untagged(levels: int) -> str:
    """A struct of two of two of two, none of which has a tag."""
    inner = "".join(f" }} a{level}, b{level};" for level in range(levels))
    return f"{VERSION}struct o {{ {'struct { ' * levels}int x;{inner} }};\n"


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doubling")
    tree(folder / "headers", DOUBLING)
    made = in_seconds("generate", *ARGUMENTS, cwd=folder)
    assert (made.returncode, made.stderr) == (0, "")
    held = in_seconds("verify", *ARGUMENTS, cwd=folder)
    assert (held.returncode, held.stderr) == (0, "")
    assert "0 mismatches" in held.stdout
    return folder


def test_a_fault_below_many_levels_is_told_once(tmp_path: Path) -> None:
    levels = 50  # C compilers refuse what has 2 ** 61 bytes
    header = DOUBLING.partition(f"struct s{levels} ")[0].replace(
        "int x", "int x __attribute__((odd))"
    )
    tree(tmp_path / "headers", header)
    refused = in_seconds("generate", *ARGUMENTS, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.count("error: ") == 1
    assert (
        "vm_event.h:2:34: error: the attribute 'odd' is not supported" in refused.stderr
    )


def test_sixty_levels_are_asked_of_each_struct_once(doubling: Path) -> None:
    told = xenbind("verify", *ARGUMENTS, cwd=doubling).stdout
    # Size and alignment of each; of each member offset, size and kind; and the version.
    facts = 2 * (LEVELS + 1) + 3 * (2 * LEVELS + 1) + 2
    assert f": {facts} facts held against gcc" in told


@pytest.mark.parametrize(
    "command",
    [
        ("check", *ARGUMENTS),
        ("show", "headers"),
        ("show", "headers", f"s{LEVELS}"),
        ("diff", "headers", "headers"),
    ],
    ids=lambda command: command[0],
)
def test_every_command_takes_sixty_levels(
    command: tuple[str, ...], doubling: Path
) -> None:
    result = xenbind(*command, cwd=doubling)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout) < 10_000


def test_what_would_be_shown_without_end_is_refused(doubling: Path) -> None:
    result = xenbind("show", "headers", f"s{LEVELS}", "--expand", cwd=doubling)
    members = 2 ** (LEVELS + 1) - 2 + 2**LEVELS
    assert f"struct s60 has {members} members at every depth" in result.stderr
    assert result.returncode == 1


@pytest.mark.exhaustive
def test_a_package_of_sixty_levels_passes_its_own_tests(doubling: Path) -> None:
    result = own_tests(doubling / "out")
    assert result.returncode == 0, result.stdout


def test_a_struct_larger_than_c_allows_is_refused_at_its_line(tmp_path: Path) -> None:
    more = "struct s61 { struct s60 a, b; };\n"
    tree(tmp_path / "headers", DOUBLING + more)
    result = xenbind("generate", *ARGUMENTS, cwd=tmp_path, CC="gcc")
    assert result.returncode == 1
    assert result.stderr.startswith(f"headers/vm_event.h:{LEVELS + 3}:")
    assert "too large" in result.stderr


def test_untagged_structs_that_double_are_refused_at_their_line(tmp_path: Path) -> None:
    tree(tmp_path / "headers", untagged(40))
    result = in_seconds("generate", *ARGUMENTS, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("headers/vm_event.h:2:")
    assert "more than 10000 members in the untagged structs" in result.stderr


def test_a_fault_in_untagged_structs_that_double_is_told_once(tmp_path: Path) -> None:
    header = untagged(40).replace("int x", "int x __attribute__((odd))")
    tree(tmp_path / "headers", header)
    result = in_seconds("generate", *ARGUMENTS, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("error: ") == 1
    assert "the attribute 'odd' is not supported" in result.stderr


def test_untagged_structs_in_arrays_are_counted_too(tmp_path: Path) -> None:
    lines = ["typedef struct { int x; } t0[1];"]
    lines += [
        f"typedef struct {{ t{level} a, b; }} t{level + 1}[1];" for level in range(40)
    ]
    tree(tmp_path / "headers", VERSION + "\n".join([*lines, "struct s { t40 a; };\n"]))
    result = in_seconds("generate", *ARGUMENTS, cwd=tmp_path)
    assert "more than 10000 members in the untagged structs" in result.stderr


HUGE = {
    "an array": "struct s { char a[1ull << 40]; int b; };",
    "arrays of arrays": f"struct s {{ char a{'[2]' * 50}; }};",
    "arrays of nothing": "struct s0 { int x; };\n"
    + "".join(
        f"struct s{i} {{ int x; struct s{i - 1} a[0], b[0]; }};\n" for i in range(1, 40)
    ),
}


@pytest.mark.parametrize("kind", HUGE)
def test_what_is_huge_passes_its_own_tests(kind: str, tmp_path: Path) -> None:
    tree(tmp_path / "headers", VERSION + HUGE[kind] + "\n")
    for command in ("generate", "verify"):
        result = xenbind(command, *ARGUMENTS, cwd=tmp_path, CC="gcc")
        assert (result.returncode, result.stderr) == (0, "")
    result = own_tests(tmp_path / "out", CC="gcc")
    assert result.returncode == 0, result.stdout


def test_a_bit_field_in_a_huge_struct_is_refused(tmp_path: Path) -> None:
    header = "struct s {\n    char a[1ull << 40];\n    unsigned b : 3;\n};\n"
    tree(tmp_path / "headers", VERSION + header)
    result = xenbind("generate", *ARGUMENTS, cwd=tmp_path)
    assert result.stderr.startswith("headers/vm_event.h:4:14: error: a bit-field of")


def test_a_version_of_many_structs_is_shown_at_once(tmp_path: Path) -> None:
    many = "".join(f"struct r{i} {{ int a; long b; }};\n" for i in range(1000))
    tree(tmp_path / "headers", VERSION + many)
    result = in_seconds("show", "headers", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.count("struct r") == 1000


def test_hundreds_of_parts_are_each_looked_through_once(tmp_path: Path) -> None:
    comments = "/* of which there is a lot to say */\n" * 600
    only = '#ifndef ALL_H\n#error "Only <all.h> can be included directly."\n#endif\n'
    for part in range(200):
        text = f"#pragma once\n{only}{comments}struct s{part} {{ int a; }};\n"
        (tmp_path / f"part{part}.h").write_text(text)
    included = "".join(f"#include <part{part}.h>\n" for part in range(200))
    (tmp_path / "all.h").write_text(f"#define ALL_H\n{included}")
    made = in_seconds("init", "all.h", "--include", ".", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("all: 200 records")
