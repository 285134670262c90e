"""`xenbind verify` fails when it should: each kind of fact is broken on purpose once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support import tree, xenbind

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
    "a nested member": (
        ("uint16_t low;", "uint8_t low;"),
        ["struct inner.low size", "struct pair.inner.low size"],
    ),
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
    assert result.returncode == 1
    assert "run `xenbind generate` with the same --out first" in result.stderr
