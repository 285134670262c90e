"""Tell where a record's member is, as its class has it."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from .annotations import TYPE_CHECKING, Member, typing

if TYPE_CHECKING:
    Record = typing.TypeVar("Record")
else:
    Record = object


class Place(NamedTuple):
    """A member at any depth: its C path, and where it is in the outermost record.

    `bit_offset` counts from the record's first bit and is None unless the member is a
    bit-field, as is `bit_width`.
    """

    path: str
    member: Member
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None


def declaring(record: type[Record]) -> type[Record]:
    """Give the class that declares the members: that of a ring's request is made of it."""
    classes: typing.Any = record.__mro__
    found: type[Record] = next(one for one in classes if "_members_" in vars(one))
    return found


def place_of(record: type[object], member: Member, base: int, path: str) -> Place:
    """Give the place of a record's member; the record is at `path`, `base` bytes in."""
    field = vars(declaring(record))[member.name]
    size = ctypes.sizeof(member.type)
    offset, bit = base + field.offset, None
    if member.bits is not None:
        bit = 8 * offset + (field.size & 0xFFFF)
    return Place(f"{path}{member.c_name}", member, offset, size, bit, member.bits)
