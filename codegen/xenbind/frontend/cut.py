"""Cut preprocessed text into its declarations, and find the names that one declares.

Takes C without directives; gives each declaration as it stands, and the names of tags, typedefs,
enumerators and variables in one.  `declared_otherwise` holds two texts against each other by it,
and `needed` passes over what a header only happens to include: to parse is what takes time.

    typedef int a; struct b { a c; };    ->    `typedef int a;` declares a,
                                               `struct b { a c; };` declares b
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STRING = re.compile(STRING)
# What ends a declaration, outside of strings and characters.
_END = re.compile(rf"{STRING}|[{{}};]")
_DEPTH = {"{": 1, "}": -1}
_ATTRIBUTE = re.compile(r"__attribute(?:__)?\s*(?=\()")
_PARENTHESIS = re.compile(r"[()]")
_SPECIFIER = re.compile(r"\b(?:struct|union|enum)\b\s*([\w$]*)")
_TAG = re.compile(r"\b(?:struct|union|enum)\b([^;{}()]*)\{")
_ENUMERATORS = re.compile(r"\benum\b[^;{}()]*\{([^{}]*)\}")
_INNER = re.compile(r"\{[^{}]*\}|\[[^][]*\]")
_TO_POINTER = re.compile(r"\((\s*\*[^()]*)\)")
_WRAPPED = re.compile(r"([,*]|(?<![\w$])[\w$]++)\s*+\(\s*+([A-Za-z_$][\w$]*+)\s*\)")
# A word is tried once, as a whole: of a long one each end would be tried, of blanks each begin.
_FUNCTION = re.compile(r"(?:(?<![\w$])[\w$]++\s*+)?\((?!\s*\*)[^()]*\)")
_TYPES = frozenset("""
    _Bool _Complex char double float int long short signed unsigned void
    """.split())
_QUALIFIERS = frozenset("""
    typedef const volatile restrict extern static inline sizeof _Alignas _Alignof _Atomic
    _Noreturn _Thread_local __attribute__ __const __volatile__ __restrict __inline __signed__
    """.split())
_WORDS = _TYPES | _QUALIFIERS
C_WORDS = _WORDS | {"struct", "union", "enum"}


def declarations(text: str) -> Iterator[str]:
    """Cut a text at the semicolons outside of all braces, and behind the bodies of functions."""
    start = depth = 0
    is_body = False
    for end in _END.finditer(text):
        if end[0] == "{" and not depth:
            before = _without_attributes(text[start : end.start()])
            is_body = before.rstrip().endswith(")")
        depth += _DEPTH.get(end[0], 0)
        if not depth and (end[0] == ";" or (end[0] == "}" and is_body)):
            yield text[start : end.end()]
            start, is_body = end.end(), False
    yield text[start:]


def _without_attributes(text: str) -> str:
    """Take GNU C's attributes out, whatever their parentheses hold."""
    if "__attribute" not in text:
        return text
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


def blank(piece: str) -> str:
    """Keep of a declaration its lines, and among them markers and pragmas."""
    *lines, last = piece.split("\n")
    kept = [line if line.startswith("#") else "" for line in lines]
    return "\n".join([*kept, " " * len(last)])


@lru_cache(1 << 14)
def declared(declaration: str) -> frozenset[str]:
    """Give the names that a declaration may declare, but for those of functions.

    Every target's compiler reads most of a header alike.
    """
    text = _without_attributes(_STRING.sub("0", declaration))
    names = _declarators(text)
    if "{" in text:
        inside = " ".join([*_TAG.findall(text), *_ENUMERATORS.findall(text)])
        names += NAME.findall(inside)
    return frozenset(names) - _WORDS


def _declarators(text: str) -> list[str]:
    """Give the names behind the type of a declaration: typedef names, variables."""
    outside, count = text, 1
    while count:
        outside, count = _INNER.subn(" 0 ", outside)  # which is no name
    outside = _SPECIFIER.sub(" int ", outside)
    words = NAME.findall(outside)
    first = next((word for word in words if word not in _QUALIFIERS), "")
    if "(" in outside and "typedef" not in words:
        outside = _without_functions(_without_parentheses(outside, first))
    words = NAME.findall(outside)
    names = [word for word in words if word not in _WORDS]
    return names[1:] if first in names else names  # without the type's own


def _without_parentheses(text: str, first: str) -> str:
    """Take those around a declarator's name away: before it is the `first` name or a type.

    `T (x), (y);` declares what `T x, y;` does, and `T f(x);` a function.
    """

    def bare(found: re.Match[str]) -> str:
        is_one = found[1] in {",", "*", first} or found[1] in _WORDS
        return f"{found[1]} {found[2]}" if is_one else found[0]

    return _WRAPPED.sub(bare, text)


def _without_functions(text: str) -> str:
    """Take out of declarators what declares functions: names with what these take.

    What begins with a star in parentheses is no parameters: `int (*table)[4], (*call)(int);`.
    """
    count = 1
    while count:
        text, pointers = _TO_POINTER.subn(r" \1 0 ", text)
        text, functions = _FUNCTION.subn(" 0 ", text)
        count = pointers + functions
    return text
