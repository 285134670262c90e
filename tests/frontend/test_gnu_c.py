"""What of GNU C the parser is spared, and what it is given in its place."""

from __future__ import annotations

import pytest
from pycparser import c_ast
from pycparser.c_generator import CGenerator
from xenbind.frontend import gnu_c

# By what it is about, a header and what the parser makes of it, as C again.
CASES = {
    "a function's body": (
        "static inline int f(int a) { if (a) { a++; } return ({ int b = a; b; }); }",
        "inline static int f(int a);",
    ),
    "a body with inline assembly": (
        'static int f(void) { __asm__ volatile("nop" : : "r"(1) : "memory"); return 1; }',
        "static int f(void);",
    ),
    "a body with a function in it": (
        "int f(void) { int g(void) { return 1; } return g(); }",
        "int f(void);",
    ),
    "a body after attributes": (
        "int f(void) __attribute__((cold)) __attribute__((odd)) { return 1; }",
        "int f(void) [[__attribute__::odd]];",
    ),
    "what follows a body": ("int f(void) { return 1; } int a;", "int f(void);\nint a;"),
    "a label for the linker": (
        'int f(void) __asm__("g");',
        'int f(void) [[__attribute__::asm("g")]];',
    ),
    "a label and attributes": (
        'extern int f(void) __asm__("" "g") __attribute__((nothrow));',
        'extern int f(void) [[__attribute__::asm("" "g")]];',
    ),
    "assembly by itself": ('asm(".globl x"); int a;', "int a;"),
    "an assertion": ('_Static_assert(sizeof(int) == 4, "int"); int a;', "int a;"),
    "an assertion of GNU C's": (
        'struct s { int a; _Static_assert(__builtin_types_compatible_p(int, int), ""); };',
        "struct s\n{\n  int a;\n};",
    ),
    "a compound literal": ("int *a = (int []){1, 2};", "int *a = (int []){1, 2};"),
    "a range of elements": (
        "int a[] = {[1] = 2, [3 + (0) ... 5] = 1}; int f(int a[2], ...);",
        "int a[] = {[1] = 2, [5] = 1};\nint f(int a[2], ...);",
    ),
    "a thread's variable": ("extern __thread int a;", "extern int a;"),
    "the compiler's own types": (
        "typedef __builtin_va_list va_list; _Float128 f(va_list);",
        "typedef __builtin_va_list va_list;\n_Float128 f(va_list);",
    ),
    "a type that others have as their own": (
        "typedef float _Float32; extern _Float32 a;",
        "typedef float _Float32;\nextern _Float32 a;",
    ),
    "an alignment": ("int a[__alignof__(int)];", "int a[__alignof__(int)];"),
    "a restricted parameter": (
        "int f(char *__restrict a, int b[__restrict 2]);",
        "int f(char * restrict a, int b[restrict 2]);",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_parsed(case: str) -> None:
    header, expected = CASES[case]
    found = [
        node for node in gnu_c.parse(header).ext if not isinstance(node, c_ast.Pragma)
    ]
    written = "\n".join(f"{CGenerator().visit(node)};" for node in found)
    assert written == expected


def test_bodies_are_kept_where_they_are_wanted() -> None:
    (function,) = gnu_c.parse("void f(void) { g(); }", keeps_bodies=True).ext
    assert isinstance(function, c_ast.FuncDef)
