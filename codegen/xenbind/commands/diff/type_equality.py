"""Compare types on two sides: are they the same, laid out alike, and how told apart.

Takes `CType`s of two interface versions, each with the records that it can refer to;
gives yes or no, or both spellings.  `compare`, `members` and `text` beside it ask.
"""

from __future__ import annotations

from collections.abc import Mapping

from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    is_anonymous,
    spelling,
)
from xenbind.ir.interface import Record

Records = Mapping[str, Record]


def same_type(old: CType, new: CType) -> bool:
    """Tell whether two types go by the same name, though what is inside a record may differ.

    Anonymous records of one kind count as the same: their members are compared.
    """
    if isinstance(old, Array) and isinstance(new, Array):
        return old.length == new.length and same_type(old.element, new.element)
    if isinstance(old, RecordRef) and isinstance(new, RecordRef):
        both = is_anonymous(old.key) and is_anonymous(new.key)
        return old.spelling == new.spelling if both else old.key == new.key
    return old == new


def same_layout(
    old: CType, old_records: Records, new: CType, new_records: Records
) -> bool:
    """Tell whether two types mean the same bytes: members of one name and place, one sign.

    A record with a name of its own is like itself, since its changes are told there.
    """
    match old, new:
        case (
            Scalar(base=a) | Enumeration(base=a),
            Scalar(base=b) | Enumeration(base=b),
        ):
            return a == b or _integer(a) == _integer(b) is not None
        case Array(a_element, a_length), Array(b_element, b_length):
            return a_length == b_length and same_layout(
                a_element, old_records, b_element, new_records
            )
        case RecordRef(key=a), RecordRef(key=b):
            return (a == b and not is_anonymous(a)) or _same_members(
                old_records[a], old_records, new_records[b], new_records
            )
    return old == new


def _same_members(
    old: Record, old_records: Records, new: Record, new_records: Records
) -> bool:
    return _size_and_places(old) == _size_and_places(new) and all(
        same_layout(before.type, old_records, after.type, new_records)
        for before, after in zip(old.fields, new.fields, strict=True)
    )


def _size_and_places(record: Record) -> tuple[object, ...]:
    return (
        record.size,
        *((f.name, f.offset, f.bit_offset, f.bit_width) for f in record.fields),
    )


def _integer(base: str) -> tuple[int, bool] | None:
    """Give the size and sign of an integer type, None for another."""
    found = X86_64.integers.get(base)
    return None if found is None else (found.size, found.signed)


def spellings(old: CType, new: CType) -> tuple[str, str]:
    """Spell both types as C does, with what is behind a name that came to stand for another."""
    if not same_type(old, new) and spelling(old) == spelling(new):
        return _resolved(old), _resolved(new)
    return spelling(old), spelling(new)


def _resolved(c_type: CType) -> str:
    """Spell a type with the fundamental type behind its name."""
    match c_type:
        case Array(element, length):
            return f"{_resolved(element)}[{'' if length is None else length}]"
        case Scalar(name, base) | Enumeration(name, base) if name != base:
            return f"{name} ({base})"
        case Pointer(name, target) if target is not None:
            return f"{_resolved(target)} *"
    return spelling(c_type)
