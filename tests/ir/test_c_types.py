"""When two types are the same: what a type says of itself for Python alone makes no other one."""

from __future__ import annotations

import pytest
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    FunctionType,
    Pointer,
    RecordRef,
    Scalar,
)

RECORD = RecordRef("struct node", "struct node")
FUNCTION = FunctionType(Scalar("int", "int"), (), is_variadic=False)
MODE = Enumeration("enum mode", "unsigned int", key="enum mode")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pointer("void *", None), Pointer("void *", None, other=FUNCTION)),
        (Pointer("node *", RECORD), Pointer("node *", RECORD, qualifiers="const")),
        (MODE, Enumeration("enum mode", "unsigned int")),
        (Array(MODE, 2), Array(Enumeration("enum mode", "unsigned int"), 2)),
    ],
)
def test_types_are_equal_by_what_c_has(one: CType, other: CType) -> None:
    assert one == other
    assert not one != other  # noqa: SIM202
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pointer("node *", None), Pointer("node *", RECORD)),
        (MODE, Enumeration("enum mode", "int", key="enum mode")),
    ],
)
def test_other_types_are_not(one: CType, other: CType) -> None:
    assert one != other
    assert not one == other  # noqa: SIM201
