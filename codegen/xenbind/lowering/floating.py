"""Evaluate constant expressions that have floating numbers in them.

Takes an expression's AST and the same `Scope` as `constant_expressions`, which evaluates the
integers in it; gives a Python float, which is a double of C's, or what is asked of one.
`constants` asks for macros and variables.

    1.5f * 2        ->  3.0, as a float
    -2.5e-3         ->  -0.0025, as a double
    1.5L            ->  1.5, as a long double, which holds it on every machine
    (double)0.1L    ->  0.1

A long double has more digits than a Python float, how many depends on the machine.  So each
expression is evaluated with those of every machine: what comes of it has to be the same with
all of them, and to be a double's, and all else is refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from pycparser import c_ast

from xenbind.lowering.constant_expressions import (
    COMPARISONS,
    FLOATING,
    SPECIAL,
    ZERO,
    Scope,
    called,
    chosen,
    evaluate,
    floating_type,
)
from xenbind.lowering.integers import Unevaluable
from xenbind.plain import Struct

_LONG = "long double"

# A long double is a Fraction, of any number of digits; a float where none can be, which are zero
# with its sign, infinities and what is no number.  All others are floats or ints.
_Number = Fraction | float


class _Format(Struct, frozen=True):
    """How a type stores its numbers: so many bits, less than 2 to the power of `most`."""

    bits: int
    most: int


_FLOAT, _DOUBLE = _Format(24, 128), _Format(53, 1024)
# On armhf, on x86, on arm64 and riscv64.
_LONG_FORMATS = (_DOUBLE, _Format(64, 16384), _Format(113, 16384))


def evaluate_float(node: c_ast.Node, scope: Scope) -> float:
    """Evaluate an arithmetic constant expression (C11 6.6p8).

    Raises `Unevaluable` for any other, and for a long double whose value no double has.
    """
    return float(_everywhere(scope, lambda evaluator: _double(evaluator.visit(node))))


def truncate(node: c_ast.Node, scope: Scope) -> int:
    """Evaluate such an expression, and convert it to an integer (C11 6.3.1.4).

    Raises `Unevaluable` for what is infinite or no number, too.
    """
    return int(_everywhere(scope, lambda evaluator: _whole(evaluator.visit(node))))


def compare(op: str, left: c_ast.Node, right: c_ast.Node, scope: Scope) -> bool:
    """Compare two of them, as C does after the usual conversions (C11 6.5.8, 6.5.9)."""
    return bool(
        _everywhere(scope, lambda evaluator: evaluator.compare(op, left, right))
    )


def _everywhere(scope: Scope, ask: Callable[[_Evaluator], _Number]) -> _Number:
    """Ask on every machine, and give the answer that is the same on all of them."""
    found = [ask(_Evaluator(scope, each)) for each in _LONG_FORMATS]
    if len({repr(each) for each in found}) > 1:  # by which no number is like another
        raise _inexact()
    return found[0]


def _double(value: _Number) -> float:
    """Give a number that a double has.  Raises `Unevaluable` for any other."""
    double = _converted(value, _DOUBLE)
    if _is_finite(value) and double != value:
        raise _inexact()
    return float(double)


def _whole(value: _Number) -> int:
    if not _is_finite(value):
        raise Unevaluable(f"{value} fits no integer type")
    return math.trunc(value)


class _Evaluator:
    """What the expressions of one scope are, where a long double has this format."""

    def __init__(self, scope: Scope, long: _Format) -> None:
        self.scope = scope
        self.formats = {"float": _FLOAT, "double": _DOUBLE, _LONG: long}

    def visit(self, node: c_ast.Node, is_evaluated: bool = True) -> _Number:
        """Give the value of an expression; of one that is not evaluated only the type counts."""
        name = floating_type(node, self.scope)
        match chosen(node, self.scope):
            case _ if not name:
                return evaluate(node, self.scope, is_evaluated).value
            case c_ast.Constant(value=text):
                return self.literal(text, name)
            case c_ast.UnaryOp(op=op, expr=operand):
                value = self.visit(operand, is_evaluated)
                return -value if op == "-" else value
            case c_ast.TernaryOp(cond=condition, iftrue=true, iffalse=false):
                is_true = self.compare("!=", condition, ZERO)
                values = (
                    self.visit(false, is_evaluated and not is_true),
                    self.visit(true, is_evaluated and is_true),
                )
                return self.convert(values[is_true], name)
            case c_ast.BinaryOp(op=op, left=left, right=right) if op in _ARITHMETIC:
                a = self.convert(self.visit(left, is_evaluated), name)
                b = self.convert(self.visit(right, is_evaluated), name)
                return self.convert(_computed(op, a, b), name)
            case c_ast.Cast(expr=operand):
                return self.convert(self.visit(operand, is_evaluated), name)
            case c_ast.FuncCall() as call:
                return SPECIAL[called(call)][0]
        raise Unevaluable("it is not a constant of type float or double")

    def compare(self, op: str, left: c_ast.Node, right: c_ast.Node) -> bool:
        """Compare two numbers.  Raises `Unevaluable` for an integer that would be rounded.

        Of that a float may be kept with more bits than it has (C11 5.2.4.2.2p9).
        """
        name = max(
            (floating_type(each, self.scope) for each in (left, right)),
            key=("", *FLOATING).index,
        )
        a, b = (self.visit(each) for each in (left, right))
        for value in (a, b):
            if name and isinstance(value, int) and self.convert(value, name) != value:
                raise Unevaluable(f"{value} may be no {name}")
        return COMPARISONS[op](a, b)

    def convert(self, value: _Number, name: str) -> _Number:
        """Convert a number to a floating type.  Raises `Unevaluable` for one too great for float.

        Greater ones are infinite.
        """
        converted = _converted(value, self.formats[name])
        if name == "float" and math.isinf(converted) and _is_finite(value):
            raise Unevaluable("it fits no float")
        return converted if name == _LONG else float(converted)

    def literal(self, text: str, name: str) -> _Number:
        """Read a floating constant, decimal or hexadecimal (C11 6.4.4.2)."""
        found = _LITERAL.fullmatch(text.lower())
        if found is None:
            raise Unevaluable(f"{text} is no number of C's")
        base, scale = (16, 2) if found["hexadecimal"] else (10, 10)
        whole, _, behind = found["digits"].partition(".")
        digits, exponent = whole + behind, found["exponent"] or "0"
        if not digits.strip("0"):
            return 0.0
        if len(digits) > _MOST_DIGITS:
            raise Unevaluable("it has too many digits")
        if abs(float(exponent)) > _MOST_EXPONENT:
            # Fractions of what is out of range would take all memory.
            exponent = f"{math.copysign(_MOST_EXPONENT, float(exponent)):.0f}"
        number = Fraction(int(digits, base), base ** len(behind))
        return self.convert(number * Fraction(scale) ** int(exponent), name)


def _is_finite(value: _Number) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _sign(value: _Number) -> float:
    """Give 1 or -1: a zero has a sign, too."""
    return math.copysign(1, value if isinstance(value, float) else (value > 0) - 0.5)


def _converted(value: _Number, to: _Format) -> _Number:
    """Round a number to the nearest that a format has, of two to the even one."""
    if not value or not _is_finite(value):
        return float(value)
    exact = Fraction(value)
    above, below = abs(exact.numerator), exact.denominator
    exponent = above.bit_length() - below.bit_length()
    if Fraction(above, below) < Fraction(2) ** exponent:
        exponent -= 1
    least = 3 - to.most - to.bits  # of its numbers, as a power of 2
    unit = Fraction(2) ** max(exponent + 1 - to.bits, least)
    rounded = round(exact / unit) * unit
    if not rounded or abs(rounded) >= 1 << to.most:
        return _sign(value) * (math.inf if rounded else 0.0)
    return rounded


def _computed(op: str, a: _Number, b: _Number) -> _Number:
    """Compute exactly; by IEEE 754's rules where there is no number, or a zero's sign counts."""
    if _is_finite(a) and _is_finite(b) and (b or op != "/"):
        exact: Fraction = _ARITHMETIC[op](Fraction(a), Fraction(b))
        if exact:
            return exact
    # Of other numbers than zero only the sign counts then.
    a, b = (
        _sign(each) if each and _is_finite(each) else float(each) for each in (a, b)
    )
    if op != "/" or b:
        return float(_ARITHMETIC[op](a, b))
    return _sign(a) * _sign(b) * math.inf if a else math.nan


def _inexact() -> Unevaluable:
    return Unevaluable("a long double of this value has no counterpart in Python")


_LITERAL = re.compile(
    r"(?P<hexadecimal>0x)?(?P<digits>[\da-f]*?\.?[\da-f]*?)"
    r"(?:(?(hexadecimal)p|e)(?P<exponent>[+-]?\d+))?[fl]?"
)
# A long double's least power of 2 is that of -16494.
_MOST_DIGITS, _MOST_EXPONENT = 1000, 40_000
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
