"""Evaluate constant expressions that have floating numbers in them: to a value and its type.

Takes an expression's AST and the same `Scope` as `constant_expressions`, which evaluates the
integers in it; gives a Python float, which is a double of C's.  `constants` asks for macros.

    1.5f * 2    ->  3.0, as a float
    -2.5e-3     ->  -0.0025, as a double
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from pycparser import c_ast

from xenbind.ir.c_types import Scalar
from xenbind.lowering.constant_expressions import Scope, Unevaluable, evaluate

_TYPES = ("float", "double")
_INTEGER = "integer"
_RANKS = (_INTEGER, *_TYPES)  # the usual conversions lead to the later


def has_float(node: c_ast.Node) -> bool:
    """Tell whether an expression has a floating constant, or a cast to such a type."""
    if isinstance(node, c_ast.Constant):
        return "float" in node.type or "double" in node.type
    if isinstance(node, c_ast.IdentifierType):
        return node.names[-1] in _TYPES
    return any(map(has_float, node))


def evaluate_float(node: c_ast.Node, scope: Scope) -> float:
    """Evaluate an arithmetic constant expression of a floating type (C11 6.6p8).

    Raises `Unevaluable` for any other, and for one that is of type long double, which may have
    a value that Python's float has not.
    """
    return _evaluate(node, scope)[0]


def _evaluate(node: c_ast.Node, scope: Scope) -> tuple[float, str]:
    """Give the value and the type's name."""
    match node:
        case c_ast.Constant() if has_float(node):
            return _literal(node.value)
        case c_ast.UnaryOp(op="+" | "-" as op) if has_float(node.expr):
            value, name = _evaluate(node.expr, scope)
            return (-value if op == "-" else value), name
        case c_ast.BinaryOp(op=op) if op in _ARITHMETIC and has_float(node):
            left, right = _evaluate(node.left, scope), _evaluate(node.right, scope)
            if op == "/" and not right[0]:
                raise Unevaluable("it divides by zero")
            name = max(left[1], right[1], key=_RANKS.index)
            values = (_of_type(value, name) for value, _ in (left, right))
            return _of_type(_ARITHMETIC[op](*values), name), name
        case c_ast.Cast():
            c_type = scope.type(node.to_type)
            if isinstance(c_type, Scalar) and c_type.base in _TYPES:
                value, _ = _evaluate(node.expr, scope)
                return _of_type(value, c_type.base), c_type.base
    if has_float(node):
        raise Unevaluable("it is not a constant of type float or double")
    return float(evaluate(node, scope).value), _INTEGER


def _literal(text: str) -> tuple[float, str]:
    """Read a floating constant, decimal or hexadecimal (C11 6.4.4.2)."""
    is_hexadecimal = text[:2].lower() == "0x"
    suffix = text[-1].lower()
    if suffix == "l":
        raise Unevaluable("a long double has no counterpart in Python")
    name = "float" if suffix == "f" else "double"
    digits = text[:-1] if suffix == "f" else text
    value = float.fromhex(digits) if is_hexadecimal else float(digits)
    return _of_type(value, name), name


def _of_type(value: float, name: str) -> float:
    """Round to what a type holds."""
    if name != "float":
        return value
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        raise Unevaluable("it fits no float") from None
    return rounded


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
