"""Count what records hold at every depth, without walking there.

Takes an interface's records; gives a number for each, made of those of the records in it.
A struct of two structs of two structs has a million members after twenty lines: whoever
would visit them all asks here first.

    struct pair { int a, b; };  struct pairs { struct pair first, more[3]; };
    members(records)  ->  {"struct pair": 2, "struct pairs": 6}
    scalars(records)  ->  {"struct pair": 2, "struct pairs": 8}
    levels(records)   ->  {"struct pair": 1, "struct pairs": 2}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xenbind.ir.c_types import Array, CType, RecordRef, element
from xenbind.ir.interface import Record


def members(records: Sequence[Record]) -> dict[str, int]:
    """Count the members by their record's key; an array is one, with those of one item."""
    return _counts(records, lambda c_type, inside: 1 + inside)


def scalars(records: Sequence[Record]) -> dict[str, int]:
    """Count the numbers and pointers by their record's key, those in arrays one by one.

    What is empty counts as one: it has to be looked into.
    """
    return _counts(records, lambda c_type, inside: _items(c_type) * max(inside, 1))


def levels(records: Sequence[Record]) -> dict[str, int]:
    """Count by their record's key in how many levels records nest, itself included."""
    found: dict[str, int] = {}
    for record in records:
        inner = (element(field.type) for field in record.fields)
        inside = (found[each.key] for each in inner if isinstance(each, RecordRef))
        found[record.key] = 1 + max(inside, default=0)
    return found


def _counts(
    records: Sequence[Record], count: Callable[[CType, int], int]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for record in records:  # inner ones come before outer ones
        total = 0
        for field in record.fields:
            inner = element(field.type)
            inside = found[inner.key] if isinstance(inner, RecordRef) else 0
            total += count(field.type, inside)
        found[record.key] = total
    return found


def _items(c_type: CType) -> int:
    """Count the items of an array of any depth, at least one."""
    items = 1
    while isinstance(c_type, Array):
        items *= c_type.length or 1
        c_type = c_type.element
    return items
