"""Evaluate constant expressions that have floating numbers in them: to a value and its type.

Takes an expression's AST and the same `Scope` as `constant_expressions`, which evaluates the
integers in it; gives a Python float, which is a double of C's.  `constants` asks for macros.

    1.5f * 2    ->  3.0, as a float
    -2.5e-3     ->  -0.0025, as a double
    1.5L        ->  1.5, as a long double, which holds it on every machine

A long double has more digits than a Python float, how many depends on the machine: what is
exact in a double has the same value there, and all else is refused.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

from pycparser import c_ast

from xenbind.lowering.constant_expressions import (
    FLOATING,
    Scope,
    Unevaluable,
    evaluate,
    is_floating,
)

_LONG = "long double"
_INTEGER = "integer"
_RANKS = (_INTEGER, *FLOATING)  # the usual conversions lead to the later


def evaluate_float(node: c_ast.Node, scope: Scope) -> float:
    """Evaluate an arithmetic constant expression of a floating type (C11 6.6p8).

    Raises `Unevaluable` for any other, and for a long double whose value no double has.
    """
    return _evaluate(node, scope)[0]


def _evaluate(node: c_ast.Node, scope: Scope) -> tuple[float, str]:
    """Give the value and the type's name."""
    match node:
        case _ if not is_floating(node, scope):
            return float(evaluate(node, scope).value), _INTEGER
        case c_ast.Constant():
            return _literal(node.value)
        case c_ast.UnaryOp(op=op):
            value, name = _evaluate(node.expr, scope)
            return (-value if op == "-" else value), name
        case c_ast.TernaryOp():
            values = [_evaluate(each, scope) for each in (node.iftrue, node.iffalse)]
            name = max((name for _, name in values), key=_RANKS.index)
            is_first = _evaluate(node.cond, scope)[0] != 0
            return _of_type(values[not is_first][0], name), name
        case c_ast.BinaryOp(op=op) if op in _ARITHMETIC:
            left, right = _evaluate(node.left, scope), _evaluate(node.right, scope)
            if op == "/" and not right[0]:
                raise Unevaluable("it divides by zero")
            name = max(left[1], right[1], key=_RANKS.index)
            a, b = (_of_type(value, name) for value, _ in (left, right))
            if name == _LONG:
                return _exact(_ARITHMETIC[op](Fraction(a), Fraction(b))), name
            return _of_type(_ARITHMETIC[op](a, b), name), name
        case c_ast.Cast():
            base = getattr(scope.type(node.to_type), "base", "")
            return _of_type(_evaluate(node.expr, scope)[0], base), base
    raise Unevaluable("it is not a constant of type float or double")


def _literal(text: str) -> tuple[float, str]:
    """Read a floating constant, decimal or hexadecimal (C11 6.4.4.2)."""
    is_hexadecimal = text[:2].lower() == "0x"
    suffix = text[-1].lower()
    name = {"f": "float", "l": _LONG}.get(suffix, "double")
    digits = text if name == "double" else text[:-1]
    value = float.fromhex(digits) if is_hexadecimal else float(digits)
    if name == _LONG:
        return _exact_literal(value, digits, is_hexadecimal), name
    return _of_type(value, name), name


def _exact_literal(value: float, digits: str, is_hexadecimal: bool) -> float:
    """Give the value of a literal's digits, if it is just that."""
    significant, _, exponent = digits.lower().partition("p" if is_hexadecimal else "e")
    if not value or math.isinf(value) or len(significant) > _LONGEST:
        # Fractions of what is out of range would take all memory.
        if re.search("[1-9a-f]", significant.removeprefix("0x")):
            raise _inexact()
        return value
    whole, _, behind = significant.removeprefix("0x").partition(".")
    base, scale = (16, 2) if is_hexadecimal else (10, 10)
    number = Fraction(int(whole + behind, base), base ** len(behind))
    if number * Fraction(scale) ** int(exponent or 0) != Fraction(value):
        raise _inexact()
    return value


def _exact(value: Fraction) -> float:
    """Give a number that a double has.  Raises `Unevaluable` for any other."""
    with suppress(OverflowError):
        if Fraction(float(value)) == value:
            return float(value)
    raise _inexact()


def _inexact() -> Unevaluable:
    return Unevaluable("a long double of this value has no counterpart in Python")


def _of_type(value: float, name: str) -> float:
    """Round to what a type holds."""
    if name != "float":
        return value
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        raise Unevaluable("it fits no float") from None
    return rounded


_LONGEST = 1000  # digits of a long double
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
