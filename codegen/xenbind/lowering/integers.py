"""C's integers: a value with its type, as a literal gives it and as conversions make it.

Takes the text of a literal, or a `CInt`; gives a `CInt`, by C's rules (C11 6.3.1, 6.4.4), for
`constant_expressions`, which computes with them.  What is none it refuses, with `Unevaluable`.

    2147483648      ->  CInt(0x80000000, long)
    0x80000000      ->  CInt(0x80000000, unsigned int)
    'A'             ->  CInt(65, int)
"""

from __future__ import annotations

import re

from pycparser import c_ast

from xenbind.ir.abi import Abi, IntegerType
from xenbind.lowering import literals
from xenbind.plain import Struct


class Unevaluable(Exception):
    """An expression that is not an integer constant, and why.

    `node` is the part of it that is none, None where that is the whole.
    """

    node: c_ast.Node | None = None


class CInt(Struct, frozen=True):
    """An integer of a C type.  `value` always fits `type`."""

    value: int
    type: IntegerType


def convert(operand: CInt, target: IntegerType) -> CInt:
    """Convert to an integer type: modulo 2^N, then two's complement (C11 6.3.1.2, 6.3.1.3)."""
    if target.name == "_Bool":
        return CInt(int(operand.value != 0), target)
    bits = 8 * target.size
    value = operand.value & ((1 << bits) - 1)
    if target.signed and value >> (bits - 1):
        value -= 1 << bits
    return CInt(value, target)


def character(text: str, abi: Abi) -> CInt:
    """Read a character constant (C11 6.4.4.4): a char is converted to int."""
    prefix, _, _ = text.partition("'")
    try:
        octets = literals.content(text.removeprefix(prefix), prefix)
    except ValueError as reason:
        raise Unevaluable(str(reason)) from None
    if len(octets) != literals.size_of_unit(prefix):
        unit = "wide character" if prefix in ("L", "u", "U") else "byte"
        raise Unevaluable(f"{text} is not a single {unit}")
    value = CInt(int.from_bytes(octets, "little"), abi.integers["int"])
    if prefix == "L":
        return convert(value, abi.wide)
    if prefix:
        return CInt(value.value, abi.integers[_CHARACTERS[prefix]])
    char = convert(value, abi.integers["char"])
    return CInt(char.value, value.type)


def literal(text: str, abi: Abi) -> CInt:
    """Read an integer constant; its type is the first of C11 6.4.4.1's that holds it."""
    digits = text.rstrip("uUlL")
    suffix = text[len(digits) :].lower()
    if len(digits) > _LONGEST:
        raise Unevaluable("it fits no integer type")
    value = number(digits)
    decimal = digits[0] != "0"
    names = ["int", "long", "long long"][min(suffix.count("l"), 2) :]
    for name in names:
        for prefix in ("unsigned ",) if "u" in suffix else ("", "unsigned "):
            if prefix and decimal and "u" not in suffix:
                continue
            candidate = abi.integers[prefix + name]
            if candidate.holds(value):
                return CInt(value, candidate)
    raise Unevaluable(f"{text} fits no integer type")


def is_integer(text: str) -> bool:
    """Tell an integer from a character, which is an int to the parser too."""
    return text[:1].isdigit()


def number(digits: str) -> int:
    """Read an integer without its suffix; C writes octal ones with a mere 0.

    C23 lets digits stand in groups (6.4.4.1).
    """
    digits = digits.replace("'", "")
    octal = re.fullmatch(r"0[0-7]+", digits)
    return int(digits, 8) if octal else int(digits, 0)


def size_of_string(text: str) -> int:
    """Give the size of a string literal, with its NUL, in bytes."""
    prefix, _, _ = text.partition('"')
    if re.search(r"\\[x0-7]", text):
        # The parser joins literals, and so could make one escape of two words.
        raise Unevaluable("a string with escapes by number has no size here")
    try:
        octets = literals.content(text.removeprefix(prefix), prefix)
        return len(octets) + literals.size_of_unit(prefix)
    except ValueError as reason:
        raise Unevaluable(str(reason)) from None


_LONGEST = 66  # in digits: 64 of the shortest base, with its prefix
_CHARACTERS = {"u": "unsigned short", "U": "unsigned int", "u8": "unsigned char"}
