"""Constant expressions with floating numbers, as C evaluates them."""

from __future__ import annotations

import pytest
from xenbind.frontend.parse import expression
from xenbind.frontend.written import Written
from xenbind.ir.abi import X86_64
from xenbind.lowering.constant_expressions import Unevaluable, is_floating
from xenbind.lowering.context import Context
from xenbind.lowering.floating import evaluate_float
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.1L", "a long double of this value has no counterpart in Python"),
        ("1e23L", "a long double of this value has no counterpart in Python"),
        ("1.0L / 3", "a long double of this value has no counterpart in Python"),
        ("1e300L * 1e300L", "a long double of this value has no counterpart in Python"),
        ("1e-999999999L", "a long double of this value has no counterpart in Python"),
        ("1e999999999L", "a long double of this value has no counterpart in Python"),
        ("1.0 / 0", "it divides by zero"),
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
