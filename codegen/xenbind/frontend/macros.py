"""Choose the macros of a header that matter: possible constants, those on rings and arrays.

Takes what the preprocessor made of a header; gives the macros to be expanded, and with
their expansions tells which are to be parsed.  `header` asks; `lowering` and the
translation of rings read what comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Set

from pycparser import c_ast

from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.include_guards import include_guard
from xenbind.plain import Struct
from xenbind.source import IDENTIFIER, Sources


class ExpandedMacro(Struct, frozen=True):
    """A macro and the text that it amounts to.

    `expression` is that parsed, None where it is none: a string, a type, a lone name, a
    statement.  `fault` says why one that might be a constant can be none, empty where it can.
    """

    macro: Macro
    expansion: str
    expression: c_ast.Node | None = None
    fault: str = ""


def possible_constants(
    preprocessed: Preprocessed,
    roots: Collection[str],
    skip: frozenset[str],
    sources: Sources,
) -> tuple[Macro, ...]:
    """Choose the interface's own macros that may be constants: object-like, with a body.

    None is an include guard.
    """
    guards = {file: include_guard(sources.text(file)) for file in roots}
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if macro.coord.file in roots
        and macro.parameters is None
        and macro.body
        and macro.name not in skip
        and macro.name != guards[macro.coord.file]
    )


def with_parameters(
    preprocessed: Preprocessed, roots: Collection[str]
) -> tuple[Macro, ...]:
    """Choose the interface's own macros that are called as functions are."""
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if macro.coord.file in roots and macro.parameters is not None
    )


# Macros of the compiler's own whose value depends on where they are used, or when.
_MOVING = frozenset("""
    __BASE_FILE__ __COUNTER__ __DATE__ __FILE__ __FILE_NAME__ __INCLUDE_LEVEL__ __LINE__
    __TIMESTAMP__ __TIME__
    """.split())


def moving(macros: Mapping[str, Macro]) -> Set[str]:
    """Find the macros that have another value wherever they are used, by way of others too."""
    found = set(_MOVING)
    words = {
        name: set(IDENTIFIER.findall(macro.body)) - set(macro.parameters or ())
        for name, macro in macros.items()
    }
    while more := {name for name in words.keys() - found if words[name] & found}:
        found |= more
    return found


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


# What a macro has that says where an element is: an index, a rule for one, a pointer's cast.
_PLACES = re.compile(r"\[|%|(?<!&)&(?!&)|\*\s*\)")


def place_macros(
    preprocessed: Preprocessed, roots: Collection[str], skip: frozenset[str]
) -> tuple[Macro, ...]:
    """Choose the interface's own macros that may say where an element of an array is."""
    return tuple(
        macro
        for macro in with_parameters(preprocessed, roots)
        if macro.name not in skip
        and len(macro.parameters or ()) in (1, 2)
        and all(name.isidentifier() for name in macro.parameters or ())
        and _PLACES.search(macro.body)
        and not re.search('[{};#"]', macro.body)
    )


def flex_macros(preprocessed: Preprocessed, skip: frozenset[str]) -> tuple[Macro, ...]:
    """Choose the macros that tell the size of a flex ring by its order.

    They stand beside a macro that defines functions to read and write packets.
    """
    files = {
        macro.coord.file
        for macro in preprocessed.macros.values()
        if macro.parameters and _FLEX_DEFINER.search(macro.body)
    }
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if macro.coord.file in files
        and macro.name.endswith("FLEX_RING_SIZE")
        and len(macro.parameters or ()) == 1
        and macro.name not in skip
    )


_FLEX_DEFINER = re.compile(r"##\s*_read_packet\b")


def is_expression(expansion: str) -> bool:
    """Tell whether an expansion is to be parsed: it is no string, name, type or statement."""
    first = _FIRST.match(expansion)
    return (
        first is not None
        and first[0] not in _NOT_FIRST
        and not re.search("[{};]|__attribute", _without_records(expansion))
        and not is_string(expansion)
        and not expansion.isidentifier()
    )


def fault_of_value(expansion: str) -> str:
    """Say why an expansion that is not to be parsed is no constant, though it reads as a value.

    Empty for what does not: a type, a specifier, a statement.
    """
    if not _begins_as_value(expansion):
        return ""
    code = _without_literals(expansion)
    if _DEFINITION.search(code):
        return "a type that is defined within an expression is not supported"
    if "__attribute" in code:
        return "an attribute within an expression is not supported"
    return "it is not a constant expression"


