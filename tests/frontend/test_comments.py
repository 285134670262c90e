"""Which comment documents what, and what a comment's words are."""

from __future__ import annotations

import pytest
from xenbind.backend.python_text import comment, docstring
from xenbind.frontend.comment_words import by_part, hint, of_part, plain, with_parts
from xenbind.frontend.comments import read

HEADER = """\
/* A file comment. */

/* Opens a section. */

/* Above the first. */
#define FIRST 1
#define SECOND 2 /* Behind the second. */
/*
 * Two lines
 * above the third.
 */
#define THIRD 3 // Behind the third.

/* Speaks of a text: "/" "* not a comment *" "/". */
char *text = "/* not a comment either */"; /* Behind the text. */
"""


def test_comments_by_line() -> None:
    comments = read(HEADER)
    assert comments.sections == {6: "Opens a section."}
    assert comments.of(6) == "Above the first."
    assert comments.of(7) == "Behind the second."
    assert comments.of(12) == "Two lines above the third.\n\nBehind the third.".replace(
        "\\\n", "\n"
    )
    assert [words for _, words in comments.beside[15]] == ["Behind the text."]
    assert comments.of(1) == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("/* One line. */", "One line."),
        ("// One line.", "One line."),
        ("/**\n * A doc comment.\n */", "A doc comment."),
        (
            "/*\n * One\n * paragraph.\n *\n * Another.\n */",
            "One paragraph.\n\nAnother.",
        ),
        ("/* 2 * 3 */", "2 * 3"),
        ("/******/", ""),
        ("/**< What doxygen wants. */", "What doxygen wants."),
        ("///< What doxygen wants.", "What doxygen wants."),
        ("/*! What Qt wants. */", "What Qt wants."),
        ("//!< What Qt wants.", "What Qt wants."),
        ("/** @brief Short.\n * \\details Long. */", "Short. Long."),
        ("/*!= 0 */", "!= 0"),
        ("/* char ** */", "char **"),
        ("/*********** Heading ***********/", "Heading"),
        ("/* ----- Heading ----- */", "Heading"),
        ("//// Heading ////", "Heading"),
        ("/*=====\n * Heading\n *=====*/", "Heading"),
        (
            "/**\n * struct s - whole\n * @a: one\n *   more\n * @b: two\n */",
            "struct s - whole\n\n@a: one more\n\n@b: two",
        ),
        ("/* One. */\n/* Two. */", "One.\n\nTwo."),
        ("// One line\n// or two.", "One line or two."),
    ],
)
def test_plain_words(raw: str, words: str) -> None:
    assert plain(raw) == words


def test_hints_name_a_prefix() -> None:
    assert hint("Why: VM_EVENT_REASON_*.") == "VM_EVENT_REASON_"
    assert hint("See vm_event_* and A * B.") is None
    assert hint("VM_*_FLAG, see there.") is None


@pytest.mark.parametrize(
    "words",
    [
        'ends in a quote"',
        '"starts with one',
        'closes """ itself',
        "a backslash \\",
        "an escape \\n and {{ braces }} {% and %} percent",
        "control \x00 \x1b characters",
    ],
)
@pytest.mark.parametrize("indent", [0, 4])
def test_a_docstring_holds_the_words_and_nothing_else(words: str, indent: int) -> None:
    names: dict[str, str] = {}
    exec(f"text = {docstring(words, indent)}\n", names)
    shown = words.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
    assert names["text"].strip() == shown


def test_long_docstrings_are_filled() -> None:
    text = docstring("word " * 40 + "\n\n" + "more " * 3, 4)
    assert all(len(line) <= 88 for line in text.split("\n"))
    assert text.endswith('more more more\n    """')


def test_comment_lines() -> None:
    assert comment("One two.\n\nNot this.") == ["# One two."]


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("int one; /* behind */", "one", "above, behind"),
        ("int one, two; /* behind */", "one", "above"),
        ("int one, two; /* behind */", "two", "behind"),
        ("int one; int two; /* behind */", "one", "above"),
        ("int one; int two; int three; /* behind */", "two", ""),
        ("struct pair { int one; /* behind */", "pair", "above"),
        ("struct pair { /* behind */", "pair", "above, behind"),
        ("enum kind { ONE, /* behind */", "ONE", "behind"),
        ("int one; /* behind */ int two; /* two's */", "one", "above, behind"),
        ("int one; /* one's */ int two; /* behind */", "two", "behind"),
        ("enum { /* behind */ ONE, TWO };", "ONE", "behind"),
        ("ONE, /* behind */ TWO, /* two's */", "ONE", "above, behind"),
        ("ONE /* behind */, TWO", "ONE", "above, behind"),
        ("/* behind */ int one; /* two's */ int two;", "one", "above, behind"),
        ("/* one's */ int one; /* behind */ int two;", "two", "behind"),
        ("int /* behind */ one;", "one", "above, behind"),
        ("int one(int a, int b); /* behind */", "one", "above, behind"),
        ("int one; // behind", "one", "above, behind"),
    ],
)
def test_a_line_of_several_shares_its_comments(
    code: str, name: str, expected: str
) -> None:
    found = read(f"/* above */\n{code}\n").of(2, name, code)
    assert found.replace("\n\n", ", ") == expected


