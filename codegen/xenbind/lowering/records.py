"""Lower a struct or union definition: its members, and what attributes ask of them.

Takes a definition's AST and the header's `Types`; gives plain data, the same for every
ABI that the types are the same on.  `type_table` asks for one when a type is first needed,
and `ir.records` lays it out.

    struct s { int id; char tail[]; };    ->
        RecordType("struct", "s", "struct s", (Member("id", ...), Member("tail", ...)), ...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from pycparser import c_ast

from xenbind.errors import Faults
from xenbind.frontend import attributes, comment_words
from xenbind.frontend.attributes import Attributes, EvaluateArgument
from xenbind.ir.c_types import CType, Enumeration, FunctionType, levels
from xenbind.ir.interface import Member, RecordType
from xenbind.lowering.context import Context
from xenbind.lowering.integers import CInt
from xenbind.plain import replace


class Types(Protocol):
    """What the definition of a record asks of the header around it."""

    context: Context

    def type(self, node: c_ast.Node, key: str = "") -> CType:
        """Give the type of a declarator; `key` is what an anonymous record in it is called."""

    def in_mode(self, c_type: CType, node: c_ast.Node) -> CType:
        """Give a type the width that a member's machine mode asks for (GNU C)."""

    def measure(self, c_type: CType, node: c_ast.Node) -> tuple[int, int]:
        """Give size and alignment of a type, in bytes; `SourceError` for an incomplete one."""

    def with_known_targets(self, c_type: CType) -> CType:
        """Give the same type, its pointers leading only to what has been laid out before."""

    def value(self, node: c_ast.Node) -> CInt:
        """Evaluate a constant expression; `SourceError` for any other."""

    def alignas(self, node: c_ast.Alignas) -> int:
        """Give the alignment, in bytes, that an `_Alignas` asks for (C11 6.7.5)."""

    def attributes(
        self,
        read: Callable[[c_ast.Node, EvaluateArgument], Attributes],
        node: c_ast.Node,
    ) -> Attributes:
        """Read what a node's attributes ask for, by one of the readers of `attributes`."""


def lower(types: Types, node: c_ast.Node, key: str) -> RecordType:
    """Lower a struct or union definition.

    Raises `SourceError` for members of an incomplete or unsupported type, and for an
    attribute whose effect on the layout is not known.
    """
    kind = "struct" if isinstance(node, c_ast.Struct) else "union"
    if pragma := types.context.declared.otherwise.get(id(node)):
        message = f"ctypes lays nothing out as #pragma {pragma.string} has it"
        raise types.context.refuse(pragma, message, is_of_python=True)
    asked = types.attributes(attributes.of_type, node)
    doc = types.context.doc(node.coord, node.name or kind, opens=True)
    whole, parts = comment_words.by_part(doc)
    members: list[Member] = []
    faults = Faults()
    for declared in node.decls:
        with faults.kept():
            members += _members(types, declared, key, asked.packed)
    faults.refuse()
    return RecordType(
        kind=kind,
        tag=node.name,
        key=key,
        members=tuple(_with_words(member, parts) for member in members),
        aligned=asked.aligned,
        pack=types.context.declared.packs.get(id(node), 0),
        doc=comment_words.with_parts(whole, parts),
        coord=types.context.coord(node, node.name or kind),
    )


def _with_words(member: Member, parts: dict[str, str]) -> Member:
    """Give a member, or those of an anonymous one, what the record's comment says of it.

    That is then no longer in `parts`.
    """
    if isinstance(member.type, RecordType):
        inner = tuple(_with_words(each, parts) for each in member.type.members)
        return replace(member, type=replace(member.type, members=inner))
    doc = comment_words.of_part(member.name or "", member.doc, parts)
    return replace(member, doc=doc, hint=member.hint or comment_words.hint(doc))


def _members(
    types: Types, node: c_ast.Node, key: str, packed: bool
) -> Iterator[Member]:
    """Lower what stands in a member list: a member, or else nothing that has a place there."""
    if isinstance(node, c_ast.Pragma):
        return
    if not isinstance(node, c_ast.Decl):
        raise types.context.refuse(node, f"{type(node).__name__} is not supported here")
    if node.name is not None or node.bitsize is not None:
        yield _member(types, node, f"{key}.{node.name}", packed)
    elif not attributes.is_definition(node.type) or node.type.name is not None:
        types.type(node.type, key)  # it declares a tag and no member
    elif not isinstance(node.type, c_ast.Enum):  # that declares its enumerators
        aligned, own_packed = _asked(types, node, packed)
        yield Member(
            name=None,
            type=lower(types, node.type, key),
            bit_width=None,
            packed=packed or own_packed,
            aligned=aligned,
            doc="",
            hint=None,
            coord=types.context.coord(node),
        )


def _member(types: Types, node: c_ast.Decl, key: str, packed: bool) -> Member:
    """Lower a member with a type of its own: all but anonymous structs and unions."""
    aligned, own_packed = _asked(types, node, packed)
    c_type = types.in_mode(types.type(node.type, key), node)
    types.measure(c_type, node)  # only the last of a struct may be incomplete, an array
    require_levels(types.context, node, c_type)
    doc = types.context.doc(node.coord, node.name) if node.name else ""
    key = c_type.key if isinstance(c_type, Enumeration) else ""
    return Member(
        name=node.name,
        type=types.with_known_targets(c_type),
        bit_width=None if node.bitsize is None else types.value(node.bitsize).value,
        packed=packed or own_packed,
        aligned=aligned,
        doc=doc,
        hint=key or comment_words.hint(doc),
        coord=types.context.coord(node),
    )


def _asked(types: Types, node: c_ast.Decl, packed: bool) -> tuple[int, bool]:
    """Give the alignment that a member's own attributes ask for, and whether they pack it.

    `packed` says that its record's do.
    """
    read = partial(attributes.of_declaration, in_packed=packed)
    own = types.attributes(read, node)
    return max(own.aligned, *map(types.alignas, node.align or ()), 0), own.packed


# C11 5.2.4.1 asks for 12; Python's parser takes 200 parentheses.
_DEEPEST = 63


def require_levels(
    context: Context, node: c_ast.Node, c_type: CType | FunctionType
) -> None:
    """Raise `SourceError` for a type of more arrays and pointers than any compiler need take."""
    if levels(c_type) > _DEEPEST:
        raise context.refuse(node, f"a type of more than {_DEEPEST} arrays or pointers")
