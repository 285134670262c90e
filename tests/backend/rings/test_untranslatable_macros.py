"""A macro of ring.h that has no translation: only what writes the package needs one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import PROJECT, xenbind

# What can be translated has no loops.
MACRO = (
    "#define RING_SKIP(_r) do { while ((_r)->req_cons) (_r)->req_cons--; } while (0)\n"
)
SKIPPED = "error: cannot translate the macro RING_SKIP: a statement of kind While is not understood"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with headers of its own, whose ring.h ends in that macro."""
    shutil.copytree(PROJECT / "headers", tmp_path / "headers")
    ring = tmp_path / "headers/io/ring.h"
    text = ring.read_text().rstrip()
    before, end, after = text.rpartition("#endif")
    ring.write_text(f"{before}{MACRO}{end}{after}\n")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "7", "vm_event_sring"),
        ("diff", "6", "7"),
        ("decode", "--input", "jsonl", PROJECT / "tests/data/requests-v7.jsonl"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_who_only_looks_is_answered(
    folder: Path, arguments: tuple[str | Path, ...]
) -> None:
    answer = xenbind(*arguments, "--cc", "gcc", cwd=folder)
    assert answer.stderr == ""
    assert answer.stdout == xenbind(*arguments, "--cc", "gcc", cwd=PROJECT).stdout


def test_generate_refuses_it_at_its_line(folder: Path) -> None:
    line = (folder / "headers/io/ring.h").read_text().split("\n").index(MACRO.rstrip())
    refused = xenbind("generate", cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"headers/io/ring.h:{line + 1}:9: {SKIPPED}\n"
        f"  {MACRO}"
        f"          ^\n"
        "  help: mend it, or list 'RING_SKIP' under 'skip' in the spec to leave it out\n"
    )
    assert not (folder / "generated").exists()
