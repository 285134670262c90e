"""C's types as the IR has them, and how C spells them.

`lowering` makes `CType`s of declarators; whoever reads the IR takes them apart with
`match`.  `uint8_t grid[2][3]` is `Array(Array(Scalar("uint8_t", "uint8_t"), 3), 2)`, and
`spelling` gives `uint8_t[2][3]` for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scalar:
    """An arithmetic type.

    `spelling` is what the header writes (`RING_IDX`); `base` is the stdint or fundamental
    type behind it (`unsigned int`).  `aligned`, here and below, is the alignment that an
    attribute gave the type's name, 0 without one.
    """

    spelling: str
    base: str
    aligned: int = 0


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An `enum` used as the type of a member; `base` is the integer type that holds it.

    `key` tells it from others: `enum mode`, of one without a tag `enum {FIRST_ENUMERATOR}`.
    """

    spelling: str
    base: str
    aligned: int = 0
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer; `target` is None for `void`, for functions and for incomplete types."""

    spelling: str
    target: CType | None
    aligned: int = 0


@dataclass(frozen=True, slots=True)
class Array:
    """An array; `length` is None for a flexible array member."""

    element: CType
    length: int | None
    aligned: int = 0


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A struct or union by its key in `Interface.records`; `spelling` as in the header."""

    spelling: str
    key: str
    aligned: int = 0


CType = Scalar | Enumeration | Pointer | Array | RecordRef


def fundamental(spelling: str) -> str:
    """Give a fundamental type's canonical name: `unsigned long` for `long unsigned int`.

    Any other name is given back as it is (C11 6.7.2p2 has the list).
    """
    if spelling in _FLOATING:
        return _FLOATING[spelling]
    words = spelling.split()
    if "double" in words or "float" in words or not set(words) <= _INTEGER_WORDS:
        return spelling
    unsigned = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return "signed char" if "signed" in words else f"{unsigned}char"
    length = "short" if "short" in words else " ".join(["long"] * words.count("long"))
    return unsigned + (length or "int")


# The formats that TS 18661-3 names, which these types have on every ABI.
_FLOATING = {"_Float32": "float", "_Float64": "double", "_Float32x": "double"}
_INTEGER_WORDS = frozenset(("signed", "unsigned", "char", "short", "int", "long"))


def spelling(c_type: CType) -> str:
    """Spell a type as C writes it, `uint8_t[2][44]` for an array of arrays."""
    dimensions = ""
    while isinstance(c_type, Array):
        dimensions += f"[{'' if c_type.length is None else c_type.length}]"
        c_type = c_type.element
    return c_type.spelling + dimensions


def element(c_type: CType) -> Scalar | Enumeration | Pointer | RecordRef:
    """Give the type inside arrays of any depth; the type itself if it is no array."""
    while isinstance(c_type, Array):
        c_type = c_type.element
    return c_type


def inside_arrays(c_type: CType) -> tuple[CType, tuple[int, ...]]:
    """Give the type inside arrays of one or more elements, and the arrays' lengths."""
    if not isinstance(c_type, Array) or not c_type.length:
        return c_type, ()
    inner, lengths = inside_arrays(c_type.element)
    return inner, (c_type.length, *lengths)


def is_anonymous(key: str) -> bool:
    """Tell whether a record's key is its path inside another: it has no name of its own."""
    return "." in key
