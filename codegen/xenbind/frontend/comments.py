"""Find documentation comments: what the header's author wrote beside each declaration.

Takes a header's text as written; gives, by line, the comment above a declaration, the
one behind it, and the one that opens a section.  `context` looks them up for `lowering`.
The rules:

- a comment that ends on the line before a declaration documents it;
- a comment that follows code on the same line documents what that line declares;
- a comment with nothing but a blank line after it opens a section: it documents the
  group of constants that comes next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from xenbind.source import IDENTIFIER

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

    `above[n]` ends on the line before n; `behind[n]` follows code on line n;
    `sections[n]` stands above n with a blank line, or further comments, between.
    """

    above: dict[int, str]
    behind: dict[int, str]
    sections: dict[int, str]

    def of(self, line: int, name: str = "", code: str = "") -> str:
        """Give the text on the declaration at `line`: what is above it, then what is behind.

        Where the line's `code` declares more than `name`, what is above it is on the
        first of them, and what is behind on the last.
        """
        if line not in self.above and line not in self.behind:
            return ""
        before, after = _around(name, code)
        parts = [
            "" if _ENDS.search(before) else self.above.get(line, ""),
            "" if _ENDS.search(after) else self.behind.get(line, ""),
        ]
        return "\n\n".join(part for part in parts if part)


_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|//.*")
# A declarator or declaration ends, and another name follows.
_ENDS = re.compile(r"[;,{]\s*(?:\w|$)", re.ASCII)


def _around(name: str, code: str) -> tuple[str, str]:
    """Give what of a line's code stands before a name, and what behind it."""
    plain = _COMMENT.sub("", code)
    for word in IDENTIFIER.finditer(plain):
        if word[0] == name:
            return plain[: word.start()], plain[word.end() :].rstrip(" \t;,{")
    return "", ""


def read(text: str) -> Comments:
    """Find the comments of a header and the lines that they belong to."""
    lines = text.split("\n")
    above: dict[int, str] = {}
    behind: dict[int, str] = {}
    sections: dict[int, str] = {}
    section: str | None = None
    line = 1
    at = start = 0  # of the token before, and of the line
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        start = max(start, text.rfind("\n", at, token.start()) + 1)
        first, at = line, token.start()
        if token.lastgroup != "comment":
            continue
        last = first + token[0].count("\n")
        words = plain(token[0])
        if not words:
            continue
        before = text[start : min(token.start(), start + _LONGEST)]
        if before.strip():
            together = f"{behind[first]} {words}" if first in behind else words
            behind[first] = together[:_LONGEST]
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
    return Comments(above, behind, sections)


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
