"""Which comment documents what, and what a comment's words are."""

from __future__ import annotations

import pytest
from xenbind.backend.python_text import comment, docstring
from xenbind.frontend.comments import hint, plain, read

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
    ],
)
def test_plain_words(raw: str, words: str) -> None:
    assert plain(raw) == words


def test_hints_name_a_prefix() -> None:
    assert hint("Why: VM_EVENT_REASON_*.") == "VM_EVENT_REASON_"
    assert hint("See vm_event_* and A * B.") is None


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
