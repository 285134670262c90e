"""Constants as Python text: the header's own words where they mean the same there."""

from __future__ import annotations

import textwrap

import black
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xenbind.backend.python_text import (
    LINE,
    assigned,
    declared,
    docstring,
    literal,
)
from xenbind.ir.interface import Constant
from xenbind.source import Coord

WRITTEN = {"A": 1, "B": 2, "in": 4, "MINUS": -1, "TOP": 0x80000000}
NAMES = {**{name: name for name in WRITTEN}, "in": "in_", "LATER": "LATER"}


@pytest.mark.parametrize(
    ("body", "value", "text"),
    [
        ("(1u << 3)", 8, "1 << 3"),
        ("0xff", 0xFF, "0xFF"),
        ("(A | B)", 3, "A | B"),
        ("A|in", 5, "A | in_"),
        # Python has not seen it yet.
        ("(A | LATER)", 9, "9"),
        # C's int becomes unsigned beside one; Python's does not.
        ("MINUS | TOP", 0xFFFFFFFF, "4294967295"),
        ("(1 << 31)", -(2**31), "-2147483648"),
        ("A + B", 3, "3"),
    ],
)
def test_a_value_as_the_header_writes_it(body: str, value: int, text: str) -> None:
    constant = Constant("NAME", value, body, "", Coord("header.h", 1, 1))
    assert literal(constant, NAMES, WRITTEN) == text


# --- paragraphs as textwrap fills them ----------------------------------------------------

words = st.text("ab-.", min_size=1, max_size=12) | st.integers(1, 200).map("c".__mul__)


@given(st.lists(words, min_size=1, max_size=60).map(" ".join), st.sampled_from([0, 4]))
def test_a_paragraph_of_a_docstring_is_filled(paragraph: str, indent: int) -> None:
    said = docstring(f"Summary.\n\n{paragraph}", indent)
    filled = textwrap.wrap(paragraph, LINE - indent, break_on_hyphens=False)
    margin = " " * indent
    lines = "\n".join(f"{margin}{line}" for line in filled)
    assert said == f'"""Summary.\n\n{lines}\n{margin}"""'


# --- lines as black folds them ------------------------------------------------------------

names = st.integers(1, 70).map(lambda length: "N" * length)
indents = st.sampled_from([0, 4])


def left_by_black(line: str, indent: int) -> bool:
    text = f"class Outer:\n    {line}\n" if indent else f"{line}\n"
    return black.format_str(text, mode=black.Mode()) == text


@given(names, st.lists(names, min_size=1, max_size=4), indents)
def test_an_assignment_is_folded_as_black_folds_it(
    name: str, values: list[str], indent: int
) -> None:
    assert left_by_black(assigned(name, " | ".join(values), indent), indent)


@given(names, st.lists(names, min_size=1, max_size=3), st.booleans(), indents)
def test_a_declaration_is_folded_as_black_folds_it(
    name: str, types: list[str], has_place: bool, indent: int
) -> None:
    inside = ", ".join([*types, "At(4, 2)"] if has_place else types)
    for annotation in (f"Annotated[{inside}]", f"Annotated[Of[{types[0]}], 3]", "int"):
        assert left_by_black(declared(name, annotation, "ZERO", indent), indent)
