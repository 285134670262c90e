"""Look at what a header declares for what a new spec should say of it.

Takes the spec with which the compiler takes the header; gives `Findings`, which `text` puts
down: what is certain as keys, what is a guess as comments.

    struct request { uint8_t op; union { struct read read; … } u; };
    #define OP_READ 0    ->  Selection("struct request", "op", "u", "OP_", 1 of 2 members)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from xenbind.errors import SourceError, SystemFailure
from xenbind.facts.symbols import Installed, having, installed
from xenbind.frontend.conditions import other_macros
from xenbind.ir.c_types import Enumeration, RecordRef, Scalar
from xenbind.ir.interface import (
    Constant,
    ConstantGroup,
    Field,
    Function,
    Interface,
    LeftOut,
    Record,
    Ring,
)
from xenbind.pipeline import read
from xenbind.plain import Struct, replace
from xenbind.source import Sources
from xenbind.spec import LibrarySpec, Spec, rules
from xenbind.toolchain.system_headers import system_folders


class Selection(Struct, frozen=True):
    """A union, of whose members the constants with a prefix are the names.

    `selected` counts the members that have such a constant, and `others` have none.
    """

    record: str
    tag: str
    union: str
    prefix: str
    selected: int
    others: tuple[str, ...]


class RingUse(Struct, frozen=True):
    """A ring, and what of its requests is called as in other rings; None for what is not."""

    ring: Ring
    flags: str | None
    version: str | None


class Findings(Struct, frozen=True):
    """What there is to say of a header.

    `event_tags` are the tags and prefixes of events that are unions, by their records.
    `versions` are constants that may hold its version; `macros` and `others` are what the
    package cannot have, macros and the rest, and `handles` what it has with functions alone.
    `asked` are macros that conditions of the header ask for.  `functions` are the names of those
    it declares, `errors` what their results may tell of, and `libraries` are those installed
    that have most of them, with how many; `missing` are those that the first of these has not.
    `further` are the functions of headers beside it that it includes, by the header: the package
    has none of these.
    """

    interface: Interface
    versions: tuple[Constant, ...]
    selections: tuple[Selection, ...]
    rings: tuple[RingUse, ...]
    event_tags: Mapping[str, tuple[str, str]]
    macros: tuple[LeftOut, ...]
    others: tuple[LeftOut, ...]
    handles: tuple[LeftOut, ...]
    asked: tuple[str, ...]
    functions: tuple[str, ...]
    errors: tuple[str, ...]
    left_out_functions: tuple[LeftOut, ...]
    libraries: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]
    further: Mapping[str, Sequence[str]]

    @property
    def has_library(self) -> bool:
        """Tell whether there is no doubt whose functions they are: one alone has most of them.

        Those whose names are reserved (C11 7.1.3) are the C library's own, which it may not have.
        """
        lacking = sum(not name.startswith("_") for name in self.missing)
        return [has > lacking for _, has in self.libraries] == [True]

    @property
    def version_macro(self) -> str | None:
        """Give the macro that holds the interface's version, if its name leaves no doubt."""
        named = [c.name for c in self.versions if c.name.endswith("INTERFACE_VERSION")]
        return named[0] if len(named) == 1 else None


