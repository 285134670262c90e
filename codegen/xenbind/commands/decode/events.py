"""Decode the bytes of a request to what it says, by the IR's layout.

Takes `Raw` requests of `recording`; gives `Event`s, plain data.  `text` puts them into words
and JSON, `table` into tables.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenbind.commands.decode.stream import Raw, request_record
from xenbind.errors import XenbindError
from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar
from xenbind.ir.interface import ConstantGroup, Field, Interface, Record

ARCHES = ("x86", "arm")

_REGISTERS = "data.regs"  # the union of registers, by architecture, in a request


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What a group's values are called, without the group's prefix."""

    is_flag: bool
    by_value: Mapping[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A number somewhere in a request: its path, its bytes, and the names of its values.

    `label` is what is left of the path within the payload or the registers.  `bits` is
    None but for a bit-field: its lowest bit and width in the bytes given.
    """

    path: str
    label: str
    offset: int
    size: int
    signed: bool
    bits: tuple[int, int] | None
    names: Names | None


class Shape:
    """One version's requests: where their numbers are, and a plan for each reason.

    `head` are the leaves outside all unions; `details` those of the union members that
    reasons select, by the member's name; `registers` those of one CPU.
    """

    def __init__(self, interface: Interface, arch: str) -> None:
        self.version = interface.version
        walk = _Walk(interface)
        request = request_record(interface)
        plain = (f for f in request.fields if not isinstance(f.type, RecordRef))
        self.head = tuple(leaf for field in plain for leaf in walk.field(field, "", 0))
        self.registers = walk.below(request, f"{_REGISTERS}.{arch}")
        if not self.registers:
            raise XenbindError(
                f"{interface.name} version {interface.version} has no registers of {arch}",
                f"name another architecture with --arch: {', '.join(ARCHES)}",
            )
        self.details: dict[str, tuple[Leaf, ...]] = {}
        self._tag = slice(0)
        self._selected: dict[int, str] = {}
        self._plans: dict[str | None, Plan] = {}
        if payload := interface.payload:
            tag = next(field for field in request.fields if field.name == payload.tag)
            self._tag = slice(tag.offset, tag.offset + tag.size)
            for constant, name in payload.members:
                self._selected[int(constant.value)] = name
                self.details[name] = walk.below(request, f"{payload.union}.{name}")

    def plan(self, data: bytes) -> Plan:
        """Give the plan for a request, by its reason."""
        payload = self._selected.get(int.from_bytes(data[self._tag], "little"))
        plan = self._plans.get(payload)
        if plan is None:
            plan = self._plans[payload] = _plan(self, payload)
        return plan


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plan:
    """How requests of one version and reason are read, as one tuple of numbers.

    The numbers are those of `leaves`: the head's, those of `payload` (the union member
    that the reason selects, None for none), and the registers'.
    """

    shape: Shape
    payload: str | None
    leaves: tuple[Leaf, ...]
    _structs: tuple[struct.Struct, ...]
    _sources: tuple[int, ...]  # which of the structs' numbers a leaf is, or is part of
    _bit_fields: tuple[tuple[int, int, int, int], ...]

    @property
    def details(self) -> tuple[Leaf, ...]:
        return () if self.payload is None else self.shape.details[self.payload]

    def read(self, data: bytes) -> tuple[int, ...]:
        """Read the number of each leaf."""
        units = [number for one in self._structs for number in one.unpack_from(data)]
        numbers = [units[source] for source in self._sources]
        for index, lowest, mask, sign in self._bit_fields:
            numbers[index] = ((numbers[index] >> lowest & mask) ^ sign) - sign
        return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Event:
    """A request: its bytes, and `values`, the numbers in them, one for each leaf of its plan.

    `index` counts requests from 0, or is the ring's own index for one in a ring page;
    `position` is the byte at which the request (in JSON lines, its line) begins.
    """

    index: int
    position: int
    plan: Plan
    values: tuple[int, ...]
    request: bytes

    @property
    def numbers(self) -> dict[str, int]:
        """The numbers by path, such as `u.mem_access.gfn`."""
        paths = (leaf.path for leaf in self.plan.leaves)
        return dict(zip(paths, self.values, strict=True))


def events(raws: Iterator[Raw], arch: str = "x86") -> Iterator[Event]:
    """Decode requests, one event each, in order, with the registers of `arch`.

    Raises `XenbindError` for a version that has no such registers.
    """
    shapes: dict[int, Shape] = {}
    for raw in raws:
        shape = shapes.get(raw.interface.version)
        if shape is None:
            shape = shapes[raw.interface.version] = Shape(raw.interface, arch)
        plan = shape.plan(raw.data)
        yield Event(raw.index, raw.position, plan, plan.read(raw.data), raw.data)


class _Walk:
    """The leaves of a version's records, padding and arrays left out."""

    def __init__(self, interface: Interface) -> None:
        self._records = interface.records_by_key
        groups = interface.groups_by_hint
        self._names = {hint: _names(group) for hint, group in groups.items()}

    def field(
        self, field: Field, path: str, base: int, root: int = 0
    ) -> Iterator[Leaf]:
        """Give the leaves of a member at `path`; labels leave the first `root` letters out."""
        inner = f"{path}{field.name}"
        offset = base + field.offset
        if isinstance(field.type, RecordRef):
            for member in self._records[field.type.key].fields:
                yield from self.field(member, f"{inner}.", offset, root)
        elif isinstance(field.type, Scalar | Enumeration) and not field.is_padding:
            if field.size not in _CODES or field.type.base not in X86_64.integers:
                raise XenbindError(
                    f"{field.coord}: decode cannot read the member {field.name}",
                    "read the records with the generated package",
                )
            bits = None
            if field.bit_offset is not None and field.bit_width is not None:
                bits = (field.bit_offset, field.bit_width)
            yield Leaf(
                path=inner,
                label=inner[root:],
                offset=offset,
                size=field.size,
                signed=X86_64.integers[field.type.base].signed,
                bits=bits,
                names=self._names.get(field.hint or ""),
            )

    def below(self, record: Record, path: str) -> tuple[Leaf, ...]:
        """Give the leaves below a path, none where there is no such member."""
        base = 0
        for name in path.split("."):
            found = next((f for f in record.fields if f.name == name), None)
            if found is None or not isinstance(found.type, RecordRef):
                return ()
            base += found.offset
            record = self._records[found.type.key]
        root = len(path) + 1
        return tuple(
            leaf
            for field in record.fields
            for leaf in self.field(field, f"{path}.", base, root)
        )


