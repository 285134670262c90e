"""Read recordings as numpy arrays; needs numpy, the package's one extra.

    events = numpy.fromfile("events.raw", dtype(v7.vm_event_st))
    events["u"]["mem_access"]["gfn"]
    column(events, v7.vm_event_st, "data.regs.x86.cs.ar")

Members have their names in C.  Those of a union share their bytes, as in C.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy

from .annotations import typing
from .layout import members
from .records import Structure, Union


@cache
def dtype(record: type[Structure | Union]) -> numpy.dtype[typing.Any]:
    """Give the numpy type of a struct or union: the same members at the same offsets.

    Bit-fields, which numpy does not have, are left out; `column` reads them.
    """
    whole = [member for member in record._members_ if member.bits is None]
    return numpy.dtype(
        {
            "names": [member.c_name for member in whole],
            "formats": [_format(member.type) for member in whole],
            "offsets": [vars(record)[member.name].offset for member in whole],
            "itemsize": ctypes.sizeof(record),
        }
    )


def column(
    records: typing.Any, record: type[Structure | Union], path: str
) -> typing.Any:
    """Give the values of a member at any depth, of an array of records: a view of it.

    A bit-field's values are copied out of it.  Raises ValueError for a path that is no
    member's.
    """
    place = next((place for place in members(record) if place.path == path), None)
    if place is None:
        raise ValueError(f"{record.__name__} has no member '{path}'")
    found = records.view(
        numpy.dtype(
            {
                "names": ["values"],
                "formats": [_format(place.member.type)],
                "offsets": [place.offset],
                "itemsize": ctypes.sizeof(record),
            }
        )
    )["values"]
    if place.bit_offset is None or place.bit_width is None:
        return found
    # Shifted up and down again: a signed bit-field takes its sign along.
    above = 8 * place.size - (place.bit_offset - 8 * place.offset) - place.bit_width
    return (found << above) >> (8 * place.size - place.bit_width)


def _format(ctype: typing.Any) -> numpy.dtype[typing.Any]:
    if issubclass(ctype, ctypes.Array):
        return numpy.dtype((_format(ctype._type_), (ctype._length_,)))
    if issubclass(ctype, Structure | Union):
        return dtype(ctype)
    if not isinstance(ctype._type_, str) or ctype._type_ in "zZP":  # a pointer
        return numpy.dtype(f"u{ctypes.sizeof(ctype)}")
    number: numpy.dtype[typing.Any] = numpy.dtype(ctype)
    return number
