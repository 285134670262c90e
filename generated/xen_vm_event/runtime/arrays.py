"""Read recordings as numpy arrays; needs numpy, the package's one extra.

    events = numpy.fromfile("events.raw", dtype(v7.vm_event_st))
    events["u"]["mem_access"]["gfn"]
    column(events, v7.vm_event_st, "data.regs.x86.cs.ar")
    pandas.DataFrame(columns(events, v7.vm_event_st, "reason", "data.regs.x86.cs.ar"))

Members have their names in C.  Those of a union share their bytes, as in C.  Bit-fields are
in no numpy type: `column` reads them, and `columns`, of which pandas makes a table.  Of the
array itself, whose members have members, it makes none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache

from .annotations import TYPE_CHECKING, is_array, typing
from .layout import place
from .places import Place, declaring
from .records import Structure, Union, declared

if TYPE_CHECKING:
    numpy: typing.Any  # what numpy has is no business of those who lack it
else:
    import numpy


@cache
def dtype(record: type[Structure | Union]) -> typing.Any:
    """Give the numpy type of a struct or union: the same members at the same offsets.

    Bit-fields, which numpy does not have, are left out: `column(array, record, path)` and
    `columns` read them out of such an array.
    """
    record = declaring(record)
    whole = [member for member in declared(record) if member.bits is None]
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
    found = place(record, path)
    if found is None:
        raise ValueError(f"{record.__name__} has no member '{path}'")
    if found.bit_offset is None or found.bit_width is None:
        return _view(records, record, found.offset, _format(found.member.type))
    first, above = divmod(found.bit_offset, 8)
    octets = (above + found.bit_width + 7) // 8
    form = numpy.dtype((numpy.uint8, (octets,)))
    return _bits(_view(records, record, first, form), above, found)


def columns(
    records: typing.Any, record: type[Structure | Union], *paths: str
) -> dict[str, typing.Any]:
    """Give several columns by their paths; of all numbers at any depth if none are named.

    Bit-fields are numbers; arrays of numbers are not, but may be named.  Raises as `column`
    does.
    """
    chosen = paths or _numbers(record, "")
    return {path: column(records, record, path) for path in chosen}


def _numbers(record: type[Structure | Union], above: str) -> Iterator[str]:
    """Name the numbers in a record, those of records in it included."""
    for member in declared(record):
        path = f"{above}{member.c_name}"
        if issubclass(member.type, Structure | Union):
            yield from _numbers(member.type, f"{path}.")
        elif not is_array(member.type):
            yield path


def _view(
    records: typing.Any, record: type[Structure | Union], offset: int, form: typing.Any
) -> typing.Any:
    """View what is at `offset` in each record."""
    found = numpy.dtype(
        {
            "names": ["values"],
            "formats": [form],
            "offsets": [offset],
            "itemsize": ctypes.sizeof(record),
        }
    )
    return records.view(found)["values"]


def _bits(octets: typing.Any, above: int, found: Place) -> typing.Any:
    """Read a bit-field out of the bytes that it touches, from the bit `above` of the first."""
    width = found.bit_width or 0
    words = numpy.zeros(octets.shape[:-1], numpy.uint64)
    for index in range(octets.shape[-1]):
        octet, shift = octets[..., index].astype(numpy.uint64), 8 * index - above
        words |= (
            octet << numpy.uint64(shift)
            if shift >= 0
            else octet >> numpy.uint64(-shift)
        )
    unused = numpy.uint64(64 - width)
    words <<= unused
    # Shifted down as signed, a signed bit-field takes its sign along.
    signed = found.member.type(-1).value == -1
    values = (
        words.view(numpy.int64) >> unused.astype(numpy.int64)
        if signed
        else words >> unused
    )
    return values.astype(_format(found.member.type))


def _format(ctype: typing.Any) -> typing.Any:
    shape: list[int] = []
    while is_array(ctype):
        shape.append(ctype._length_)
        ctype = ctype._type_
    if shape:
        return numpy.dtype((_format(ctype), tuple(shape)))
    if issubclass(ctype, Structure | Union):
        return dtype(ctype)
    if not isinstance(ctype._type_, str) or ctype._type_ in "zZP":  # a pointer
        return numpy.dtype(f"u{ctypes.sizeof(ctype)}")
    number: typing.Any = numpy.dtype(ctype)
    return number
