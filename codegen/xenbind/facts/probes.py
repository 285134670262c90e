"""Choose what to ask compiled C about an interface, with the IR's own answers.

`reference` takes the IR and gives the questions: one `Probe` for each size, alignment,
offset, bit position and constant value, and the members that the round trip visits; the
template reference/version.c.jinja makes a C file of them.  `object_file` compiles that and
reads what C says; `verify` compares it with what `expected` gives.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenbind.ir.c_types import Array, CType, Enumeration, Pointer, RecordRef, Scalar
from xenbind.ir.interface import Field, Interface, Record
from xenbind.source import Coord

_WORD = 0xFFFF_FFFF_FFFF_FFFF
_FLOATS = ("float", "double", "long double")


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to the C compiler: its name, the C expression, and the IR's own answer.

    For a bit-field `expression` is an initialiser that sets all its bits, and `expected`
    its width; `position` is then its first bit, counted from the record's first.
    """

    name: str
    expression: str
    expected: int
    coord: Coord
    position: int | None = None
    record: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar member at some depth, as the round trip reads and writes it.

    `path` is a C path with index variables; `lengths` are the arrays passed on the way.
    `read` is C for the integer that it is read as, `type` turns an integer into it.
    """

    path: str
    lengths: tuple[int, ...]
    read: str
    type: str

    @property
    def loops(self) -> tuple[tuple[str, int], ...]:
        return tuple(
            (f"xenbind_{depth}", length) for depth, length in enumerate(self.lengths)
        )


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A record with the functions that fill and read it; `name` is theirs."""

    name: str
    type: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything that the reference C file of one interface version holds.

    Once the `constants` are asked for, the macros that have the `hidden` names of types and
    members are in the way of the other `probes`.
    `name_size` is the room that a probe's name needs: names are stored in place, so that
    the object file needs no relocation to be read.
    """

    constants: tuple[Probe, ...]
    hidden: tuple[str, ...]
    probes: tuple[Probe, ...]
    bit_fields: tuple[Probe, ...]
    round_trips: tuple[RoundTrip, ...]
    name_size: int


def reference(interface: Interface) -> Reference:
    """The questions about one interface version, in the order of its declarations."""
    records = interface.records_by_key
    constants: list[Probe] = []
    probes: list[Probe] = []
    bits: list[Probe] = []
    trips = []
    for record in interface.records:
        if record.is_anonymous:
            continue  # anonymous: reached through the record around it
        for probe in _record_probes(record, records):
            (probes if probe.position is None else bits).append(probe)
        trips.append(
            RoundTrip(
                record.key.replace(" ", "_"),
                record.key,
                tuple(_leaves(record, records, "", ())),
            )
        )
    for constant in interface.constants:
        if isinstance(constant.value, int):
            name, coord = constant.name, constant.coord
            constants += [
                Probe(f"{name} value", name, constant.value & _WORD, coord),
                Probe(f"{name} negative", f"({name}) < 0", constant.value < 0, coord),
            ]
    longest = max(len(probe.name) for probe in [*constants, *probes, *bits])
    return Reference(
        constants=tuple(constants),
        hidden=interface.hidden,
        probes=tuple(probes),
        bit_fields=tuple(bits),
        round_trips=tuple(trips),
        name_size=-(-(longest + 1) // 8) * 8,
    )


def expected(reference: Reference) -> dict[str, int]:
    """The IR's own answers, under the names that `answers` uses."""
    asked = [*reference.probes, *reference.constants]
    found = {probe.name: int(probe.expected) for probe in asked}
    for probe in reference.bit_fields:
        found[f"{probe.name} bit_offset"] = int(probe.position or 0)
        found[f"{probe.name} bit_width"] = probe.expected
    return found


def fingerprint(interface: Interface) -> str:
    """A digest of everything that compiled C can be asked about a version."""
    answers = expected(reference(interface))
    return hashlib.sha256(json.dumps(answers).encode()).hexdigest()


def coords(reference: Reference) -> dict[str, Coord]:
    """The header's place behind each answer."""
    asked = [*reference.probes, *reference.constants]
    found = {probe.name: probe.coord for probe in asked}
    for probe in reference.bit_fields:
        found[f"{probe.name} bit_offset"] = found[f"{probe.name} bit_width"] = (
            probe.coord
        )
    return found


def _record_probes(record: Record, records: Mapping[str, Record]) -> Iterator[Probe]:
    yield Probe(
        f"{record.key} size", f"sizeof({record.key})", record.size, record.coord
    )
    yield Probe(
        f"{record.key} alignment",
        f"_Alignof({record.key})",
        record.alignment,
        record.coord,
    )
    yield from _member_probes(record.key, record, records, "", 0)


def _member_probes(
    outer: str, record: Record, records: Mapping[str, Record], path: str, base: int
) -> Iterator[Probe]:
    for field in record.fields:
        inner = f"{path}{field.name}"
        name = f"{outer}.{inner}"
        if field.bit_width is not None:
            first = 8 * base + field.first_bit
            yield Probe(
                name=name,
                expression=f".{inner} = -1",
                expected=field.bit_width,
                coord=field.coord,
                position=first,
                record=outer,
            )
            continue
        offset = base + field.offset
        value = f"(({outer} *)0)->{inner}"
        size = "0" if _is_flexible(field) else f"sizeof({value})"
        yield Probe(
            f"{name} offset", f"offsetof({outer}, {inner})", offset, field.coord
        )
        yield Probe(f"{name} size", size, field.size, field.coord)
        element, lengths = _element(field.type)
        if not isinstance(element, RecordRef):
            continue
        index = "[0]" * len(lengths)
        nested = records[element.key]
        if nested.is_anonymous:
            yield Probe(
                f"{name} alignment",
                f"_Alignof(__typeof__({value}{index}))",
                nested.alignment,
                nested.coord,
            )
        if nested.is_anonymous or not index:
            yield from _member_probes(
                outer, nested, records, f"{inner}{index}.", offset
            )


def _is_flexible(field: Field) -> bool:
    return isinstance(field.type, Array) and field.type.length is None


def _element(c_type: CType) -> tuple[CType, tuple[int, ...]]:
    """The type inside arrays of one or more elements, and the arrays' lengths."""
    if not isinstance(c_type, Array) or not c_type.length:
        return c_type, ()
    element, lengths = _element(c_type.element)
    return element, (c_type.length, *lengths)


def _leaves(
    record: Record, records: Mapping[str, Record], path: str, lengths: tuple[int, ...]
) -> Iterator[Leaf]:
    for field in record.fields:
        element, inner_lengths = _element(field.type)
        first = len(lengths)
        all_lengths = lengths + inner_lengths
        index = "".join(
            f"[xenbind_{depth}]" for depth in range(first, len(all_lengths))
        )
        inner = f"{path}{field.name}{index}"
        if isinstance(element, RecordRef):
            nested = records[element.key]
            yield from _leaves(nested, records, f"{inner}.", all_lengths)
            continue
        value = f"xenbind_record->{inner}"
        if isinstance(element, Pointer):
            read, cast = f"(uintptr_t){value}", "(void *)(uintptr_t)"
            yield Leaf(inner, all_lengths, read, cast)
        elif isinstance(element, Scalar | Enumeration):
            if element.base in _FLOATS:
                value = f"xenbind_bits({value})"
            elif element.base == "_Bool" and field.bit_width is None:
                # In a union it may have any bits, which C may read as it likes.
                value = f"0 != *(const unsigned char *)&{value}"
            yield Leaf(inner, all_lengths, value, "")
