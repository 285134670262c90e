"""A header is lowered once and laid out for every ABI: as if it were lowered for each."""

from __future__ import annotations

import pytest
from xenbind.frontend.parse import parse
from xenbind.frontend.written import Written
from xenbind.ir.abi import ABIS
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources

# By what may differ from one ABI to another.
DECLARATIONS = {
    "nothing": "struct s { int a[3]; char b; };",
    "the sizes of types": "struct s { char a; long b; void *c; double d; };",
    "an array length": "struct s { char a[sizeof(long)]; };",
    "an array length of literals": "struct s { char a[5000000000 > 0]; };",
    "a typedef's length": "typedef char t[sizeof(void *)]; struct s { t a; };",
    "an enumerator": "enum { N = sizeof(long) }; struct s { char a[N]; };",
    "an octal enumerator": "enum { N = 010 }; struct s { char a[N]; };",
    "an enumerator of a character": "enum { N = 'a' }; struct s { char a[N]; };",
    "the enumerator after it": "enum { M = sizeof(long), N }; struct s { char a[N]; };",
    "an enum's type": "enum e { N = 0x10000000000 }; struct s { enum e a; char b; };",
    "an enumerator's type": "enum { N = 3000000000 }; struct s { char a[sizeof(N)]; };",
    "a width": "struct s { int a : sizeof(long); };",
    "an alignment": "struct s { char a __attribute__((aligned(sizeof(long)))); };",
    "the greatest alignment": "struct s { char a __attribute__((aligned)); };",
    "_Alignas": "struct s { _Alignas(long) char a; };",
    "typeof": "struct s { typeof(1l) a; };",
    "a member's place": (
        "struct p { char a; long b; };"
        "struct s { char a[offsetof(struct p, b)]; struct p p; };"
    ),
    "an anonymous member": "struct s { int a; struct { char b[sizeof(long)]; }; };",
    "an inner definition": "struct s { int a; struct { char b[sizeof(long)]; } c; };",
    "a struct in it": (
        "struct p { char a[sizeof(long)]; }; struct s { char a; struct p b[2]; };"
    ),
    "an untagged struct": (
        "typedef struct { char a[sizeof(long)]; } t;"
        "typedef struct { t a; int b; } u __attribute__((aligned(16)));"
    ),
    "what a pointer leads to": (
        "struct p { char a[sizeof(long)]; }; struct s { struct p *p; struct s *s; };"
    ),
}


def table(declarations: str, target: str) -> TypeTable:
    """The types of these declarations on one ABI, each record asked for."""
    written = Written(declarations, {}, Sources())
    parsed = parse(written, [])
    types = TypeTable(Context({}, parsed.declarations, written), ABIS[target])
    for name in types.declared.typedefs:
        types.typedef(name)
    for key in types.declared.records:
        types.record(key)
    return types


@pytest.mark.parametrize("target", ABIS)
@pytest.mark.parametrize("name", DECLARATIONS)
def test_laid_out_anew_is_as_lowered_anew(name: str, target: str) -> None:
    once = table(DECLARATIONS[name], "x86_64")
    anew = table(DECLARATIONS[name], target)
    assert once.records_on(ABIS[target]) == anew.records
    assert list(once.records_on(ABIS[target])) == list(anew.records)


def test_what_does_not_vary_is_not_lowered_again() -> None:
    types = table("struct a { long x; }; struct b { char x[sizeof(long)]; };", "x86_64")
    assert types.varying == {"struct b"}


def test_a_record_that_another_abi_refuses_is_left_out_there() -> None:
    # On i386 the attribute asks for less than the type's own alignment.
    types = table("struct s { long long a : 3 __attribute__((aligned(4))); };", "i386")
    assert list(types.records) == ["struct s"]
    assert types.records_on(ABIS["x86_64"]) == {}


def test_an_array_of_less_than_nothing_has_no_layout() -> None:
    types = table(
        "struct s { char a[(unsigned long)0x100000000 ? 1 : -1]; }; struct t { int a; };",
        "x86_64",
    )
    assert list(types.records_on(ABIS["i386"])) == ["struct t"]
    assert len(types.records_on(ABIS["arm64"])) == 2


@pytest.mark.parametrize("more", ["", "char b[sizeof(long)];"])
@pytest.mark.parametrize("target", ["i386", "armhf"])
def test_a_bit_field_wider_than_its_type_has_no_layout(target: str, more: str) -> None:
    types = table(
        f"struct s {{ unsigned long a : 40; {more} }};"
        "struct t { struct s s; }; struct u { int a; };",
        "x86_64",
    )
    assert list(types.records_on(ABIS[target])) == ["struct u"]
    assert len(types.records_on(ABIS["arm64"])) == 3
