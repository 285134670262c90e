"""Compare an interface's releases: since when each constant, record, member and function is so.

Takes the interfaces of a spec in their order, each with the releases that speak it; gives them
back with a `Span` on everything that was compared.  `build` has that done before it renders,
so that docstrings tell; whoever shows an interface finds it there too.

    4.15: uint32_t cpsr;    4.16 and later: uint64_t cpsr;
    ->  Span("4.8", until="4.15", after="uint64_t")    Span("4.16", before="uint32_t")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xenbind.ir.c_types import (
    Array,
    RecordRef,
    as_spelled,
    declaration,
    element,
    is_anonymous,
    spelling,
)
from xenbind.ir.interface import Constant, Field, Interface, Record, Span
from xenbind.plain import Struct, replace

# What is said of something, by its name: `struct vm_event_st.u.cpuid`, `struct vm_event_cpuid`.
_Said = Mapping[str, str]


def told(
    interfaces: Sequence[Interface],
    releases: Sequence[Sequence[str]],
    version_macro: str | None,
) -> list[Interface]:
    """Give interfaces with the spans of what they declare; `releases` are theirs, in order.

    Those of which no release is known have none.  A constant is as it was while it has its
    value, a member while it has its type, wherever it lies; `version_macro` is new each time.
    Whatever order they are in, they are compared in that of their first releases.
    """
    if not all(releases):
        return list(interfaces)
    order = sorted(range(len(interfaces)), key=lambda index: _age(releases[index][0]))
    said = [_said(interfaces[index], version_macro) for index in order]
    spoken = [releases[index] for index in order]
    told = {
        index: _with_spans(interfaces[index], _spans(place, said, spoken))
        for place, index in enumerate(order)
    }
    return [told[index] for index in range(len(interfaces))]


def timeline(interfaces: Sequence[Interface]) -> dict[str, list[Span]]:
    """Give the spans of everything that any of the interfaces declares, by name.

    The names are C's, of a struct its tag: `vm_event_st.u.cpuid`.  What the newest has comes
    first, in its order.
    """
    found: dict[str, list[Span]] = {}
    for interface in reversed(interfaces):
        for name, span in _all_spans(interface):
            spans = found.setdefault(name, [])
            if span is not None and span not in spans:
                spans.append(span)
    return {
        name: sorted(spans, key=lambda span: _age(span.since))
        for name, spans in found.items()
    }


class Unlike(Struct, frozen=True):
    """A member that a release has in another way than the newest with the same version."""

    release: str
    name: str
    type: str

    def __str__(self) -> str:
        return f"`{self.name}` of Xen {self.release}, {self.type} there"


def unlike(interfaces: Sequence[Interface]) -> list[Unlike]:
    """Give the members that the newest interface of their version reads otherwise, or not at all.

    An array that only has another length is read alike: as far as each says it goes.
    """
    newest = {interface.version: interface for interface in interfaces}
    return [
        Unlike(older.release, f"{record.path}.{field.name}", _type(field))
        for older in interfaces
        for record in older.records
        for field in record.fields
        if not field.is_padding
        and not _reads(newest[older.version].records_by_key.get(record.key), field)
    ]


def _reads(record: Record | None, field: Field) -> bool:
    """Tell whether a record has a member in a field's place that is as wide."""
    there = {} if record is None else {own.name: own for own in record.fields}
    own = there.get(field.name)
    if own is None or own.first_bit != field.first_bit:
        return False
    both = (own.type, field.type)
    if all(isinstance(c_type, Array) for c_type in both):
        return element(own.type) == element(field.type)
    return own.bit_count == field.bit_count


def _all_spans(interface: Interface) -> Iterator[tuple[str, Span | None]]:
    for constant in interface.constants:
        yield constant.name, constant.span
    for record in interface.records:
        name = record.path
        if not record.is_anonymous:
            yield name, record.span
        for field in record.fields:
            yield f"{name}.{field.name}", field.span
    for function in interface.functions:
        yield function.name, function.span


def _age(release: str) -> list[int]:
    """Give what releases are sorted by: 4.9 comes before 4.10."""
    return [int(number) for number in release.split(".")]


def _said(interface: Interface, version_macro: str | None) -> dict[str, str]:
    """Give what is compared of an interface, by name."""
    found = {
        constant.name: "" if constant.name == version_macro else str(constant.value)
        for constant in interface.constants
    }
    for record in interface.records:
        found[record.key] = record.kind
        for field in record.fields:
            found[f"{record.key}.{field.name}"] = _type(field)
    for function in interface.functions:
        prototype = declaration(function.type, function.name, as_spelled)
        found[f"{function.name}()"] = prototype
    return found


def _type(field: Field) -> str:
    """Spell the type of a member; an anonymous one's members speak for themselves."""
    if isinstance(field.type, RecordRef) and is_anonymous(field.type.key):
        return field.type.spelling.partition(" ")[0]
    bits = "" if field.bit_width is None else f" : {field.bit_width}"
    return spelling(field.type) + bits


def _spans(
    index: int, said: Sequence[_Said], releases: Sequence[Sequence[str]]
) -> dict[str, Span]:
    """Give, for each thing that an interface has, how long before and after it is so."""
    spans = {}
    for name, now in said[index].items():
        first = last = index
        while first > 0 and said[first - 1].get(name) == now:
            first -= 1
        while last + 1 < len(said) and said[last + 1].get(name) == now:
            last += 1
        is_last = last + 1 == len(said)
        spans[name] = Span(
            since=releases[first][0],
            until="" if is_last else releases[last][-1],
            before="" if first == 0 else said[first - 1].get(name, ""),
            after="" if is_last else said[last + 1].get(name, ""),
        )
    return spans


def _with_spans(interface: Interface, spans: Mapping[str, Span]) -> Interface:
    constants = {c.name: replace(c, span=spans[c.name]) for c in interface.constants}
    return replace(
        interface,
        constants=tuple(constants.values()),
        groups=tuple(
            replace(group, members=tuple(_same(group.members, constants)))
            for group in interface.groups
        ),
        records=tuple(_record(record, spans) for record in interface.records),
        functions=tuple(
            replace(function, span=spans[f"{function.name}()"])
            for function in interface.functions
        ),
    )


def _same(
    members: Sequence[Constant], constants: Mapping[str, Constant]
) -> Iterator[Constant]:
    """Give a group's members with their spans; those that are not the interface's own, as is."""
    for member in members:
        own = constants.get(member.name)
        yield member if own is None else replace(member, span=own.span)


def _record(record: Record, spans: Mapping[str, Span]) -> Record:
    fields = tuple(
        replace(field, span=spans[f"{record.key}.{field.name}"])
        for field in record.fields
    )
    return replace(record, fields=fields, span=spans[record.key])
