"""Which functions a header has for a library, and their prototypes as the IR has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind import pipeline, spec
from xenbind.ir.c_types import Pointer, as_known, declaration, element
from xenbind.ir.interface import Interface

SPEC = """\
[interface]
name = "post"
package = "post"
header = "post.h"
needs = ["stdint.h"]

[functions]
library = "libpost.so"
"""


def interface(folder: Path, header: str, more: str = "") -> Interface:
    (folder / "post.h").write_text(header)
    (folder / "post.toml").write_text(SPEC + more)
    loaded = spec.load(folder / "post.toml").for_tree(folder)
    return pipeline.read(loaded, loaded.versions[0], ("gcc",))


def names(found: Interface) -> list[str]:
    return [function.name for function in found.functions]


# What a header writes, and what the IR says of it, by no name of the header's.
PROTOTYPES = {
    "int f(void)": "int f(void)",
    "unsigned f(long unsigned int a)": "unsigned int f(unsigned long a)",
    "struct s; struct s *f(const struct s *)": "struct s *f(const struct s *)",
    "typedef struct s s; s **f(s *const *a)": "struct s **f(struct s *const *a)",
    "typedef const char *text; text f(text a[])": "const char *f(const char **a)",
    "typedef const uint16_t k; void f(k *a, k b)": "void f(const uint16_t *a, uint16_t b)",
    "void f(int a __attribute__((mode(HI))), unsigned __attribute__((mode(QI))) b)": (
        "void f(short a, unsigned char b)"
    ),
    "enum e { A, B = -1 }; enum e f(enum e *a)": "int f(int *a)",
    "typedef enum { A } e; void f(e a)": "void f(unsigned int a)",
    "typedef struct { int a; } s; s f(s a)": "s f(s a)",
    "typedef struct { int a; } s, *p; p f(const s *a)": "s *f(const s *a)",
    "void f(uint8_t key[16], int grid[][4])": "void f(uint8_t *key, int (*grid)[4])",
    "typedef int key[4]; void f(key a, key *b)": "void f(int *a, int (*b)[4])",
    "void f(int (*each)(char *), void visit(void))": (
        "void f(int (*each)(char *), void (*visit)(void))"
    ),
    "typedef void visit(int a); void f(visit v, visit *w)": (
        "void f(void (*v)(int a), void (*w)(int a))"
    ),
    "typedef int (*order)(const void *, const void *); void f(order o)": (
        "void f(int (*o)(const void *, const void *))"
    ),
    "int (*f(int a))(void)": "int (*f(int a))(void)",
    "int f(const char *format, ...)": "int f(const char *format, ...)",
    "void f(volatile const int *a)": "void f(const volatile int *a)",
    "extern int f(register int a)": "int f(int a)",
    "typedef int g(char a); g f": "int f(char a)",
    "typedef int g(char a); typedef g h; extern h f": "int f(char a)",
}


@pytest.mark.parametrize("header", PROTOTYPES)
def test_a_prototype_is_what_it_says(header: str, tmp_path: Path) -> None:
    (function,) = interface(tmp_path, f"{header};\n").functions
    assert declaration(function.type, "f", as_known) == PROTOTYPES[header]


# What a library calls a function `f`.
SYMBOLS = {
    "int f(int a);": "f",
    'int f(int a) __asm__("g");': "g",
    'int f(int a) asm("" "g") __attribute__((nothrow));': "g",
    'int (*f(int a))(void) __asm__("g");': "g",
    'char *f(char *a) __asm__("g"), *b(void);': "g",
    'int f(int a); int f(int a) __asm__("g");': "g",
    'typedef int t(int a); t f __asm__("g");': "g",
    '__asm__(""); int f(int a);': "f",
    'extern int v __asm__("g"); int f(int a); __asm__("");': "f",
}


@pytest.mark.parametrize("header", SYMBOLS)
def test_a_label_is_a_functions_symbol(header: str, tmp_path: Path) -> None:
    found = interface(tmp_path, f"{header}\n")
    assert found.functions[0].symbol == SYMBOLS[header]


def test_a_member_that_points_to_a_function_of_unknown_parameters_is_a_pointer(
    tmp_path: Path,
) -> None:
    header = "typedef int (*g)(a, b); struct s { g first; int (*second)(c); };"
    (record,) = interface(tmp_path, header).records
    assert [field.type for field in record.fields] == [Pointer("function *", None)] * 2


# Why Python cannot call a function.
REASONS = {
    "int f(int a __attribute__((mode(DI))));": "a parameter of the mode DI is not supported",
    "int f(int __attribute__((mode(TI))));": "the mode TI is not supported here",
    "int f();": "its parameters are not declared",
    "int f(a, b);": "its parameters are not declared",
    "typedef int (*g)(a); void f(g each);": "its parameters are not declared",
    "struct s; void f(struct s a);": "'struct s' is never defined",
    "enum e; void f(enum e a);": "'enum e' is never defined",
    "typedef enum e e; e f(void);": "'e' is never defined",
    "enum e; void f(enum e *a);": "'enum e' is never defined",
    "void f(enum { A } a);": "a type that its prototype defines is known nowhere else",
    "void f(struct s { int a; } *a);": (
        "a type that its prototype defines is known nowhere else"
    ),
    "void f(int (*g)(union { int a; } *a));": (
        "a type that its prototype defines is known nowhere else"
    ),
    "typedef struct { int a; } *p; p f(void);": (
        "the struct that p is made of has no name of its own"
    ),
    "typedef union { int a; } rows[2][3]; void f(const rows *a);": (
        "the union that rows is made of has no name of its own"
    ),
    "extern int f;": "it is a variable of the library's",
    "extern const char *const f[];": "it is a variable of the library's",
    "struct s; extern struct s *f;": "it is a variable of the library's",
    "extern int (*f)(void);": "it is a variable of the library's",
    f"void f(int {'*' * 64}a);": "a type of more than 63 arrays or pointers",
    f"void f(int {'(*)(int ' * 150}{')' * 150});": (
        "a type of more than 63 arrays or pointers"
    ),
}


# Functions that compilers call by another convention, or hand vectors, wherever that is said.
ATTRIBUTES = {
    "int f(int a) __attribute__((ms_abi));": "ms_abi",
    "__attribute__((__ms_abi__)) int f(int a);": "__ms_abi__",
    "int __attribute__((ms_abi)) f(int a);": "ms_abi",
    "[[gnu::ms_abi]] int f(int a);": "ms_abi",
    "int f [[gnu::ms_abi]] (int a);": "ms_abi",
    "int f(int a) __attribute__((nothrow, ms_abi));": "ms_abi",
    "typedef int g(int) __attribute__((ms_abi)); g f;": "ms_abi",
    "void f(int (__attribute__((ms_abi)) *g)(int));": "ms_abi",
    "void f(int (* __attribute__((ms_abi)) g)(int));": "ms_abi",
    "void f(int (*g)(int) __attribute__((ms_abi)));": "ms_abi",
    "typedef int (__attribute__((ms_abi)) *g)(int); void f(g a);": "ms_abi",
    "typedef int g(int) __attribute__((ms_abi)); void f(g *a);": "ms_abi",
    "typedef int g(int) __attribute__((ms_abi)); void f(void (*a)(g *b));": "ms_abi",
    "int (__attribute__((ms_abi)) *f(void))(int);": "ms_abi",
    "void f(int (*g)(int) __attribute__((preserve_most)));": "preserve_most",
    "int f(int a) __attribute__((vector_size(16)));": "vector_size",
    "int f(int a __attribute__((vector_size(16))));": "vector_size",
}


@pytest.mark.parametrize("header", ATTRIBUTES)
def test_a_function_that_is_called_otherwise_is_left_out(
    header: str, tmp_path: Path
) -> None:
    found = interface(tmp_path, header + " int usual(int a);")
    assert names(found) == ["usual"]
    (reason,) = [each.reason for each in found.left_out if each.name == "f"]
    name = ATTRIBUTES[header].strip("_")
    assert reason == f"ctypes does not call as the attribute '{name}' has it"


# What compilers for x86-64 call as any other.
IGNORED = [
    "int f(int a) __attribute__((stdcall));",
    "int f(int a) __attribute__((regparm(3), cdecl, sysv_abi));",
    "void f(int (__attribute__((fastcall)) *g)(int));",
    "struct s { int (__attribute__((ms_abi)) *g)(int); }; void f(struct s *a);",
]


@pytest.mark.parametrize("header", IGNORED)
def test_a_convention_of_another_target_means_nothing(
    header: str, tmp_path: Path
) -> None:
    assert names(interface(tmp_path, header)) == ["f"]


# Members, and whether Python can be called by them.
MEMBERS = {
    "int (*g)(int);": True,
    "int (__attribute__((stdcall)) *g)(int);": True,
    "int (__attribute__((ms_abi)) *g)(int);": False,
    "int (*g)(int) __attribute__((ms_abi));": False,
    "int (__attribute__((ms_abi)) *g[2])(int);": False,
    "handler g;": False,
    "int (*g)(handler a);": False,
    "int (*g)(int a __attribute__((mode(QI))));": False,
}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_that_is_called_otherwise_is_an_address(
    member: str, tmp_path: Path
) -> None:
    header = "typedef int (__attribute__((ms_abi)) *handler)(int);"
    header += f"struct s {{ {member} }}; void f(struct s *a);"
    (record,) = interface(tmp_path, header).records
    pointer = element(record.fields[0].type)
    assert isinstance(pointer, Pointer)
    assert (pointer.other is not None) == MEMBERS[member]


@pytest.mark.parametrize("header", REASONS)
def test_a_function_is_left_out_for_a_reason(header: str, tmp_path: Path) -> None:
    found = interface(tmp_path, header)
    assert found.functions == ()
    assert [each.reason for each in found.left_out if each.name == "f"] == [
        REASONS[header]
    ]


def test_what_no_library_has_is_no_function(tmp_path: Path) -> None:
    header = """\
        int f(void);
        int f(void);
        static int g(void);
        static inline int h(void) { return 1; }
        inline int i(void) { return 1; }
        extern int variable;
        typedef int function(void);
    """
    assert names(interface(tmp_path, header)) == ["f"]


def test_a_header_that_is_included_has_functions_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "other.h").write_text("int g(void);\n")
    header = '#include "other.h"\nint f(void);\n'
    assert names(interface(tmp_path, header)) == ["f"]


def test_the_spec_chooses(tmp_path: Path) -> None:
    header = "int post_a(void); int post_b(void); int mail_c(void); int d(void);\n"
    found = interface(
        tmp_path, header, 'match = ["post_", "mail_"]\nskip = ["post_b"]\n'
    )
    assert names(found) == ["post_a", "mail_c"]
    assert found.skipped == ("post_b",)


def test_a_struct_that_nobody_defines_is_a_handle(tmp_path: Path) -> None:
    header = """\
        typedef struct post post;
        typedef struct post office;
        typedef struct unused unused;
        struct letter { int to; };
        int f(post *p, struct letter *l);
    """
    found = interface(tmp_path, header)
    (handle,) = found.handles
    assert (handle.key, handle.names) == ("struct post", ("post", "office"))
    assert [each.name for each in found.left_out] == ["unused"]


def test_the_spec_makes_a_handle_of_a_struct(tmp_path: Path) -> None:
    (tmp_path / "file.h").write_text("typedef struct file { int inside; } FILE;\n")
    header = '#include "file.h"\nint f(FILE *file);\n'
    found = interface(tmp_path, header, 'opaque = ["struct file"]\n')
    assert [handle.key for handle in found.handles] == ["struct file"]
    assert found.records == ()


def test_such_a_struct_is_no_class_wherever_it_is_defined(tmp_path: Path) -> None:
    header = """\
        typedef struct file { int inside; } FILE;
        struct log { FILE *file; };
        int f(FILE *file, struct log *log);
    """
    found = interface(tmp_path, header, 'opaque = ["struct file"]\n')
    (handle,) = found.handles
    assert (handle.key, handle.names) == ("struct file", ("FILE",))
    assert [record.key for record in found.records] == ["struct log"]
    assert found.left_out == ()


def test_what_has_such_a_struct_inside_is_laid_out(tmp_path: Path) -> None:
    header = """\
        typedef struct file { int inside[3]; } FILE;
        struct log { FILE file; char kind; };
        int f(FILE *file, struct log *log);
    """
    found = interface(tmp_path, header, 'opaque = ["struct file"]\n')
    assert [handle.key for handle in found.handles] == ["struct file"]
    assert found.records_by_key["struct log"].size == 16


def test_what_a_functions_struct_points_to_is_there_wherever_it_is_defined(
    tmp_path: Path,
) -> None:
    others = """\
        struct program { int length; struct step *steps; };
        struct step { int code; struct rule *rule; };
        struct rule { char kind; };
    """
    (tmp_path / "program.h").write_text(others)
    found = interface(
        tmp_path, '#include "program.h"\nint f(const struct program *);\n'
    )
    assert set(found.records_by_key) == {"struct program", "struct step", "struct rule"}


# By the type of a result: how it tells of an error, if the library has all ways.
WAYS = {
    "int": "negative",
    "int64_t": "negative",
    "unsigned": "none",
    "char": "none",
    "signed char": "negative",
    "_Bool": "false",
    "void *": "null",
    "const char *": "null",
    "void": "none",
    "double": "none",
    "struct s": "none",
}


@pytest.mark.parametrize("result", WAYS)
def test_a_result_tells_of_errors_as_its_type_can(result: str, tmp_path: Path) -> None:
    header = f"struct s {{ int a; }}; {result} f(void);\n"
    ways = 'errors = ["negative", "null", "false"]\n'
    (function,) = interface(tmp_path, header, ways).functions
    assert function.errors == WAYS[result]
    (function,) = interface(tmp_path, header).functions
    assert function.errors == "none"


def test_a_macro_may_have_the_name_of_a_function(tmp_path: Path) -> None:
    found = interface(tmp_path, "int f(int a);\n#define f(a) (f)((a) + 1)\n")
    assert (names(found), found.hidden) == (["f"], ("f",))


def test_a_function_may_tell_otherwise(tmp_path: Path) -> None:
    more = 'errors = ["negative"]\n[function.f]\nerrors = "none"\nadvice = "no"\n'
    more += '[function.g]\nerrors = "false"\n'
    header = "int f(void); unsigned g(void); int h(void);\n"
    functions = interface(tmp_path, header, more).functions
    assert [each.errors for each in functions] == ["none", "false", "negative"]
    assert [each.advice for each in functions] == ["no", "", ""]


# What stands behind `int f(int a);`, and the other names that the function has then.
OTHER_NAMES = {
    "#define g f": ("g",),
    "#define g f\n#define h g": ("g", "h"),
    "#define joined(a) a\n#define g joined(f)": ("g",),
    "#define g (f)(1)": (),
    "#define f f": (),
    "int g(void);\n#define g f": (),
}


@pytest.mark.parametrize("macros", OTHER_NAMES)
def test_a_macro_may_be_another_name_of_a_function(macros: str, tmp_path: Path) -> None:
    found = interface(tmp_path, f"int f(int a);\n{macros}\n")
    assert found.functions[0].other_names == OTHER_NAMES[macros]


def test_another_name_may_be_skipped_or_be_of_what_no_library_has(
    tmp_path: Path,
) -> None:
    header = "int f(int a);\nstatic int own(int a) { return a; }\nint lost(int a);\n"
    header += "#define g f\n#define mine own\n#define h lost\n"
    found = interface(tmp_path, header, 'skip = ["g", "lost", "own"]\n')
    assert [each.other_names for each in found.functions] == [()]
    assert {"g", "lost", "own"} == set(found.skipped)
    found = interface(tmp_path, header)
    told = {each.name: each.reason for each in found.left_out}
    assert told["mine"] == "it is another name of a function"