def find(spec: Spec, command: tuple[str, ...]) -> Findings:
    """Read the header, and again with the functions that it declares.

    Raises as `pipeline.read` does.
    """
    interface = _with_settled_groups(spec, command)
    library = LibrarySpec("", rules.ERRORS, {}, (), (), (), {})
    calling = replace(spec, library=library)
    called = read(calling, spec.versions[0], command)
    sources = Sources()
    is_macro = {
        left_out: sources.line(left_out.coord.file, left_out.coord.line)
        .lstrip()
        .startswith("#")
        and rules.C_NAME.allows(left_out.name)
        for left_out in interface.left_out
    }
    of_library = tuple(e for e in called.left_out if e not in interface.left_out)
    told = {each.name for each in of_library}
    others = [
        each for each, is_one in is_macro.items() if not (is_one or each.name in told)
    ]
    handles = {name for handle in called.handles for name in handle.names}
    texts = [sources.text(file) for file in (interface.header, *interface.files[:1])]
    names = tuple(function.name for function in called.functions)
    libraries = _libraries(spec, called.functions, command)
    return Findings(
        interface=interface,
        versions=tuple(filter(_may_be_version, interface.constants)),
        selections=tuple(_selections(interface)),
        rings=tuple(_ring_use(interface, ring) for ring in interface.rings),
        event_tags=dict(_event_tags(interface)),
        macros=tuple(each for each, is_one in is_macro.items() if is_one),
        others=tuple(each for each in others if each.name not in handles),
        handles=tuple(each for each in others if each.name in handles),
        asked=tuple(dict.fromkeys(n for text in texts for n in other_macros(text))),
        functions=names,
        errors=tuple(
            kind
            for kind in rules.ERRORS
            if any(function.errors == kind for function in called.functions)
        ),
        left_out_functions=of_library,
        libraries=tuple((each.name, number) for each, number in libraries),
        missing=tuple(
            function.name
            for each, _ in libraries[:1]
            for function in called.functions
            if function.symbol not in each.exported
        ),
        further=_further(calling, command, names),
    )


def _with_settled_groups(spec: Spec, command: tuple[str, ...]) -> Interface:
    """Read the header until its groups are those that it has where a spec names them.

    Constants that were none of a group's may be one once others have a prefix of their own.
    """
    interface = read(spec, spec.versions[0], command)
    while True:
        named = [group for group in interface.groups if can_be_named(group)]
        if spec.names.keys() >= {group.key for group in named}:
            return interface
        spec = replace(
            spec,
            names=dict(spec.names) | {group.key: group.name for group in named},
            flags=tuple(group.key for group in named if group.is_flag),
        )
        interface = read(spec, spec.versions[0], command)


def can_be_named(group: ConstantGroup) -> bool:
    """Tell whether a spec's texts can name a group and its enum."""
    return rules.GROUP.allows(group.key) and rules.PYTHON_NAME.allows(group.name)


