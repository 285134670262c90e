"""What members and records of the IR say of themselves."""

from __future__ import annotations

import pytest
from xenbind.ir.c_types import Array, Pointer, Scalar, element
from xenbind.ir.interface import Field, Record
from xenbind.source import Coord

COORD = Coord("vm_event.h", 1, 1)
BYTE = Scalar("uint8_t", "uint8_t")


def field(name: str, bit_offset: int | None, bit_width: int | None) -> Field:
    return Field(name, BYTE, 3, 4, bit_offset, bit_width, "", None, COORD)


@pytest.mark.parametrize("name", ["pad", "_pad", "__pad", "pad2", "_padding_1"])
def test_padding(name: str) -> None:
    assert field(name, None, None).is_padding


@pytest.mark.parametrize("name", ["paddr", "padded", "pad_of", "keypad", "p"])
def test_no_padding(name: str) -> None:
    assert not field(name, None, None).is_padding


def test_the_bits_of_a_member() -> None:
    whole = field("a", None, None)
    assert (whole.first_bit, whole.bit_count) == (24, 32)
    part = field("a", 5, 2)
    assert (part.first_bit, part.bit_count) == (29, 2)


def test_the_type_inside_arrays() -> None:
    pointer = Pointer("uint8_t *", Array(BYTE, 3))
    assert element(BYTE) is BYTE
    assert element(Array(Array(BYTE, 2), None)) is BYTE
    assert element(Array(pointer, 2)) is pointer


@pytest.mark.parametrize(("key", "anonymous"), [("struct s", False), ("s.u", True)])
def test_anonymous_records(key: str, anonymous: bool) -> None:
    record = Record("struct", None, key, (), 0, 1, "", COORD)
    assert record.is_anonymous is anonymous
