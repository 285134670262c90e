"""The type of an expression that is no constant: what `typeof` and `sizeof` look at.

Takes the AST of an expression and the `TypeTable`; gives its `CType`, of members reached
from a cast or a compound type as in `sizeof(((struct pair *)0)->first)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from xenbind.ir.c_types import Array, CType, Pointer, RecordRef, Scalar, spelling
from xenbind.ir.interface import Field
from xenbind.lowering.constant_expressions import Unevaluable, evaluate

if TYPE_CHECKING:
    from xenbind.lowering.type_table import TypeTable


def expression_type(node: c_ast.Node, types: TypeTable) -> CType:
    """The type of an expression.

    Raises `Unevaluable` for what is neither a member of something, an element, nor a
    constant.
    """
    if isinstance(node, c_ast.Cast):
        return types.type(node.to_type, "")
    if isinstance(node, c_ast.StructRef):
        record = expression_type(node.name, types)
        if node.type == "->" and isinstance(record, Pointer):
            record = record.target or record
        return member_type(record, node.field.name, types)
    if isinstance(node, c_ast.ArrayRef) or (
        isinstance(node, c_ast.UnaryOp) and node.op == "*"
    ):
        inner = node.name if isinstance(node, c_ast.ArrayRef) else node.expr
        match expression_type(inner, types):
            case Array(element=element) | Pointer(target=element) if element:
                return element
    name = evaluate(node, types).type.name
    return Scalar(name, name)


def member_type(record: CType, name: str, types: TypeTable) -> CType:
    """The type of a struct's or union's member."""
    return _member(record, name, types).type


def place_in(type: CType, path: str, types: TypeTable) -> int:
    """`offsetof` of a member path (`a.b`) in a type, in bytes."""
    offset = 0
    for name in path.split("."):
        field = _member(type, name, types)
        offset, type = offset + field.offset, field.type
    return offset


def _member(record: CType, name: str, types: TypeTable) -> Field:
    known = types.record(record.key) if isinstance(record, RecordRef) else None
    for field in known.fields if known else ():
        if field.name == name:
            return field
    raise Unevaluable(f"'{spelling(record)}' has no member '{name}'")
