"""The parser's doorway: from preprocessed C text to a pycparser AST.

Takes the text and the macro expansions that may be constants; gives the AST and, for
each of those, the AST of its expression.  `lower` reads both.  A syntax error becomes a
`SourceError` at its place in the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pycparser import c_ast
from pycparser.c_parser import CParser, ParseError

from .errors import SourceError
from .ir import Coord
from .preprocess import Macro
from .source import Sources

_VARIABLE = "xenbind_constant_"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The declarations of a header in order, and the expression behind each macro."""

    declarations: tuple[c_ast.Node, ...]
    expressions: dict[str, c_ast.Node]


def parse(
    text: str, expansions: Sequence[tuple[Macro, str]], sources: Sources
) -> Parsed:
    """Parse a header and, in the scope of its types, the macros' expansions.

    Each expansion becomes the initialiser of a variable with the macro's own place, so
    that one parse does for all.
    """
    probes = "".join(
        f'# {macro.coord.line} "{macro.coord.file}"\nint {_VARIABLE}{macro.name} = ({expansion});\n'
        for macro, expansion in expansions
    )
    try:
        tree = CParser().parse(f"{text}\n{probes}")
    except ParseError as error:
        macros = {
            (macro.coord.file, macro.coord.line): macro for macro, _ in expansions
        }
        raise _syntax_error(str(error), macros, sources) from None
    declarations, expressions = [], {}
    for node in tree.ext:
        if isinstance(node, c_ast.Decl) and str(node.name).startswith(_VARIABLE):
            expressions[node.name.removeprefix(_VARIABLE)] = node.init
        else:
            declarations.append(node)
    return Parsed(tuple(declarations), expressions)


def _syntax_error(
    message: str, macros: dict[tuple[str, int], Macro], sources: Sources
) -> SourceError:
    found = re.match(r"(.*?):(\d+)(?::(\d+))?: (.*)", message, re.DOTALL)
    if not found:
        return SourceError(Coord("", 1, 1), message, "mend the header")
    file, line, _, words = found.groups()
    text = sources.line(file, int(line))
    if macro := macros.get((file, int(line))):
        return unevaluable(macro, "it is not an expression", sources)
    token = words.removeprefix("before: ")
    coord = sources.locate(file, int(line), token) if token.isidentifier() else None
    return SourceError(
        coord or Coord(file, int(line), max(text.find(token), 0) + 1),
        f"cannot parse this declaration, at '{token}'",
        "only standard C11 and GNU statement expressions are understood here",
        text,
    )


def unevaluable(macro: Macro, reason: str, sources: Sources) -> SourceError:
    """The error for a macro whose value cannot be told."""
    return SourceError(
        macro.coord,
        f"cannot evaluate the macro {macro.name}: {reason}",
        f"mend it, or list '{macro.name}' under 'skip' in the spec if it is no constant",
        sources.line(macro.coord.file, macro.coord.line),
    )