HANGING = """\
struct logger {
    void (*message)(struct logger *logger,
                    int level); /* Behind the message. */
    void (*progress)(struct logger *logger, int percent,
                     unsigned long done)
         __attribute__((format(printf, 2, 0)));
         /* Hangs from progress. */
    void (*destroy)(struct logger *logger);
    /* Before a brace. */
};

#define LONG \\
    5 /* Behind the macro. */
int last;
/* Above the next. */
int next;
"""


def test_a_comment_is_on_the_declaration_that_it_stands_by() -> None:
    comments = read(HANGING)
    assert comments.of(2, "message", "    void (*message)(struct logger *logger,") == (
        "Behind the message."
    )
    assert comments.of(4, "progress", "    void (*progress)(struct logger *l,") == (
        "Hangs from progress."
    )
    assert comments.of(8) == ""
    assert comments.of(12) == "Behind the macro."
    assert (comments.of(14), comments.of(16)) == ("", "Above the next.")


LINES = """\
// Above the struct,
// in two lines.
struct pair {
    // Above one,
    // in two lines.
    int one; // Behind one,
             // and more.
    // Above two.
    int two;  /* Behind two, */
              /* and more. */
    int three; // Behind three,
        // hanging.

    int four;
    ///< Below four.
};
// On ONE,
// and more.
#define ONE 1
#define TWO 2 // Behind TWO,
              // and more.
#define THREE 3
"""


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        (3, "pair", "Above the struct, in two lines."),
        (6, "one", "Above one, in two lines.\n\nBehind one, and more."),
        (9, "two", "Above two.\n\nBehind two, and more."),
        (11, "three", "Behind three, hanging."),
        (14, "four", "Below four."),
        (19, "ONE", "On ONE, and more."),
        (20, "TWO", "Behind TWO, and more."),
        (22, "THREE", ""),
    ],
)
def test_lines_of_a_comment_stay_together(line: int, name: str, expected: str) -> None:
    code = LINES.split("\n")[line - 1]
    assert read(LINES).of(line, name, code) == expected


@pytest.mark.parametrize(
    ("text", "line", "name", "expected"),
    [
        ("struct s { int a; }; /* c */", 1, "s", "c"),
        ("struct s { int a; }; /* c */", 1, "a", ""),
        ("struct s {\n    int a; }; /* c */", 1, "s", "c"),
        ("struct s {\n    int a; }; /* c */", 2, "a", ""),
        ("struct s\n{\n    int a;\n}; // c", 1, "s", "c"),
        ("struct s { struct { int a; } in; /* c */ };", 1, "s", ""),
        ("struct s {\n  struct {\n    int a;\n  } in; /* c */\n};", 4, "in", "c"),
        ("struct s {\n  struct {\n    int a;\n  } in; /* c */\n};", 2, "struct", ""),
        ("struct s {\n  int a;\n} __attribute__((packed)); /* c */", 1, "s", "c"),
        ("typedef struct {\n  int a;\n} s_t; /* c */", 1, "struct", "c"),
        ("enum e { A, B }; /* c */", 1, "e", "c"),
        ("enum e { A, B }; /* c */", 1, "B", ""),
    ],
)
def test_a_comment_behind_a_brace_is_on_what_it_closes(
    text: str, line: int, name: str, expected: str
) -> None:
    code = text.split("\n")[line - 1]
    assert read(text + "\n").of(line, name, code) == expected


def test_a_licence_speaks_of_the_file() -> None:
    text = (
        "// SPDX-License-Identifier: MIT\n// On ONE.\n#define ONE 1\n"
        "/* Copyright of somebody's. */\n#define TWO 2\n"
    )
    comments = read(text)
    assert (comments.of(3), comments.of(5)) == ("On ONE.", "")


def test_what_a_comment_says_of_parts_is_theirs() -> None:
    whole, parts = by_part("All.\n\n@a: one\n\n@z: none\n\nAll again.")
    assert of_part("a", "", parts) == "one"
    assert of_part("b", "@b: its own", parts) == "its own"
    assert of_part("c", "More.", {"c": "words"}) == "More.\n\nwords"
    assert of_part("c", "Words", {"c": "words and more"}) == "words and more"
    assert with_parts(whole, parts) == "All.\n\nAll again.\n\n@z: none"


def test_a_struct_that_names_itself_has_its_words() -> None:
    code = "struct node { struct node *next; };"
    found = read(f"/* A node. */\n{code}\n")
    assert found.of(2, "node", code, opens=True) == "A node."
    assert found.of(2, "next", code) == ""


# What stands on the line of `f`, and in front of the next declaration: the words on `f`.
PARAMETERS = {
    "int f(\n  int a, /* first */\n  int b  /* second */\n);": "",
    "/* Does. */\nint f(int a, /* first */\n      int b);": "Does.",
    "int f(int a /* first */, int b /* second */); /* Does. */": "Does.",
    "int f(int (*g)(int a), // visits\n      int b);": "",
    "int (*f)(int /* first */);": "",
    "#define f (1 << 2 /* bit 2 */)": "bit 2",
    "enum { f = (1 << 2 /* bit 2 */) };": "bit 2",
}


@pytest.mark.parametrize("header", PARAMETERS)
def test_a_comment_on_a_parameter_is_not_the_functions(header: str) -> None:
    lines = header.split("\n")
    number = next(n for n, line in enumerate(lines, 1) if " f" in line or "*f" in line)
    assert read(header).of(number, "f", lines[number - 1]) == PARAMETERS[header]
