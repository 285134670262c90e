"""Decoding: from the bytes of a request to what it says, by the IR's layout.

Takes `Raw` requests of `recordings`; gives `Event`s, plain data. `decodetext` puts them
into words and JSON, `columns` into tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .ir import ConstantGroup, Field, Interface, Record, RecordRef, Scalar
from .layout import X86_64
from .recordings import Raw, request_record


@dataclass(frozen=True, slots=True)
class Leaf:
    """A number somewhere in a request: its path, its bytes, and the names of its values."""

    path: str
    offset: int
    size: int
    bit_offset: int
    bits: int
    signed: bool
    values: ConstantGroup | None

    def read(self, data: bytes) -> int:
        raw = int.from_bytes(data[self.offset : self.offset + self.size], "little")
        value = raw >> self.bit_offset & (1 << self.bits) - 1
        if self.signed and value >> self.bits - 1:
            value -= 1 << self.bits
        return value


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the numbers of one version's requests are.

    `head` are those outside all unions; `payloads` those of the union member that each
    value of the tag selects, with the member's name; `registers` those of one CPU.
    """

    interface: Interface
    tag: Leaf
    head: tuple[Leaf, ...]
    payloads: Mapping[int, tuple[str, tuple[Leaf, ...]]]
    registers: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A request: the numbers that count in it, by leaf.

    `payload` is the name of the union member that its reason selects, None for none.
    """

    index: int
    position: int
    shape: Shape
    head: dict[Leaf, int]
    payload: str | None
    details: dict[Leaf, int]
    registers: dict[Leaf, int]


def shape(interface: Interface, arch: str = "x86") -> Shape:
    """The shape of a version's requests, with the registers of `arch` (x86 or arm)."""
    records = {record.key: record for record in interface.records}
    request = request_record(interface)
    payload = interface.payload
    assert payload is not None
    plain = [f for f in request.fields if not isinstance(f.type, RecordRef)]
    walk = _Walk(records, interface)
    head = tuple(leaf for field in plain for leaf in walk.field(field, "", 0))
    tag = next(leaf for leaf in head if leaf.path == payload.tag)
    union = next(f for f in request.fields if f.name == payload.union)
    assert isinstance(union.type, RecordRef)
    members = {field.name: field for field in records[union.type.key].fields}
    payloads = {
        int(constant.value): (
            name,
            tuple(walk.field(members[name], f"{payload.union}.", union.offset)),
        )
        for constant, name in payload.members
        if isinstance(constant.value, int)
    }
    return Shape(interface, tag, head, payloads, walk.at(request, f"data.regs.{arch}"))


class _Walk:
    """The leaves of a version's records, padding and arrays left out."""

    def __init__(self, records: Mapping[str, Record], interface: Interface) -> None:
        self.records = records
        self.groups = {group.prefix: group for group in interface.groups}

    def field(self, field: Field, path: str, base: int) -> Iterator[Leaf]:
        inner = f"{path}{field.name}"
        offset = base + field.offset
        if isinstance(field.type, RecordRef):
            for member in self.records[field.type.key].fields:
                yield from self.field(member, f"{inner}.", offset)
        elif isinstance(field.type, Scalar) and not is_padding(field.name):
            yield Leaf(
                path=inner,
                offset=offset,
                size=field.size,
                bit_offset=field.bit_offset or 0,
                bits=field.bit_width or 8 * field.size,
                signed=X86_64.integers[field.type.base].signed,
                values=self.groups.get(field.hint or ""),
            )

    def at(self, record: Record, path: str) -> tuple[Leaf, ...]:
        """The leaves below a path, none where the version has no such member."""
        base, prefix = 0, ""
        *way, last = path.split(".")
        for name in [*way, last]:
            found = next((f for f in record.fields if f.name == name), None)
            if found is None or not isinstance(found.type, RecordRef):
                return ()
            if name is last:
                return tuple(self.field(found, prefix, base))
            base, prefix = base + found.offset, f"{prefix}{name}."
            record = self.records[found.type.key]
        return ()


def is_padding(name: str) -> bool:
    """Whether a member is only there to fill room."""
    return name.lstrip("_").startswith("pad")


def events(raws: Iterator[Raw], arch: str = "x86") -> Iterator[Event]:
    """Decode requests, one event each, in order."""
    shapes: dict[int, Shape] = {}
    for index, raw in enumerate(raws):
        version = raw.interface.version
        if version not in shapes:
            shapes[version] = shape(raw.interface, arch)
        yield _event(index, raw, shapes[version])


def _event(index: int, raw: Raw, shape: Shape) -> Event:
    data = raw.data
    head = {leaf: leaf.read(data) for leaf in shape.head}
    payload, leaves = shape.payloads.get(head[shape.tag], (None, ()))
    return Event(
        index=index,
        position=raw.position,
        shape=shape,
        head=head,
        payload=payload,
        details={leaf: leaf.read(data) for leaf in leaves},
        registers={leaf: leaf.read(data) for leaf in shape.registers},
    )
