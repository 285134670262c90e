"""What a first run knows of black: the shapes in small headers' packages that it leaves alone.

The list is golden: whoever changes a template accepts the shapes that it has then.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import black
import pytest
from golden_files import ACCEPT, check_golden
from support import PROJECT, SPEC, require
from xenbind.backend import formatting
from xenbind.backend.formatted import BEGINNING, LEFT_ALONE, Formatted
from xenbind.backend.formatting import Formatter
from xenbind.backend.shapes import shapes
from xenbind.commands.generate.build import build
from xenbind.provenance.job import Job

CASES = sorted((PROJECT / "tests" / "cases").glob("*/spec.toml"))
PIECES = (
    '#define PAIR_MAX 16\n#define NAME "pair"\n',
    "/* Kinds. */\n#define KIND_ONE 1\n#define KIND_TWO 2\n#define KIND_FOUR 4\n",
    "/* A pair. */\nstruct pair { int one; /* one */ char name[16]; struct pair *next; };\n",
    "enum state { STATE_ON = 1, STATE_OFF /* off */ };\n",
    "typedef union { unsigned low : 3, high : 5; double whole; } value_t;\n"
    "struct some { unsigned count; long rest[]; };\n",
)


class Noted:
    """The Python that is rendered, which no black sees."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks: set[str] = set()
        monkeypatch.setattr(Formatter, "start", lambda _, texts: self._note(texts))
        monkeypatch.setattr(Formatter, "result", lambda _: {})

    def _note(self, texts: dict[str, str]) -> None:
        for text in texts.values():
            self.blocks |= set(formatting._CUT.split(text))


def build_small(header: str, folder: Path) -> None:
    (folder / "small.h").write_text(header)
    spec = folder / "small.toml"
    keys = 'name = "small"\npackage = "small"\nheader = "small.h"\n'
    spec.write_text(f"[interface]\n{keys}")
    build(Job(spec, folder, folder / "out", "gcc"))


@pytest.fixture
def year() -> str:
    """The installed black's year, which has to be the list's, but for who makes that anew."""
    year = version("black").partition(".")[0]
    listed = LEFT_ALONE.read_text().split()[0]
    require(year == listed or bool(os.environ.get(ACCEPT)), f"black {listed}")
    return year


def is_left(form: str) -> bool:
    try:
        return black.format_str(form, mode=black.Mode()) == form
    except ValueError:
        return False


def test_the_list_has_what_black_leaves_of_our_package_and_of_small_headers(
    year: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Noted(monkeypatch)
    build(Job(SPEC, None, PROJECT / "generated", None))
    for case in CASES:
        build(Job(case, case.parent, tmp_path / case.parent.name, "gcc"))
    for count in (1, 2, 3, len(PIECES)):
        for pieces in combinations(PIECES, count):
            build_small("".join(pieces), tmp_path)
    left = sorted(
        hashlib.sha256(form.encode()).hexdigest()[:BEGINNING]
        for form in {form for block in noted.blocks for form in shapes(block)}
        if is_left(form)
    )
    assert len(left) > 100
    check_golden(LEFT_ALONE, "\n".join([year, *left, ""]))


@pytest.mark.usefixtures("year")
def test_a_first_run_with_a_small_header_needs_no_black(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Noted(monkeypatch)
    build_small(
        "#define SIZE 16\n"
        "struct pair { unsigned a, b; char name[SIZE]; long rest[]; };\n"
        "enum kind { KIND_ONE = 1, KIND_TWO };\n",
        tmp_path,
    )
    known = Formatted()
    forms = {form for block in noted.blocks for form in shapes(block)}
    assert [form for form in forms if known.get(form) != form] == []
