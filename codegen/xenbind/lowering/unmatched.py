"""Find what a spec names and no header has: a misspelt name would pass for a version's lack.

Takes the spec and the `Interface`s of all its versions, or of all headers of its tree, as `lower`
made them; `generate` asks once it has read them.  One version may lack what another has.

    [names]
    VM_EVNT_FLAG_ = "EventFlag"    ->  no version has constants VM_EVNT_FLAG_*

Of one header's spec it is an error.  The spec of a tree may be for several, one release's and the
next one's, and there it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from xenbind.errors import SourceError, refuse_all
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Interface
from xenbind.spec import KeyPath, PayloadSpec, Spec
from xenbind.spec.tree import unmatched_patterns


def refuse(spec: Spec, interfaces: Sequence[Interface]) -> None:
    """Raise `SourceError` at the names in a spec that none of its versions has.

    Of another header tree than those that it was written for nothing is asked.
    """
    if spec.is_elsewhere:
        return
    refuse_all(find(spec, interfaces))


def find(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    """Give an error for each name in a spec that no header has, in the order of kinds."""
    for one in (
        _patterns,
        _groups,
        _skipped,
        _payloads,
        _rings,
        _event_rings,
        _byte_rings,
        _functions,
    ):
        yield from one(spec, interfaces)


def _patterns(spec: Spec, _: Sequence[Interface]) -> Iterator[SourceError]:
    for path, pattern in unmatched_patterns(spec) if spec.tree else ():
        yield SourceError(
            spec.places.of(*path),
            f"no header of {spec.name} is one of {pattern}",
            "take it out, or name headers by their paths in the tree",
        )


def _groups(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    groups = [group for interface in interfaces for group in interface.groups]
    known = {name for group in groups for name in (group.key, group.prefix) if name}
    named: list[tuple[KeyPath, str]] = [(("names", name), name) for name in spec.names]
    for key, listed in (("flags", spec.flags), ("values", spec.values)):
        named += [(("interface", key, i), name) for i, name in enumerate(listed)]
    for path, name in named:
        if name not in known:
            is_enum = name.startswith("enum ")
            what = f"an {name}" if is_enum else f"a group of constants {name}*"
            yield _error(spec, path, what, name, known)


def _skipped(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    skipped = {name for interface in interfaces for name in interface.skipped}
    macros = {c.name for interface in interfaces for c in interface.constants}
    named: list[tuple[KeyPath, str]] = [
        (("interface", "skip", index), name) for index, name in enumerate(spec.skip)
    ]
    for told in spec.tree.told if spec.tree else ():
        path = ("headers", told.pattern, "skip")
        named += [((*path, index), name) for index, name in enumerate(told.skip)]
    for place, name in named:
        if name not in skipped:
            yield _error(spec, place, f"a macro {name}", name, macros)


def _payloads(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    for payload in spec.payloads:
        yield from _payload(spec, payload, interfaces)


def _payload(
    spec: Spec, payload: PayloadSpec, interfaces: Sequence[Interface]
) -> Iterator[SourceError]:
    records = {record.key for interface in interfaces for record in interface.records}
    if payload.record not in records:
        what = f"a record '{payload.record}'"
        path: KeyPath = (*payload.place, "record")
        yield _error(spec, path, what, payload.record, records)
        return
    constants = {c.name for interface in interfaces for c in interface.constants}
    members = set(_union_members(payload, interfaces))
    for short, member in payload.members.items():
        path = (*payload.place, "members", short)
        name = f"{payload.prefix}{short}"
        if name not in constants:
            yield _error(spec, path, f"a constant {name}", name, constants)
        if member not in members:
            what = f"a member '{member}' in '{payload.union}'"
            yield _error(spec, path, what, member, members)


def _union_members(
    payload: PayloadSpec, interfaces: Iterable[Interface]
) -> Iterator[str]:
    """Give the names of what the payload's union has in any version."""
    for interface in interfaces:
        records = interface.records_by_key
        if payload.record in records:
            types = {f.name: f.type for f in records[payload.record].fields}
            union = types[payload.union]
            assert isinstance(union, RecordRef)  # or `lower` had refused it
            yield from (field.name for field in records[union.key].fields)


def _rings(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    declared = {ring.name for interface in interfaces for ring in interface.rings}
    for name in spec.rings:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "there is none"
            yield SourceError(
                spec.places.of("ring", name),
                f"{_none(spec)} has a ring '{name}'",
                f"name a ring as DEFINE_RING_TYPES does: {known}",
            )


def _event_rings(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    found = {
        ring.macro
        for interface in interfaces
        for page in interface.event_pages
        for ring in page.rings
    }
    for name in spec.event_rings:
        if name not in found:
            what = f"a macro {name} that gives an event of a page"
            yield _error(spec, ("event_ring", name), what, name, found)

    constants = {c.name for interface in interfaces for c in interface.constants}
    payloads = [p for interface in interfaces for p in interface.payloads]
    selected = {member for payload in payloads for _, member in payload.members}
    for name, said in spec.event_rings.items():
        for short, member in said.members.items():
            path = ("event_ring", name, "members", short)
            constant = f"{said.prefix or ''}{short}"
            if constant not in constants:
                yield _error(spec, path, f"a constant {constant}", constant, constants)
            elif member not in selected:
                what = f"a member '{member}' in such an event"
                yield _error(spec, path, what, member, selected)


def _byte_rings(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    pages = [page for interface in interfaces for page in interface.byte_pages]
    found = {ring.array for page in pages for ring in page.rings}
    for name in spec.byte_rings:
        if name not in found:
            what = f"a ring of bytes '{name}' beside one that the other side reads"
            yield _error(spec, ("byte_ring", name), what, name, found)


def _functions(spec: Spec, interfaces: Sequence[Interface]) -> Iterator[SourceError]:
    if spec.library is None:
        return
    declared = {f.name for interface in interfaces for f in interface.functions}
    skipped = {name for interface in interfaces for name in interface.skipped}
    named: list[tuple[KeyPath, str]] = [
        (("function", name), name) for name in spec.library.by_name
    ]
    named += [
        (("functions", "skip", index), name)
        for index, name in enumerate(spec.library.skip)
        if name not in skipped
    ]
    for path, name in named:
        if name not in declared:
            yield _error(spec, path, f"a function {name}", name, declared)
    structs = {h.key for interface in interfaces for h in interface.handles}
    structs |= {record.key for interface in interfaces for record in interface.records}
    for index, name in enumerate(spec.library.opaque):
        if name not in structs | skipped:
            path = ("functions", "opaque", index)
            yield _error(spec, path, f"a struct '{name}'", name, structs)
    for index, prefix in enumerate(spec.library.match):
        if not any(name.startswith(prefix) for name in declared):
            path = ("functions", "match", index)
            yield _error(spec, path, f"a function {prefix}*", prefix, declared)


def _error(
    spec: Spec, path: KeyPath, what: str, name: str, known: Collection[str]
) -> SourceError:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1)
    return SourceError(
        spec.places.of(*path),
        f"{_none(spec)} has {what}",
        (
            f"did you mean {near[0]}?"
            if near
            else "take it out, or name what the headers have"
        ),
    )


def _none(spec: Spec) -> str:
    return f"no {'header' if spec.tree else 'version'} of {spec.name}"
