"""Constants as Python text: the header's own words where they mean the same there."""

from __future__ import annotations

import pytest
from xenbind.backend.python_text import literal
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
