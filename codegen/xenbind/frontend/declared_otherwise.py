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
from functools import cached_property

from xenbind.frontend.cut import NAME, declarations, declared
from xenbind.ir.abi import X86_64, Abi
from xenbind.ir.c_types import fundamental

_DIRECTIVE = re.compile(r"^#(?!pragma).*\n", re.MULTILINE)
_PLAIN_TYPEDEF = re.compile(r"typedef (?P<type>\w[\w ]*) (?P<name>\w+) ?;")
# Types whose names mean the same to every header: what that is, `ir.abi` knows.
_TYPES = frozenset(X86_64.integers) | frozenset(
    ("signed", "unsigned", "float", "double", "void", "_Complex")
)
_SIGNED = re.compile(r"\b__signed(?:__)?\b")


class Reading:
    """What one compiler reads of a header: its declarations, each on a line of its own.

    A pragma stands before the declaration that follows it.  `used` has the names that each
    mentions.
    """

    def __init__(self, text: str) -> None:
        self.declarations = [
            " ".join(each.split()) for each in declarations(_DIRECTIVE.sub("", text))
        ]

    @cached_property
    def used(self) -> list[frozenset[str]]:
        return [frozenset(NAME.findall(each)) for each in self.declarations]

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
            names |= declared(declaration) - _TYPES
    for declaration, used in zip(ours.declarations, ours.used, strict=True):
        if not names.isdisjoint(used):
            names |= declared(declaration) - _TYPES
    return names


def _is_alike(one: str, other: str, abi: Abi) -> bool:
    """Tell whether two types are integer types, and an ABI has the same for both."""
    if one not in abi.integers or other not in abi.integers:
        return False
    sizes = abi.integers[one].size, abi.integers[other].size
    return sizes[0] == sizes[1] and abi.kind(one) == abi.kind(other)
