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
- a comment between a prototype's parentheses is on a parameter, not on the function;
- a comment that names a copyright or a licence speaks of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from xenbind.frontend.comment_words import LONGEST, plain
from xenbind.frontend.commented_code import Code, Comment, comments_of
from xenbind.plain import Struct, replace
from xenbind.source import IDENTIFIER, without_comments

_LICENCE = re.compile(r"\bSPDX-License-Identifier\b|\bCopyright\b", re.IGNORECASE)


def _is_licence(text: str) -> bool:
    """Tell whether a comment names a copyright or a licence."""
    # Most have neither word; an expression takes ten times as long to tell.
    lower = text.lower()
    may_be = "spdx" in lower or "copyright" in lower
    return may_be and _LICENCE.search(text) is not None


class Comments(Struct, frozen=True):
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


@lru_cache(maxsize=8)  # one ring.h serves all versions of an interface
def read(text: str) -> Comments:
    """Find the comments of a header and the lines that they belong to."""
    code = Code(text)
    above: dict[int, str] = {}
    beside: dict[int, list[tuple[int, str]]] = {}
    sections: dict[int, str] = {}
    section = ""
    for comment in _joined(comments_of(text), code):
        words = plain(comment.text)
        if not words or _is_licence(words) or code.is_on_parameter(comment):
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


def _joined(comments: Iterable[Comment], code: Code) -> Iterator[Comment]:
    """Make one of the comments that each have a line, below one another, of the same kind."""
    run: list[Comment] = []
    for comment in comments:
        if run and not _goes_on(run[-1], comment, code):
            yield _one_of(run)
            run = []
        run.append(comment)
    if run:
        yield _one_of(run)


def _goes_on(one: Comment, other: Comment, code: Code) -> bool:
    return (
        one.is_line
        and other.is_line
        and one.last + 1 == other.first
        and one.indent == other.indent
        and one.text[:2] == other.text[:2]
        and one.looks_back == other.looks_back
        and not code.is_on(one.first)
        and not code.is_on(other.first)
        and not _is_licence(one.text[:LONGEST])
        and not _is_licence(other.text[:LONGEST])
    )


def _one_of(run: Sequence[Comment]) -> Comment:
    return replace(
        run[0], last=run[-1].last, text="\n".join(comment.text for comment in run)
    )
