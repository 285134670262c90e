"""Ask what no header has: the classes of a version's module, and what belongs to which.

Takes an `Interface` and its `ModuleView`; gives `Probe`s under the classes' Python names,
which begin with `class`: enums' members, the enum of what a member of a record holds, what
a tag selects, and the rings.  What C can be asked about them it is.

    class VmEventFlag.DENY value     ->  64, in C VM_EVENT_FLAG_DENY
    class vm_event_st.flags values   ->  VmEventFlag
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_

from xenbind.backend.module import module_view
from xenbind.backend.module_records import record_names, record_view
from xenbind.backend.python_model import ModuleView
from xenbind.backend.python_types import STDINT
from xenbind.backend.scope import member_names
from xenbind.facts import prototypes
from xenbind.facts.probes import (
    CLASS,
    Probe,
    record_type,
    type_probes,
    value_probes,
)
from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Interface, Ring


def class_questions(interface: Interface) -> list[Probe]:
    """Give the questions about the classes of an interface version's module."""
    # What is written of members tells which names of other headers a module has.
    view_of = record_view if interface.elsewhere else record_names
    return class_probes(interface, module_view(interface, "", (), view_of=view_of))


def class_probes(interface: Interface, view: ModuleView) -> list[Probe]:
    """The questions about the classes of a module, in its order."""
    return [
        *_enums(interface, view),
        *_values(interface, view),
        *_payload(interface, view),
        *_rings(interface, view),
        *_event_pages(interface, view),
        *_byte_pages(interface, view),
        *_typedefs(interface, view),
        *_functions(interface, view),
    ]


