"""What is left of a preprocessed text where a few types are asked for."""

from __future__ import annotations

import time

import pytest
from xenbind.frontend.cut import declared
from xenbind.frontend.needed import only_needed

TEXT = """\
# 1 "library.h" 1
typedef long base_t; typedef base_t off_t;
typedef int pid_t;
# 7 "library.h"
enum colour { RED, GREEN = 1 };
struct hidden { pid_t of; };
#pragma pack(1)
int called(struct hidden *);
static inline int body(int own) { return "};{"[own]; }
extern struct hidden variable;
# 1 "own.h" 1
struct file {
    off_t size[GREEN];
    struct hidden *owner;
};
int remove(struct file *file, pid_t by);
"""


def left(text: str = TEXT, *asked: str, has_functions: bool = False) -> list[str]:
    found = only_needed(text, ["own.h"], asked, has_functions)
    assert found.count("\n") == text.count("\n")
    return [line.strip() for line in found.split("\n") if line.strip()]


def test_what_own_types_mention_in_turn_stays() -> None:
    lines = left(TEXT.replace("    struct hidden *owner;\n", ""))
    assert lines == [
        '# 1 "library.h" 1',
        "typedef long base_t; typedef base_t off_t;",
        '# 7 "library.h"',
        "enum colour { RED, GREEN = 1 };",
        "#pragma pack(1)",
        '# 1 "own.h" 1',
        "struct file {",
        "off_t size[GREEN];",
        "};",
    ]


def test_a_tag_is_mentioned_by_a_pointer_too() -> None:
    assert {"struct hidden { pid_t of; };", "typedef int pid_t;"} < set(left())


@pytest.mark.parametrize("name", ["pid_t", "hidden", "GREEN", "variable"])
def test_what_is_asked_for_stays(name: str) -> None:
    text = TEXT.replace("struct file", "struct other", 1).split("struct other")[0]
    before = left(text)
    assert not any(name in line for line in before)
    assert any(name in line for line in left(text, name))


def test_functions_stay_where_they_are_asked_for() -> None:
    of_own = "int remove(struct file *file, pid_t by);"
    assert of_own not in left()
    assert of_own in left(has_functions=True)
    assert not any("called" in line or "body" in line for line in left())


def test_a_function_stays_whose_type_is_asked_for() -> None:
    text = f"{TEXT}struct result {{ __typeof__(called(0)) of; }};\n"
    assert "int called(struct hidden *);" in left(text)


def test_a_name_with_a_quote_is_the_files_own() -> None:
    text = '# 1 "a\\"b.h" 1\nstruct own { int of; };\n'
    assert "struct own" in only_needed(text, ['a"b.h'], [], False)


def test_what_stays_is_where_it_was() -> None:
    text = '# 1 "library.h"\ntypedef int a; typedef int b;\n# 1 "own.h"\nb own;\n'
    kept = only_needed(text, ["own.h"], [], False)
    assert kept.split("\n")[1] == "               typedef int b;"


DECLARATORS = {
    "int (*table)[4];": "table",
    "extern struct s *(*hook)(struct t *x);": "hook",
    "extern int a, (*b)[2], *c(int);": "a b",
    'my_t (*v)[4], w __asm__("w");': "v w",
    "unsigned long (*const calls[2])(void (*)(int)) = { 0, 0 };": "calls",
    "static const int size = sizeof(int);": "size",
    "typedef int (*fn)(int);": "fn",
    "typedef void (*(*deep)(int))(char);": "deep",
    "typedef int (plain);": "plain",
    "int (one), (two)[3];": "one two",
    "my_t (one);": "one",
    "extern struct s (one);": "one",
    "static const unsigned long (one) = 1;": "one",
    "int *(one), (*(two))[2];": "one two",
    "int (f)(int), g(my_t), *(h)(void);": "",
    "int f(void), *g(int (*each)(int)), (*h(int a))(void);": "",
    "void (*signal(int sig, void (*func)(int)))(int);": "",
    "my_t f(my_t a) { return (a); }": "",
}


@pytest.mark.parametrize("declaration", DECLARATORS)
def test_names_in_parentheses_are_declared_but_for_functions(declaration: str) -> None:
    wanted = DECLARATORS[declaration].split()
    assert sorted(declared(declaration)) == wanted


def test_a_long_word_and_many_blanks_are_looked_at_once() -> None:
    """At the square of their length this would take minutes."""
    begun = time.process_time()
    assert declared(f"extern int {'a' * 100_000}{' ' * 100_000};") == {"a" * 100_000}
    assert time.process_time() - begun < 10


def test_a_table_that_a_type_is_made_of_stays() -> None:
    lines = left(
        '# 1 "library.h" 1\nextern short (*table)[4];\n'
        '# 1 "own.h" 1\nstruct file { __typeof__(table) of; };\n'
    )
    assert "extern short (*table)[4];" in lines
