"""Parse preprocessed C text: to the AST that pycparser makes of it.

Takes the text and the macros that may be constants; gives the declarations and, for each
of those macros that is an expression, its AST.  `header` hands both to `lowering`.  A
syntax error becomes a `SourceError` at its place in the header.

    struct pair { int first; };    ->  Decl(type=Struct("pair", [Decl("first", ...)]))
    the macro FLAG as (1 << 2)     ->  BinaryOp("<<", Constant("1"), Constant("2"))
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pycparser import c_ast
from pycparser.c_parser import ParseError

from xenbind.errors import SourceError
from xenbind.frontend import gnu_c
from xenbind.frontend.attributes import attach_attributes
from xenbind.frontend.directives import Macro
from xenbind.frontend.macros import ExpandedMacro, is_expression
from xenbind.source import Coord, Sources

_VARIABLE = "xenbind_constant_"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The declarations of a header in order, and its macros with their expressions."""

    declarations: tuple[c_ast.Node, ...]
    constants: tuple[ExpandedMacro, ...]


def parse(text: str, macros: Sequence[ExpandedMacro], sources: Sources) -> Parsed:
    """Parse a header and, in the scope of its types, the macros that are expressions.

    Each expansion becomes the initialiser of a variable with the macro's own place, so
    that one parse does for all.
    """
    to_parse = [macro for macro in macros if is_expression(macro.expansion)]
    try:
        tree = gnu_c.parser().parse(_with_variables(text, to_parse))
    except ParseError as error:
        culprit = _first_unparsable(text, to_parse)
        if culprit is not None:
            raise unevaluable(culprit, "it is not an expression") from None
        raise _syntax_error(str(error), sources) from None
    attach_attributes(tree)
    declarations, expressions = [], {}
    for node in tree.ext:
        if isinstance(node, c_ast.Decl) and str(node.name).startswith(_VARIABLE):
            expressions[node.name.removeprefix(_VARIABLE)] = node.init
        else:
            declarations.append(node)
    return Parsed(
        tuple(declarations),
        tuple(
            replace(macro, expression=expressions.get(macro.macro.name))
            for macro in macros
        ),
    )


def expression(text: str, typedefs: Iterable[str]) -> c_ast.Node | None:
    """Parse one expression that may use these typedef names; give None if it is none."""
    names = "".join(f"typedef int {name};" for name in typedefs)
    try:
        *_, variable = gnu_c.parser().parse(f"{names} int {_VARIABLE} = {text};").ext
    except ParseError:
        return None
    return variable.init


def _with_variables(text: str, macros: Sequence[ExpandedMacro]) -> str:
    variables = "".join(
        f'# {each.macro.coord.line} "{each.macro.coord.file}"\n'
        f"int {_VARIABLE}{each.macro.name} = ({each.expansion});\n"
        for each in macros
    )
    return f"{text}\n{variables}"


def _first_unparsable(text: str, macros: Sequence[ExpandedMacro]) -> Macro | None:
    """Find the first macro that cannot be parsed, if the header itself can be.

    The parser does not always say where it failed; halving finds it in few steps.
    """
    first = bisect_left(
        range(len(macros) + 1),
        True,
        key=lambda count: not _parses(_with_variables(text, macros[:count])),
    )
    return macros[first - 1].macro if first else None


def _parses(text: str) -> bool:
    try:
        gnu_c.parser().parse(text)
    except ParseError:
        return False
    return True


def _syntax_error(message: str, sources: Sources) -> SourceError:
    found = re.match(r"(.*?):(?:(\d+):)?(?:\d+:)? (.*)", message, re.DOTALL)
    file, line, words = found.groups() if found else ("", None, message)
    text = sources.line(file, int(line or 1))
    token = words.removeprefix("before: ")
    coord = (
        sources.locate(file, int(line or 1), token) if token.isidentifier() else None
    )
    return SourceError(
        coord or Coord(file, int(line or 1), max(text.find(token), 0) + 1),
        f"cannot parse this declaration, at '{token}'",
        "only standard C11 and the commoner extensions of GNU C are understood here",
    )


def unevaluable(macro: Macro, reason: str) -> SourceError:
    """Make the error for a macro whose value cannot be told."""
    return SourceError(
        macro.coord,
        f"cannot evaluate the macro {macro.name}: {reason}",
        f"mend it, or list '{macro.name}' under 'skip' in the spec if it is no constant",
    )
