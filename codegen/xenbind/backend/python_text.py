"""Constants as Python text: written as the header writes them, where Python agrees.

Takes a `Constant` and the Python names of the others; gives an expression that has its
value.  `module` places it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from xenbind.ir.interface import Constant

_SHIFT = re.compile(r"(\d+)[uUlL]*\s*<<\s*(\d+)[uUlL]*")
_UNION = re.compile(r"\w+(?:\s*\|\s*\w+)+")
_LONGEST_UNION = 64  # bits in the widest type; Python's compiler recurses
_HEXADECIMAL = re.compile(r"0[xX]([0-9a-fA-F]+)[uUlL]*")


def literal(constant: Constant, names: Mapping[str, str]) -> str:
    """The text of a constant's value: a shift, an or of others in `names`, or a number.

    What the header writes is taken only if it means the same in Python; C's arithmetic
    wraps where Python's does not.
    """
    value = constant.value
    if isinstance(value, str):
        return text(value)
    body = constant.body.strip()
    while body.startswith("(") and body.endswith(")") and "(" not in body[1:]:
        body = body[1:-1].strip()
    shift = _SHIFT.fullmatch(body)
    if shift and int(shift[1]) << int(shift[2]) == value:
        return f"{int(shift[1])} << {int(shift[2])}"
    if _UNION.fullmatch(body):
        parts = re.split(r"\s*\|\s*", body)
        if len(parts) <= _LONGEST_UNION and all(part in names for part in parts):
            return " | ".join(names[part] for part in parts)
    hexadecimal = _HEXADECIMAL.fullmatch(body)
    if hexadecimal and int(hexadecimal[1], 16) == value:
        return f"0x{hexadecimal[1].upper()}"
    return str(value)


def text(value: str) -> str:
    """A string as black writes it; what cannot be printed is escaped."""
    quoted = repr(value)
    if quoted.startswith("'") and '"' not in value:
        return f'"{quoted[1:-1]}"'
    return quoted
