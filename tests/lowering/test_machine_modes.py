"""`mode` on members, as gcc and clang take it; what they differ on or refuse is refused."""

from __future__ import annotations

import shutil

import pytest
from c_compiler import run_c
from support import require
from xenbind.errors import SourceError
from xenbind.frontend.parse import parse
from xenbind.frontend.written import Written
from xenbind.ir.abi import X86_64
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources


def layout(members: str, record: str = "struct s") -> str:
    """The size of a record of these members, with the place and sign of its member x."""
    header = f"{record} {{ char c; {members} }};"
    written = Written(header, {}, Sources())
    types = TypeTable(Context({}, parse(written, []).declarations, written), X86_64)
    found = types.record("struct s")
    assert found
    (x,) = (field for field in found.fields if field.name == "x")
    integer = X86_64.integers.get(getattr(x.type, "base", ""))
    return f"{found.size} {x.offset} {int(integer is None or integer.signed)}"


def in_c(members: str, compiler: str, record: str = "struct s") -> str:
    require(shutil.which(compiler) is not None, compiler)
    asked = "sizeof(struct s), offsetof(struct s, x), ((struct s){.x = -1}).x < 0"
    header = f"{record} {{ char c; {members} }};"
    (said,) = run_c(header, f'printf("%zu %zu %d\\n", {asked});', compiler)
    return said


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("base", ["int", "unsigned", "char", "unsigned char", "long"])
@pytest.mark.parametrize("mode", ["QI", "HI", "__SI__", "DI", "word", "pointer"])
def test_a_member_is_as_wide_as_its_mode(mode: str, base: str, compiler: str) -> None:
    members = f"{base} x __attribute__((mode({mode})));"
    assert layout(members) == in_c(members, compiler)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("base", ["float", "double", "long double"])
@pytest.mark.parametrize("mode", ["SF", "__DF__"])
def test_so_is_a_floating_one(mode: str, base: str, compiler: str) -> None:
    members = f"{base} x __attribute__((mode({mode})));"
    assert layout(members) == in_c(members, compiler)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "members",
    [
        "int __attribute__((mode(QI))) x, y;",
        "__attribute__((mode(QI))) int x, y;",
        "int x __attribute__((mode(QI))), y;",
        "int x __attribute__((mode(DI), aligned(16)));",
    ],
)
@pytest.mark.parametrize("record", ["struct s", "struct __attribute__((packed)) s"])
def test_it_is_of_what_is_declared(members: str, record: str, compiler: str) -> None:
    assert layout(members, record) == in_c(members, compiler, record)


@pytest.mark.parametrize(
    "members",
    [
        "_Bool x __attribute__((mode(QI)));",
        "int *x __attribute__((mode(DI)));",
        "int x[2] __attribute__((mode(DI)));",
        "int x __attribute__((mode(TI)));",
        "int x __attribute__((mode(DF)));",
    ],
)
def test_what_has_no_one_meaning_is_refused(members: str) -> None:
    with pytest.raises(SourceError):
        layout(members)