def _further(
    spec: Spec, command: tuple[str, ...], own: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Give the functions of headers in the header's folder that it includes, by the header.

    In a folder that the compiler searches by itself are everybody's headers, not a library's.
    """
    directory = spec.versions[0].directory
    folder = (directory / spec.header).parent
    if folder.resolve() in (each.resolve() for each in system_folders(command)):
        return {}
    beside = [path.relative_to(directory).as_posix() for path in folder.glob("*.h")]
    found: dict[str, list[str]] = {}
    with suppress(SourceError):  # what is none of the header's own faults
        everything = replace(spec, parts=tuple(beside))
        for function in read(everything, spec.versions[0], command).functions:
            if function.name not in own:
                header = os.path.relpath(function.coord.file, directory)
                found.setdefault(header, []).append(function.name)
    return found


def _may_be_version(constant: Constant) -> bool:
    value = constant.value
    return (
        constant.name.endswith("VERSION")
        and isinstance(value, int)
        and 0 <= value < 1 << 16
    )


def _selections(interface: Interface) -> Iterator[Selection]:
    """Find the unions of which half of the members, and two, have a constant of their name."""
    records = interface.records_by_key
    for record in interface.records:
        tags = [field for field in record.fields if _is_tag(field)]
        for field in record.fields:
            if isinstance(field.type, RecordRef) and tags:
                union = records.get(field.type.key)
                if union is None or union.kind != "union":
                    continue
                if best := _best_group(interface.groups, union):
                    group, others = best
                    tag = _tag_of(tags, group, field)
                    yield Selection(
                        *(record.key, tag.name, field.name, group.prefix),
                        *(len(union.fields) - len(others), others),
                    )


def _event_tags(interface: Interface) -> Iterator[tuple[str, tuple[str, str]]]:
    """Find the events that are unions, of which constants name members, with a tag among these."""
    for page in interface.event_pages:
        for ring in page.rings:
            event = interface.records_by_key[ring.event]
            tags = [field for field in event.fields if _is_tag(field)]
            best = _best_group(interface.groups, event)
            if event.kind == "union" and tags and best is not None:
                tag = _tag_of(tags, best[0], event.fields[0])
                yield event.key, (tag.name, best[0].prefix)


def _is_tag(field: Field) -> bool:
    return (
        isinstance(field.type, Scalar | Enumeration)
        and not field.type.base.endswith(("float", "double", "char"))
        and field.bit_width is None
    )


def _tag_of(tags: Sequence[Field], group: ConstantGroup, union: Field) -> Field:
    """Choose the member that holds the group's constants: it says so, or is the likeliest."""

    def likelihood(field: Field) -> tuple[bool, bool, int]:
        word = group.prefix.rstrip("_").rpartition("_")[2].lower()
        is_hinted = field.hint in (group.key, group.prefix)
        # What stands just before the union tells of it more often than what is far away.
        return (
            is_hinted,
            bool(word) and word in field.name,
            -abs(union.offset - field.offset),
        )

    return max(tags, key=likelihood)


def _best_group(
    groups: Sequence[ConstantGroup], union: Record
) -> tuple[ConstantGroup, tuple[str, ...]] | None:
    """Give the group that names most of a union's members, and those that it does not name."""
    members = [field.name for field in union.fields]
    best: tuple[ConstantGroup, tuple[str, ...]] | None = None
    for group in groups:
        names = {name.lower() for name in group.members_by_name}
        others = tuple(member for member in members if member not in names)
        named = len(members) - len(others)
        is_plain = bool(group.prefix) and named >= max(2, len(others))
        if is_plain and (best is None or len(others) < len(best[1])):
            best = group, others
    return best


def _ring_use(interface: Interface, ring: Ring) -> RingUse:
    record, response = (
        _record(interface, name) for name in (ring.request, ring.response)
    )
    numbers = {
        field.name
        for field in (record.fields if record else ())
        if isinstance(field.type, Scalar | Enumeration)
    }
    return RingUse(
        ring,
        "flags" if "flags" in numbers and record == response else None,
        "version" if "version" in numbers else None,
    )


def _record(interface: Interface, name: str) -> Record | None:
    """Give the record that a ring's type is, by its key or a typedef's name."""
    types = {typedef.name: typedef.type for typedef in interface.typedefs}
    named = types.get(name)
    key = named.key if isinstance(named, RecordRef) else name
    return interface.records_by_key.get(key)


def _libraries(
    spec: Spec, functions: Sequence[Function], command: tuple[str, ...]
) -> list[tuple[Installed, int]]:
    """Give the installed libraries that have most of the functions, and how many.

    One that is called after the header, or after how its functions begin, is all that is looked
    at if it has any: others may have copies of its functions.
    """
    stem = Path(spec.header).stem
    first = {function.name.split("_")[0] for function in functions}
    symbols = [function.symbol for function in functions]
    found = []
    for word in dict.fromkeys([stem, stem.removeprefix("lib"), *sorted(first)[:8]]):
        with suppress(SystemFailure):  # a linker's script
            found.append(installed(f"lib{word}.so", (), command))
    having_some = _counts(filter(None, found), symbols)
    if not having_some:
        # One in a variant, such as liblua5.4-c++.so.0, has a longer name than the plain one.
        others = _counts(having(symbols, command), symbols)
        having_some = sorted(others, key=lambda found: len(found[0].name))
    most = max((number for _, number in having_some), default=0)
    return [(each, number) for each, number in having_some if number == most]


def _is_between(library: Installed) -> bool:
    """Tell whether a library stands before others' functions, as the compiler's sanitizers do."""
    return any(name.startswith("__interceptor_") for name in library.exported)


def _counts(
    libraries: Iterable[Installed], symbols: Sequence[str]
) -> list[tuple[Installed, int]]:
    """Count the functions that each library has, of those that have any."""
    by_name = {each.name: each for each in libraries}
    counted = [
        (each, len(each.exported & set(symbols)))
        for each in by_name.values()
        if not _is_between(each)
    ]
    return [(each, number) for each, number in counted if number]
