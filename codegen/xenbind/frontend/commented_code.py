"""Tell beside which code a comment stands: on its line, above it, behind a closing brace.

Takes a header's text as written; gives its comments in their order (`comments_of`), and
`Code`, the lines without them, which knows of each comment the lines that it speaks of.
`comments` keeps what they say by those lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from xenbind.frontend.comment_words import LONGEST
from xenbind.plain import Struct
from xenbind.source import IDENTIFIER

_TOKEN = re.compile(
    r"""
    (?P<comment> /\*.*?\*/ | //(?:[^\n\\]|\\.)* )
  | (?P<literal> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    """,
    re.VERBOSE | re.DOTALL,
)
# No declaration has more lines, nor a line more comments: files that no person wrote aside.
_MOST_LINES = 50
_MOST_COMMENTS = 100
_BACKWARD = re.compile(r"/(?:\*[*!]|/[/!])<")
_ATTRIBUTE = re.compile(r"__attribute(?:__)?\s*\(\(.*?\)\)|\b__\w+(?:\([^()]*\))?")
_CLOSING = re.compile(r"\}([^{};]*);?\s*$")
_BRACE = re.compile(r"""[{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


class Comment(Struct, frozen=True):
    """A comment, or several that are one: its lines, its text, and where the first begins.

    `column` counts characters, `indent` what is seen: a tab goes to the next eighth.
    """

    first: int
    last: int
    column: int
    indent: int
    text: str

    @property
    def is_line(self) -> bool:
        """Tell whether it, or each of several, has a line and no more."""
        return self.text.startswith("//") or self.first == self.last

    @property
    def looks_back(self) -> bool:
        """Tell whether it says itself that it speaks of what is before it: `///<`."""
        return _BACKWARD.match(self.text) is not None


def comments_of(text: str) -> Iterator[Comment]:
    """Give the comments of a text in their order, of each line the first ones."""
    line = first = 1
    beginning = 0  # tokens on the line
    at = start = 0  # of the token before, and of the line
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        start = max(start, text.rfind("\n", at, token.start()) + 1)
        beginning = beginning + 1 if line == first else 0
        first, at = line, token.start()
        if token.lastgroup != "comment" or beginning > _MOST_COMMENTS:
            continue
        column = token.start() - start
        before = text[start : min(token.start(), start + LONGEST)]
        yield Comment(
            first=first,
            last=first + token[0].count("\n"),
            column=column,
            indent=len(before.expandtabs()),
            text=token[0],
        )


class Code:
    """The lines of a file without their comments."""

    def __init__(self, text: str) -> None:
        bare = _TOKEN.sub(_blanked, text)
        self._lines = bare.split("\n")
        self._is_on = [bool(line.strip()) for line in self._lines]
        self._text = text.split("\n")

    def is_on(self, number: int) -> bool:
        """Tell whether a line has code."""
        return self._is_on[number - 1]

    def line(self, number: int) -> str:
        """Give a line; empty before the first and behind the last."""
        in_file = 0 < number <= len(self._lines)
        return self._lines[number - 1][:LONGEST] if in_file else ""

    def statement(self, last: int) -> range:
        """Give the lines of the declaration, or the macro, that ends on a line."""
        first, depth = last, 0
        while True:
            line = self.line(first)
            depth += line.count(")") - line.count("(")
            before = self.line(first - 1).rstrip()
            goes_on = before[-1:] == "\\" or (
                before.strip() != ""
                and before[-1] not in ";{}"
                and not before.lstrip().startswith("#")
                and (before[-1] != "," or depth > 0)
                and last - first < _MOST_LINES
            )
            if not goes_on:
                return range(first, last + 1)
            first -= 1

    def is_on_parameter(self, comment: Comment) -> bool:
        """Tell whether a comment stands between a prototype's parentheses, and not in a value."""
        lines = self.statement(comment.first)
        before = [self.line(number) for number in lines if number < comment.first]
        text = " ".join([*before, self.line(comment.first)[: comment.column]])
        is_value = "=" in text or text.lstrip().startswith("#")
        return text.count("(") > text.count(")") and not is_value

    def next(self, last: int) -> int | None:
        """Find the next line that holds code, after blank ones; None for a comment's first."""
        for number in range(last + 1, len(self._lines) + 1):
            if self.is_on(number):
                return number
            if self._text[number - 1].strip():
                return None
        return None

    def spoken_of(self, comment: Comment) -> Iterator[tuple[int, int]]:
        """Give the lines of the code that a comment stands beside, and a column on each.

        None for one that has its lines to itself and does not hang from the line above.
        """
        if self.is_on(comment.first) or self.is_on(comment.last):
            on_first = self.is_on(comment.first)
            number = comment.first if on_first else comment.last
            opening, is_named = self._closed_by(comment)
            if opening:
                for line in self.statement(opening[0]):
                    yield line, opening[1] if line == opening[0] else LONGEST
            if not opening or is_named:
                for line in self.statement(number):
                    yield line, comment.column
        elif owner := self._hangs_from(comment):
            for line in self.statement(owner):
                yield line, LONGEST

    def _hangs_from(self, comment: Comment) -> int:
        """Find the line whose declaration a comment follows, on lines of its own, or 0.

        It stands right below that line, and is indented more than what is declared there
        and what comes next; or it says itself what it is.
        """
        number = comment.first - 1
        before = self.line(number).rstrip()
        if not before:
            return 0
        if comment.looks_back:
            return number
        has_comment = len(before) < len(self._text[number - 1][:LONGEST].rstrip())
        following = "".join(self._text[comment.last : comment.last + 1])[:LONGEST]
        indent = max(
            _indent(self.line(self.statement(number).start)), _indent(following)
        )
        hangs = before[-1] in ";," or (has_comment and before[-1] not in "{}")
        return number if hangs and indent < comment.indent else 0

    def _closed_by(self, comment: Comment) -> tuple[tuple[int, int] | None, bool]:
        """Find the brace that the one before a comment closes, and whether a name follows it.

        The name of a member has the comment for itself.
        """
        line = self.line(comment.first)
        closing = _CLOSING.search(line[: comment.column])
        if not closing or line[comment.column :].strip():
            return None, False
        is_named = IDENTIFIER.search(_ATTRIBUTE.sub("", closing[1])) is not None
        opening, depth = self._braces.get((comment.first, closing.start()), (None, 0))
        return (None, False) if is_named and depth else (opening, is_named)

    @cached_property
    def _braces(self) -> dict[tuple[int, int], tuple[tuple[int, int] | None, int]]:
        """By the place of each closing brace, that of its opening one, and how deep it is."""
        pairs: dict[tuple[int, int], tuple[tuple[int, int] | None, int]] = {}
        opened: list[tuple[int, int]] = []
        goes_on = False  # a directive
        for number, line in enumerate(self._lines, 1):
            is_directive = goes_on or line.lstrip().startswith("#")
            goes_on = is_directive and line.rstrip().endswith("\\")
            if is_directive:
                continue
            for brace in _BRACE.finditer(line):
                if brace[0] == "{":
                    opened.append((number, brace.start()))
                elif brace[0] == "}":
                    opening = opened.pop() if opened else None
                    pairs[number, brace.start()] = opening, len(opened)
        return pairs


def _blanked(token: re.Match[str]) -> str:
    """Give a token; for a comment its lines, and the column that what follows it has."""
    if token.lastgroup != "comment":
        return token[0]
    last = token[0].rpartition("\n")[2]
    lines = "\n" * token[0].count("\n")
    return lines + " " * min(len(last), LONGEST)


def _indent(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip())].expandtabs())
