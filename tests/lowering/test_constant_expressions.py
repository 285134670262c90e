"""Constant expressions: every rule by example, and random expressions as gcc computes them."""

from __future__ import annotations

import re

import pytest
from c_compiler import GCC, compile_c, run_c
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pycparser import c_ast
from pycparser.c_parser import CParser
from xenbind.frontend import gnu_c
from xenbind.frontend.macros import fault_of_value, is_expression, is_string
from xenbind.frontend.written import Written
from xenbind.ir.abi import ABIS, X86_64, Abi
from xenbind.lowering.constant_expressions import evaluate
from xenbind.lowering.context import Context
from xenbind.lowering.integers import CInt, Unevaluable
from xenbind.lowering.literals import string_value
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources

DECLARATIONS = """\
struct pair { uint8_t first; uint64_t second; };
struct list { struct pair pairs[3]; struct { uint8_t grid[2][5]; } inner; };
enum colour { RED, GREEN = 5, BLUE };
enum tone { LOW };
enum tint { PALE };
extern int numbers[5];
static int sparse[] = {[BLUE] = 1, 2, [0] = 3, 4}, pairs[][2] = {{1}, {2, 3}, 4};
static const char text[] = "ab" "c", braced[] = {"ab"}, *texts[] = {"a", "bc"}, *single[] = {"abc"};
static const char lines[][8] = {"a", "b", {'c'}}; static const struct pair told[] = {
  [1].first = 2, [3] = {4}}, flat[] = {1, 2, 3};
typedef int some_t[]; static some_t some = {1, 2, 3};
extern const struct list lists[][3], lists[2][3];
short number(int); double *pointer(void); struct list list(void);
"""
TYPEDEFS = "typedef unsigned char uint8_t; typedef unsigned int uint32_t;" + (
    "typedef unsigned long uint64_t; typedef long int64_t; typedef unsigned long size_t;"
)


def value_of(expression: str, abi: Abi = X86_64) -> CInt:
    tree = gnu_c.parse(f"{TYPEDEFS}{DECLARATIONS}int value = ({expression});")
    *declarations, variable = tree.ext
    assert isinstance(variable, c_ast.Decl)
    return evaluate(
        variable.init,
        TypeTable(Context({}, declarations, Written("", {}, Sources())), abi),
    )


@pytest.mark.parametrize(
    ("expression", "value", "c_type"),
    [
        ("1 << 3 | 1", 9, "int"),
        ("0x80000000", 0x80000000, "unsigned int"),
        ("2147483648", 2147483648, "long"),
        ("010", 8, "int"),
        ("0b101", 5, "int"),
        ("1U - 2", 0xFFFFFFFF, "unsigned int"),
        ("-1 > 0U", 1, "int"),
        ("~0ULL", 2**64 - 1, "unsigned long long"),
        ("(uint8_t)300", 44, "uint8_t"),
        ("(uint8_t)255 + 1", 256, "int"),
        ("-7 / 2", -3, "int"),
        ("-7 % 2", -1, "int"),
        ("-8 >> 1", -4, "int"),
        ("'A'", 65, "int"),
        (r"'\n'", 10, "int"),
        (r"'\xff'", -1, "int"),
        ("1 ? 2 : 3U", 2, "unsigned int"),
        ("0 && 1 / 0", 0, "int"),
        ("1 || 1 / 0", 1, "int"),
        ("!5", 0, "int"),
        ("sizeof(struct pair)", 16, "size_t"),
        ("sizeof(uint32_t) * 2", 8, "unsigned long"),
        ("sizeof(L\"xen\") + sizeof(u'x')", 18, "unsigned long"),
        ("L'\u263a' - 1", 0x2639, "int"),
        (r"L'\xffffffff'", -1, "int"),
        (r"u'\xffff'", 0xFFFF, "unsigned short"),
        (r"U'\U0001F600'", 0x1F600, "unsigned int"),
        ("_Alignof(struct pair)", 8, "size_t"),
        ("offsetof(struct pair, second)", 8, "size_t"),
        ("offsetof(struct list, pairs[2].second)", 40, "size_t"),
        ("offsetof(struct list, inner.grid[1][1 + 1])", 55, "size_t"),
        ('sizeof("xen")', 4, "size_t"),
        ('sizeof("x" "en")', 4, "size_t"),
        (r'sizeof("\n")', 2, "size_t"),
        ('sizeof(u8"xen")', 4, "size_t"),
        ("BLUE", 6, "int"),
        ("(_Bool)4", 1, "_Bool"),
    ],
)
def test_value_and_type(expression: str, value: int, c_type: str) -> None:
    result = value_of(expression)
    same_rank = {"size_t": "unsigned long"}
    assert (result.value, same_rank.get(result.type.name, result.type.name)) == (
        value,
        same_rank.get(c_type, c_type),
    )


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1 / 0", "it divides by zero"),
        ("1 % 0", "it divides by zero"),
        ("0x7fffffff + 1", "it overflows int"),
        ("1 << 32", "it shifts a int by 32"),
        ("1 << -1", "it shifts a int by -1"),
        ("UNKNOWN", "'UNKNOWN' is not a constant"),
        ("f(1)", "a function call is not a constant"),
        ("1.5", "1.5 is not an integer"),
        ("(1, 2)", "a list of expressions is not a constant"),
        ("(struct pair *)0", "'struct pair *' is not an integer type"),
        ("offsetof(struct pair, third)", "'struct pair' has no member 'third'"),
        (
            "offsetof(struct pair, first[1])",
            "offsetof takes a member, or an element of one",
        ),
        ("u'\U0001f600'", "u'\U0001f600' is not a single wide character"),
        (r'sizeof("\x41")', "a string with escapes by number has no size here"),
        ("99999999999999999999", "99999999999999999999 fits no integer type"),
    ],
)
def test_what_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(Unevaluable) as refused:
        value_of(expression)
    assert str(refused.value) == reason


