"""The records of a module and their members, as the tests visit them.

`leaves` are the scalars at any depth, one by one, in the order in which the C side has them.
"""

from __future__ import annotations

import ctypes
import itertools
import platform
import struct
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from subject import is_record, members, place

_WORD = 0xFFFF_FFFF_FFFF_FFFF
_FLOAT = 0xFFFF_FF00_0000_0000  # 24 bits
_FLOATS = (ctypes.c_float, ctypes.c_double, ctypes.c_longdouble)


class Leaf:
    """A scalar at the end of a path of attribute names and array indices."""

    def __init__(
        self, path: tuple[str | int, ...], ctype: Any, bits: int | None
    ) -> None:
        self.path = path
        self.ctype = ctype
        self.bits = bits

    def read(self, record: Any) -> int:
        """The member as a 64-bit word, sign-extended as C's conversion does it.

        Of a floating number it is the bits of a double, all ones if it is no number.
        """
        if self._is_octet():
            return self._octet(record).value & _WORD
        value = record
        for step in self.path:
            value = getattr(value, step) if isinstance(step, str) else value[step]
        if self._is_pointer():
            assert isinstance(value, self.ctype), f"{self.path} is read as {value!r}"
            return ctypes.cast(value, ctypes.c_void_p).value or 0
        if isinstance(value, bytes):
            value = int.from_bytes(value, "little", signed=True)
        if self.ctype in _FLOATS:
            (bits,) = struct.unpack("<Q", struct.pack("<d", value))
            return int(bits) if value == value else _WORD
        return int(value or 0) & _WORD

    def write(self, record: Any, word: int) -> None:
        """Assign a 64-bit word; it does not fit most members."""
        if self._is_octet():
            self._octet(record).value = word
            return
        *way, last = self.path
        for step in way:
            record = getattr(record, step) if isinstance(step, str) else record[step]
        value: Any = word
        if self._is_pointer():
            value = ctypes.cast(ctypes.c_void_p(word), self.ctype)
        elif self.ctype is ctypes.c_char:
            value = bytes([word & 0xFF])
        if isinstance(last, str):
            setattr(record, last, value)
        else:
            record[last] = value

    def _is_octet(self) -> bool:
        return self.ctype is ctypes.c_char and isinstance(self.path[-1], int)

    def _octet(self, record: Any) -> ctypes.c_byte:
        """An element of a char array, in place: ctypes reads those as strings."""
        *way, last = self.path
        indices: list[int] = []
        while isinstance(last, int):
            indices.insert(0, last)
            last = way.pop()
        for step in way:
            record = getattr(record, step) if isinstance(step, str) else record[step]
        # A record of a recording is of a subclass, which keeps nested members in slots.
        fields: Any = (vars(cls).get(last) for cls in type(record).__mro__)
        offset = next(field.offset for field in fields if hasattr(field, "offset"))
        ctype = next(m.type for m in record._members_ if m.name == last)
        for index in indices:
            ctype = ctype._type_
            offset += index * ctypes.sizeof(ctype)
        return ctypes.c_byte.from_buffer(record, offset)

    def _is_pointer(self) -> bool:
        return isinstance(self.ctype, type) and issubclass(self.ctype, ctypes._Pointer)


def leaves(record: Any) -> Iterator[Leaf]:
    """Every scalar in a record, the elements of its arrays included."""
    for path, lengths, ctype, bits in _patterns(record, (), ()):
        for indices in itertools.product(*map(range, lengths)):
            positions = iter(indices)
            steps = tuple(next(positions) if step is None else step for step in path)
            yield Leaf(steps, ctype, bits)


def _patterns(
    record: Any, path: tuple[str | None, ...], lengths: tuple[int, ...]
) -> Iterator[tuple[tuple[str | None, ...], tuple[int, ...], Any, int | None]]:
    """The paths to the scalars, None where an array is indexed, and the arrays' lengths."""
    for member in record._members_:
        inner: tuple[str | None, ...] = (*path, member.name)
        inner_lengths = lengths
        ctype = member.read_type
        while hasattr(ctype, "_length_"):
            inner, inner_lengths = (*inner, None), (*inner_lengths, ctype._length_)
            ctype = ctype._type_
        if is_record(ctype):
            yield from _patterns(ctype, inner, inner_lengths)
        else:
            yield inner, inner_lengths, ctype, member.bits


