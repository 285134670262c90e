"""Lay out records where ctypes would do it otherwise than C, as packed ones.

Each is an array of bytes, and each of its members a descriptor that knows its place.
"""

from __future__ import annotations

import ctypes
from functools import cache
from operator import index

from .annotations import At, Member, is_array, is_pointer, typing
from .assignment import of_member


class Placed:
    """A member at a place of its own, as ctypes' descriptors are read and assigned.

    `offset` and `size` are as theirs: a bit-field's `size` has its first bit in the low
    half and its width in the high half.
    """

    __slots__ = ("_cell", "_name", "_points", "offset", "size")

    def __init__(self, member: Member, at: At) -> None:
        self._name = member.name
        self.offset = at.offset
        self.size = ctypes.sizeof(member.type)
        self._points = _has_pointers(member.type)
        # A struct of this one member reads and assigns its type as ctypes does it.
        self._cell: typing.Any = type(
            "Cell", (ctypes.Structure,), {"_fields_": [("value", member.type)]}
        )

    def __get__(self, record: typing.Any, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        return self._cell.from_buffer(record, self.offset).value

    def __set__(self, record: typing.Any, value: typing.Any) -> None:
        try:
            self._cell.from_buffer(record, self.offset).value = value
        except TypeError as error:
            raise of_member(error, self._name) from None
        if self._points:  # what it leads to has to live as long as the record
            kept: dict[int, typing.Any] = getattr(record, "_kept_", None) or {}
            kept[self.offset] = value
            object.__setattr__(record, "_kept_", kept)


class PlacedBits:
    """A bit-field at a place of its own, likewise."""

    __slots__ = ("_bits", "_bytes", "_convert", "_name", "_signed", "offset", "size")

    def __init__(self, member: Member, at: At, bits: int) -> None:
        self._name = member.name
        self.offset = at.offset
        self.size = bits << 16 | at.bit
        self._bits = bits
        self._bytes: typing.Any = ctypes.c_ubyte * ((at.bit + bits + 7) // 8)
        self._signed = member.type(-1).value == -1
        self._convert = bool if member.type is ctypes.c_bool else index

    def __get__(self, record: typing.Any, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        word = int.from_bytes(self._bytes.from_buffer(record, self.offset), "little")
        value = word >> (self.size & 0xFFFF) & ((1 << self._bits) - 1)
        if self._signed and value >> (self._bits - 1):
            value -= 1 << self._bits
        return self._convert(value)

    def __set__(self, record: typing.Any, value: typing.Any) -> None:
        try:
            number = self._convert(value)
        except TypeError as error:
            raise of_member(error, self._name) from None
        view = self._bytes.from_buffer(record, self.offset)
        mask = ((1 << self._bits) - 1) << (self.size & 0xFFFF)
        new = number << (self.size & 0xFFFF) & mask
        word = int.from_bytes(view, "little") & ~mask | new
        view[:] = word.to_bytes(len(view), "little")


@cache  # else records that hold two of two of two take as long as there are ways
def _has_pointers(ctype: typing.Any) -> bool:
    while is_array(ctype):
        ctype = ctype._type_
    members: tuple[Member, ...] = getattr(ctype, "_members_", ())
    return is_pointer(ctype) or any(_has_pointers(m.type) for m in members)


# Of each alignment that ctypes has, a type.
_ALIGNED = (
    *(ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64),
    ctypes.c_longdouble,
)


def place(cls: typing.Any, members: tuple[Member, ...]) -> None:
    """Give a record its bytes as one array, and each member a descriptor for its own."""
    size, alignment = cls._extent_
    # Its size is a multiple of ctypes' alignment; an aligned name of C's may be shorter.
    unit = max(
        (
            unit
            for unit in _ALIGNED
            if ctypes.alignment(unit) <= alignment and not size % ctypes.alignment(unit)
        ),
        key=ctypes.alignment,
    )
    # The array of no elements takes no room and aligns the others.
    cls._fields_ = [("_unit_", unit * 0), ("_bytes_", ctypes.c_ubyte * size)]
    for member in members:
        at = member.at or At(0)
        descriptor = (
            Placed(member, at)
            if member.bits is None
            else PlacedBits(member, at, member.bits)
        )
        setattr(cls, member.name, descriptor)
