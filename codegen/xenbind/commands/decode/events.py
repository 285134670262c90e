"""Decode the bytes of a request to what it says, by the IR's layout.

Takes `Run`s of requests of `recording`; gives `Event`s, plain data.  `text` puts them into
words, `json_text` into JSON.  `table` makes columns of the same `Leaf`s.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat

from xenbind.commands.decode.stream import (
    Note,
    Run,
    Session,
    named_record,
    request_record,
)
from xenbind.errors import XenbindError
from xenbind.ir.abi import X86_64
from xenbind.ir.c_types import Array, Enumeration, RecordRef, Scalar
from xenbind.ir.interface import ConstantGroup, Field, Interface, Record
from xenbind.plain import Struct, replace

ARCHES = ("x86", "arm")

# What an answer's flags put in the place of the details, and of the registers: of two such flags
# Xen heeds the first.  Interfaces before version 2 have one such member, of another path.
_STEP = "FAST_SINGLESTEP"
_STEP_MEMBER = "u.fast_singlestep"
_EMULATED = (
    ("SET_EMUL_READ_DATA", "data.emul.read"),
    ("SET_EMUL_READ_DATA", "data.emul_read_data"),
    ("SET_EMUL_INSN_DATA", "data.emul.insn"),
)

REGISTERS = "data.regs"  # the union of registers, by architecture, in a request


class Names:
    """What a group's values are called, without the group's prefix.

    `of` names a value, or each of its bits; what has no name is in hexadecimal.  `values` are
    by name.
    """

    def __init__(self, is_flag: bool, by_value: Mapping[int, str]) -> None:
        self._is_flag = is_flag
        self._by_value = by_value
        self.values = {name: value for value, name in by_value.items()}
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


class Leaf(Struct, frozen=True, eq=False):
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

    def read(self, data: bytes, start: int) -> int:
        """Read the number alone, in a request that begins at `start`; a `Plan` reads all."""
        start += self.offset
        number = int.from_bytes(
            data[start : start + self.size], "little", signed=self.signed
        )
        if self.bits is None:
            return number
        lowest, width = self.bits
        number = number >> lowest & (1 << width) - 1
        sign = 1 << width - 1
        return (number ^ sign) - sign if self.signed else number


class Emulated(Struct, frozen=True, eq=False):
    """Bytes for Xen's emulator in an answer that has a flag; `size` says how many count."""

    flag: str
    path: str
    size: Leaf | None
    octets: tuple[Leaf, ...]

    def read(self, answer: bytes) -> bytes:
        """Give the bytes that count: all, if an answer does not say how many."""
        start, end = self.octets[0].offset, self.octets[-1].offset + 1
        data = answer[start:end]
        return data if self.size is None else data[: self.size.read(answer, 0)]