def _enums(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    for group, enum in zip(interface.own_groups, view.enums, strict=True):
        name = f"{CLASS}{enum.name}"
        yield Probe(f"{name} base", "", enum.base, group.coord)
        constants = group.members_by_name.values()
        for constant, member in zip(constants, enum.members, strict=True):
            yield from value_probes(f"{name}.{member.name}", constant)


def _values(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    for record, shown in zip(interface.own_records, view.records, strict=True):
        for field, member in zip(record.fields, shown.members, strict=True):
            if member.values:
                name = f"{CLASS}{shown.name}.{member.name} values"
                yield Probe(name, "", member.values, field.coord)


def _payload(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """Which member each value of the tag leads to, as one reads it: `u.cpuid`."""
    for record, shown in zip(interface.own_records, view.records, strict=True):
        payload = interface.payload_of(record.key)
        if payload is None or shown.payload is None:
            continue
        name = f"{CLASS}{shown.name}.payload"
        yield Probe(f"{name} tag", "", shown.payload.tag, record.coord)
        selected = {
            constant.value: f"{shown.payload.union}.{member}".removeprefix(".")
            for (constant, _), (_, member) in zip(
                payload.members, shown.payload.rows, strict=True
            )
        }
        for value, path in selected.items():
            yield Probe(f"{name}[{value}] member", "", path, record.coord)


def _typedefs(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """What each other name of a type stands for: kinds, and the lengths of arrays."""
    records, abi = interface.records_by_key, ABIS[interface.abi]
    typedefs = {typedef.name: typedef for typedef in interface.typedefs}
    typedefs |= {typedef.name: typedef for typedef in interface.scalar_typedefs}
    made = {alias.name for alias in (*view.scalars, *view.aliases)}
    for alias in (*view.scalars, *view.aliases):
        typedef = typedefs[alias.c_name]
        own = alias.name.strip("_")
        is_imported = alias.type not in made - {alias.name}
        if own in STDINT and own == alias.type.strip("_") and is_imported:
            continue
        value = f"(*({typedef.name} *)0)"
        for name in filter(None, (alias.name, alias.again)):
            yield from type_probes(
                f"{CLASS}{name}", value, typedef.type, typedef.coord, records, abi
            )
    for name, key in view.borrowed:
        if key in typedefs:
            typedef = typedefs[key]
            value = f"(*({key} *)0)"
            yield from type_probes(
                f"{CLASS}{name}", value, typedef.type, typedef.coord, records, abi
            )
        elif key in records and not records[key].is_anonymous:
            yield Probe(f"{CLASS}{name} kind", "", key, records[key].coord)
    for record, shown in zip(interface.own_records, view.records, strict=True):
        if shown.again:
            key = record.kind if record.is_anonymous else record.key
            yield Probe(f"{CLASS}{shown.again} kind", "", key, record.coord)


def _functions(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """What each function takes and gives, by its names in Python, its errors and its enums."""
    abi = ABIS[interface.abi]
    for function, shown in zip(interface.functions, view.functions, strict=True):
        yield prototypes.probe(function, shown.names, abi)
        yield Probe(f"{function.name} errors", "", function.errors, function.coord)
        if shown.enums:
            yield Probe(f"{function.name} enums", "", shown.enums, function.coord)


def _rings(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """What is asked of both halves: the entry, and where the first one is in the page."""
    records = interface.records_by_key
    for ring, halves in zip(interface.rings, view.rings, strict=True):
        page, entry = records[ring.shared], records[ring.entry]
        entries = next(field for field in page.fields if field.name == "ring")
        first = f"(({page.key} *)0)->ring[0]"
        for half in (halves.front, halves.back):
            name, coord = f"{CLASS}{half}", ring.coord
            yield Probe(
                f"{name} entry", record_type(first, entry.key), entry.key, coord
            )
            yield Probe(f"{name} entry_size", f"sizeof({first})", entry.size, coord)
            yield Probe(
                f"{name} first_entry",
                f"offsetof({page.key}, ring)",
                entries.offset,
                coord,
            )
            for role, field in zip(("request", "response"), entry.fields, strict=True):
                assert isinstance(field.type, RecordRef)
                key = field.type.key
                value = f"(({entry.key} *)0)->{field.name}"
                yield Probe(f"{name} {role}", record_type(value, key), key, coord)
        request = entry.fields[0].type
        assert isinstance(request, RecordRef)
        names = member_names(records[request.key])
        yield from _meanings(ring, f"{CLASS}{halves.back}", names)


def _event_pages(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """What is asked of both sides: where the macro has the events of some indices."""
    rings = {
        ring.macro: (page, ring)
        for page in interface.event_pages
        for ring in page.rings
    }
    for side in view.event_sides:
        for does, shown in side.rings:
            page, ring = rings[shown.macro]
            name = f"{CLASS}{side.name} {does}"
            event = f"{ring.macro}((char *)0, 0u)"
            yield Probe(
                f"{name} event", record_type(event, ring.event), ring.event, ring.coord
            )
            size = interface.records_by_key[ring.event].size
            for what, index in (
                ("first", 0),
                ("last", ring.length - 1),
                ("at_wrap_around", 0xFFFF_FFFF),
            ):
                # A macro may want a page that it can add bytes to.
                asked = f"(__SIZE_TYPE__)&{ring.macro}((char *)0, {index}u)"
                place = ring.first + index % ring.length * size
                yield Probe(f"{name} {what}", asked, place, ring.coord)
            for what, member, place in (
                ("consumer", ring.consumer, shown.consumer),
                ("producer", ring.producer, shown.producer),
            ):
                asked = f"offsetof({page.record}, {member})"
                yield Probe(f"{name} {what}", asked, place, ring.coord)


def _byte_pages(interface: Interface, view: ModuleView) -> Iterator[Probe]:
    """What is asked of both sides: where arrays and indices are, and how one is masked."""
    rings = {
        (page.record, ring.array): ring
        for page in interface.byte_pages
        for ring in page.rings
    }
    pages = [page.record for page in interface.byte_pages for _ in ("front", "back")]
    for record, side in zip(pages, view.byte_sides, strict=True):
        for does, shown in side.places:
            name, known = f"{CLASS}{side.name} {does}", dict(shown.arguments)
            ring = rings[record, shown.ring]
            asked = [
                (word, f"offsetof({record}, {path})", known[word])
                for word, path in (
                    ("consumer", ring.consumer),
                    ("producer", ring.producer),
                )
            ]
            if ring.order:
                order = f"sizeof((({record} *)0)->{ring.order})"
                asked.append(
                    ("order", f"offsetof({record}, {ring.order})", known["order"])
                )
                asked.append(("order_bytes", order, known["order_size"]))
            else:
                array = f"(({record} *)0)->{ring.array}"
                mask = f"{ring.mask}(0xffffffffu{f', {array}' * ring.takes_array})"
                start, first = f"offsetof({record}, {ring.array})", known["first"]
                asked.append(("first", start, first))
                asked.append(("bytes", f"sizeof({array})", ring.size))
                last = first + ring.size - 1
                asked.append(("at_wrap_around", f"{start} + {mask}", last))
            for what, expression, answer in asked:
                yield Probe(f"{name} {what}", expression, answer, ring.coord)


def _meanings(ring: Ring, name: str, names: Mapping[str, str]) -> Iterator[Probe]:
    """What the back half is told of its requests, whose members have these names."""
    for key, member in (("flags", ring.flags or "flags"), ("version", ring.version)):
        told = names.get(member, member) if member is not None else "none"
        yield Probe(f"{name} {key}_member", "", told, ring.coord)
    kept = " | ".join(f"(unsigned long long)({flag.name})" for flag in ring.keep)
    value = reduce(or_, (flag.value for flag in ring.keep), 0)
    yield Probe(f"{name} kept_flags", kept or "0", value, ring.coord)
