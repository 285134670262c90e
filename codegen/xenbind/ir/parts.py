"""Account for each of a record's bytes: its members, and what lies between them.

Takes a `Record`; gives `Part`s in order of their place, holes and padding among them, for
`show` and `atlas`.  Everything is computed from the members' places, so an unnamed bit-field is
a hole like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from xenbind.errors import XenbindError
from xenbind.ir import extent
from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import Array, CType, Pointer, RecordRef, element, spelling
from xenbind.ir.interface import Field, Interface, Record, Span
from xenbind.plain import Struct

_MOST = 10_000  # members at every depth


class Kind(Enum):
    """What a part is: bytes of no member are a hole between two, or padding at the end."""

    MEMBER = "member"
    HOLE = "hole"
    PADDING = "padding"


class Part(Struct, frozen=True):
    """A piece of a record.

    `offset` counts from the start of the record that is shown.  `bits` are the lowest and
    highest bit of a piece that is not whole bytes; `offset` and `size` are then those of
    the storage unit that they are counted in.  `form` is what `form` says of a member.  `union`
    is the size of the union around a part, None in a struct.  `span` says which releases have a
    member.  `parts` are the pieces of a nested record, if expanded; of an array of records,
    those of its first item.
    """

    kind: Kind
    offset: int
    size: int
    bits: tuple[int, int] | None = None
    name: str = ""
    type: str = ""
    doc: str = ""
    union: int | None = None
    form: str = ""
    span: Span | None = None
    parts: tuple[Part, ...] = ()


def parts(interface: Interface, record: Record, expand: bool) -> tuple[Part, ...]:
    """Give the parts of a record; with `expand`, nested records have theirs, at every depth.

    Raises `XenbindError` where these are more than anyone reads.
    """
    records = interface.records_by_key if expand else {}
    if expand:
        there = extent.members(interface.records)[record.key]
        if there > _MOST:
            raise XenbindError(
                f"{record.spelling} has {there} members at every depth; --expand shows no more"
                f" than {_MOST}",
                "leave --expand out, or name a member by its path",
            )
    return tuple(_parts(record, 0, records))


def _parts(record: Record, base: int, records: Mapping[str, Record]) -> Iterator[Part]:
    """Give the parts of a record that is `base` bytes in; records in `records` are expanded."""
    end = 0  # the first bit not yet accounted for
    before = None
    for field in record.fields:
        start = 0 if record.kind == "union" else field.first_bit
        yield from _Gap(Kind.HOLE, base, end, start).parts(before, field)
        yield _member(field, record, base, records)
        end = max(end, field.first_bit + field.bit_count)
        before = field
    if record.kind == "union":
        end = -(-end // 8) * 8
        before = None
    yield from _Gap(Kind.PADDING, base, end, 8 * record.size).parts(before, None)


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
        offset=offset,
        size=field.size,
        bits=bits,
        name=field.name,
        type=spelling(field.type).replace(" <anonymous>", ""),
        doc=field.doc,
        union=record.size if record.kind == "union" else None,
        form=form(field),
        span=field.span,
        parts=tuple(_parts(nested, offset, records)) if nested else (),
    )


def record_key(c_type: CType) -> str:
    """Give the key of the record that a type is, or is an array of; empty for any other."""
    inner = element(c_type)
    return inner.key if isinstance(inner, RecordRef) else ""


def form(field: Field) -> str:
    """Say what a member looks like: a picture has a colour for each.

    `bits`, `padding`, `struct`, which is a union too, also in an array, `array` of any other,
    `pointer`, `float` or `integer`.
    """
    inner = element(field.type)
    if field.is_padding:
        return "padding"
    if field.bit_width is not None:
        return "bits"
    if isinstance(inner, RecordRef):
        return "struct"
    if isinstance(field.type, Array):
        return "array"
    if isinstance(inner, Pointer):
        return "pointer"
    return "float" if inner.base in X86_64.floats else "integer"


def record_doc(interface: Interface, record: Record) -> str:
    """Give what is said of a record: of an untagged one, what is said of a member of its type."""
    if record.doc or record.tag is not None:
        return record.doc
    fields: Iterator[Field] = (
        field
        for outer in interface.records
        for field in outer.fields
        if record_key(field.type) == record.key
    )
    return next((field.doc for field in fields), "")


class _Gap(Struct, frozen=True):
    """Bits of no member, from `start` up to `end` in a record that is `base` bytes in."""

    kind: Kind
    base: int
    start: int
    end: int

    def parts(self, before: Field | None, after: Field | None) -> Iterator[Part]:
        """Cut the gap: whole bytes, and at both ends bits in the unit of a neighbour."""
        start, end = self.start, self.end
        if start < end and start % 8 and before:
            stop = min(end, 8 * (before.offset + before.size))
            yield self._bits(start, stop, before)
            start = stop
        stop = max(start, 8 * after.offset) if end % 8 and after else end
        if start < stop:
            yield Part(self.kind, self.base + start // 8, (stop - start) // 8)
        if stop < end and after:
            yield self._bits(stop, end, after)

    def _bits(self, start: int, end: int, unit: Field) -> Part:
        first = 8 * unit.offset
        bits = (start - first, end - first - 1)
        return Part(self.kind, self.base + unit.offset, unit.size, bits)