# As C has it: there are functions for records of no more scalars.
_MOST_SCALARS = 10_000


def records(module: ModuleType) -> dict[str, Any]:
    """The records that have a name in C, by that name, but those of very many scalars."""
    return {
        record._c_name_: record
        for name, record in vars(module).items()
        if is_record(record) and record.__name__ == name and record._c_name_ is not None
        if record.__module__ == module.__name__
        if _scalars(record) <= _MOST_SCALARS
    }


@cache
def _scalars(record: Any) -> int:
    """How many scalars a record has, the elements of its arrays included, and what is empty."""
    total = 0
    for member in record._members_:
        count, ctype = 1, member.type
        while hasattr(ctype, "_length_"):
            count, ctype = count * max(ctype._length_, 1), ctype._type_
        total += count * max(_scalars(ctype) if is_record(ctype) else 1, 1)
    return total


def places(record: Any) -> Iterator[Any]:
    """Every member at any depth, where `members` gives those that a record has of its own."""
    yield from _places(record, record, "")


def _places(record: Any, inner: Any, path: str) -> Iterator[Any]:
    for own in members(inner):
        yield place(record, f"{path}{own.path}")
        ctype = own.member.type
        if is_record(ctype) and ctype._c_name_ is not None:
            yield from _places(record, ctype, f"{path}{own.path}.")


def words_for(members: list[Leaf]) -> Any:
    """A different 64-bit word for each member, with its high and low bits mixed.

    Those for floating numbers have no more bits than all of their types hold.
    """
    words = [
        0x9E37_79B9_7F4A_7C15 * (index + 1) % 2**64 & (_FLOAT if is_float else _WORD)
        for index, is_float in enumerate(member.ctype in _FLOATS for member in members)
    ]
    return (ctypes.c_uint64 * len(members))(*words)


@cache
def _names(record: Any) -> dict[str, str]:
    """What Python calls each member, by its name in C."""
    return {member.c_name: member.name for member in record._members_}


def member_at(record: Any, path: str) -> Any:
    """What a record has at a path of C's names, as `data.regs.x86` or `entries[0].id`."""
    for step in path.split("."):
        c_name, *indices = step.split("[")
        cls: Any = type(record)
        record = getattr(record, _names(cls)[c_name])
        for _ in indices:
            record = record[0]
    return record


# Of a long double on x86 only ten bytes are the number's.
_PADDED = ctypes.sizeof(ctypes.c_longdouble) in (12, 16) and platform.machine() in (
    *("x86_64", "AMD64", "i386", "i686"),
)


def without_padding(record: Any, members: list[Leaf]) -> bytes:
    """The bytes of a record, zeros in place of those that belong to no number."""
    octets = bytearray(record)
    for leaf in members:
        if _PADDED and leaf.ctype is ctypes.c_longdouble:
            start = _offset(type(record), leaf.path)
            unused = ctypes.sizeof(leaf.ctype) - 10
            octets[start + 10 : start + 10 + unused] = bytes(unused)
    return bytes(octets)


def _offset(ctype: Any, path: tuple[str | int, ...]) -> int:
    """Where the scalar at a path is in its record, in bytes."""
    offset = 0
    for step in path:
        if isinstance(step, int):
            ctype = ctype._type_
            offset += step * ctypes.sizeof(ctype)
        else:
            offset += vars(ctype)[step].offset
            ctype = next(m.type for m in ctype._members_ if m.name == step)
    return offset


def padding_is_shared(record: Any) -> bool:
    """Whether assigning to one member may change what no number has, and another member has."""
    places = [
        (vars(record)[m.name].offset, ctypes.sizeof(m.type), m.type)
        for m in record._members_
    ]
    padded = [place for place in places if place[2] is ctypes.c_longdouble]
    return _PADDED and any(
        start < other + other_size and other < start + size
        for start, size, _ in padded
        for other, other_size, ctype in places
        if (other, other_size, ctype) != (start, size, ctypes.c_longdouble)
    )
