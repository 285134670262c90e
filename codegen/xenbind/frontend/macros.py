"""Choose the macros of a header that matter: possible constants, and those on rings.

Takes what the preprocessor made of a header; gives the macros to be expanded, and with
their expansions tells which are to be parsed.  `header` asks; `lowering` and the
translation of rings read what comes of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pycparser import c_ast

from xenbind.frontend.directives import Macro, Preprocessed


@dataclass(frozen=True, slots=True)
class ExpandedMacro:
    """A macro and the text that it amounts to.

    `expression` is that parsed, None where it is no expression: a string, a type, a lone
    name, a statement.
    """

    macro: Macro
    expansion: str
    expression: c_ast.Node | None = None


def possible_constants(
    preprocessed: Preprocessed, header: Path, skip: frozenset[str]
) -> tuple[Macro, ...]:
    """Choose the root header's macros that may be constants: object-like, with a body."""
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if macro.coord.file == str(header)
        and macro.parameters is None
        and macro.body
        and macro.name not in skip
    )


_RING_DEFINER = "DEFINE_RING_TYPES"


def ring_macros(preprocessed: Preprocessed, skip: frozenset[str]) -> tuple[Macro, ...]:
    """Choose the macros that may be operations on a ring: function-like, none that pastes."""
    definer = preprocessed.macros.get(_RING_DEFINER)
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if definer is not None
        and macro.coord.file == definer.coord.file
        and macro.parameters
        and "##" not in macro.body
        and macro.name not in skip
    )


def is_expression(expansion: str) -> bool:
    """Tell whether an expansion is to be parsed: it is no string, name, type or statement."""
    first = re.match(r"\w+|\S", expansion)
    outside_literals = re.sub(rf"{STRING}|{_CHARACTER}", "", expansion)
    return (
        first is not None
        and first[0] not in _NOT_FIRST
        and not re.search("[{};]|__attribute", outside_literals)
        and not is_string(expansion)
        and not expansion.isidentifier()
    )


# An expansion that starts with one of these is a type, a specifier or a statement.
_NOT_FIRST = frozenset("""
    struct union enum const volatile static extern inline typedef void char short int
    long signed unsigned float double _Bool do if while for return goto asm __asm__
    __inline __inline__ __attribute__ . , # ) ]
    """.split())

STRING = r'"(?:[^"\\]|\\.)*"'
_CHARACTER = r"'(?:[^'\\]|\\.)*'"


def is_string(expansion: str) -> bool:
    """Tell whether a macro's expansion is one or more string literals."""
    return re.fullmatch(rf"{STRING}(?:\s*{STRING})*", expansion) is not None
