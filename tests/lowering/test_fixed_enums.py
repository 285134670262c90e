"""Enums whose type is written, which C23 has and clang in any C, as clang takes them."""

from __future__ import annotations

import shutil

import pytest
from c_compiler import run_c
from support import require
from xenbind.frontend.parse import expression, parse
from xenbind.frontend.written import Written
from xenbind.ir.abi import ABIS, X86_64
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources

ASKED = ["sizeof(struct s)", "sizeof(A)", "A - 1 > 0", "B", "sizeof(enum e)"]


def header(c_type: str) -> str:
    return (
        "typedef unsigned char byte; typedef unsigned long word;\n"
        f"enum e : {c_type} {{ A, B = sizeof(A) }};\n"
        "struct s { char c; enum e e; enum e bits : 3; };\n"
    )


def types_of(text: str) -> TypeTable:
    written = Written(text, {}, Sources())
    return TypeTable(Context({}, parse(written, []).declarations, written), X86_64)


@pytest.mark.parametrize(
    "c_type", ["unsigned char", "signed char", "short", "long", "byte", "word"]
)
def test_it_and_its_enumerators_are_of_that_type(c_type: str) -> None:
    require(shutil.which("clang") is not None, "clang")
    types = types_of(header(c_type))
    said = run_c(
        header(c_type),
        "".join(f'printf("%d\\n", (int)({each}));' for each in ASKED),
        "clang",
    )
    nodes = [expression(each, ()) for each in ASKED]
    assert [types.value(node).value for node in nodes if node] == list(map(int, said))


def test_it_is_as_wide_as_its_type_on_each_target() -> None:
    types = types_of(header("word"))
    types.record("struct s")
    sizes = {name: types.records_on(abi)["struct s"].size for name, abi in ABIS.items()}
    assert sizes == {"x86_64": 24, "arm64": 24, "riscv64": 24, "i386": 12, "armhf": 12}


@pytest.mark.parametrize("c_type", ["char", "_Bool"])
def test_one_whose_kind_no_integer_type_has_is_refused(c_type: str) -> None:
    assert types_of(f"enum e : {c_type} {{ A }};").faults
