"""Read chosen members of a record as tuples, through precompiled structs.

`BackRing.select` reads a ring so; for a recording of requests one after another:

    read = projection(v7.vm_event_st, "reason", "u.mem_access.gfn")
    for start in range(0, len(recording), ctypes.sizeof(v7.vm_event_st)):
        reason, gfn = read(recording, start)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import itemgetter

from .annotations import typing
from .layout import place
from .places import Place
from .records import Structure, Union

# Brings the values of a tuple into another order, as `itemgetter` does.
_Picker = Callable[[tuple[object, ...]], tuple[object, ...]]


def projection(
    record: type[Structure | Union], *paths: str
) -> Callable[[typing.Any, int], tuple[typing.Any, ...]]:
    """Make a function that reads the members at `paths`, in their order, as a tuple.

    It takes a buffer and where the record starts in it, in bytes.  It is fastest for
    members in the order of the declaration.  Raises ValueError for a path that is no
    number's, or a bit-field's.
    """
    unpack, pick = plan(record, paths)
    if pick is None:
        return unpack

    def read(octets: typing.Any, start: int) -> tuple[typing.Any, ...]:
        picked: tuple[typing.Any, ...] = pick(unpack(octets, start))
        return picked

    return read


def plan(
    record: type[Structure | Union], paths: tuple[str, ...]
) -> tuple[Callable[[typing.Any, int], tuple[typing.Any, ...]], _Picker | None]:
    """Make what reads the members at `paths`, and what brings them into that order.

    The latter is None if they are in it.  Raises as `projection` does.
    """
    fields: list[tuple[int, str]] = []
    for path in paths:
        found = place(record, path)
        if found is not None and found.bit_width is not None:
            raise ValueError(f"'{path}' is a bit-field, which cannot be selected")
        code = "" if found is None else _code(found)
        if found is None or not code:
            raise ValueError(f"{record.__name__} has no number '{path}' to select")
        fields.append((found.offset, code))
    unpack, order = _unpacker(fields)
    if order == sorted(order):
        return unpack, None
    # Two or more: itemgetter gives a tuple.
    return unpack, itemgetter(*(order.index(index) for index in range(len(fields))))


def _code(place: Place) -> str:
    """Give the struct code of a scalar in bytes of its own, empty for anything else.

    A pointer is none: on another machine it is as wide as pointers are there.
    """
    kind = getattr(place.member.type, "_type_", None)
    if kind in tuple("fd?c"):
        return str(kind)
    if kind not in tuple("bBhHiIlLqQ"):
        return ""
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[place.size]
    return code if kind.islower() else code.upper()


def _unpacker(
    fields: list[tuple[int, str]],
) -> tuple[Callable[[typing.Any, int], tuple[typing.Any, ...]], list[int]]:
    """Make what reads fields, given by offset and code; tell in which order it does.

    Fields that share bytes, as those of a union, are read one after another.
    """
    readers: list[Callable[[typing.Any, int], tuple[typing.Any, ...]]] = []
    order: list[int] = []
    rest = sorted(range(len(fields)), key=lambda index: fields[index][0])
    while True:
        form, end = "<", 0
        later: list[int] = []
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
    first, *others = readers
    if not others:
        return first, order

    def unpack(octets: typing.Any, start: int) -> tuple[typing.Any, ...]:
        values = first(octets, start)
        for read in others:
            values += read(octets, start)
        return values

    return unpack, order
