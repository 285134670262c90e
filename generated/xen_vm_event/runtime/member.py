"""Describe the members of records: what the header says of each, and how it is reached."""

from __future__ import annotations

from enum import EnumType

from .annotations import typing


class At:
    """A member's place: its first byte, and of a bit-field the first bit from there."""

    __slots__ = ("bit", "offset")

    def __init__(self, offset: int, bit: int = 0) -> None:
        self.offset = offset
        self.bit = bit


class Member:
    """A member of a record as the header declares it.

    `bits` is a bit-field's width, `values` the enum class of what the member holds, `at`
    its place, each None where there is none.
    """

    __slots__ = ("at", "bits", "c_name", "name", "type", "values")

    def __init__(self, name: str, annotation: typing.Any) -> None:
        """Read a member's annotation: a record's class, or its types and notes."""
        self.name = self.c_name = name
        self.bits: int | None = None
        self.values: typing.Any = None
        self.at: At | None = None
        if isinstance(annotation, type):
            self.type: typing.Any = annotation
            return
        _, self.type, *notes = annotation.__origin__.items
        for note in notes:
            if isinstance(note, str):
                self.c_name = note
            elif isinstance(note, int):
                self.bits = note
            elif isinstance(note, EnumType):
                self.values = note
            else:
                self.at = note


class Nested:
    """A member that is a record or an array: one object, made at first use and kept.

    ctypes' own `field` makes a new one at each use.  Python asks here only until there is
    one in the record's dictionary; `offset` and `size` are the field's.
    """

    __slots__ = ("field", "name", "offset", "size")

    def __init__(self, name: str, field: typing.Any) -> None:
        self.name = name
        self.field = field
        self.offset: int = field.offset
        self.size: int = field.size

    def __get__(self, record: object, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        view = record.__dict__[self.name] = self.field.__get__(record)
        return view
