"""What type checkers go by, held against what ctypes has: each annotation against its type."""

from __future__ import annotations

import ast
import ctypes
import inspect
import typing
from types import ModuleType
from typing import Any

from compiled import Reference
from subject import is_record


def declared(module: ModuleType) -> list[Any]:
    """The classes of a module."""
    return [
        item
        for name, item in vars(module).items()
        if isinstance(item, type)
        and (item.__module__, item.__name__) == (module.__name__, name)
    ]


def read_as(ctype: Any) -> Any:
    """What Python reads from a member of a ctypes type."""
    if issubclass(ctype, ctypes.Array):
        if ctype._type_ is ctypes.c_char:
            return bytes
        return ctypes.Array[item_of(ctype._type_)]  # type: ignore[misc]
    if issubclass(ctype, ctypes.Structure | ctypes.Union):
        return ctype
    if issubclass(ctype, ctypes._Pointer):
        return Any
    if ctype is ctypes.c_void_p:
        return int | None
    return type(ctype().value)  # of a number it is the number's


def item_of(ctype: Any) -> Any:
    """What an array of it has as items: of arrays of chars arrays, which have no more to say."""
    is_chars = issubclass(ctype, ctypes.Array) and ctype._type_ is ctypes.c_char
    return ctypes.Array if is_chars else read_as(ctype)


def test_members_are_annotated_as_what_they_are_read(reference: Reference) -> None:
    for record in filter(is_record, declared(reference.module)):
        hints = typing.get_type_hints(record)
        for member in record._members_:
            expected = member.values if member.is_enum else read_as(member.read_type)
            assert hints[member.name] == expected, f"{record.__name__}.{member.name}"


def test_a_payload_is_annotated_as_what_it_may_be(reference: Reference) -> None:
    for record in filter(is_record, declared(reference.module)):
        payload = vars(record).get("payload")
        if isinstance(payload, property):
            _, union, table = record._payload_
            types = {m.name: m.type for m in record._members_}
            inner = types[union] if union else record
            selected = {
                read_as(m.type) for m in inner._members_ if m.name in table.values()
            }
            hint = typing.get_type_hints(payload.fget)["return"]
            assert {*typing.get_args(hint)} == {*selected, type(None)}, record.__name__


def test_rings_are_annotated_with_their_requests_and_responses(
    reference: Reference,
) -> None:
    for half in declared(reference.module):
        if hasattr(half, "first_entry"):
            (written,) = ast.parse(inspect.getsource(half)).body
            assert isinstance(written, ast.ClassDef)
            (base,) = written.bases
            assert isinstance(base, ast.Subscript)
            hints = typing.get_type_hints(half.entry)
            expected = [hints[member].__name__ for member in ("req", "rsp")]
            assert isinstance(base.slice, ast.Tuple)
            named = [
                getattr(reference.module, ast.unparse(name)).__name__
                for name in base.slice.elts
            ]
            assert named == expected, half.__name__
