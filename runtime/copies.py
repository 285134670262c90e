"""Copy records into memory of our own, where the other side of a ring cannot change them.

A copy is filled again and again, so the nested members of its record are made at once:
reading `request.data.regs.x86` is then three slots of the interpreter's own, and no call.
So is reading and writing one of its numbers through `cell`.
"""

from __future__ import annotations

import ctypes
from functools import cache

from .annotations import TYPE_CHECKING, Generic, typing
from .records import Nested, Structure

if TYPE_CHECKING:
    Record = typing.TypeVar("Record", bound=Structure)
else:
    Record = Structure


class Copy(Generic[Record]):
    """Memory for one record: `octets`, the `record` in it, and cells for some of its members.

    `ring` is the ring on which the request waits for an answer, None if it does not;
    `index` is where it was on it, and `asked` the flags that it came with, once the ring
    has given its entry away.
    """

    __slots__ = (
        *("asked", "cells", "flags", "index", "octets", "record", "ring", "version"),
    )

    def __init__(
        self,
        record: type[Record],
        size: int,
        flags: str | None = None,
        version: str | None = None,
    ) -> None:
        self.octets = memoryview(bytearray(size))
        self.record: Record = _whole(record, self.octets, 0)
        object.__setattr__(self.record, "_copy_", self)
        self.flags: typing.Any = cell(record, flags, self.octets)
        self.version: typing.Any = cell(record, version, self.octets)
        self.cells = dict[str, typing.Any]()
        self.ring: object = None
        self.index = self.asked = 0


class _BitField:
    """A bit-field as a memoryview of one number is read and written."""

    __slots__ = ("_name", "_record")

    def __init__(self, record: typing.Any, name: str) -> None:
        self._record = record
        self._name = name

    def __getitem__(self, nought: int) -> int:
        value: int = getattr(self._record, self._name)
        return value

    def __setitem__(self, nought: int, value: int) -> None:
        setattr(self._record, self._name, value)

    def release(self) -> None:
        self._record = None


# By the size of a number, how memoryview reads its bits, whatever their sign.
_CODES: dict[int, typing.Any] = {1: "B", 2: "H", 4: "I", 8: "Q"}


def cell(record: typing.Any, path: str | None, octets: memoryview) -> typing.Any:
    """Give what reads and writes a member of a record in `octets` as its `[0]`.

    `path` is the member's name in C, with dots in nested ones: `data.regs.x86.rip`.  None if
    the record has no such integer.  What is written has to fit, as in a memoryview, or
    ValueError is raised.
    """
    name, _, inner = (path or "").partition(".")
    member = next((one for one in record._members_ if one.c_name == name), None)
    if member is not None and inner:
        if not hasattr(member.type, "_members_"):
            return None
        return cell(member.type, inner, octets[record.__dict__[member.name].offset :])
    code = getattr(member and member.type, "_type_", None)
    if member is None or code not in tuple("?cbBhHiIlLqQ"):
        return None
    if member.bits is not None:
        return _BitField(record.from_buffer(octets), member.name)
    field = record.__dict__[member.name]
    start, size = field.offset, ctypes.sizeof(member.type)
    return octets[start : start + size].cast("?" if code == "?" else _CODES[size])


def _whole(cls: typing.Any, octets: memoryview, start: int) -> typing.Any:
    """Make a record or array at `start`, with all of its nested members."""
    nested = _nested(cls)
    if not nested:
        return cls.from_buffer(octets, start)
    twin = _twin(cls)
    record = twin.from_buffer(octets, start)
    for member in cls._members_:
        if member.name in nested:
            place = start + nested[member.name].offset
            slot: typing.Any = twin.__dict__[member.name]
            slot.__set__(record, _whole(member.type, octets, place))
    return record


def _nested(cls: typing.Any) -> dict[str, Nested]:
    attributes: dict[str, object] = cls.__dict__
    return {
        name: member
        for name, member in attributes.items()
        if isinstance(member, Nested)
    }


@cache
def _twin(cls: typing.Any) -> typing.Any:
    """Make a subclass with a slot for each nested member, to be filled when it is made."""

    def copy(self: typing.Any) -> typing.Any:
        return cls.from_buffer_copy(self)

    def reduce(self: typing.Any) -> tuple[typing.Any, ...]:
        return copy(self).__reduce__()  # type: ignore[no-any-return]

    body = {
        "__doc__": cls.__dict__["__doc__"],
        "__module__": cls.__module__,
        "__slots__": tuple(_nested(cls)),
        "copy": copy,
        "__reduce__": reduce,
    }
    return type(cls)(cls.__name__, (cls,), body)
