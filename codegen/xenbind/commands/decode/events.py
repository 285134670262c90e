"""Decode the bytes of a request to what it says, by the IR's layout.

Takes `Run`s of requests of `recording`; gives `Event`s, plain data.  `text` puts them into
words, `json_text` into JSON.  `table` makes columns of the same `Leaf`s.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from xenbind.commands.decode.stream import Run, request_record
from xenbind.errors import XenbindError
from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar
from xenbind.ir.interface import ConstantGroup, Field, Interface, Record

ARCHES = ("x86", "arm")

_REGISTERS = "data.regs"  # the union of registers, by architecture, in a request


class Names:
    """What a group's values are called, without the group's prefix.

    `of` names a value, or each of its bits; what has no name is in hexadecimal.
    """

    def __init__(self, is_flag: bool, by_value: Mapping[int, str]) -> None:
        self._is_flag = is_flag
        self._by_value = by_value
        self.of = lru_cache(maxsize=256)(self._name)

    def _name(self, value: int) -> str:
        if value in self._by_value:
            return self._by_value[value]
        if not self._is_flag:
            return f"UNKNOWN_{value}"
        found = []
        for known, name in self._by_value.items():
            if known and value & known == known:
                found.append(name)
                value ^= known
        if value or not found:
            found.append(f"{value:#x}" if value else "0")
        return "|".join(found)


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
    reasons select, by the member's name, and `selected` those names by reason, which is the
    number in the bytes `tag`; `registers` are those of one CPU.
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
        self.register_names = tuple(leaf.label for leaf in self.registers)
        self.details: dict[str, tuple[Leaf, ...]] = {}
        self.selected: dict[int, str] = {}
        self.tag = slice(0)
        self._plans: dict[str | None, Plan] = {}
        if payload := interface.payload:
            tag = next(field for field in request.fields if field.name == payload.tag)
            self.tag = slice(tag.offset, tag.offset + tag.size)
            for constant, name in payload.members:
                self.selected[int(constant.value)] = name
                self.details[name] = walk.below(request, f"{payload.union}.{name}")

    def events(self, run: Run) -> Iterator[Event]:
        """Decode the requests of a run of this version."""
        for number in range(len(run)):
            start = number * run.size
            data = run.data[start : start + run.size]
            plan = self.plan(data)
            yield Event(
                run.index + number, run.position + start, plan, plan.read(data), data
            )

    def plan(self, data: bytes) -> Plan:
        """Give the plan for a request, by its reason."""
        payload = self.selected.get(int.from_bytes(data[self.tag], "little"))
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
    _numbers: Callable[[Sequence[int]], tuple[int, ...]]  # of those of the structs

    @property
    def details(self) -> tuple[Leaf, ...]:
        return () if self.payload is None else self.shape.details[self.payload]

    def read(self, data: bytes) -> tuple[int, ...]:
        """Read the number of each leaf."""
        units: tuple[int, ...] = ()
        for one in self._structs:
            units += one.unpack_from(data)
        return self._numbers(units)


@dataclass(slots=True, eq=False)
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


class Shapes:
    """The shapes of the versions that have been met, with the registers of one CPU."""

    def __init__(self, arch: str) -> None:
        self._arch = arch
        self._by_version: dict[int, Shape] = {}

    def of(self, interface: Interface) -> Shape:
        """Give the shape of a version.  Raises `XenbindError` if it has no such registers."""
        shape = self._by_version.get(interface.version)
        if shape is None:
            shape = self._by_version[interface.version] = Shape(interface, self._arch)
        return shape


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
    numbers = (_number(leaf, units.index(_unit(leaf))) for leaf in leaves)
    return Plan(
        shape=shape,
        payload=payload,
        leaves=leaves,
        _structs=tuple(map(_struct, layers)),
        # Compiled, it takes 5 µs less than a loop over a dozen bit-fields.
        _numbers=eval(f"lambda units: ({', '.join(numbers)},)", {}),
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


def _number(leaf: Leaf, unit: int) -> str:
    """Write in Python what a leaf's number is, of the numbers of all units."""
    if leaf.bits is None:
        return f"units[{unit}]"
    lowest, width = leaf.bits
    bits = f"units[{unit}] >> {lowest} & {(1 << width) - 1}"
    sign = 1 << width - 1
    return f"({bits} ^ {sign}) - {sign}" if leaf.signed else bits
