"""Prepare a version's Python module for its template: the IR turned into names and text.

Takes an `Interface`; gives a `ModuleView` of plain strings.  `scope` has the names,
`module_constants` and `module_records` write what is declared, and `module_imports` what they use.
`render` hands it to package/version.py.jinja.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from xenbind.backend import byte_module, event_module, flex_module, functions
from xenbind.backend.module_constants import enum_view, sections
from xenbind.backend.module_imports import imports, names_from
from xenbind.backend.module_records import record_view
from xenbind.backend.names import ring_prefix
from xenbind.backend.python_model import (
    AliasView,
    HalvesView,
    ModuleView,
    RecordView,
)
from xenbind.backend.python_text import docstring, text
from xenbind.backend.python_types import TYPING
from xenbind.backend.scope import TARGETS, Scope, TreePlace, member_names
from xenbind.ir.c_types import CType, RecordRef
from xenbind.ir.interface import Interface, Record, Ring


def module_view(
    interface: Interface,
    header: str,
    releases: Sequence[str],
    up: str = "",
    place: TreePlace | None = None,
    view_of: Callable[[Scope, Record], RecordView] = record_view,
) -> ModuleView:
    """Everything the module of one interface version says.

    `header` is how the module's docstring names its header; `releases` are the Xen
    releases that speak this version.  `up` is "." for a module of a package within another,
    whose run-time modules are the outer one's.  `place` is that of a tree's header.  `view_of`
    writes the structs and unions.
    """
    scope = Scope(interface, up, place)
    scalars = [
        AliasView(
            scope.scalars[typedef.name],
            typedef.name,
            scope.types.annotation(typedef.type),
            scope.aliases.get(scope.scalars[typedef.name], ""),
        )
        for typedef in interface.scalar_typedefs
        if typedef.name not in scope.elsewhere
    ]
    records = []
    for record in interface.records:
        if record.key not in scope.elsewhere:
            records.append(view_of(scope, record))
        scope.called.defined.add(record.key)
    aliases = [
        AliasView(scope.claim(typedef.name), typedef.name, _alias(scope, typedef.type))
        for typedef in interface.typedefs
        if not scope.is_own_name(typedef.name, typedef.type)
    ]
    constants = list(sections(scope))
    enums = [enum_view(scope, group) for group in interface.own_groups]
    rings = [_halves(scope, ring) for ring in interface.rings]
    event_sides = list(
        event_module.event_sides(interface, scope.class_of, scope.claim, scope.use)
    )
    byte_sides = list(byte_module.byte_sides(interface, scope.claim, scope.use))
    flex_rings = [
        flex_module.view(ring, interface.name, scope.class_of, scope.claim, scope.use)
        for ring in interface.flex_rings
    ]
    names = {each.name: scope.claim(each.name) for each in interface.functions}
    own = functions.Functions(
        interface, names, scope.handles, scope.groups, scope.types
    )
    library = own.library(releases)
    only = scope.place.only if scope.place else ()
    read_for = "" if only else interface.read_for
    if only:
        scope.use(TARGETS, "require")
    if read_for:
        scope.use(TARGETS, "was_read_for")
    handles = [
        own.handle(handle, [*scope.handle_aliases[handle.key], *scope.again(handle)])
        for handle in interface.handles
    ]
    views = [
        own.function(function, list(map(scope.claim, function.other_names)))
        for function in interface.functions
    ]
    return ModuleView(
        doc=docstring(_doc(scope, header, releases), 0),
        up=scope.up,
        only=only,
        read_for=read_for,
        imports=imports(scope),
        typing=names_from(scope, TYPING),
        constants=constants,
        renamed=[(name, c) for c, name in scope.constants.items() if name != c],
        enums=enums,
        scalars=scalars,
        records=records,
        aliases=aliases,
        rings=rings,
        event_sides=event_sides,
        byte_sides=byte_sides,
        flex_rings=flex_rings,
        has_private=any(name.startswith("_") for name in scope.wanted),
        borrowed=[
            (scope.aliases.get(name, name), scope.borrowed[name])
            for name in sorted(scope.wanted)
        ],
        handles=handles,
        library=library,
        functions=views,
    )


def _doc(scope: Scope, header: str, releases: Sequence[str]) -> str:
    """What the module says of itself."""
    interface = scope.interface
    if scope.place is None:
        spoken = f", as Xen {', '.join(releases)} speak{'s' * (len(releases) == 1)} it"
        owner = "Xen's" if releases else "The"
        said = f"{owner} {interface.name} interface, {interface.title}"
        said += spoken if releases else ""
    else:
        said = f"What {interface.name} declares"
        if scope.place.only:
            said += f", for {' and '.join(scope.place.only)} alone"
    return (
        f"{said}.\n\n"
        f"Generated by xenbind from {header}. Do not edit: change the header and run"
        " `xenbind generate`."
    )


def _halves(scope: Scope, ring: Ring) -> HalvesView:
    """The classes of a ring's halves: the interface's own has no prefix."""
    prefix = ring_prefix(ring.name, scope.interface.name)
    scope.use(scope.place.macros if scope.place else ".", "macros")
    request, response = (
        scope.types.annotation(field.type) for field in scope.records[ring.entry].fields
    )
    page = scope.records[ring.shared]
    return HalvesView(
        front=scope.claim(f"{prefix}FrontRing"),
        back=scope.claim(f"{prefix}BackRing"),
        name=ring.name,
        request=request,
        response=response,
        entry=scope.class_of(ring.entry),
        first_entry=next(f.offset for f in page.fields if f.name == "ring"),
        meanings=list(_meanings(scope, ring)),
    )


def _meanings(scope: Scope, ring: Ring) -> Iterator[tuple[str, str]]:
    """What the spec says of a ring's requests, as attributes of its back half."""
    request = scope.records[ring.entry].fields[0].type
    assert isinstance(request, RecordRef)
    names = member_names(scope.records[request.key])
    if ring.flags is not None:
        yield "flags_member", text(names[ring.flags])
    if ring.keep:
        kept = [scope.constants.get(c.name, str(c.value)) for c in ring.keep]
        yield "kept_flags", " | ".join(kept)
    if ring.version is not None:
        yield "version_member", text(names[ring.version])
        yield "version", str(scope.interface.version)


def _alias(scope: Scope, c_type: CType) -> str:
    if not isinstance(c_type, RecordRef):
        return scope.types.annotation(scope.types.whole(c_type))
    return scope.class_of(c_type.key)
