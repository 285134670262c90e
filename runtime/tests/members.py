"""The scalar members of a record, one by one, in the order in which the C side visits them."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator
from typing import Any

from compiled import is_record

_WORD = 0xFFFF_FFFF_FFFF_FFFF


class Leaf:
    """A scalar at the end of a path of attribute names and array indices."""

    def __init__(
        self, path: tuple[str | int, ...], ctype: Any, bits: int | None
    ) -> None:
        self.path = path
        self.ctype = ctype
        self.bits = bits

    def read(self, record: Any) -> int:
        """The member as a 64-bit word, sign-extended as C's conversion does it."""
        if self._is_octet():
            return self._octet(record).value & _WORD
        value = record
        for step in self.path:
            value = getattr(value, step) if isinstance(step, str) else value[step]
        if self._is_pointer():
            return ctypes.cast(value, ctypes.c_void_p).value or 0
        if isinstance(value, bytes):
            value = int.from_bytes(value, "little", signed=True)
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
        offset = vars(type(record))[last].offset
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
        ctype = member.type
        while hasattr(ctype, "_length_"):
            inner, inner_lengths = (*inner, None), (*inner_lengths, ctype._length_)
            ctype = ctype._type_
        if is_record(ctype):
            yield from _patterns(ctype, inner, inner_lengths)
        else:
            yield inner, inner_lengths, ctype, member.bits
