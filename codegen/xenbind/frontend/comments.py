"""Find documentation comments: what the header's author wrote beside each declaration.

Takes a header's text as written; gives, by line, the comment above a declaration, those
beside it, and the one that opens a section.  `context` looks them up for `lowering`.
The rules:

- a comment that ends on the line before a declaration documents it, unless it hangs,
  indented more, from the declaration above;
- a comment beside code documents what that line declares, or the part that it follows;
  behind a closing brace, what the brace closes;
- a comment with nothing but a blank line after it opens a section: it documents the
  group of constants that comes next;
- comments of one line each that stand below one another are one comment;
- a comment that names a copyright or a licence speaks of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xenbind.source import IDENTIFIER, without_comments

_TOKEN = re.compile(
    r"""
    (?P<comment> /\*.*?\*/ | //(?:[^\n\\]|\\.)* )
  | (?P<literal> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    """,
    re.VERBOSE | re.DOTALL,
)
_LONGEST = 20_000  # characters of a comment, or of a line in which one stands
_HINT = re.compile(r"\b([A-Z][A-Z0-9_]*_)\*(?!\w)")
_LICENCE = re.compile(r"\bSPDX-License-Identifier\b|\bCopyright\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of one file as plain text, by the line of the code they speak of.

    `above[n]` ends on the line before n; `beside[n]` are those on line n, by their column;
    `sections[n]` stands above n with a blank line, or further comments, between.
    """

    above: dict[int, str]
    beside: dict[int, list[tuple[int, str]]]
    sections: dict[int, str]

    def of(self, line: int, name: str = "", code: str = "", opens: bool = False) -> str:
        """Give the text on the declaration at `line`: what is above it, then what is beside.

        Where the line's `code` declares more than `name`, what is above it is on the
        first of them, and what is beside on the one that it follows; on the one that
        it precedes where the line begins with a comment.  A name that `opens` is that of
        what has the brace: in `struct node { struct node *next; }` the first.
        """
        beside = self.beside.get(line, [])
        above = self.above.get(line, "")
        if not beside and not above:
            return ""
        bare = without_comments(code)
        declared = list(_declared(bare))
        place = _index_of(name, bare, declared, opens)
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


def _index_of(
    name: str, code: str, declared: Sequence[tuple[int, int, bool]], opens: bool
) -> int:
    """Tell which of a line's declarations has a name, the first if none has."""
    if opens:
        for index, (start, end, has_brace) in enumerate(declared):
            if has_brace and name in IDENTIFIER.findall(code[start:end]):
                return index
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


@dataclass(frozen=True, slots=True)
class _Comment:
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


def read(text: str) -> Comments:
    """Find the comments of a header and the lines that they belong to."""
    code = _Code(text)
    above: dict[int, str] = {}
    beside: dict[int, list[tuple[int, str]]] = {}
    sections: dict[int, str] = {}
    section = ""
    for comment in _joined(_comments(text), code):
        words = plain(comment.text)
        if not words or _LICENCE.search(words):
            continue
        if places := list(code.spoken_of(comment)):
            for number, column in places:
                beside.setdefault(number, []).append((column, words))
            section = ""
            continue
        following = code.next(comment.last)
        if following is None:  # but another comment
            section = words
            continue
        if following == comment.last + 1:
            above[following] = words
        else:
            section = words
        if section:
            sections[following] = section
        section = ""
    return Comments(above, beside, sections)


def _comments(text: str) -> Iterator[_Comment]:
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
        before = text[start : min(token.start(), start + _LONGEST)]
        yield _Comment(
            first=first,
            last=first + token[0].count("\n"),
            column=column,
            indent=len(before.expandtabs()),
            text=token[0],
        )


def _joined(comments: Iterable[_Comment], code: _Code) -> Iterator[_Comment]:
    """Make one of the comments that each have a line, below one another, of the same kind."""
    run: list[_Comment] = []
    for comment in comments:
        if run and not _goes_on(run[-1], comment, code):
            yield _one_of(run)
            run = []
        run.append(comment)
    if run:
        yield _one_of(run)


def _goes_on(one: _Comment, other: _Comment, code: _Code) -> bool:
    return (
        one.is_line
        and other.is_line
        and one.last + 1 == other.first
        and one.indent == other.indent
        and one.text[:2] == other.text[:2]
        and one.looks_back == other.looks_back
        and not code.is_on(one.first)
        and not code.is_on(other.first)
        and not _LICENCE.search(one.text[:_LONGEST])
        and not _LICENCE.search(other.text[:_LONGEST])
    )


def _one_of(run: Sequence[_Comment]) -> _Comment:
    return replace(
        run[0], last=run[-1].last, text="\n".join(comment.text for comment in run)
    )


class _Code:
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

    def next(self, last: int) -> int | None:
        """Find the next line that holds code, after blank ones; None for a comment's first."""
        for number in range(last + 1, len(self._lines) + 1):
            if self.is_on(number):
                return number
            if self._text[number - 1].strip():
                return None
        return None

    def spoken_of(self, comment: _Comment) -> Iterator[tuple[int, int]]:
        """Give the lines of the code that a comment stands beside, and a column on each.

        None for one that has its lines to itself and does not hang from the line above.
        """
        if self.is_on(comment.first) or self.is_on(comment.last):
            on_first = self.is_on(comment.first)
            number = comment.first if on_first else comment.last
            opening, is_named = self._closed_by(comment)
            if opening:
                for line in self.statement(opening[0]):
                    yield line, opening[1] if line == opening[0] else _LONGEST
            if not opening or is_named:
                for line in self.statement(number):
                    yield line, comment.column
        elif owner := self._hangs_from(comment):
            for line in self.statement(owner):
                yield line, _LONGEST

    def _hangs_from(self, comment: _Comment) -> int:
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
        has_comment = len(before) < len(self._text[number - 1][:_LONGEST].rstrip())
        following = "".join(self._text[comment.last : comment.last + 1])[:_LONGEST]
        indent = max(
            _indent(self.line(self.statement(number).start)), _indent(following)
        )
        hangs = before[-1] in ";," or (has_comment and before[-1] not in "{}")
        return number if hangs and indent < comment.indent else 0

    def _closed_by(self, comment: _Comment) -> tuple[tuple[int, int] | None, bool]:
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


# No declaration has more lines, nor a line more comments: files that no person wrote aside.
_MOST_LINES = 50
_MOST_COMMENTS = 100
_BRACE = re.compile(r"""[{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_CLOSING = re.compile(r"\}([^{};]*);?\s*$")
_ATTRIBUTE = re.compile(r"__attribute(?:__)?\s*\(\(.*?\)\)|\b__\w+(?:\([^()]*\))?")


def _blanked(token: re.Match[str]) -> str:
    if token.lastgroup != "comment":
        return token[0]
    return "\n".join(" " * min(len(line), _LONGEST) for line in token[0].split("\n"))


def _indent(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip())].expandtabs())


# --- words ---------------------------------------------------------------------------

# What doxygen and kernel-doc mark comments with, and what comments are adorned with.
_BACKWARD = re.compile(r"/(?:\*[*!]|/[/!])<")
_BLOCK = re.compile(r"/\*(?:(?:\*+(?!/)|!(?=[\s\w<@\\]))<?)?")
_LINE = re.compile(r"\s*//(?:(?:/+|!(?=[\s\w<@\\]|$))<?)?")
_STARS = re.compile(r"^\s*\*+(?=\s|$)")
_ADORNMENT = re.compile(r"^[-=*#~+]{3,}(?=\s|$)|(?:^|\s)[-=#~+]{3,}$|\*{3,}$|\s{2}\*$")
_COMMAND = re.compile(r"^[@\\](?:brief|short|details)\b\s*")
_ENTRY = re.compile(r"@([A-Za-z_][\w.]*)\s*:\s*")


def plain(comment: str) -> str:
    """Take a comment's words out of its delimiters and leading stars, paragraphs kept apart.

    Of several block comments each is a paragraph, and so is what speaks of a member or
    an enumerator by its name: `@name: words`.  A comment longer than anybody reads is cut.
    """
    lines: list[str] = []
    if comment.startswith("//"):
        lines = [_LINE.sub("", line) for line in comment[:_LONGEST].split("\n")]
    else:
        for block in comment.removesuffix("*/")[:_LONGEST].split("*/\n"):
            body = _BLOCK.sub("", block, count=1)
            lines += [_STARS.sub("", line) for line in body.split("\n")] + [""]
    lines = [
        _COMMAND.sub("", _ADORNMENT.sub("", line.strip()).strip()) for line in lines
    ]
    parted = [f"\n{line}" if _ENTRY.match(line) else line for line in lines]
    paragraphs = re.split(r"\n{2,}", "\n".join(parted).strip("\n"))
    return "\n\n".join(
        " ".join(part.split()) for part in paragraphs if part.strip(" *-=\n")
    )


def by_part(words: str) -> tuple[str, dict[str, str]]:
    """Take what a comment says of parts by name, `@name: words`, out of what it says of all.

    A paragraph that follows is of all again.
    """
    whole, parts = [], {}
    for paragraph in words.split("\n\n"):
        entry = _ENTRY.match(paragraph)
        if entry and paragraph[entry.end() :]:
            parts[entry[1]] = paragraph[entry.end() :]
        else:
            whole.append(paragraph)
    return "\n\n".join(whole), parts


def of_part(name: str, own: str, parts: dict[str, str]) -> str:
    """Give the words on a part: its own comment's, and those in `parts`, taken from there.

    What both say is said once.
    """
    own = "\n\n".join(
        paragraph.removeprefix(f"@{name}:").lstrip() for paragraph in own.split("\n\n")
    )
    told = parts.pop(name, "")
    if told.lower() in own.lower():
        return own
    return told if own.lower() in told.lower() else f"{own}\n\n{told}"


def with_parts(whole: str, parts: Mapping[str, str]) -> str:
    """Give the words on the whole, and on what it was said to have and has not."""
    told = [f"@{name}: {words}" for name, words in parts.items()]
    return "\n\n".join(filter(None, [whole, *told]))


def hint(words: str) -> str | None:
    """Find the prefix of the constants that a comment points at.

    It is `VM_EVENT_FLAG_` for `VM_EVENT_FLAG_*`, None where there is no such word;
    `VM_*_FLAG` is of other constants than those with a prefix.
    """
    found = _HINT.search(words)
    return found[1] if found else None
