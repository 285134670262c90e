"""Find what a header declares otherwise on another target: the names, of two preprocessed texts.

Takes the text that the compiler of each target makes of the same header; gives the tags,
typedefs, enumerators and variables whose declarations differ, or that mention one that does.
`pipeline` takes the types of all others from the target that it has read already: most
headers ask for their target's macros in what they include alone, and parsing is what takes time.

    typedef long off_t;         typedef long long off_t;
    struct a { off_t size; };   struct a { off_t size; };   ->  off_t and a
    struct b { char *name; };   struct b { char *name; };
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from xenbind.ir.abi import X86_64

_MARKER = re.compile(r"^# \d+ .*\n", re.MULTILINE)
_PRAGMA = re.compile(r"^[ \t]*#pragma.*", re.MULTILINE)
# What ends a declaration, outside of strings and characters.
_END = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|[{};]')
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)", re.DOTALL)
_SPECIFIER = re.compile(r"\b(?:struct|union|enum)\b\s*([\w$]*)")
_TAG = re.compile(r"\b(?:struct|union|enum)\b([^;{}()]*)\{")
_ENUMERATORS = re.compile(r"\benum\b[^;{}()]*\{([^{}]*)\}")
_INNER = re.compile(r"\{[^{}]*\}|\[[^][]*\]")
# Types whose names mean the same to every header: what that is, `ir.abi` knows.
_TYPES = frozenset(X86_64.integers) | frozenset(
    ("signed", "unsigned", "float", "double", "void", "_Complex")
)
_QUALIFIERS = frozenset("""
    typedef const volatile restrict extern static inline sizeof _Alignas _Alignof _Atomic
    _Noreturn _Thread_local __attribute__ __const __volatile__ __restrict __inline __signed__
    """.split())


class Reading:
    """What one compiler reads of a header: its declarations, each on a line of its own.

    `used` has the names that each mentions, `pragmas` are all that there are.
    """

    def __init__(self, text: str) -> None:
        self.pragmas = _PRAGMA.findall(text)
        self.declarations = list(_split(_MARKER.sub("", text)))

    @cached_property
    def used(self) -> list[frozenset[str]]:
        return [frozenset(_NAME.findall(each)) for each in self.declarations]


def declared_otherwise(ours: Reading, theirs: Reading) -> set[str]:
    """Give the names that one compiler reads another declaration of than the other does.

    A name too many costs time alone: what has one is to be read again.
    """
    differ = set(ours.declarations) ^ set(theirs.declarations)
    if ours.pragmas != theirs.pragmas:
        differ.update(ours.declarations)
    names = {name for declaration in differ for name in _declared(declaration)}
    for declaration, used in zip(ours.declarations, ours.used, strict=True):
        if not names.isdisjoint(used):
            names |= _declared(declaration)
    return names


def _split(text: str) -> Iterator[str]:
    """Cut a text at the semicolons outside of all braces."""
    start = depth = 0
    for end in _END.finditer(text):
        depth += {"{": 1, "}": -1}.get(end[0], 0)
        if end[0] == ";" and not depth:
            yield " ".join(text[start : end.end()].split())
            start = end.end()
    yield " ".join(text[start:].split())


def _declared(declaration: str) -> set[str]:
    """Give the names that a declaration may declare, but for those of functions."""
    text = _ATTRIBUTE.sub(" ", declaration)
    inside = " ".join([*_TAG.findall(text), *_ENUMERATORS.findall(text)])
    return {*_NAME.findall(inside), *_declarators(text)} - _TYPES - _QUALIFIERS


def _declarators(text: str) -> list[str]:
    """Give the names behind the type of a declaration: typedef names, variables."""
    outside, count = text, 1
    while count:
        outside, count = _INNER.subn(" ", outside)
    words = _NAME.findall(_SPECIFIER.sub(" ", outside))
    if "typedef" not in words and "(" in outside:  # a function's
        return []
    names = [word for word in words if word not in _TYPES | _QUALIFIERS]
    has_type = _SPECIFIER.search(outside) or not _TYPES.isdisjoint(words)
    return names if has_type else names[1:]  # the first is the type's
