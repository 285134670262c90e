"""What a user is told of what the package cannot have: one folder of tests/notes for each rule.

A folder holds a header tree, and perhaps its own spec.toml; the file `expected` holds what
`xenbind generate` prints on standard error.  The rest of the header is generated, and `verify`
finds nothing wrong.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_files import check_golden
from support import PROJECT, TINY, tree, xenbind

NOTES = PROJECT / "tests" / "notes"
CASES = sorted(path.name for path in NOTES.iterdir() if path.is_dir())
# One that a spec of its own lacks a macro for.
NOT_TAKEN = "struct_in_no_branch_that_is_taken"
CASES.remove(NOT_TAKEN)


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_out_is_told_once_at_its_place(case: str, tmp_path: Path) -> None:
    own_spec = NOTES / case / "spec.toml"
    spec = ("--spec", own_spec) if own_spec.exists() else ()
    options = (*spec, "--include", case, "--out", tmp_path / "generated")
    made = xenbind("generate", *options, cwd=NOTES, CC="gcc")
    assert made.returncode == 0
    assert "1 struct or union" in made.stdout
    check_golden(NOTES / case / "expected", made.stderr)

    verified = xenbind("verify", *options, cwd=NOTES, CC="gcc")
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_header_whose_structs_are_in_no_branch_that_is_taken(tmp_path: Path) -> None:
    spec, out = f"{NOT_TAKEN}/spec.toml", tmp_path / "generated"
    options = ("--spec", spec, "--include", NOT_TAKEN, "--out", out)
    made = xenbind("generate", *options, cwd=NOTES, CC="gcc")
    assert made.returncode == 0
    assert "0 structs and unions, 1 constant" in made.stdout
    check_golden(NOTES / NOT_TAKEN / "expected", made.stderr)


@pytest.mark.parametrize("way", ["the option", "the spec"])
def test_strictness_makes_it_an_error(way: str, tmp_path: Path) -> None:
    case = NOTES / "member_of_a_wide_integer"
    spec = tmp_path / "spec.toml"
    spec.write_text(
        '[interface]\nname = "pair"\npackage = "of_pair"\nheader = "vm_event.h"\n'
        f"needs = ['stdint.h']\nstrict = {str(way == 'the spec').lower()}\n"
    )
    option = ["--strict"] if way == "the option" else []
    out = tmp_path / "generated"
    options = ("--spec", spec, "--include", case, "--out", out)
    made = xenbind("generate", *options, *option, CC="gcc")
    assert made.returncode == 1
    assert (
        f"{case}/vm_event.h:2:8: error: the package cannot have struct pair: the type"
        f" '__int128' is not supported ({case}/vm_event.h:4:5)\n"
    ) in made.stderr
    assert "cannot have struct holder" in made.stderr
    assert made.stdout == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (4, "5 more are left out (--json names them)"),
        (0, "1 more is left out (--json names it)"),
    ],
)
def test_many_of_one_reason_are_counted(others: int, told: str, tmp_path: Path) -> None:
    """Some headers are macros throughout, and 300 notes would hide all others."""
    case = NOTES / "function_that_is_in_no_library"
    header = (case / "vm_event.h").read_text()
    macros = "".join(f"#define PAIR_{n}(a) (a)\n" for n in range(10 + others))
    folder = tree(tmp_path / "headers", header + macros)
    options = ("--spec", case / "spec.toml", "--include", folder, "--out", "out")
    made = xenbind("generate", *options, cwd=tmp_path, CC="gcc")
    *notes, last = made.stderr.splitlines()
    reason = "it is a macro with parameters: no library has it"
    assert sum(note.endswith(reason) for note in notes) == 10
    assert last == f"note: {told}: {reason}"
    listed = xenbind("generate", *options, "--json", cwd=tmp_path, CC="gcc")
    (version,) = json.loads(listed.stdout)["versions"]
    assert sum(each["reason"] == reason for each in version["left_out"]) == 11 + others


def test_a_program_reads_what_was_made_and_what_was_left_out(tmp_path: Path) -> None:
    case, out = "member_that_is_atomic", tmp_path / "generated"
    options = ("--include", case, "--out", out, "--json")
    made = xenbind("generate", *options, cwd=NOTES, CC="gcc")
    assert (made.returncode, made.stderr) == (0, "")
    told = json.loads(made.stdout)
    assert told["package"] == "xen_vm_event"
    assert told["out"] == str(out)
    assert told["files"] == told["changed_files"]
    assert all((out / path).is_file() for path in told["files"])
    (version,) = told["versions"]
    assert version["records"] == ["struct user"]
    assert version["module"] == "xen_vm_event.v1"
    notes = [
        "{file}:{line}:{column}: note: {name} is left out: {reason}".format(**each)
        for each in version["left_out"]
    ]
    assert notes == (NOTES / case / "expected").read_text().splitlines()


def test_a_program_reads_what_changed_in_the_abi(tmp_path: Path) -> None:
    def generate(header: str) -> dict[str, Any]:
        options = ("--include", tree(tmp_path / "headers", header), "--out", "out")
        made = xenbind("generate", *options, "--json", cwd=tmp_path)
        told: dict[str, Any] = json.loads(made.stdout)
        return told

    assert generate(TINY)["abi_changes"] == []
    (change,) = generate(TINY + "#define MORE 1\n")["abi_changes"]
    assert (change["version"], change["breaking"]) == ("version 1", False)
    assert change["added"] == ["MORE value", "MORE negative"]
