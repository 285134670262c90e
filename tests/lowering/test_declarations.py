"""`#pragma pack`, as gcc and clang take it; what they differ on is refused."""

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

RECORD = "struct s { char a; long long b; };"


def size_of_s(header: str) -> int:
    written = Written(header, {}, Sources())
    parsed = parse(written, [])
    types = TypeTable(Context({}, parsed.declarations, written), X86_64)
    record = types.record("struct s")
    assert record
    return record.size


@pytest.mark.parametrize(
    "pragmas",
    [
        "pack(2)",
        "pack(3)",
        "pack(32)",
        "pack(2)|pack(3)",
        "pack(1)|pack()",
        "pack(1)|pack(0)",
        "pack(1)|pack(pop)",
        "pack(push, 1)|pack(pop)",
        "pack(2)|pack(push)|pack(1)|pack(pop)",
        "pack(2)|pack(push, 1)|pack(pop)|pack(pop)",
        "pack(push, id, 1)",
        "pack(push, id, 1)|pack(pop, id)",
        "pack(2)|pack(push, id)|pack(1)|pack(push, 4)|pack(pop, id)",
        "pack(push, a, 2)|pack(push, b, 4)|pack(push, a, 1)|pack(pop, a)",
        "pack(push, a, 2)|pack(push, b, 4)|pack(push, c, 1)|pack(pop, a)",
        "pack(push, a, 2)|pack(push, b, 4)|pack(pop)",
        "pack(2)|pack(pop, a)",
    ],
)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_limit_is_what_compilers_make_of_it(pragmas: str, compiler: str) -> None:
    require(shutil.which(compiler) is not None, compiler)
    header = "".join(f"#pragma {one}\n" for one in pragmas.split("|")) + RECORD
    (said,) = run_c(header, 'printf("%zu\\n", sizeof(struct s));', compiler)
    assert size_of_s(header) == int(said)


@pytest.mark.parametrize(
    "pragma",
    [
        *("pack(pop, 2)", "pack(push, 3)", "pack(push, 1, a)", "pack(a)"),
        *("pack(push, a, 1)\n#pragma pack(pop, b)", "ms_struct on"),
        *("pack(push 1)", "pack(push1)", "pack(,1)", "pack(push, a 1)", "pack(016)"),
        *('GCC optimize("pack-struct")', 'GCC optimize("short-enums")'),
    ],
)
def test_what_compilers_differ_on_is_refused(pragma: str) -> None:
    with pytest.raises(SourceError):
        size_of_s(f"#pragma {pragma}\n{RECORD}")


@pytest.mark.parametrize(
    "before",
    [
        "void f(void) {\n#pragma pack(1)\n}",
        "static inline int f(int a)\n{ if (a) {\n#pragma pack(2)\n} return a; }",
        '_Static_assert(sizeof(struct { int a;\n#pragma pack(1)\n}), "");',
    ],
)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_pragma_counts_in_what_is_passed_over(before: str, compiler: str) -> None:
    require(shutil.which(compiler) is not None, compiler)
    header = f"{before}\n{RECORD}"
    (said,) = run_c(header, 'printf("%zu\\n", sizeof(struct s));', compiler)
    assert size_of_s(header) == int(said)


@pytest.mark.parametrize(
    "before",
    [
        "struct unused { int a;\n#pragma pack(1)\nint b; };",
        "enum {\n#pragma pack(1)\nA };",
        "int a[sizeof(struct { int b;\n#pragma pack(1)\n})];",
        "void f(struct { int b;\n#pragma pack(1)\n} *a);",
    ],
)
def test_no_pragma_is_passed_over_within_a_declaration(before: str) -> None:
    with pytest.raises(SourceError):
        size_of_s(f"{before}\n{RECORD}")
