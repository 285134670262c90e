"""Parse preprocessed C text: to the AST that pycparser makes of it.

Takes the text and the macros that may be constants; gives the declarations and, for each
of those macros that is an expression, its AST.  `header` hands both to `lowering`.  What
cannot be parsed becomes a `SourceError` at its place in the header.

    struct pair { int first; };    ->  Decl(type=Struct("pair", [Decl("first", ...)]))
    the macro FLAG as (1 << 2)     ->  BinaryOp("<<", Constant("1"), Constant("2"))
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pycparser import c_ast

from xenbind.errors import SourceError, refuse_all
from xenbind.frontend import gnu_c
from xenbind.frontend.attributes import attach_attributes
from xenbind.frontend.macros import ExpandedMacro, is_expression
from xenbind.frontend.unparsed import Rest, parse_rest
from xenbind.frontend.written import Written
from xenbind.plain import Struct, replace
from xenbind.source import IDENTIFIER, Coord, without_comments

_VARIABLE = "xenbind_constant_"


class Parsed(Struct, frozen=True):
    """The declarations of a header in order, and its macros with their expressions.

    `faults` are those of the declarations that cannot be parsed, and `lost` the names that are
    not there for that reason.
    """

    declarations: tuple[c_ast.Node, ...]
    constants: tuple[ExpandedMacro, ...]
    faults: tuple[SourceError, ...] = ()
    lost: frozenset[str] = frozenset()


def parse(written: Written, macros: Sequence[ExpandedMacro]) -> Parsed:
    """Parse as `parse_all` does, and raise what faults there are."""
    found = parse_all(written, macros)
    refuse_all(found.faults)
    return found


def parse_all(written: Written, macros: Sequence[ExpandedMacro]) -> Parsed:
    """Parse a header and, in the scope of its types, the macros that are expressions.

    Each expansion becomes the initialiser of a variable with the macro's own place, so
    that one parse does for all.  One that is no expression gets a `fault`.  Raises
    `SourceError` for declarations that cannot be parsed if the others cannot be, either.
    """
    to_parse = [macro for macro in macros if _is_to_be_parsed(macro)]
    faults: tuple[SourceError, ...] = ()
    lost: frozenset[str] = frozenset()
    try:
        tree = gnu_c.parse(_with_variables(written.text, to_parse))
    except gnu_c.NotParsed:
        rest = parse_rest(written.text)
        faults = tuple(_syntax_error(fault, written) for fault in rest.faults)
        lost = rest.lost
        if rest.tree is None:
            refuse_all(faults)
        tree, to_parse = _without_culprits(rest, to_parse)
    attach_attributes(tree)
    declarations, expressions = [], {}
    for node in tree.ext:
        if isinstance(node, c_ast.Decl) and str(node.name).startswith(_VARIABLE):
            expressions[node.name.removeprefix(_VARIABLE)] = node.init
        else:
            declarations.append(node)
    return Parsed(
        tuple(declarations),
        tuple(_with_expression(m, expressions) for m in macros),
        faults,
        lost,
    )


def _with_expression(
    macro: ExpandedMacro, expressions: Mapping[str, c_ast.Node]
) -> ExpandedMacro:
    found = expressions.get(macro.macro.name)
    if found is None and _is_to_be_parsed(macro):
        return replace(macro, fault="it is not an expression")
    return replace(macro, expression=found)


def _is_to_be_parsed(macro: ExpandedMacro) -> bool:
    return is_expression(macro.expansion) and not macro.fault


def _without_culprits(
    rest: Rest, macros: Sequence[ExpandedMacro]
) -> tuple[c_ast.FileAST, list[ExpandedMacro]]:
    """Parse what can be of a header, after the macros one by one: some are no expressions."""
    declared = rest.tree.ext if rest.tree else ()
    types = {node.name for node in declared if isinstance(node, c_ast.Typedef)}
    sound = [
        macro
        for macro in macros
        if expression(macro.expansion, types & set(IDENTIFIER.findall(macro.expansion)))
    ]
    return gnu_c.parse(_with_variables(rest.text, sound)), sound


def expression(text: str, typedefs: Iterable[str]) -> c_ast.Node | None:
    """Parse one expression that may use these typedef names; give None if it is none."""
    used = set(IDENTIFIER.findall(text))  # others would only take time
    names = "".join(f"typedef int {name};" for name in typedefs if name in used)
    try:
        *_, variable = gnu_c.parse(f"{names} int {_VARIABLE} = ({text});").ext
    except gnu_c.NotParsed:
        return None
    return variable.init


def _with_variables(text: str, macros: Sequence[ExpandedMacro]) -> str:
    variables = "".join(
        f'# {each.macro.coord.line} "{each.macro.coord.file}"\n'
        f"int {_VARIABLE}{each.macro.name} = ({each.expansion});\n"
        for each in macros
    )
    return f"{text}\n{variables}"


# A character, or its universal character name (C11 6.4.3).
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}")


def _syntax_error(error: gnu_c.NotParsed, written: Written) -> SourceError:
    """Say what the parser does not understand, at the word that it stopped at."""
    origin = written.origin(error.coord)
    coord = origin.coord
    line = written.sources.line(coord.file, coord.line)
    beyond = _BEYOND_ASCII.search(without_comments(line))
    if beyond and not error.word:
        return SourceError(
            Coord(coord.file, coord.line, beyond.start() + 1),
            f"'{beyond[0]}' in a name: only names in ASCII are understood here",
            "give it a name in ASCII",
        )
    message = "cannot parse this declaration"
    if error.word:
        message += f", at '{error.word}'"
    return SourceError(
        coord,
        origin.told(message),
        "only standard C11 and the commoner extensions of GNU C are understood here",
    )
