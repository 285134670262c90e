"""Tell which records ctypes would lay out otherwise than C does.

Takes the records of the IR; tells for each whether ctypes, given its members' types in
order, arrives at the same layout.  `module` gives the others explicit places.
"""

from __future__ import annotations

from collections.abc import Mapping

from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import (
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    element,
)
from xenbind.ir.interface import Field, Record
from xenbind.ir.layout import Part, lay_out

# No ctypes type is aligned more than a long double, nor is memory that Python allocates.
_STRICTEST = 16


def is_beyond_python(record: Record) -> bool:
    """Whether a record is aligned more than the memory that Python gives it by itself."""
    return record.alignment > _STRICTEST


def _class_alignment(record: Record) -> int:
    """The alignment that ctypes can give a record: its size is a multiple of it."""
    alignment = min(record.alignment, _STRICTEST)
    while record.size % alignment:
        alignment //= 2
    return alignment


def is_natural(record: Record, records: Mapping[str, Record]) -> bool:
    """Whether a ctypes class with the record's members in order has C's layout.

    Of bit-fields only those count that every version of ctypes lays out as C does: whole
    units of one type, each entered at its first bit and left before anything else comes.
    """
    units = _units(record)
    if units is None or record.alignment != _class_alignment(record):
        return False
    laid_out = lay_out(record.kind, [_member(field, records) for field in units])
    return (laid_out.size, laid_out.alignment) == (record.size, record.alignment) and [
        place.offset for place in laid_out.places
    ] == [field.offset for field in units]


def _units(record: Record) -> list[Field] | None:
    """The members, of the bit-fields in one unit the first only.

    None where a bit-field is not where ctypes has it: behind the last if it fits there,
    else at the start of a unit.
    """
    units: list[Field] = []
    free = 0  # the first free bit of the unit, if the last member is a bit-field
    for field in record.fields:
        if field.bit_width is not None and (
            field.size != _unit(field.type) or _is_bool(field.type)
        ):
            return None
        behind = bool(units) and units[-1].bit_width is not None
        if field.bit_width is None or not behind:
            units.append(field)
            free = 0
        elif record.kind == "union":
            return None  # ctypes goes on behind the last here, too
        elif units[-1].size != field.size:
            return None
        elif free + field.bit_width > 8 * field.size:
            units.append(field)
            free = 0
        elif units[-1].offset != field.offset:
            return None
        if field.bit_width is not None:
            if field.bit_offset != free:
                return None
            free += field.bit_width
    return units


def _member(field: Field, records: Mapping[str, Record]) -> Part:
    """A member as ctypes sees it; a bit-field stands for its whole unit."""
    return Part(field.size, _alignment(field.type, records))


def _is_bool(c_type: CType) -> bool:
    """Whether ctypes would read and write the whole unit: it has no bits of c_bool."""
    return isinstance(c_type, Scalar) and c_type.base == "_Bool"


def _unit(c_type: CType) -> int:
    """The bytes of ctypes' storage unit for a bit-field of this type."""
    assert isinstance(c_type, Scalar | Enumeration)
    return X86_64.integers[c_type.base].size


def _alignment(c_type: CType, records: Mapping[str, Record]) -> int:
    match element(c_type):
        case RecordRef(key=key):
            return _class_alignment(records[key])
        case Pointer():
            return X86_64.pointer
        case Scalar(base=base) | Enumeration(base=base):
            return X86_64.scalar(base)[1]
