"""`aligned` around a pointer, as gcc and clang take it; what they differ on is refused."""

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

# A is the attribute, and what it is said of stands around it.
OF_THE_MEMBER = ["int A *p;", "A int *p;", "int *p A;"]
OF_THE_POINTER = [
    "int *A p;",
    "int **A p;",
    "int *A const p;",
    "int *const A p;",
    "int (*A p);",
    "void *A p;",
    "void (*A p)(int);",
    "int (*A p)[2];",
    "int *q, *A p;",
    "int *A p, q;",
]
OF_BOTH = ["int A *A p;", "int *A p A;", "int *A p __attribute__((aligned(32)));"]
PACKED = "__attribute__((packed))"


def answers(members: str, record: str, alignment: int) -> tuple[str, str]:
    """A header of one record, `struct s`, and C that prints its layout."""
    attribute = f"__attribute__((aligned({alignment})))"
    declared = record.replace("MEMBERS", members).replace("A", attribute)
    asked = "sizeof(struct s), _Alignof(struct s), __builtin_offsetof(struct s, p)"
    return declared, f'printf("%zu %zu %zu\\n", {asked});'


def laid_out(header: str) -> str:
    written = Written(header, {}, Sources())
    parsed = parse(written, [])
    types = TypeTable(Context({}, parsed.declarations, written), X86_64)
    record = types.record("struct s")
    assert record
    (offset,) = (field.offset for field in record.fields if field.name == "p")
    return f"{record.size} {record.alignment} {offset}"


ORDINARY = "struct s { char f; MEMBERS char z; };"
IN_PACKED = f"struct {PACKED} s {{ char f; MEMBERS char z; }};"
UNDER_A_PRAGMA = f"#pragma pack(2)\n{ORDINARY}"


@pytest.mark.parametrize("alignment", [8, 16])
@pytest.mark.parametrize(
    ("members", "record"),
    [
        *((members, ORDINARY) for members in OF_THE_MEMBER + OF_THE_POINTER + OF_BOTH),
        *((members, IN_PACKED) for members in OF_THE_MEMBER + OF_BOTH),
        *((members, UNDER_A_PRAGMA) for members in OF_THE_MEMBER + OF_THE_POINTER),
        ("t p;", f"typedef int *A t; {IN_PACKED}"),
    ],
)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_it_is_what_compilers_make_of_it(
    members: str, record: str, alignment: int, compiler: str
) -> None:
    require(shutil.which(compiler) is not None, compiler)
    header, asking = answers(members, record, alignment)
    (said,) = run_c(header, asking, compiler)
    assert laid_out(header) == said


@pytest.mark.parametrize("alignment", [2, 8, 16])
@pytest.mark.parametrize(
    ("members", "record"),
    [
        *((members, IN_PACKED) for members in OF_THE_POINTER),
        ("int *A p __attribute__((packed));", ORDINARY),
        ("__attribute__((packed)) int *A p;", ORDINARY),
        ("int *A p __attribute__((aligned(4)));", IN_PACKED),
        ("int __attribute__((aligned(4))) *A p;", IN_PACKED),
        ("int *A *p;", ORDINARY),
        ("int *A p[2];", ORDINARY),
        ("int (A *p);", ORDINARY),
        ("void (A *p)(int);", ORDINARY),
        ("__typeof__(int *A) p;", ORDINARY),
        ("__typeof__(int A) p;", ORDINARY),
    ],
)
def test_what_compilers_differ_on_is_refused(
    members: str, record: str, alignment: int
) -> None:
    header, _ = answers(members, record, alignment)
    with pytest.raises(SourceError):
        laid_out(header)
