"""Find documentation comments: what the header's author wrote beside each declaration.

Takes a header's text as written; gives, by line, the comment above a declaration, those
beside it, and the one that opens a section.  `context` looks them up for `lowering`.
The rules:

- a comment that ends on the line before a declaration documents it, unless it hangs,
  indented more, from the declaration above;
- a comment beside code documents what that line declares, or the part that it follows;
- a comment with nothing but a blank line after it opens a section: it documents the
  group of constants that comes next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xenbind.source import IDENTIFIER, without_comments

_TOKEN = re.compile(
    r"""
    (?P<comment> /\*.*?\*/ | //(?:[^\n\\]|\\.)* )
  | (?P<literal> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    """,
    re.VERBOSE | re.DOTALL,
)
_STARS = re.compile(r"^\s*\*+(?=\s|$)")
_LONGEST = 20_000  # characters of a comment, or of a line in which one stands
_HINT = re.compile(r"\b([A-Z][A-Z0-9_]*_)\*")


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of one file as plain text, by the line of the code they speak of.

    `above[n]` ends on the line before n; `beside[n]` are those on line n, by their column;
    `sections[n]` stands above n with a blank line, or further comments, between.
    """

    above: dict[int, str]
    beside: dict[int, list[tuple[int, str]]]
    sections: dict[int, str]

    def of(self, line: int, name: str = "", code: str = "") -> str:
        """Give the text on the declaration at `line`: what is above it, then what is beside.

        Where the line's `code` declares more than `name`, what is above it is on the
        first of them, and what is beside on the one that it follows; on the one that
        it precedes where the line begins with a comment.
        """
        beside = self.beside.get(line, [])
        above = self.above.get(line, "")
        if not beside and not above:
            return ""
        bare = without_comments(code)
        declared = list(_declared(bare))
        place = _index_of(name, bare, declared)
        first = declared[0][0] if declared else 0
        leads = bool(beside) and beside[0][0] < first
        own = [w for column, w in beside if _owner(column, declared, leads) == place]
        parts = ["" if place else above, " ".join(own)]
        return "\n\n".join(part for part in parts if part)


# What a line declares ends so, and something else may follow.
_PART = re.compile(r"[^;,{}\s](?:\([^()]*\)|[^;,{}])*(?P<end>[;,{}]?)")


def _declared(code: str) -> Iterator[tuple[int, int, bool]]:
    """Give the columns from and to which a line declares things, and whether one opens others."""
    for part in _PART.finditer(code):
        if IDENTIFIER.search(part[0]):
            yield part.start(), part.end(), part["end"] == "{"


def _index_of(name: str, code: str, declared: Sequence[tuple[int, int, bool]]) -> int:
    """Tell which of a line's declarations has a name, the first if none has."""
    words = IDENTIFIER.finditer(code)
    column = max((word.start() for word in words if word[0] == name), default=0)
    ends = (index for index, (_, end, _) in enumerate(declared) if column < end)
    return next(ends, 0)


def _owner(column: int, declared: Sequence[tuple[int, int, bool]], leads: bool) -> int:
    """Tell of which declaration on its line a comment speaks."""
    before = sum(start < column for start, _, _ in declared)
    last = before - 1
    if before == len(declared) or (before and column < declared[last][1]):
        return max(last, 0)
    opens = before > 0 and declared[last][2]
    return before if leads or opens else max(last, 0)


def read(text: str) -> Comments:
    """Find the comments of a header and the lines that they belong to."""
    lines = text.split("\n")
    code = _Code(text)
    above: dict[int, str] = {}
    beside: dict[int, list[tuple[int, str]]] = {}
    sections: dict[int, str] = {}
    section: str | None = None
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
        last = first + token[0].count("\n")
        words = plain(token[0])
        if not words:
            continue
        column = token.start() - start
        if code.is_on(first) or code.is_on(last):
            for number in code.statement(first if code.is_on(first) else last):
                beside.setdefault(number, []).append((column, words))
        elif owner := code.hanging(first, last, column):
            for number in code.statement(owner):
                beside.setdefault(number, []).append((_LONGEST, words))
        elif last < len(lines) and lines[last].strip():
            above[last + 1] = words
            if section is not None:
                sections[last + 1] = section
                section = None
        else:
            section = words
            following = _next_code(lines, last)
            if following is not None:
                sections[following] = words
                section = None
    return Comments(above, beside, sections)


class _Code:
    """The lines of a file without their comments."""

    def __init__(self, text: str) -> None:
        bare = _TOKEN.sub(_blanked, text)
        self._lines = bare.split("\n")
        self._is_on = [bool(line.strip()) for line in self._lines]

    def is_on(self, number: int) -> bool:
        """Tell whether a line has code."""
        return self._is_on[number - 1]

    def line(self, number: int) -> str:
        """Give a line; empty before the first and behind the last."""
        in_file = 0 < number <= len(self._lines)
        return self._lines[number - 1][:_LONGEST] if in_file else ""

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

    def hanging(self, first: int, last: int, column: int) -> int:
        """Find the line whose declaration a comment follows, on lines of its own.

        It is indented more than what comes next, and right below what it speaks of: 0 for
        a comment that is not.
        """
        following = self.line(last + 1)
        indent = len(following) - len(following.lstrip())
        is_member = following.lstrip()[:1].isidentifier() and indent < column
        before = self.line(first - 1).rstrip()
        return first - 1 if is_member and before[-1:] in (";", ",") else 0


# No declaration has more lines, nor a line more comments: files that no person wrote aside.
_MOST_LINES = 50
_MOST_COMMENTS = 100


def _blanked(token: re.Match[str]) -> str:
    if token.lastgroup != "comment":
        return token[0]
    return "\n".join(" " * min(len(line), _LONGEST) for line in token[0].split("\n"))


def _next_code(lines: list[str], last: int) -> int | None:
    """Find the next line that holds code, after blank ones; None where a comment comes first."""
    for number in range(last, len(lines)):
        stripped = lines[number].strip()
        if stripped:
            return None if stripped.startswith(("/*", "//")) else number + 1
    return None


def plain(comment: str) -> str:
    """Take a comment's words out of its delimiters and leading stars, paragraphs kept apart.

    A comment longer than anybody reads is cut.
    """
    body = comment[2:] if comment.startswith("//") else comment[2:-2]
    body = body[:_LONGEST]
    lines = [_STARS.sub("", line).strip() for line in body.split("\n")]
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip("\n"))
    return "\n\n".join(
        " ".join(part.split()) for part in paragraphs if part.strip(" *\n")
    )


def hint(words: str) -> str | None:
    """Find the prefix of the constants that a comment points at.

    It is `VM_EVENT_FLAG_` for `VM_EVENT_FLAG_*`, None where there is no such word.
    """
    found = _HINT.search(words)
    return found[1] if found else None
