"""The layout rules, each by example; test_random_layout.py holds them against compilers."""

from __future__ import annotations

import pytest
from xenbind.ir.layout import Part, Place, lay_out

BYTE, HALF, WORD, LONG = (Part(size, size) for size in (1, 2, 4, 8))


def bits(unit: Part, width: int, named: bool = True) -> Part:
    return Part(unit.size, unit.alignment, width, named)


@pytest.mark.parametrize(
    ("rule", "members", "size", "places"),
    [
        ("alignment", [BYTE, WORD], 8, [Place(0), Place(4)]),
        ("trailing padding", [LONG, BYTE], 16, [Place(0), Place(8)]),
        ("no members", [], 0, []),
        (
            "bit-fields share a unit",
            [bits(WORD, 20), bits(WORD, 12)],
            4,
            [Place(0, 0), Place(0, 20)],
        ),
        (
            "none straddles",
            [bits(WORD, 20), bits(WORD, 13)],
            8,
            [Place(0, 0), Place(4, 0)],
        ),
        ("after a byte", [BYTE, bits(WORD, 8)], 4, [Place(0), Place(0, 8)]),
        (
            "zero width ends the unit",
            [bits(WORD, 3), bits(WORD, 0, named=False), bits(WORD, 3)],
            8,
            [Place(0, 0), Place(4, 0), Place(4, 0)],
        ),
        (
            "an unnamed one takes room",
            [bits(WORD, 3), bits(WORD, 5, named=False), BYTE],
            4,
            [Place(0, 0), Place(0, 3), Place(1)],
        ),
    ],
)
def test_struct(rule: str, members: list[Part], size: int, places: list[Place]) -> None:
    laid_out = lay_out("struct", members)
    assert (laid_out.size, list(laid_out.places)) == (size, places), rule


def test_attributes() -> None:
    packed = Part(4, 4, packed=True)
    assert lay_out("struct", [BYTE, packed]).places == (Place(0), Place(1))
    assert lay_out("struct", [BYTE, packed], aligned=4).size == 8
    assert lay_out("struct", [BYTE, Part(4, 4, aligned=16)]).size == 32


def test_unnamed_bits() -> None:
    """They align what is around them on ARM alone."""
    members = [BYTE, bits(WORD, 3, named=False)]
    assert lay_out("struct", members).alignment == 1
    assert lay_out("struct", members, unnamed_bits_align=True).alignment == 4


def test_union() -> None:
    laid_out = lay_out("union", [BYTE, Part(6, 2), bits(WORD, 5)])
    assert (laid_out.size, laid_out.alignment) == (8, 4)
    assert laid_out.places == (Place(0), Place(0), Place(0, 0))