LITERALS = st.one_of(
    st.integers(0, 2**64 - 1).map(lambda n: f"{n}ULL"),
    st.integers(0, 2**32 - 1).map(lambda n: f"{n:#x}"),
    st.integers(0, 2**31 - 1).map(str),
    st.integers(0, 2**32 - 1).map(lambda n: f"{n}U"),
    st.sampled_from(
        ["'a'", "sizeof(struct pair)", "GREEN", "0", "1", "0777", "2147483648"]
    ),
)


def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = [
        "+",
        "-",
        "*",
        "/",
        "%",
        "&",
        "|",
        "^",
        "<<",
        ">>",
        "<",
        ">",
        "<=",
        ">=",
        "==",
        "!=",
        "&&",
        "||",
    ]
    types = ["uint8_t", "uint32_t", "int64_t", "short", "_Bool", "unsigned char"]
    return st.one_of(
        st.tuples(inner, st.sampled_from(operators), inner).map(
            lambda p: f"({' '.join(p)})"
        ),
        st.tuples(st.sampled_from("-~!+"), inner).map(lambda p: f"({p[0]} {p[1]})"),
        st.tuples(st.sampled_from(types), inner).map(lambda p: f"(({p[0]}){p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
    )


EXPRESSIONS = st.recursive(LITERALS, extend, max_leaves=6)


# A failure names its one culprit; shrinking would compile a thousand times.
@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(st.lists(EXPRESSIONS, min_size=100, max_size=100))
def test_random_expressions_as_gcc_computes_them(expressions: list[str]) -> None:
    known = []
    for expression in expressions:
        try:
            known.append((expression, value_of(expression)))
        except Unevaluable as reason:
            # Only what has no value in C is refused here.
            assert any(
                word in str(reason) for word in ("divides", "overflows", "shifts")
            )
    lines = "\n".join(
        f'printf("%llu %d\\n", (unsigned long long)({text}),'
        f" ((__typeof__({text}))-1 < 0));"
        for text, _ in known
    )
    answers = run_c(DECLARATIONS, lines)
    for (expression, result), answer in zip(known, answers, strict=True):
        value, signed = map(int, answer.split())
        assert (result.value % 2**64, result.type.signed) == (
            value,
            bool(signed),
        ), expression


# What is no integer arithmetic alone.
MIXED = [
    "(int)2.5",
    "(int)-2.5",
    "(unsigned)3.7f",
    "(long)1.9 + 1",
    "(_Bool)0.5",
    "(_Bool)0.0",
    "(int)(2.5 * 2)",
    "(int)(1 ? 2.5 : 1)",
    "(int)((float)16777217 - 16777215)",
    "1.0 < 2 ? 3 : 4",
    "(1 == 1.0) + 1",
    "0.1f == 0.1",
    "16777216 == 16777216.0f",
    "!0.5 + !0.0 * 2",
    "0.0 || 0.5",
    "0.5 && 0.0",
    "0.5 ? 1 : 2",
    "0 ? 1 / 0 : 3",
    "1 ? 3 : 1 % 0",
    "1 ? -1 : 0u",
    "0 ? 1 << 99 : 4",
    "1 ? 5 : 2147483647 + 1",
    "1 || 1 / 0",
    "sizeof numbers / sizeof numbers[0]",
    "sizeof(numbers)",
    "sizeof sparse",
    "sizeof pairs / sizeof *pairs",
    "sizeof text",
    "sizeof braced",
    "sizeof texts",
    "sizeof single",
    "sizeof lines",
    "sizeof told",
    "sizeof some",
    "sizeof lists[0][1].inner",
    "sizeof lists",
    "(long)&((struct pair *)0)->second",
    "(size_t)&((struct list *)8)->inner.grid[1][2]",
    "(unsigned char)(long)&((struct list *)0x100)->pairs[2].second",
    "sizeof number(1) + sizeof *pointer() + sizeof list().inner",
    "sizeof 1.0f + sizeof(1 ? 1.0f : 2.0)",
    "sizeof(struct { int a; char b; })",
    "sizeof(union { int a; struct { char c; struct { double d; } e[3]; } b; }[2])",
    "sizeof(struct { short a; char b[sizeof(struct { char c[3]; })]; })",
    "_Alignof(struct { char a; double b; })",
    "_Generic(1L, long: 2, default: 5)",
    "_Generic(1L + 1LL, long: 2, long long: 3)",
    "_Generic(1UL + 1LL, unsigned long: 2, unsigned long long: 3, default: 4)",
    "_Generic('a', char: 2, int: 3)",
    "_Generic(sizeof 1, unsigned: 2, unsigned long: 3, unsigned long long: 4)",
    "_Generic((int64_t)1, unsigned: 2, long: 3, long long: 4)",
    "_Generic(1.0f, float _Complex: 2, float: 3, double: 4)",
    "_Generic(number(1), struct pair: 2, short: 3, default: 1 / 0)",
    "_Generic(lists[0][0], struct pair: 2, struct list: 3)",
    "_Generic(GREEN, char *: 2, int: 3)",
    "_Generic((enum tone)0, enum tint: 1, default: 2)",
    "__builtin_types_compatible_p(const int, __signed__ int)",
    "__builtin_types_compatible_p(typeof(((struct pair *)0)->second), long)",
    "__builtin_types_compatible_p(struct pair, struct list)",
    "__builtin_types_compatible_p(enum tone, unsigned)",
    "__builtin_types_compatible_p(enum tone, enum tint)",
    "__builtin_types_compatible_p(char, signed char)",
    "__builtin_popcount(-1) + __builtin_popcountl(-1) + __builtin_parityll(7)",
    "__builtin_clz(1) * 100 + __builtin_clzll(1) + __builtin_ctz(8)",
    "__builtin_ffs(0) + __builtin_ffsl(0x10) + (1 ? 2 : __builtin_ctzl(0))",
    "__builtin_bswap16(0x10203) - 0x10000",
    "~__builtin_bswap32(0x010203f4) + __builtin_bswap64(1)",
    "__builtin_choose_expr(sizeof(int) == 4, 2, numbers)",
    '__builtin_constant_p(1 + 2) + __builtin_constant_p(1.5) + __builtin_constant_p("x")',
]


def test_what_is_no_integer_arithmetic_alone_is_as_gcc_computes_it() -> None:
    shown = "".join(f'printf("%llx\\n", (long long)({text}));' for text in MIXED)
    theirs = [int(line, 16) for line in run_c(DECLARATIONS, shown)]
    ours = [value_of(text).value % 2**64 for text in MIXED]
    assert dict(zip(MIXED, ours, strict=True)) == dict(zip(MIXED, theirs, strict=True))


@pytest.mark.parametrize(
    "around",
    [
        "(int)({} + 0.5L)",
        "({} + 0.5L > 0.25)",
        "((int)({} + 0.5L) ? 1 : 0)",
        "_Generic({} + 0, int: 1)",
        "__builtin_choose_expr({} > 0.5, 1, 0)",
        "__builtin_constant_p({} + 1)",
    ],
)
def test_what_nests_takes_no_time_without_end(around: str) -> None:
    expression = "1"
    for _ in range(40):  # two evaluations at each level would be a million million
        expression = around.format(expression)
    assert value_of(expression).value == 1


# What C chooses by a type that is another one elsewhere, and what the size of such a type is.
ELSEWHERE = [
    "_Generic(sizeof 1, unsigned: 2, unsigned long: 3, unsigned long long: 4)",
    "_Generic((uint64_t)1, unsigned: 2, unsigned long: 3, unsigned long long: 4)",
    "_Generic(1U + 1L, long: 2, unsigned long: 3)",
    "_Generic(2147483648, long: 2, long long: 3)",
    "_Generic(1LL + 1UL, long long: 2, unsigned long long: 3)",
    "__builtin_types_compatible_p(uint64_t, unsigned long)",
    "__builtin_clzl(1) + __builtin_popcountl(-1)",
    "sizeof(struct { char a; long long b; struct { char *c; } d; })",
    "_Alignof(struct { char a; double b; })",
]


@pytest.mark.parametrize("target", ABIS)
def test_what_depends_on_the_target_is_as_its_compiler_computes_it(target: str) -> None:
    values = "".join(
        f"const int value_{place} = {text};" for place, text in enumerate(ELSEWHERE)
    )
    names = "typedef __UINT64_TYPE__ uint64_t;"
    theirs = compile_c(names + values, GCC[target])
    ours = [value_of(text, ABIS[target]).value for text in ELSEWHERE]
    assert ours == [
        int.from_bytes(theirs[f"value_{place}"], "little")
        for place in range(len(ELSEWHERE))
    ]


def test_a_type_within_an_expression_is_none_of_the_headers() -> None:
    tree = CParser().parse(
        "struct s { char a[sizeof(struct { struct { int b; } c; })]; };"
    )
    types = TypeTable(Context({}, tree.ext, Written("", {}, Sources())), X86_64)
    record = types.record("struct s")
    assert record is not None and record.size == 4
    assert [*types.records] == [*types.record_types] == ["struct s"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(int)3e9", "3000000000 fits no int"),
        ("(unsigned)-1.0", "-1 fits no unsigned int"),
        ("16777217 == 16777216.0f", "16777217 may be no float"),
        ("0 ? other : 3", "'other' is not a constant"),
        ("1 ? 1 / 0 : 3", "it divides by zero"),
        ("1 + 1.5", "1.5 is not an integer"),
        ("0 ? 1.5 : 2", "it is not an integer"),
        ("(long)&numbers[1]", "this address is not a constant"),
        ("sizeof flat", "how many elements the initialiser has is not known"),
        ("__builtin_clz(0)", "'clz' of 0 has no value"),
        ("(int)__builtin_inf(1)", "a function call is not a constant"),
        ('(int)__builtin_nan("")', "nan fits no integer type"),
        ("_Generic(1, char: 2, long: 3)", "this _Generic has nothing for the type"),
        ("_Generic(pointer(), default: 3)", "a _Generic of what is no number"),
        (
            "__builtin_constant_p(other)",
            "whether this is known depends on the compiler",
        ),
        ("(long)&((struct pair *)0)->third", "has no member 'third'"),
    ],
)
def test_what_has_no_integer_value(expression: str, reason: str) -> None:
    with pytest.raises(Unevaluable, match=re.escape(reason)):
        value_of(expression)


