"""Chosen members of a record as tuples, read through precompiled structs.

`BackRing.select` reads a ring so; for a recording of requests one after another:

    read = projection(v7.vm_event_st, "reason", "u.mem_access.gfn")
    for start in range(0, len(recording), ctypes.sizeof(v7.vm_event_st)):
        reason, gfn = read(recording, start)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from .base import Structure, Union
from .layout import Place, members


def projection(
    record: type[Structure | Union], *paths: str
) -> Callable[[Any, int], tuple[Any, ...]]:
    """A function that reads the members at `paths`, in their order, as a tuple.

    It takes a buffer and where the record starts in it, in bytes.  Raises ValueError for
    a path that is no number's, or a bit-field's.
    """
    places = {place.path: place for place in members(record)}
    fields = []
    for path in paths:
        code = _code(places[path]) if path in places else ""
        if not code:
            raise ValueError(f"{record.__name__} has no number '{path}' to select")
        fields.append((places[path].offset, code))
    return _reader(fields)


def _code(place: Place) -> str:
    """The struct code of a number in bytes of its own, empty for anything else."""
    kind = getattr(place.member.type, "_type_", None)
    if place.bit_width is not None or kind not in tuple("bBhHiIlLqQ"):
        return ""
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[place.size]
    return code if kind.islower() else code.upper()


def _reader(fields: list[tuple[int, str]]) -> Callable[[Any, int], tuple[Any, ...]]:
    """What reads fields, given by offset and code, in the order given.

    Fields that share bytes, as those of a union, are read one after another.
    """
    readers, order = [], []
    rest = sorted(range(len(fields)), key=lambda index: fields[index][0])
    while True:
        form, end, later = "<", 0, []
        for index in rest:
            offset, code = fields[index]
            if offset < end:
                later.append(index)
                continue
            form += f"{offset - end}x{code}"
            end = offset + struct.calcsize(code)
            order.append(index)
        readers.append(struct.Struct(form).unpack_from)
        rest = later
        if not rest:
            break
    if len(readers) == 1 and order == sorted(order):
        return readers[0]
    # With two of them itemgetter gives a tuple; a single field is in order as it is.
    pick = itemgetter(*(order.index(index) for index in range(len(fields))))
    first, *others = readers

    def read(octets: Any, start: int) -> tuple[Any, ...]:
        values = first(octets, start)
        for unpack in others:
            values += unpack(octets, start)
        picked: tuple[Any, ...] = pick(values)
        return picked

    return read