class Shape:
    """One version's requests: where their numbers are, and a plan for each reason.

    `head` are the leaves outside all unions; `details` those of the union members that
    reasons select, by the member's name, and `selected` those names by reason, which is the
    number in the bytes `tag`; `registers` are those of one CPU, `arch`.  `record` is what a request
    is, all of it, in the version's `interface`.  `step` and `emulated` are what an answer
    may have in the place of the details, and of the registers.
    """

    def __init__(
        self, interface: Interface, arch: str, record: str | None = None
    ) -> None:
        self.interface = interface
        self.version = interface.version
        self.arch = arch
        walk = _Walk(interface, arrays=record is not None)
        self.head: tuple[Leaf, ...] = ()
        self.registers: tuple[Leaf, ...] = ()
        self.register_names: tuple[str, ...] = ()
        self.details: dict[str, tuple[Leaf, ...]] = {}
        self.selected: dict[int, str] = {}
        self.tag = slice(0)
        self.step: tuple[Leaf, ...] = ()
        self.emulated: tuple[Emulated, ...] = ()
        self._plans: dict[str | None, Plan] = {}
        self.is_request = record is None
        if record is None:
            self._take_request(interface, walk, arch)
        else:
            self.record = named_record(interface, record)
            payload = interface.payload_of(self.record.key)
            union = payload.union if payload else ""
            fields = (f for f in self.record.fields if not union or f.name != union)
            self.head = tuple(one for f in fields for one in walk.field(f, "", 0))
            if union:
                self._take_payload(interface, walk)

    def _take_request(self, interface: Interface, walk: _Walk, arch: str) -> None:
        self.record = request = request_record(interface)
        plain = (f for f in request.fields if not isinstance(f.type, RecordRef))
        self.head = tuple(leaf for field in plain for leaf in walk.field(field, "", 0))
        self.registers = walk.below(request, f"{REGISTERS}.{arch}")
        if not self.registers:
            raise XenbindError(
                f"{interface.name} version {interface.version} has no registers of {arch}",
                f"name another architecture with --arch: {', '.join(ARCHES)}",
            )
        self.register_names = tuple(leaf.label for leaf in self.registers)
        self._take_payload(interface, walk)
        below = walk.below(request, _STEP_MEMBER)
        self.step = tuple(replace(f, label=f.path.removeprefix("u.")) for f in below)
        self.emulated = tuple(_emulated(interface, request))

    def has(self, flags: int, name: str) -> bool:
        """Tell whether flags have the one of a name, which a version may lack."""
        leaf = self.leaf("flags")
        names = leaf.names if leaf else None
        return names is not None and bool(flags & names.values.get(name, 0))

    def _take_payload(self, interface: Interface, walk: _Walk) -> None:
        """Take what a number of the record selects of its union, if one does."""
        if payload := interface.payload_of(self.record.key):
            fields = self.record.fields
            tag = next(field for field in fields if field.name == payload.tag)
            self.tag = slice(tag.offset, tag.offset + tag.size)
            for constant, name in payload.members:
                self.selected[int(constant.value)] = name
                below = walk.below(self.record, f"{payload.union}.{name}")
                if not self.is_request:  # its numbers stand beside the others
                    below = tuple(replace(leaf, label=leaf.path) for leaf in below)
                self.details[name] = below

    def leaf(self, path: str) -> Leaf | None:
        """Give the leaf of a request's own member, None if it has no such number."""
        return next((leaf for leaf in self.head if leaf.path == path), None)

    def events(self, run: Run) -> Iterator[Event]:
        """Decode the requests of a run of this version."""
        notes = repeat(None) if run.notes is None else run.notes
        starts = range(0, len(run.data), run.size)
        for start, index, position, note in zip(
            starts, run.indices, run.positions, notes, strict=False
        ):
            data = run.data[start : start + run.size]
            plan = self.plan(data)
            yield Event(index, position, plan, plan.read(data), data, run.session, note)

    def plan(self, data: bytes) -> Plan:
        """Give the plan for a request, by its reason."""
        payload = self.selected.get(int.from_bytes(data[self.tag], "little"))
        plan = self._plans.get(payload)
        if plan is None:
            plan = self._plans[payload] = _plan(self, payload)
        return plan


class Plan(Struct, frozen=True, eq=False):
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


class Event(Struct, eq=False):
    """A request: its bytes, and `values`, the numbers in them, one for each leaf of its plan.

    `index` counts requests from 0, or is the ring's own index for one in a ring page;
    `position` is the byte at which the request (in JSON lines, its line) begins.  `session` and
    `note` are what a recording says.
    """

    index: int
    position: int
    plan: Plan
    values: tuple[int, ...]
    request: bytes
    session: Session | None = None
    note: Note | None = None


def leaves(shape: Shape) -> Iterator[Leaf]:
    """Give all leaves that any request of a version has, each once."""
    yield from shape.head
    for details in shape.details.values():
        yield from details
    yield from shape.registers


def reasons_of(interface: Interface) -> list[str]:
    """Give the names of a version's reasons."""
    reason = Shape(interface, ARCHES[0]).leaf("reason")
    return [] if reason is None or reason.names is None else list(reason.names.values)


