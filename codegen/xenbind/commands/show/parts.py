"""A record's bytes, each accounted for: its members, and what lies between them.

Takes a `Record`; gives `Part`s in order of their place, holes and padding among them, for
`show`.  Everything is computed from the members' places, so an unnamed bit-field is a
hole like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from xenbind.ir.c_types import Array, CType, RecordRef, spelling
from xenbind.ir.interface import Field, Interface, Record


class Kind(Enum):
    """What a part is: bytes of no member are a hole between two, or padding at the end."""

    MEMBER = "member"
    HOLE = "hole"
    PADDING = "padding"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a record.

    `offset` counts from the start of the record that is shown.  `bits` are the lowest and
    highest bit of a piece that is not whole bytes; `offset` and `size` are then those of
    the storage unit that they are counted in.  `union` is the size of the union around a
    part, None in a struct.  `parts` are the pieces of a nested record, if expanded; of an
    array of records, those of its first item.
    """

    kind: Kind
    name: str
    type: str
    offset: int
    size: int
    bits: tuple[int, int] | None
    doc: str
    union: int | None
    parts: tuple[Part, ...]


def parts(interface: Interface, record: Record, expand: bool) -> tuple[Part, ...]:
    """The parts of a record; with `expand`, nested records have theirs, at every depth."""
    records = {other.key: other for other in interface.records} if expand else {}
    return tuple(_parts(record, 0, records))


def _parts(record: Record, base: int, records: Mapping[str, Record]) -> Iterator[Part]:
    """`base` is the record's offset; nested records found in `records` are expanded."""
    end = 0  # the first bit not yet accounted for
    before = None
    for field in record.fields:
        start = 0 if record.kind == "union" else first_bit(field)
        yield from _gap(Kind.HOLE, base, end, start, before, field)
        yield _member(field, record, base, records)
        end = max(end, first_bit(field) + bit_count(field))
        before = field
    if record.kind == "union":
        end = -(-end // 8) * 8
        before = None
    yield from _gap(Kind.PADDING, base, end, 8 * record.size, before, None)


def first_bit(field: Field) -> int:
    """Where a member begins, in bits from the start of its record."""
    return 8 * field.offset + (field.bit_offset or 0)


def bit_count(field: Field) -> int:
    """How many bits a member takes."""
    return 8 * field.size if field.bit_width is None else field.bit_width


def _member(
    field: Field, record: Record, base: int, records: Mapping[str, Record]
) -> Part:
    bits = None
    if field.bit_width is not None and field.bit_offset is not None:
        bits = (field.bit_offset, field.bit_offset + field.bit_width - 1)
    nested = records.get(record_key(field.type))
    offset = base + field.offset
    return Part(
        kind=Kind.MEMBER,
        name=field.name,
        type=spelling(field.type).replace(" <anonymous>", ""),
        offset=offset,
        size=field.size,
        bits=bits,
        doc=field.doc,
        union=record.size if record.kind == "union" else None,
        parts=tuple(_parts(nested, offset, records)) if nested else (),
    )


def record_key(type: CType) -> str:
    """The key of the record that a type is, or is an array of; empty for any other."""
    while isinstance(type, Array):
        type = type.element
    return type.key if isinstance(type, RecordRef) else ""


def _gap(
    kind: Kind,
    base: int,
    start: int,
    end: int,
    before: Field | None,
    after: Field | None,
) -> Iterator[Part]:
    """The bits from `start` up to `end`: whole bytes, and bits in a neighbour's unit."""
    if start < end and start % 8 and before:
        stop = min(end, 8 * (before.offset + before.size))
        yield _bits(kind, base, start, stop, before)
        start = stop
    if start < end and end % 8 and after:
        unit = max(start, 8 * after.offset)
        yield from _gap(kind, base, start, unit, None, None)
        yield _bits(kind, base, unit, end, after)
    elif start < end:
        offset, size = base + start // 8, (end - start) // 8
        yield Part(kind, "", "", offset, size, None, "", None, ())


def _bits(kind: Kind, base: int, start: int, end: int, unit: Field) -> Part:
    lowest, highest = start - 8 * unit.offset, end - 8 * unit.offset - 1
    offset = base + unit.offset
    return Part(kind, "", "", offset, unit.size, (lowest, highest), "", None, ())
