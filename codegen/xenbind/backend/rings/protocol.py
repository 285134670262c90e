"""The macros of ring.h as operations on a ring: found, ordered, translated.

Takes the function-like macros of the header that defines `DEFINE_RING_TYPES`, with their
expansions, and the records of a ring; gives its `Operation`s.  `macros` translates each
body; `lower` puts the result into the IR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from pycparser import c_ast
from pycparser.c_parser import ParseError

from xenbind.backend.names import python_name
from xenbind.backend.rings.roles import MacroBody, RingTypes, Untranslatable, roles
from xenbind.backend.rings.translate import Translator
from xenbind.errors import SourceError
from xenbind.frontend import gnu_c
from xenbind.frontend.comments import read
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.ir.abi import X86_64, IntegerType
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Field, Operation, Record
from xenbind.source import Sources

_DEFINER = "DEFINE_RING_TYPES"
# A macro whose expansion starts with one of these declares something.
_DECLARES = ("static", "struct", "union", "enum", "typedef", "extern")


def ring_macros(preprocessed: Preprocessed, skip: frozenset[str]) -> tuple[Macro, ...]:
    """The macros that may be operations on a ring: function-like ones, none that pastes."""
    definer = preprocessed.macros.get(_DEFINER)
    return tuple(
        macro
        for macro in preprocessed.macros.values()
        if definer is not None
        and macro.coord.file == definer.coord.file
        and macro.parameters
        and "##" not in macro.body
        and macro.name not in skip
    )


def parse_bodies(
    expansions: Sequence[tuple[Macro, str]], types: Sequence[str]
) -> list[tuple[Macro, MacroBody]]:
    """The expansions as statements; those that declare something are left out.

    `types` are the typedef names that they may mention.
    """
    wanted = [(m, text) for m, text in expansions if not text.startswith(_DECLARES)]
    prefix = "".join(f"typedef int {name};\n" for name in types)
    try:
        parsed = _parse(prefix, tuple(text for _, text in wanted))
    except ParseError:
        for macro, text in wanted:  # one by one, to find the culprit
            try:
                _parse(prefix, (text,))
            except ParseError as error:
                raise _refuse(macro, str(error).rpartition(": ")[2]) from None
        raise
    return [
        (macro, MacroBody(macro.name, macro.parameters or (), body))
        for (macro, _), body in zip(wanted, parsed, strict=True)
    ]


@lru_cache(maxsize=1)  # one ring.h serves all versions of an interface
def _parse(prefix: str, texts: tuple[str, ...]) -> list[tuple[c_ast.Node, ...]]:
    functions = "".join(
        f"void f{index}(void) {{ {text}; }}\n" for index, text in enumerate(texts)
    )
    tree = gnu_c.parser().parse(prefix + functions)
    return [
        tuple(
            item
            for item in node.body.block_items
            if not isinstance(item, c_ast.EmptyStatement)
        )
        for node in tree.ext
        if isinstance(node, c_ast.FuncDef)
    ]


def operations(
    bodies: Sequence[tuple[Macro, MacroBody]],
    page: Record,
    front: Record,
    back: Record,
    records: Mapping[str, Record],
    sources: Sources,
) -> tuple[Operation, ...]:
    """Every macro that works on this ring, in the header's order, helpers before users.

    A macro for either half becomes an operation of both.  Raises `SourceError` at the
    macro for what cannot be translated.
    """
    unions = {
        f"{field.name}.{inner.name}": _moved(inner, field.offset)
        for field in page.fields
        if isinstance(field.type, RecordRef)
        for inner in records[field.type.key].fields
    }
    types = RingTypes(_by_name(page), unions, _by_name(front), _by_name(back))
    return _Collector(bodies, types, sources).collect()


def _by_name(record: Record) -> dict[str, Field]:
    return {field.name: field for field in record.fields}


def _moved(field: Field, by: int) -> Field:
    return replace(field, offset=field.offset + by)


class _Collector:
    """The operations made so far, and the macros that they are made from."""

    def __init__(
        self,
        bodies: Sequence[tuple[Macro, MacroBody]],
        types: RingTypes,
        sources: Sources,
    ) -> None:
        self.macros = {macro.name: (macro, body) for macro, body in bodies}
        self.types = types
        self.sources = sources
        # All macros are of the one header that defines the ring types.
        file = bodies[0][0].coord.file if bodies else ""
        self.comments = read(sources.text(file))
        self.roles: dict[str, list[str]] = {}
        self.made: dict[tuple[str, str], Operation] = {}

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

    def sides(self, name: str) -> tuple[str, ...]:
        """Whose operation a macro is; a plain function is made only when it is called."""
        found = self.roles[name]
        for side in ("front", "back"):
            if side in found:
                return (side,)
        if "half" in found:
            return ("front", "back")
        return ("page",) if "page" in found else ()

    def operation(
        self, name: str, caller: str, arguments: Sequence[IntegerType | str]
    ) -> Operation:
        """The operation that a macro is on the caller's side, made at its first mention."""
        if name not in self.macros:
            raise Untranslatable(f"a call of {name}")
        macro, body = self.macros[name]
        sides = self.sides(name) or ("none",)
        side = caller if caller in sides else sides[0]
        if (name, side) not in self.made:
            numbers = [type for type in arguments if isinstance(type, IntegerType)]
            widest = max(numbers, key=lambda type: type.size, default=_RING_IDX)
            translator = Translator(
                macro=body,
                side=side,
                roles=self.roles[name],
                types=self.types,
                operation=self.operation,
                index_type=widest if side == "none" else _RING_IDX,
            )
            try:
                made = translator.translate(_python_name(name, side), self.doc(macro))
            except Untranslatable as reason:
                message = (
                    f"cannot translate the macro {name}: {reason} is not understood"
                )
                raise _refuse(macro, message) from None
            self.made[name, side] = made
        return self.made[name, side]

    def doc(self, macro: Macro) -> str:
        return self.comments.of(macro.coord.line)


_RING_IDX = X86_64.integers["unsigned int"]


def _python_name(macro: str, side: str) -> str:
    """`RING_PUSH_REQUESTS` is `push_requests`, `BACK_RING_INIT` the back's `init`.

    What would be left with one word keeps its `ring_`: `RING_FULL` is `ring_full`.
    """
    if side == "none":
        return "_" + macro.strip("_").lower()
    name = macro.strip("_").removeprefix("XEN_")
    own = name.removeprefix(f"{side.upper()}_RING_")
    if own != name and macro == name:
        return python_name(own.lower(), ())
    short = name.removeprefix("RING_")
    return (short if "_" in short else name).lower()


def _refuse(macro: Macro, message: str) -> SourceError:
    return SourceError(
        macro.coord,
        message,
        f"mend it, or list '{macro.name}' under 'skip' in the spec to leave it out",
    )
