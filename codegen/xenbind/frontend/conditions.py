"""Read the conditions of a header as it is written: which macros they ask for.

Takes a file's text; gives names.  `init` tries them where a header lacks something, and
`lowering` tells them where no branch that is taken has a type.

    #if defined(TOOLS) && LEVEL > 2
    struct pair { int a; };             ->  ["TOOLS", "LEVEL"] are around it
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xenbind.source import without_any_comments

# What says that a header is read for something else than a program in C.
_OF_OTHERS = frozenset("""
    __cplusplus __KERNEL__ __ASSEMBLY__ __ASSEMBLER__ __XEN__ __OBJC__ _MSC_VER _WIN32
    __has_include __has_attribute __has_builtin defined
    """.split())
_CONDITION = re.compile(r"\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b(.*)")
_DEFINED = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)


def macros_around(text: str, line: int) -> list[str]:
    """Give the macros that the conditions around a line ask for, the innermost first.

    Those that the file defines itself, such as its guard, are none of them.
    """
    around: list[list[str]] = []
    for word, rest in _conditions(text, line):
        if word.startswith("if"):
            around.append([rest])
        elif word == "elif" and around:
            around[-1].append(rest)
        elif word == "endif" and around:
            around.pop()
    asked = " ".join(rest for rests in reversed(around) for rest in rests)
    return _asked_macros(text, asked)


def other_macros(text: str) -> list[str]:
    """Give all macros that a file's conditions ask for and it does not define."""
    lines = text.count("\n") + 2
    return _asked_macros(text, " ".join(rest for _, rest in _conditions(text, lines)))


def _conditions(text: str, line: int) -> Iterator[tuple[str, str]]:
    # A line that is continued counts as where it begins; the rest of it become empty ones.
    joined = re.sub(
        r"(?:[^\n]*\\\n)+[^\n]*",
        lambda found: found[0].replace("\\\n", " ") + "\n" * found[0].count("\\\n"),
        text,
    )
    for each in joined.split("\n")[: line - 1]:
        if found := _CONDITION.match(each):
            yield found[1], without_any_comments(found[2])


def _asked_macros(text: str, conditions: str) -> list[str]:
    own = set(_DEFINED.findall(text))
    names = dict.fromkeys(re.findall(r"[A-Za-z_]\w*", conditions))
    return [name for name in names if name not in own | _OF_OTHERS]