def _names(group: ConstantGroup) -> Names:
    by_value: dict[int, str] = {}
    for name, member in group.members_by_name.items():
        if isinstance(member.value, int):
            by_value.setdefault(member.value, name)
    return Names(group.is_flag, by_value)


# --- plans ---------------------------------------------------------------------------

# A storage unit: its offset and size, and whether it is signed.
_Unit = tuple[int, int, bool]


def _plan(shape: Shape, payload: str | None) -> Plan:
    details = () if payload is None else shape.details[payload]
    leaves = shape.head + details + shape.registers
    layers = _layers({_unit(leaf) for leaf in leaves})
    units = [unit for layer in layers for unit in layer]
    return Plan(
        shape=shape,
        payload=payload,
        leaves=leaves,
        _structs=tuple(map(_struct, layers)),
        _sources=tuple(units.index(_unit(leaf)) for leaf in leaves),
        _bit_fields=tuple(_bit_fields(leaves)),
    )


def _unit(leaf: Leaf) -> _Unit:
    return leaf.offset, leaf.size, leaf.signed


def _layers(units: set[_Unit]) -> list[list[_Unit]]:
    """Put the units in as many rows as it takes that those in a row do not overlap."""
    layers: list[list[_Unit]] = []
    for unit in sorted(units):
        for layer in layers:
            offset, size, _ = layer[-1]
            if offset + size <= unit[0]:
                layer.append(unit)
                break
        else:
            layers.append([unit])
    return layers


_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}


def _struct(units: Sequence[_Unit]) -> struct.Struct:
    form, end = "<", 0
    for offset, size, signed in units:
        code = _CODES[size]
        form += f"{offset - end}x{code if signed else code.upper()}"
        end = offset + size
    return struct.Struct(form)


def _bit_fields(leaves: Sequence[Leaf]) -> Iterator[tuple[int, int, int, int]]:
    """Give the leaves that are part of their unit: index, lowest bit, mask, and sign bit."""
    for index, leaf in enumerate(leaves):
        if leaf.bits is not None:
            lowest, width = leaf.bits
            sign = 1 << width - 1 if leaf.signed else 0
            yield index, lowest, (1 << width) - 1, sign
