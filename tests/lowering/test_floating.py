"""Constant expressions with floating numbers, as C evaluates them."""

from __future__ import annotations

import struct

import pytest
from c_compiler import GCC, compile_c
from xenbind.frontend.parse import expression
from xenbind.frontend.written import Written
from xenbind.ir.abi import ABIS, X86_64
from xenbind.lowering.constant_expressions import is_floating
from xenbind.lowering.context import Context
from xenbind.lowering.floating import evaluate_float
from xenbind.lowering.integers import Unevaluable
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources

SCOPE = TypeTable(Context({}, (), Written("", {}, Sources())), X86_64)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        (".5e-3", 0.0005),
        ("-(1.5)", -1.5),
        ("0x1.8p3", 12.0),
        ("0x1.8p3f", 12.0),
        ("0.1f", 0.10000000149011612),
        ("0.1f + 0.2f", 0.30000001192092896),
        ("0.1f + 0.2", 0.30000000149011613),
        ("3 / 2 * 1.0", 1.0),
        ("3 / 2.0", 1.5),
        ("(float)0.1", 0.10000000149011612),
        ("16777217 + 1.0f", 16777216.0),
        ("16777217 + 1.0", 16777218.0),
        ("(double)1 / 3", 1 / 3),
        ("1.5L * 4 + 0x1.8p3L", 18.0),
        ("1e22L", 1e22),
        ("-0.0L", 0.0),
        ("(long double)2 / 8", 0.25),
        ("(float)1.25L", 1.25),
    ],
)
def test_a_value(text: str, value: float) -> None:
    node = expression(text, ())
    assert node is not None and is_floating(node, SCOPE)
    assert evaluate_float(node, SCOPE) == value


# What is of another type meanwhile, is no number, or is not evaluated.
ODD = [
    "(double)0.1L",
    "(double)1.79769313486231570814527423731704356798070e+308L",
    "(double)2.22507385850720138309023271733240406e-308L",
    "(double)4.94065645841246544176568792868221372e-324L",
    "(double)-0.0L * 1",
    "(double)(1.0L / 3)",
    "(float)0.1L + 0.1",
    "(float)1e-45L",
    "(1e300L - 1e300L) * -1",
    "1e-400",
    "0x1p5000",
    "1e99999999L",
    "0.1L < 0.2L ? 1.5 : 0.5L",
    "0 ? 1 / 0 : 2.5",
    "1 ? 2.5f : 1 / 0.0",
    "__builtin_inff()",
    "-__builtin_huge_val()",
    "1 / -0.0",
    "1.0f / 0",
    "-(__builtin_inf() * 0.5L)",
    "_Generic(1.0f, float: 2.5, default: 1)",
    "(int)1.9L / 2.0",
    "(int)(0 ? 1e10 : 2.5) + 0.5",
]
# The sign of these is nobody's.
NO_NUMBERS = ['__builtin_nanf("")', "0.0 / 0", "__builtin_inf() - __builtin_infl()"]


@pytest.mark.parametrize("target", ABIS)
def test_a_value_is_as_gcc_computes_it(target: str) -> None:
    asked = [*ODD, *NO_NUMBERS]
    doubles = (f"const double value_{n} = {text};" for n, text in enumerate(asked))
    theirs = compile_c("".join(doubles), GCC[target])
    for place, text in enumerate(asked):
        node = expression(text, ())
        assert node is not None and is_floating(node, SCOPE)
        (double,) = struct.unpack("<d", theirs[f"value_{place}"])
        assert evaluate_float(node, SCOPE).hex() == double.hex(), text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.1L", "a long double of this value has no counterpart in Python"),
        ("1e23L", "a long double of this value has no counterpart in Python"),
        ("(double)(1.0L / 3 - 0.25L)", "a long double of this value has no"),
        ("1.0L / 3", "a long double of this value has no counterpart in Python"),
        ("1e300L * 1e300L", "a long double of this value has no counterpart in Python"),
        ("1e400L", "a long double of this value has no counterpart in Python"),
        ("(float)1.000000059604644775390626L", "a long double of this value has no"),
        ("1e300f", "it fits no float"),
        ("1.5 % 2", "it is not a constant of type float or double"),
        ("1.5 + other", "'other' is not a constant"),
    ],
)
def test_what_has_no_value(text: str, reason: str) -> None:
    node = expression(text, ())
    assert node is not None
    with pytest.raises(Unevaluable, match=reason):
        evaluate_float(node, SCOPE)