def _without_records(expansion: str) -> str:
    """Give code without the members of untagged structs and unions, of which C asks the size.

    One with a tag would be defined again wherever the macro is used.
    """
    code, found = _without_literals(expansion), 1
    while found:
        code, found = _UNTAGGED.subn(r"\1 untagged", code)
    return code


_UNTAGGED = re.compile(r"\b(struct|union)\s*\{[^{}]*\}")
_DEFINITION = re.compile(r"\b(?:struct|union|enum)\b[^(){};]*\{")


def _begins_as_value(expansion: str) -> bool:
    first = _FIRST.match(expansion)
    if first is None or first[0] in _NOT_FIRST or first[0] in ";}":
        return False
    if first[0] == "{":  # a block if it has statements, else what initializes something
        return ";" not in _without_literals(expansion)
    if first[0].isidentifier():
        is_all = expansion[first.end() :].strip() == ";"
        return first[0] in _OPERATORS or (is_all and first[0] not in _KEYWORDS)
    return True


def is_type(expansion: str) -> bool:
    """Tell whether an expansion is a type that C has words for: `struct pair`, `unsigned *`."""
    words = [word for word in expansion.split() if word not in ("const", "volatile")]
    only_words = re.fullmatch(r"[\w\s*]+", expansion) is not None
    return only_words and bool(words) and words[0] in _TYPE_WORDS


def is_name(expansion: str) -> bool:
    """Tell whether an expansion is a name that a program may declare: no keyword of C's."""
    return (
        expansion.isidentifier()
        and expansion not in _NOT_FIRST | _KEYWORDS
        and not expansion.startswith("__")
    )


def fault_of_name(name: str) -> str:
    """Say what is wrong with a macro's name, empty if the parser takes it."""
    return "" if name.isascii() else "only names in ASCII are understood here"


def fault_of_literal(expansion: str) -> str:
    """Say which number or character of an expansion C11 does not know, empty if it knows all.

    Numbers reach as far as a preprocessing number does (C11 6.4.8): `0xE+1` is one, and so none.
    `u8` before a character is a name (C11 6.4.4.4), which only C23 takes as part of it.
    """
    for token in _TOKEN.finditer(expansion):
        if token["character"]:
            return f"{token['character']} is no character of C11's"
        if token["number"] and not _NUMBER.fullmatch(token["number"]):
            return f"{token['number']} is no number of C's"
    return ""


def _without_literals(expansion: str) -> str:
    return re.sub(rf"{STRING}|{_CHARACTER}", "", expansion)


_FIRST = re.compile(r"\.\d|\w+|\S")
_TYPE_WORDS = frozenset(
    "struct union enum void char short int long signed unsigned float double _Bool".split()
)
# An expansion that starts with one of these is a type, a specifier or a statement.
_NOT_FIRST = _TYPE_WORDS.union("""
    const volatile static extern inline typedef do if while for return goto asm __asm
    __asm__ __inline __inline__ __attribute __attribute__ . , # ) ]
    """.split())
_KEYWORDS = frozenset("""
    auto break case continue default else register restrict sizeof switch
    _Alignas _Alignof _Atomic _Complex _Generic _Noreturn _Static_assert _Thread_local
    """.split())

# Words that a value may begin with, as no type and no statement does.
_OPERATORS = frozenset("""
    sizeof offsetof _Alignof __alignof__ __extension__
    """.split())

STRING = r'"(?:[^"\\]|\\.)*"'
_ANY_STRING = rf"(?:u8|[LuU])?{STRING}"
_CHARACTER = r"'(?:[^'\\]|\\.)*'"
_TOKEN = re.compile(
    rf"{STRING}|{_CHARACTER}|(?P<character>u8{_CHARACTER})|[^\W\d]\w*"
    r"|(?P<number>\.?\d(?:[eEpP][+-]|'\w|[\w.])*)"
)
# With any suffix, of which the parser knows C's.
_NUMBER = re.compile(
    r"0[xX][\da-fA-F]*\.?[\da-fA-F]*(?:[pP][+-]?\d+)?\w*"
    r"|\d*\.?\d*(?:[eE][+-]?\d+)?\w*"
)


def is_string(expansion: str) -> bool:
    """Tell whether a macro's expansion is string literals, one or more, in parentheses or not.

    They may be of any kind: `"text"`, `u8"text"`, `L"text"`.
    """
    return (
        re.fullmatch(rf"[\s(]*{_ANY_STRING}(?:\s*{_ANY_STRING})*[\s)]*", expansion)
        is not None
    )
