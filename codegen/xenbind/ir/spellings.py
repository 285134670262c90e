"""How C spells types: the canonical names of fundamental ones, and types as written.

Takes the words of a specifier, or a `CType`; gives text.
"""

from __future__ import annotations

from xenbind.ir.interface import Array, CType


def fundamental(spelling: str) -> str:
    """A fundamental type's canonical name: `long unsigned int` is `unsigned long`."""
    words = spelling.split()
    if "double" in words or "float" in words or not set(words) <= _INTEGER_WORDS:
        return spelling
    unsigned = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return "signed char" if "signed" in words else f"{unsigned}char"
    length = "short" if "short" in words else " ".join(["long"] * words.count("long"))
    return unsigned + (length or "int")


_INTEGER_WORDS = frozenset(("signed", "unsigned", "char", "short", "int", "long"))


def spelling(type: CType) -> str:
    """A type as C writes it, `uint8_t[2][44]` for an array of arrays."""
    dimensions = ""
    while isinstance(type, Array):
        dimensions += f"[{'' if type.length is None else type.length}]"
        type = type.element
    return type.spelling + dimensions
