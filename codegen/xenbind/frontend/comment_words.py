"""Take the words out of comments: delimiters, adornments and marks of doxygen's are none.

Takes comments as they are written; `plain` gives their words, which `by_part` and `of_part`
share out among a declaration and its parts: members, enumerators.  `comments` finds what
they speak of, `lowering` gives them to records and constants.

    /** @cr: its number */   ->  "@cr: its number"   ->  {"cr": "its number"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 20_000  # characters of a comment, or of a line in which one stands
_HINT = re.compile(r"\b([A-Z][A-Z0-9_]*_)\*(?!\w)")
# What doxygen and kernel-doc mark comments with, and what comments are adorned with.
_BLOCK = re.compile(r"/\*(?:(?:\*+(?!/)|!(?=[\s\w<@\\]))<?)?")
_LINE = re.compile(r"\s*//(?:(?:/+|!(?=[\s\w<@\\]|$))<?)?")
_STARS = re.compile(r"^\s*\*+(?=\s|$)")
_ADORNMENT = re.compile(r"^[-=*#~+]{3,}(?=\s|$)|(?:^|\s)[-=#~+]{3,}$|\*{3,}$|\s{2}\*$")
_ADORNED = frozenset("-=*#~+")  # what an adornment begins or ends with
_COMMAND = re.compile(r"^[@\\](?:brief|short|details)\b\s*")
_ENTRY = re.compile(r"@([A-Za-z_][\w.]*)\s*:\s*")


def plain(comment: str) -> str:
    """Take a comment's words out of its delimiters and leading stars, paragraphs kept apart.

    Of several block comments each is a paragraph, and so is what speaks of a member or
    an enumerator by its name: `@name: words`.  A comment longer than anybody reads is cut.
    """
    lines: list[str] = []
    if comment.startswith("//"):
        lines = [_LINE.sub("", line) for line in comment[:LONGEST].split("\n")]
    else:
        for block in comment.removesuffix("*/")[:LONGEST].split("*/\n"):
            body = _BLOCK.sub("", block, count=1)
            lines += [_STARS.sub("", line) for line in body.split("\n")] + [""]
    lines = [_without_marks(line.strip()) for line in lines]
    parted = [f"\n{line}" if _ENTRY.match(line) else line for line in lines]
    paragraphs = re.split(r"\n{2,}", "\n".join(parted).strip("\n"))
    return "\n\n".join(
        " ".join(part.split()) for part in paragraphs if part.strip(" *-=\n")
    )


def _without_marks(line: str) -> str:
    """Take a line's adornments, and what it begins with for doxygen, off it."""
    if line[:1] in _ADORNED or line[-1:] in _ADORNED:
        line = _ADORNMENT.sub("", line).strip()
    return _COMMAND.sub("", line) if line[:1] in ("@", "\\") else line


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
