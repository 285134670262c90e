"""A struct or union definition as a `Record`: its members, attributes and layout.

Takes a definition's AST and the `TypeTable` that knows the types of its members; gives
the `Record`, laid out.  `typetable` asks for one when a type is first needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pycparser import c_ast

from xenbind.frontend import attributes, comments
from xenbind.frontend.attributes import Attributes
from xenbind.ir import layout
from xenbind.ir.c_types import Array, CType, Enumeration, Pointer
from xenbind.ir.interface import Field, Record

if TYPE_CHECKING:
    from xenbind.lowering.type_table import TypeTable


@dataclass(frozen=True, slots=True)
class _Declared:
    """A member before it has a place.

    `type` is None for an anonymous struct or union, whose `inner` members are taken.
    """

    node: c_ast.Decl
    member: layout.Member
    type: CType | None
    inner: Record | None = None


def lower(types: TypeTable, node: c_ast.Node, key: str) -> Record:
    """Lower a struct or union definition.

    Raises `SourceError` for a member of an incomplete or unsupported type, and for an
    attribute whose effect on the layout is not known.
    """
    kind = "struct" if isinstance(node, c_ast.Struct) else "union"
    asked = types.attributes(attributes.of_type, node)
    declared = list(_members(types, node, key, asked))
    laid_out = layout.lay_out(
        kind,
        [one.member for one in declared],
        max(asked.aligned, 1),
        types.abi.unnamed_bits_align,
    )
    fields: list[Field] = []
    for one, place in zip(declared, laid_out.places, strict=True):
        if one.inner is not None:
            fields += (
                replace(field, offset=place.offset + field.offset)
                for field in one.inner.fields
            )
        elif one.type is not None and one.member.named:
            fields.append(_field(types, one.node, one.type, one.member, place))
    return Record(
        kind=kind,
        tag=node.name,
        key=key,
        fields=tuple(fields),
        size=laid_out.size,
        alignment=laid_out.alignment,
        doc=types.doc(node.coord, node.name or kind),
        coord=types.coord(node, node.name or kind),
    )


def _members(
    types: TypeTable, record: c_ast.Node, key: str, asked: Attributes
) -> Iterator[_Declared]:
    pack = types.declared.packs.get(id(record), 0)
    for node in record.decls:
        if isinstance(node, c_ast.StaticAssert):
            continue
        if isinstance(node, c_ast.Pragma):
            types.check_pragma(node)
            continue
        if not isinstance(node, c_ast.Decl):
            raise types.refuse(node, f"{type(node).__name__} is not supported here")
        own = types.attributes(attributes.of_declaration, node)
        aligned = max(own.aligned, *(types.alignas(one) for one in node.align or ()), 0)
        packed = asked.packed or own.packed
        if node.name is not None or node.bitsize is not None:
            member_type = types.type(node.type, f"{key}.{node.name}")
            bits = None if node.bitsize is None else types.value(node.bitsize).value
            size, alignment = types.measure(member_type, node)
            if bits is not None and aligned and (pack or aligned < alignment):
                raise types.refuse(
                    node,
                    "gcc and clang disagree on where this aligned bit-field begins",
                )
            yield _Declared(
                node,
                layout.Member(
                    size, alignment, bits, bool(node.name), packed, aligned, pack
                ),
                member_type,
            )
        elif attributes.is_definition(node.type) and node.type.name is None:
            if isinstance(node.type, c_ast.Enum):
                continue  # it declares its enumerators and no member
            inner = lower(types, node.type, key)
            member = layout.Member(
                inner.size, inner.alignment, packed=packed, aligned=aligned, pack=pack
            )
            yield _Declared(node, member, None, inner)
        else:
            types.type(node.type, key)  # it declares a tag and no member


def _field(
    types: TypeTable,
    node: c_ast.Decl,
    type: CType,
    member: layout.Member,
    place: layout.Place,
) -> Field:
    if _levels(type) > _DEEPEST:
        raise types.refuse(node, f"a type of more than {_DEEPEST} arrays or pointers")
    size = member.size
    if member.bits is not None and (member.packed or member.pack):
        size = -(-((place.bit_offset or 0) + member.bits) // 8)
    doc = types.doc(node.coord, node.name)
    prefix = type.prefix if isinstance(type, Enumeration) else ""
    return Field(
        name=node.name,
        type=types.settled(type),
        offset=place.offset,
        size=size,
        bit_offset=place.bit_offset,
        bit_width=member.bits,
        doc=doc,
        hint=prefix or comments.hint(doc),
        coord=types.coord(node),
    )


# C11 5.2.4.1 asks for 12; Python's parser takes 200 parentheses.
_DEEPEST = 63


def _levels(type: CType | None) -> int:
    """How many arrays and pointers stand around a type."""
    levels = 0
    while isinstance(type, Array | Pointer):
        type = type.element if isinstance(type, Array) else type.target
        levels += 1
    return levels
