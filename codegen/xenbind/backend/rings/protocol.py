"""Find the operations of a ring: which macros of ring.h work on what, helpers first.

Takes a `Ring`, whose macros are text, and the records of its interface; gives its
`Operation`s.  `translate` does each body; `ring_module` makes methods of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pycparser import c_ast

from xenbind.backend.names import python_name
from xenbind.backend.rings.model import (
    MacroBody,
    Operation,
    RingTypes,
    Role,
    Side,
    Thing,
    Untranslatable,
)
from xenbind.backend.rings.roles import roles
from xenbind.backend.rings.translate import Translator
from xenbind.errors import SourceError
from xenbind.frontend import gnu_c
from xenbind.ir.abi import X86_64, IntegerType
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Field, Record, Ring, RingMacro
from xenbind.plain import replace
from xenbind.source import Coord

# A macro whose expansion starts with one of these declares something.
_DECLARES = ("static", "struct", "union", "enum", "typedef", "extern")


def operations(ring: Ring, records: Mapping[str, Record]) -> tuple[Operation, ...]:
    """Every macro that works on this ring, in the header's order, helpers before users.

    A macro for either half becomes an operation of both.  `records` are the interface's,
    by key.  Raises `SourceError` at the macro for what cannot be translated.
    """
    page = records[ring.shared]
    within = tuple(
        (_bare(field), _placed(records[field.type.key]))
        for field in page.fields
        if isinstance(field.type, RecordRef)
    )
    halves = _placed(records[ring.front]), _placed(records[ring.back])
    return _operations(ring.macros, ring.type_names, _placed(page), within, *halves)


_NOWHERE = Coord("", 1, 1)
_Members = tuple[Field, ...]


def _placed(record: Record) -> _Members:
    """Give the members of a record as they are laid out, without what is told of them."""
    return tuple(map(_bare, record.fields))


def _bare(field: Field) -> Field:
    return replace(field, doc="", coord=_NOWHERE, span=None)


@lru_cache(maxsize=16)  # versions of an interface differ in few of these
def _operations(
    macros: tuple[RingMacro, ...],
    type_names: tuple[str, ...],
    page: _Members,
    within: tuple[tuple[Field, _Members], ...],
    front: _Members,
    back: _Members,
) -> tuple[Operation, ...]:
    """Make the operations of a ring of what they depend on: `within` are the page's unions."""
    unions = {
        f"{field.name}.{inner.name}": replace(inner, offset=inner.offset + field.offset)
        for field, members in within
        for inner in members
    }
    types = RingTypes(_by_name(page), unions, _by_name(front), _by_name(back))
    return _Collector(_parse_bodies(macros, type_names), types).collect()


def _by_name(members: _Members) -> dict[str, Field]:
    return {field.name: field for field in members}


def _parse_bodies(
    macros: Sequence[RingMacro], type_names: Sequence[str]
) -> list[tuple[RingMacro, MacroBody]]:
    """The expansions as statements; those that declare something are left out."""
    wanted = [macro for macro in macros if not macro.expansion.startswith(_DECLARES)]
    prefix = "".join(f"typedef int {name};\n" for name in type_names)
    try:
        parsed = _parse(prefix, tuple(macro.expansion for macro in wanted))
    except gnu_c.NotParsed:
        for macro in wanted:  # one by one, to find the culprit
            try:
                _parse(prefix, (macro.expansion,))
            except gnu_c.NotParsed as error:
                message = f"cannot parse the macro {macro.name}, at '{error.word}'"
                raise _refuse(macro, message) from None
        raise
    return [
        (macro, MacroBody(macro.name, macro.parameters, body))
        for macro, body in zip(wanted, parsed, strict=True)
    ]


@lru_cache(maxsize=1)  # one ring.h serves all versions of an interface
def _parse(prefix: str, texts: tuple[str, ...]) -> list[tuple[c_ast.Node, ...]]:
    functions = "".join(
        f"void f{index}(void) {{ {text}; }}\n" for index, text in enumerate(texts)
    )
    tree = gnu_c.parse(prefix + functions, keeps_bodies=True)
    return [
        tuple(
            item
            for item in node.body.block_items
            if not isinstance(item, c_ast.EmptyStatement)
        )
        for node in tree.ext
        if isinstance(node, c_ast.FuncDef)
    ]


class _Collector:
    """The operations made so far, and the macros that they are made from."""

    def __init__(
        self, bodies: Sequence[tuple[RingMacro, MacroBody]], types: RingTypes
    ) -> None:
        self.macros = {macro.name: (macro, body) for macro, body in bodies}
        self.types = types
        self.roles: dict[str, list[Role]] = {}
        self.made: dict[tuple[str, Side], Operation] = {}

    def collect(self) -> tuple[Operation, ...]:
        self.find_roles()
        for name in self.macros:
            for side in self.sides(name):
                self.operation(name, side, ())
        return tuple(self.made.values())

    def find_roles(self) -> None:
        """Roles pass from a macro to those that use it, until nothing new is learnt."""
        before = None
        while before != self.roles:
            before = dict(self.roles)
            for name, (macro, body) in self.macros.items():
                try:
                    self.roles[name] = roles(body, self.types, before)
                except Untranslatable as reason:
                    raise _refuse(macro, str(reason)) from None

    def sides(self, name: str) -> tuple[Side, ...]:
        """Whose operation a macro is; a plain function is made only when it is called."""
        found = self.roles[name]
        if Role.FRONT in found:
            return (Side.FRONT,)
        if Role.BACK in found:
            return (Side.BACK,)
        if Role.HALF in found:
            return (Side.FRONT, Side.BACK)
        return (Side.PAGE,) if Role.PAGE in found else ()

    def operation(
        self, name: str, caller: Side, arguments: Sequence[IntegerType | Thing]
    ) -> Operation:
        """The operation that a macro is on the caller's side, made at its first mention."""
        if name not in self.macros:
            raise Untranslatable(f"a call of {name}")
        macro, body = self.macros[name]
        sides = self.sides(name) or (Side.NONE,)
        side = caller if caller in sides else sides[0]
        if (name, side) not in self.made:
            numbers = [one for one in arguments if isinstance(one, IntegerType)]
            widest = max(numbers, key=lambda number: number.size, default=_RING_IDX)
            translator = Translator(
                macro=body,
                side=side,
                roles=self.roles[name],
                types=self.types,
                operation=self.operation,
                index_type=widest if side is Side.NONE else _RING_IDX,
            )
            try:
                made = translator.translate(_python_name(name, side), macro.doc)
            except Untranslatable as reason:
                message = (
                    f"cannot translate the macro {name}: {reason} is not understood"
                )
                raise _refuse(macro, message) from None
            self.made[name, side] = made
        return self.made[name, side]


_RING_IDX = X86_64.integers["unsigned int"]


def _python_name(macro: str, side: Side) -> str:
    """`RING_PUSH_REQUESTS` is `push_requests`, `BACK_RING_INIT` the back's `init`.

    What would be left with one word keeps its `ring_`: `RING_FULL` is `ring_full`.
    """
    if side is Side.NONE:
        return "_" + macro.strip("_").lower()
    name = macro.strip("_").removeprefix("XEN_")
    own = name.removeprefix(f"{side.upper()}_RING_")
    if own != name and macro == name:
        return python_name(own.lower(), ())
    short = name.removeprefix("RING_")
    return (short if "_" in short else name).lower()


def _refuse(macro: RingMacro, message: str) -> SourceError:
    return SourceError(
        macro.coord,
        message,
        f"mend it, or list '{macro.name}' under 'skip' in the spec to leave it out",
    )
