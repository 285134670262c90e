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

from xenbind.ir.abi import X86_64, Abi
from xenbind.ir.c_types import fundamental

_DIRECTIVE = re.compile(r"^#(?!pragma).*\n", re.MULTILINE)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
# What ends a declaration, outside of strings and characters.
_END = re.compile(rf"{_STRING.pattern}|[{{}};]")
_DEPTH = {"{": 1, "}": -1}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_ATTRIBUTE = re.compile(r"__attribute(?:__)?\s*(?=\()")
_PARENTHESIS = re.compile(r"[()]")
_PLAIN_TYPEDEF = re.compile(r"typedef (?P<type>\w[\w ]*) (?P<name>\w+) ?;")
_SIGNED = re.compile(r"\b__signed(?:__)?\b")
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

    A pragma stands before the declaration that follows it.  `used` has the names that each
    mentions.
    """

    def __init__(self, text: str) -> None:
        self.declarations = list(_split(_DIRECTIVE.sub("", text)))

    @cached_property
    def used(self) -> list[frozenset[str]]:
        return [frozenset(_NAME.findall(each)) for each in self.declarations]

    @cached_property
    def _plain_typedefs(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in map(_PLAIN_TYPEDEF.fullmatch, self.declarations):
            if (
                each
            ):  # one that is repeated says the same again (C11 6.7p3), perhaps by itself
                found.setdefault(each["name"], _SIGNED.sub("signed", each["type"]))
        return found

    def base(self, name: str) -> str:
        """Give the fundamental or stdint type behind a typedef name; empty for other names."""
        while name in self._plain_typedefs:
            name = fundamental(self._plain_typedefs[name])
            if name in _TYPES:
                return name
        return ""


def declared_otherwise(ours: Reading, theirs: Reading, abi: Abi) -> set[str]:
    """Give the names of which the compiler for `abi` reads another declaration.

    Of a typedef it is the same if it is an integer type that is as long there, and as signed.
    A name too many costs time alone: what has one is to be read again.
    """
    differ = set(ours.declarations) ^ set(theirs.declarations)
    if any(
        "#pragma" in each for each in differ
    ):  # all that follows may be packed otherwise
        differ.update(ours.declarations)
    names: set[str] = set()
    for declaration in differ:
        plain = _PLAIN_TYPEDEF.fullmatch(declaration)
        name = plain["name"] if plain else ""
        if not _is_alike(ours.base(name), theirs.base(name), abi):
            names |= _declared(declaration)
    for declaration, used in zip(ours.declarations, ours.used, strict=True):
        if not names.isdisjoint(used):
            names |= _declared(declaration)
    return names


def _is_alike(one: str, other: str, abi: Abi) -> bool:
    """Tell whether two types are integer types, and an ABI has the same for both."""
    if one not in abi.integers or other not in abi.integers:
        return False
    sizes = abi.integers[one].size, abi.integers[other].size
    return sizes[0] == sizes[1] and abi.kind(one) == abi.kind(other)


def _split(text: str) -> Iterator[str]:
    """Cut a text at the semicolons outside of all braces, and behind the bodies of functions."""
    start = depth = 0
    is_body = False
    for end in _END.finditer(text):
        if end[0] == "{" and not depth:
            before = _without_attributes(text[start : end.start()])
            is_body = before.rstrip().endswith(")")
        depth += _DEPTH.get(end[0], 0)
        if not depth and (end[0] == ";" or (end[0] == "}" and is_body)):
            yield " ".join(text[start : end.end()].split())
            start, is_body = end.end(), False
    yield " ".join(text[start:].split())


def _without_attributes(text: str) -> str:
    """Take GNU C's attributes out, whatever their parentheses hold."""
    kept, start = [], 0
    for attribute in _ATTRIBUTE.finditer(text):
        if attribute.start() >= start:
            kept.append(text[start : attribute.start()])
            start = _closing(text, attribute.end())
    return " ".join([*kept, text[start:]])


def _closing(text: str, start: int) -> int:
    """Find the end of what is in the parentheses that open at `start`."""
    depth = 0
    for each in _PARENTHESIS.finditer(text, start):
        depth += 1 if each[0] == "(" else -1
        if not depth:
            return each.end()
    return len(text)


def _declared(declaration: str) -> set[str]:
    """Give the names that a declaration may declare, but for those of functions."""
    text = _without_attributes(_STRING.sub("0", declaration))
    inside = " ".join([*_TAG.findall(text), *_ENUMERATORS.findall(text)])
    return {*_NAME.findall(inside), *_declarators(text)} - _TYPES - _QUALIFIERS


def _declarators(text: str) -> list[str]:
    """Give the names behind the type of a declaration: typedef names, variables."""
    outside, count = text, 1
    while count:
        outside, count = _INNER.subn(" 0 ", outside)  # which is no name
    first = next((w for w in _NAME.findall(outside) if w not in _QUALIFIERS), "")
    words = _NAME.findall(_SPECIFIER.sub(" ", outside))
    if "typedef" not in words and "(" in outside:  # a function's
        return []
    names = [word for word in words if word not in _TYPES | _QUALIFIERS]
    return names[1:] if first in names else names  # without the type's own