class Answer(Struct, frozen=True):
    """What an answer says: its flags, and the numbers in which it differs from its request.

    `emulated` are the bytes for Xen's emulator and the path of their member, where the flags
    say that they are in the place of the registers.
    """

    flags: int
    leaves: Sequence[Leaf]
    numbers: Sequence[int]
    emulated: tuple[str, bytes] | None


def answer_of(event: Event, note: Note) -> Answer:
    """Read an answer; of its unions the members that its flags choose."""
    plan, answer = event.plan, note.answer
    shape, flags_leaf = plan.shape, plan.shape.leaf("flags")
    if isinstance(answer, bytes):
        octets, flags = answer, flags_leaf.read(answer, 0) if flags_leaf else 0
    else:
        octets, flags = event.request, answer or 0
    step = shape.step if shape.has(flags, _STEP) else ()
    emulated = next((e for e in shape.emulated if shape.has(flags, e.flag)), None)
    unused = {flags_leaf} if flags_leaf else set()
    unused |= set(plan.details) if step else set()
    unused |= set(shape.registers) if emulated else set()
    changed = [
        (leaf, number)
        for leaf, number, before in zip(
            plan.leaves, plan.read(octets), event.values, strict=True
        )
        if number != before and leaf not in unused
    ]
    changed += [(leaf, leaf.read(octets, 0)) for leaf in step]
    return Answer(
        flags=flags,
        leaves=[leaf for leaf, _ in changed],
        numbers=[number for _, number in changed],
        emulated=(emulated.path, emulated.read(octets)) if emulated else None,
    )


class Shapes:
    """The shapes of the versions that have been met, with the registers of one CPU.

    `arch` is that, or None for what a recording says, and x86 where none does.  `record` is a
    record's name, if the input holds such records and no requests.
    """

    def __init__(self, arch: str | None = None, record: str | None = None) -> None:
        self._arch = arch
        self._record = record
        self._met: dict[tuple[int, str], Shape] = {}

    def of(self, run: Run) -> Shape:
        """Give the shape of a run's requests.

        Raises `XenbindError` if their version has no registers of that CPU.
        """
        arch = self._arch or (run.session.arch if run.session else ARCHES[0])
        key = run.interface.version, arch
        shape = self._met.get(key)
        if shape is None:
            shape = self._met[key] = Shape(run.interface, arch, self._record)
        return shape


class _Walk:
    """The leaves of a version's records, padding left out, and but for `arrays` these too."""

    def __init__(self, interface: Interface, arrays: bool) -> None:
        self._arrays = arrays
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
        elif isinstance(field.type, Array) and self._arrays:
            for number in range(field.type.length or 0):
                size = field.size // (field.type.length or 1)
                element = replace(
                    field,
                    name=f"{field.name}[{number}]",
                    type=field.type.element,
                    offset=field.offset + number * size,
                    size=size,
                )
                yield from self.field(element, path, base, root)
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
        *way, last = path.split(".")
        for name in way:
            inner = next((f for f in record.fields if f.name == name), None)
            if inner is None or not isinstance(inner.type, RecordRef):
                return ()
            base += inner.offset
            record = self._records[inner.type.key]
        found = next((f for f in record.fields if f.name == last), None)
        if found is None:
            return ()
        before = path.removesuffix(last)
        # What is no record has no members: its own name says what it is.
        root = len(path) + 1 if isinstance(found.type, RecordRef) else len(before)
        return tuple(self.field(found, before, base, root))


def _emulated(interface: Interface, request: Record) -> Iterator[Emulated]:
    walk = _Walk(interface, arrays=True)
    for flag, path in _EMULATED:
        found = walk.below(request, path)
        octets = tuple(leaf for leaf in found if leaf.label.startswith("data["))
        if octets:
            size = next((leaf for leaf in found if leaf.label == "size"), None)
            yield Emulated(flag, path, size, octets)


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
    places = {unit: place for place, unit in enumerate(chain.from_iterable(layers))}
    numbers = (_number(leaf, places[_unit(leaf)]) for leaf in leaves)
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
