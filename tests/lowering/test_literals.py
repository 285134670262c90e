"""The text of string literals of every kind, as C has it."""

from __future__ import annotations

import pytest
from xenbind.frontend.macros import is_string
from xenbind.lowering.literals import string_value


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\x41\101\n"', "aAA\n"),
        ('u8"é"', "é"),
        (r'L"wide \u00e9\x263a"', "wide é☺"),
        (r'u"\U0001F600" "é"', "😀é"),
        (r'u"\xd83d\xde00"', "😀"),
        (r'(U"\x1F600")', "😀"),
        ('L"a" "b" L"c"', "abc"),
    ],
)
def test_a_text(literal: str, text: str) -> None:
    assert is_string(literal)
    assert string_value(literal) == text


@pytest.mark.parametrize(
    ("literal", "reason"),
    [
        (r'"\x100"', r"it has no value for \x100"),
        (r'u"\x10000"', r"it has no value for \x10000"),
        (r'u"\xd800"', "its characters are not UTF-16"),
        (r'L"\xffffffff"', "its characters are not UTF-32"),
        ('L"\udce9"', "its bytes are not UTF-8"),
        ('u"a" U"b"', "its parts are strings of several kinds"),
    ],
)
def test_what_has_no_text(literal: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        string_value(literal)
    assert str(refused.value) == reason