@pytest.mark.parametrize(
    ("expansion", "expected"),
    [
        ("(1 << 2)", True),
        ("sizeof(struct pair)", True),
        ("sizeof(struct { struct { int a; } b; } [2])", True),
        ("sizeof(struct pair { int a; })", False),  # it can be used only once
        ("({ struct { int a; } b; 3; })", False),
        ("", False),
        ("struct pair", False),
        ("unsigned int", False),
        ("do { } while (0)", False),
        ("__attribute__((packed))", False),
        ("1; 2", False),
        ("(';' << 8 | '{')", True),
        ('sizeof("};")', True),
        ("';'; 2", False),
    ],
)
def test_what_may_be_a_constant(expansion: str, expected: bool) -> None:
    assert is_expression(expansion) is expected


@pytest.mark.parametrize(
    ("expansion", "reads_as_value"),
    [
        ("1;", True),
        ("LIMIT;", True),
        ("{ 1, 2 }", True),
        ("({ 3; })", True),
        ("(struct pair){ 1, 2 }", True),
        ("'a';", True),
        ("sizeof(struct { int a; })", True),
        ("sizeof(pair_t __attribute__((packed)))", True),
        ("do { } while (0)", False),
        ("{ release(lock); }", False),
        ("release(lock);", False),
        ("return 3;", False),
        ("break;", False),
        ("} else {", False),
        (";", False),
        ("__attribute__((packed))", False),
        ("uint64_t __attribute__((aligned(8)))", False),
        ("extern struct pair { int a; }", False),
        ("struct pair;", False),
    ],
)
def test_what_reads_as_a_value(expansion: str, reads_as_value: bool) -> None:
    assert bool(fault_of_value(expansion)) is reads_as_value


def test_string_macros() -> None:
    assert string_value('"a\\"b" "c"') == 'a"bc'
    assert not is_string("1")


@pytest.mark.parametrize(
    ("text", "on_x86_64", "on_i386"),
    [
        ("_Alignof(double)", 8, 4),
        ("__alignof__(double)", 8, 8),
        ("__alignof__(long long[2])", 8, 8),
        ("__alignof__(long)", 8, 4),
        ("__alignof__(struct pair)", 8, 4),
    ],
)
def test_the_least_alignment_and_the_one_that_compilers_prefer(
    text: str, on_x86_64: int, on_i386: int
) -> None:
    declarations = gnu_c.parse(f"{TYPEDEFS}{DECLARATIONS}").ext
    node = gnu_c.parse(f"struct pair; int value = {text};").ext[-1].init
    context = Context({}, declarations, Written("", {}, Sources()))
    values = [
        evaluate(node, TypeTable(context, ABIS[abi])).value
        for abi in ("x86_64", "i386")
    ]
    assert values == [on_x86_64, on_i386]
