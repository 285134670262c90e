"""Prepare a version's Python module for its template: the IR turned into names and text.

Takes an `Interface`; gives a `ModuleView` of plain strings: which names classes and
constants get, which lines are imported; `python_types` writes the types.  `render` hands it to
package/version.py.jinja.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from os.path import normpath

from xenbind.backend import byte_module, event_module, flex_module, functions
from xenbind.backend.ctypes_layout import is_natural
from xenbind.backend.names import (
    BUILTINS,
    ENUM_ATTRIBUTES,
    RECORD_ATTRIBUTES,
    enum_member_name,
    is_sunder,
    python_name,
    ring_prefix,
)
from xenbind.backend.pointers import Pointers
from xenbind.backend.python_model import (
    AliasView,
    ConstantView,
    EnumView,
    HalvesView,
    MemberView,
    ModuleView,
    PayloadView,
    RecordView,
    SectionView,
)
from xenbind.backend.python_text import (
    LINE,
    assigned,
    comment,
    declared,
    docstring,
    literal,
    text,
)
from xenbind.backend.python_types import (
    ANNOTATIONS,
    PYTHON_TYPES,
    TYPE_NAMES,
    TYPING,
    Types,
    bit_field_type,
    is_nested,
)
from xenbind.ir import extent
from xenbind.ir.c_types import CType, Enumeration, Pointer, RecordRef, Scalar
from xenbind.ir.interface import (
    Constant,
    ConstantGroup,
    Field,
    Interface,
    Record,
    Ring,
    Span,
)
from xenbind.plain import Struct

# Where a version's module finds what is not in C.
RECORDS = ".runtime.records"
TARGETS = ".runtime.targets"
# Of a record that ctypes lays out, it writes the members at every depth into a string.
_MOST_INSIDE = 10_000
_IMPORTED = (
    *("builtins", "ctypes", "enum", ".", ANNOTATIONS),
    *(byte_module.BYTE_PAGE, flex_module.BYTES),
    *(event_module.EVENT_PAGE, flex_module.RINGS),
    *(functions.LIBRARY, byte_module.ORDER_PAGE, functions.PARAMETERS, RECORDS),
)


class TreePlace(Struct, frozen=True):
    """Where the module of one header of a tree stands.

    `macros` is what it imports the package's `macros` from.  `borrowed` tells of the keys of types
    that other headers' modules have, which module that is, as an import names it, and the name
    there.  `only` are the targets that it is for, all if it is empty.
    """

    macros: str
    borrowed: Mapping[str, tuple[str, str]]
    only: Sequence[str]


def module_view(
    interface: Interface,
    header: str,
    releases: Sequence[str],
    up: str = "",
    place: TreePlace | None = None,
) -> ModuleView:
    """Everything the module of one interface version says.

    `header` is how the module's docstring names its header; `releases` are the Xen
    releases that speak this version.  `up` is "." for a module of a package within another,
    whose run-time modules are the outer one's.  `place` is that of a tree's header.
    """
    return _Module(interface, up, place).view(header, releases)


def type_names(interface: Interface) -> dict[str, str]:
    """Give the names of an interface's types and enums, by key."""
    module = _Module(interface)
    aliases = {
        each.name: module.claim(each.name)
        for each in interface.typedefs
        if not module.is_own_name(each.name, each.type)
    }
    named = {
        each.name: module.classes[each.type.key]
        for each in interface.typedefs
        if isinstance(each.type, RecordRef) and each.name not in aliases
    }
    return {**module.scalars, **aliases, **named, **module.groups, **module.classes}


def class_names(interface: Interface) -> dict[str, str]:
    """Give the names of an interface's classes, by their records' keys."""
    return _Module(interface).classes


class _Module:
    """The names taken so far in one module, and what it has to import."""

    def __init__(
        self, interface: Interface, up: str = "", place: TreePlace | None = None
    ) -> None:
        self.interface = interface
        self.up = up
        self.place = place
        self.elsewhere = dict(interface.elsewhere)
        self.records = interface.records_by_key
        self.members = extent.members(interface.records)
        self.imported: set[tuple[str, str]] = set()
        self.taken = {*BUILTINS, *_IMPORTABLE, *interface.inside}
        if interface.library is not None:
            self.taken |= functions.NAMES
        if interface.flex_rings:
            self.taken |= flex_module.NAMES
        self.constants = {c.name: self.claim(c.name) for c in interface.constants}
        self.values = {c.name: c.value for c in interface.constants}
        self.groups = {group.key: self.claim(group.name) for group in interface.groups}
        self.hints = interface.groups_by_hint
        self.scalars = {t.name: self.claim(t.name) for t in interface.scalar_typedefs}
        self.classes = {
            record.key: self.claim(_class_name(record)) for record in interface.records
        }
        self.handles = {
            handle.key: self.claim(handle.key.partition(" ")[2])
            for handle in interface.handles
        }
        self.borrowed = {
            name: key
            for names in (self.classes, self.groups, self.scalars)
            for key, name in names.items()
            if key in self.elsewhere
        }
        repeated = {
            each.type.key
            for each in interface.typedefs
            if isinstance(each.type, RecordRef)
            and self.is_own_name(each.name, each.type)
            and normpath(each.coord.file) == normpath(interface.header)
        }
        self.exported = {
            self.classes[record.key]
            for record in interface.records
            if record.key in self.elsewhere
            and (record.key in repeated or self.is_exported(record))
        }
        self.wanted = set(self.exported)
        self.aliases = self.hidden_names()
        self.types = Types(self.classes, self.scalars, self.use, self.seen)
        self.pointers = Pointers(self.types)

    def is_exported(self, record: Record) -> bool:
        """Tell whether a module that has not a record itself is to have it for others.

        Its header declares it, or declares nothing but what other headers do.  So is one of
        which it says no more than `typedef struct point point`.
        """
        interface = self.interface
        is_own = normpath(record.coord.file) == normpath(interface.header)
        has_own = interface.own_records or interface.constants or interface.functions
        return not record.is_anonymous and (is_own or not has_own)

    def claim(self, c_name: str) -> str:
        name = python_name(c_name, self.taken)
        self.taken.add(name)
        return name

    def use(self, module: str, name: str) -> str:
        if module != "builtins" or name in self.aliases:
            self.imported.add((module, name))
        return self.seen(name)

    def hidden_names(self) -> dict[str, str]:
        """Other names for what annotations are written with and a member is called."""
        written = {*_WRITTEN, *self.classes.values(), *self.scalars.values()}
        members = {
            name
            for record in self.interface.own_records
            for name in member_names(record).values()
        }
        written.update(self.groups.values())
        found = {}
        for name in sorted(written & members):
            found[name] = python_name(f"_{name}", self.taken | members)
            self.taken.add(found[name])
        return found

    def seen(self, name: str) -> str:
        """How to name something where members' names may hide it: in a class."""
        if name in self.borrowed:
            self.wanted.add(name)
        return self.aliases.get(name, name)

    def view(self, header: str, releases: Sequence[str]) -> ModuleView:
        interface = self.interface
        scalars = [
            AliasView(
                self.scalars[typedef.name],
                typedef.name,
                self.types.annotation(typedef.type),
                self.aliases.get(self.scalars[typedef.name], ""),
            )
            for typedef in interface.scalar_typedefs
            if typedef.name not in self.elsewhere
        ]
        records = []
        for record in interface.records:
            if record.key not in self.elsewhere:
                records.append(self.record(record))
            self.pointers.defined.add(record.key)
        aliases = [
            AliasView(self.claim(typedef.name), typedef.name, self.alias(typedef.type))
            for typedef in interface.typedefs
            if not self.is_own_name(typedef.name, typedef.type)
        ]
        sections = list(self.sections())
        enums = [self.enum(group) for group in interface.own_groups]
        rings = [self.halves(ring) for ring in interface.rings]
        event_sides = list(
            event_module.event_sides(interface, self.class_of, self.claim, self.use)
        )
        byte_sides = list(byte_module.byte_sides(interface, self.claim, self.use))
        flex_rings = [
            flex_module.view(ring, interface.name, self.class_of, self.claim, self.use)
            for ring in interface.flex_rings
        ]
        names = {each.name: self.claim(each.name) for each in interface.functions}
        own = functions.Functions(
            interface, names, self.handles, self.groups, self.types
        )
        library = own.library(releases)
        only = self.place.only if self.place else ()
        read_for = "" if only else interface.read_for
        if only:
            self.use(TARGETS, "require")
        if read_for:
            self.use(TARGETS, "was_read_for")
        handles = [own.handle(handle) for handle in interface.handles]
        views = [own.function(function) for function in interface.functions]
        return ModuleView(
            doc=docstring(self.doc(header, releases), 0),
            up=self.up,
            only=only,
            read_for=read_for,
            imports=self.imports(),
            typing=self.names_from(TYPING),
            constants=sections,
            renamed=[(name, c) for c, name in self.constants.items() if name != c],
            enums=enums,
            scalars=scalars,
            records=records,
            aliases=aliases,
            rings=rings,
            event_sides=event_sides,
            byte_sides=byte_sides,
            flex_rings=flex_rings,
            has_private=any(name.startswith("_") for name in self.wanted),
            borrowed=[
                (self.aliases.get(name, name), self.borrowed[name])
                for name in sorted(self.wanted)
            ],
            handles=handles,
            library=library,
            functions=views,
        )

    def doc(self, header: str, releases: Sequence[str]) -> str:
        """What the module says of itself."""
        interface = self.interface
        if self.place is None:
            spoken = (
                f", as Xen {', '.join(releases)} speak{'s' * (len(releases) == 1)} it"
            )
            owner = "Xen's" if releases else "The"
            said = f"{owner} {interface.name} interface, {interface.title}"
            said += spoken if releases else ""
        else:
            said = f"What {interface.name} declares"
            if self.place.only:
                said += f", for {' and '.join(self.place.only)} alone"
        return (
            f"{said}.\n\n"
            f"Generated by xenbind from {header}. Do not edit: change the header and run"
            " `xenbind generate`."
        )

    def halves(self, ring: Ring) -> HalvesView:
        """The classes of a ring's halves: the interface's own has no prefix."""
        prefix = ring_prefix(ring.name, self.interface.name)
        self.use(self.place.macros if self.place else ".", "macros")
        request, response = (
            self.types.annotation(field.type)
            for field in self.records[ring.entry].fields
        )
        page = self.records[ring.shared]
        return HalvesView(
            front=self.claim(f"{prefix}FrontRing"),
            back=self.claim(f"{prefix}BackRing"),
            name=ring.name,
            request=request,
            response=response,
            entry=self.class_of(ring.entry),
            first_entry=next(f.offset for f in page.fields if f.name == "ring"),
            meanings=list(self.meanings(ring)),
        )

    def meanings(self, ring: Ring) -> Iterator[tuple[str, str]]:
        """What the spec says of a ring's requests, as attributes of its back half."""
        request = self.records[ring.entry].fields[0].type
        assert isinstance(request, RecordRef)
        names = member_names(self.records[request.key])
        if ring.flags is not None:
            yield "flags_member", text(names[ring.flags])
        if ring.keep:
            kept = [self.constants.get(c.name, str(c.value)) for c in ring.keep]
            yield "kept_flags", " | ".join(kept)
        if ring.version is not None:
            yield "version_member", text(names[ring.version])
            yield "version", str(self.interface.version)

    def imports(self) -> list[str]:
        lines = [
            line
            for module in _IMPORTED
            if module[0] != "."
            for line in import_lines(module, self.names_from(module))
        ]
        relative: dict[str, list[str]] = {}
        for module in sorted({m for m, _ in self.imported if m[0] == "."}):
            # A package's own `macros` are beside its modules.
            up = self.up * module.startswith(".runtime")
            relative[f"{up}{module}"] = self.names_from(module)
        for name in sorted(self.wanted, key=isort_key):
            place = self.borrowed_from(name)
            if place is not None:
                module, there, here = place
                renamed = there != here or name in self.exported
                item = f"{there} as {here}" if renamed else there
                relative.setdefault(module, []).append(item)
        if lines and relative:
            lines.append("")
        # As isort has them: what is the furthest away first.
        dots = {module: len(module) - len(module.lstrip(".")) for module in relative}
        for module in sorted(relative, key=lambda each: (-dots[each], each)):
            lines += import_lines(module, relative[module])
        return lines

    def borrowed_from(self, name: str) -> tuple[str, str, str] | None:
        """Tell which module has a type, its name there, and how it is called here."""
        if self.place is None:
            return None  # nobody asked for text
        module, there = self.place.borrowed[self.borrowed[name]]
        return module, there, self.aliases.get(name, name)

    def names_from(self, module: str) -> list[str]:
        """What is imported from a module, as an import statement lists it."""
        names = sorted((n for m, n in self.imported if m == module), key=isort_key)
        return [
            f"{name} as {self.aliases[name]}" if name in self.aliases else name
            for name in names
        ]

    # --- constants ------------------------------------------------------------------

    def sections(self) -> Iterable[SectionView]:
        """The flat constants: those of a group together, the others in between."""
        group_of = {
            member.name: group
            for group in self.interface.groups
            for member in group.members
        }
        current: ConstantGroup | None = None
        heading: Sequence[str] = ()
        views: list[ConstantView] = []
        written: dict[str, int] = {}
        for constant in self.interface.constants:
            group = group_of.get(constant.name)
            if views and group is not current:
                yield SectionView(heading, views)
                views = []
            if not views:
                heading = [] if group is None else self.heading(group)
            current = group
            doc = "" if group else docstring(_with_span(constant), 0)
            self.use(TYPING, "Final")
            name = self.constants[constant.name]
            value = literal(constant, self.constants, written)
            views.append(ConstantView(name, assigned(f"{name}: Final", value, 0), doc))
            if isinstance(constant.value, int):
                written[constant.name] = constant.value
        if views:
            yield SectionView(heading, views)

    def heading(self, group: ConstantGroup) -> list[str]:
        return comment(
            f"{group.spelling}: {group.doc}" if group.doc else group.spelling
        )

    def enum(self, group: ConstantGroup) -> EnumView:
        base = (
            self.use("enum", "IntFlag")
            if group.is_flag
            else self.use(RECORDS, "OpenEnum")
        )
        taken = set(ENUM_ATTRIBUTES)
        above: set[str] = set()
        members = []
        for short, constant in group.members_by_name.items():
            name = enum_member_name(short, taken)
            taken.add(name)
            value = self.enum_value(constant, above)
            doc = docstring(_with_span(constant), 4)
            members.append(ConstantView(name, assigned(name, value, 4), doc))
            above.add(name)
        words = group.doc or f"The {group.spelling} constants."
        name = self.groups[group.key]
        again = self.aliases.get(name, "")
        return EnumView(name, base, docstring(words, 4), members, again)

    def enum_value(self, constant: Constant, above: Set[str]) -> str:
        """The constant's name, or its value where that name is something else.

        A macro may have made another of it, one of the members `above` may have it, or an
        enum itself.
        """
        flat = self.values[constant.name]
        name = self.constants[constant.name]
        own = flat == constant.value and name not in above and not is_sunder(name)
        return name if own else str(constant.value)

    # --- records --------------------------------------------------------------------

    def record(self, record: Record) -> RecordView:
        anonymous = record.is_anonymous
        members = []
        flat = True
        inside = self.members[record.key] - len(record.fields)
        natural = inside <= _MOST_INSIDE and is_natural(record, self.records)
        names = member_names(record)
        for field in record.fields:
            name = names[field.name]
            annotation = self.member(field, name, natural)
            zero = self.use(ANNOTATIONS, "ZERO")
            members.append(
                MemberView(
                    name,
                    declared(name, annotation, zero, 4),
                    self.enum_of(field),
                    docstring(self.words(field, record), 4),
                )
            )
            flat = flat and not is_nested(field.type)
        struct = "Structure" if flat else "Compound"
        base = "Union" if record.kind == "union" else struct
        own = f"{record.kind} {self.classes[record.key]}"
        words = _joined(record.doc or self.description(record), record.span)
        return RecordView(
            name=self.classes[record.key],
            base=self.use(RECORDS, base),
            decorator=self.use(RECORDS, "anonymous" if anonymous else "record"),
            doc=docstring(words, 4),
            flat=base == "Structure",
            c_name="" if anonymous or record.key == own else record.key,
            extent="" if natural else f"({record.size}, {record.alignment})",
            members=members,
            payload=self.payload(record),
            again=self.aliases.get(self.classes[record.key], ""),
        )

    def payload(self, record: Record) -> PayloadView | None:
        payload = self.interface.payload_of(record.key)
        if payload is None:
            return None
        holder = record
        if payload.union:
            union = next(f.type for f in record.fields if f.name == payload.union)
            assert isinstance(union, RecordRef)
            holder = self.records[union.key]
        self.use(TYPING, "Final")
        own, inner = member_names(record), member_names(holder)
        types = {f.name: self.types.python_type(f.type) for f in holder.fields}
        found = dict.fromkeys(types[name] for _, name in payload.members)
        return PayloadView(
            table=self.claim("_PAYLOADS"),
            tag=own[payload.tag],
            union=own[payload.union] if payload.union else "",
            decorator=self.use("builtins", "property"),
            head=payload_head([*found, "None"]),
            rows=[
                # One that another module has is written by its value.
                (self.constants.get(c.name, str(c.value)), inner[n])
                for c, n in payload.members
            ],
        )

    def description(self, record: Record) -> str:
        """What to say of a record that the header says nothing of."""
        if not record.is_anonymous:
            return f"{record.key}."
        outer, _, member = record.key.rpartition(".")
        if " " not in outer:
            return f"The {record.kind} that {outer} is made of."
        inside = outer.partition(" ")[2].replace(".", "'s ")
        return f"The {record.kind} that is the member {member} of {inside}."

    def member(self, field: Field, name: str, natural: bool) -> str:
        """The annotation of a member: its type and what else the runtime's `Member` wants.

        `natural` is whether ctypes finds its place.
        """
        extra = []
        if field.bit_width is not None:
            extra.append(str(field.bit_width))
        if values := self.enum_of(field):
            extra.append(self.seen(values))
        if name != field.name:
            extra.append(text(field.name))
        if not natural:
            places = [str(field.offset), str(field.bit_offset or "")]
            extra.append(
                f"{self.use(ANNOTATIONS, 'At')}({', '.join(filter(None, places))})"
            )
        written = self.written(field)
        if extra and isinstance(field.type, RecordRef):
            extra.insert(0, written)  # a class is its own ctypes type
        if not extra:
            return written
        if written.endswith("]"):
            return f"{written[:-1]}, {', '.join(extra)}]"
        return f"{self.use(TYPING, 'Annotated')}[{written}, {', '.join(extra)}]"

    def written(self, field: Field) -> str:
        """The annotation of a member by its type alone: what it is read as, and what it takes."""
        if isinstance(field.type, Pointer):
            return self.pointers.member(field.type)
        if isinstance(field.type, Enumeration) and (enum := self.enum_of(field)):
            read = f"{self.use(ANNOTATIONS, 'Enumerated')}[{self.seen(enum)}]"
            annotated = self.use(TYPING, "Annotated")
            return f"{annotated}[{read}, {self.types.ctype(field.type)}]"
        return self.types.annotation(bit_field_type(field))

    def words(self, field: Field, within: Record) -> str:
        """What to say of a member: the header's words, or what an address is the place of.

        One that is as old as its record, and stays as long, says nothing of that.
        A struct that is not complete where it is pointed to, such as the next of a list,
        has no ctypes pointer.
        """
        record = None
        if isinstance(field.type, Pointer) and field.type.target is None:
            record = self.records.get(field.type.spelling.removesuffix(" *"))
        said = field.doc
        if not said and record is not None:
            name = self.classes[record.key]
            said = f"Where a {record.key} is: {name}.from_address(...) reads it."
        return _joined(said, None if field.span == within.span else field.span)

    def enum_of(self, field: Field) -> str:
        """The enum class of what a member holds, empty without one."""
        if field.hint in self.hints and isinstance(field.type, Scalar | Enumeration):
            return self.groups[self.hints[field.hint].key]
        return ""

    def alias(self, c_type: CType) -> str:
        if not isinstance(c_type, RecordRef):
            return self.types.annotation(c_type)
        return self.class_of(c_type.key)

    def class_of(self, key: str) -> str:
        """Name a record's class outside of any, and import it if it is another header's."""
        name = self.classes[key]
        return self.seen(name) if name in self.borrowed else name

    def is_own_name(self, name: str, c_type: CType) -> bool:
        """Whether a typedef has the name in C of the record that it names."""
        if not isinstance(c_type, RecordRef):
            return False
        return _class_name(self.records[c_type.key]) == name


# Names that a version's module may import; no constant or class may take them.
_IMPORTABLE = TYPE_NAMES.union(
    [
        "At",
        "ZERO",
        "Enumerated",
        "Compound",
        "Final",
        "IntFlag",
        "OpenEnum",
        "Structure",
        "Union",
    ],
    ["anonymous", "record", "macros"],
    byte_module.NAMES,
    event_module.NAMES,
    ["C_NAMES", "TYPE_CHECKING"],  # what a module declares for itself
)
# Those of them that stand among the members of a class.
_WRITTEN = TYPE_NAMES.union(["At", "ZERO", "Enumerated", "property"], PYTHON_TYPES)


def import_lines(module: str, names: Sequence[str]) -> list[str]:
    """Import names, each that is renamed by itself, in the order that import sorters like."""
    plain = [name for name in names if " as " not in name]
    groups = [plain] if plain else []
    groups += [[name] for name in names if " as " in name]
    lines = []
    for group in sorted(groups, key=lambda each: isort_key(each[0].partition(" ")[0])):
        line = f"from {module} import {', '.join(group)}"
        if len(line) > LINE:
            line = f"from {module} import (\n    " + ",\n    ".join(group) + ",\n)"
        lines.append(line)
    return lines


def _with_span(constant: Constant) -> str:
    return _joined(constant.doc, constant.span)


def _joined(words: str, span: Span | None) -> str:
    """Put the releases of something behind what is said of it."""
    between = "\n\n" if "\n\n" in words else " "
    return between.join(filter(None, [words, str(span or "")]))


def member_names(record: Record) -> dict[str, str]:
    """The members' names in Python, by their names in C."""
    names: dict[str, str] = {}
    taken = set(RECORD_ATTRIBUTES)
    for field in record.fields:
        names[field.name] = python_name(field.name, taken)
        taken.add(names[field.name])
    return names


def payload_head(types: Sequence[str], body: str = "") -> list[str]:
    """The first lines of the property payload, folded as black folds them; with a short body."""
    line = f"def payload(self) -> {' | '.join(types)}:{body}"
    if len(line) <= 84:
        return [line]
    folded = [f"    {'| ' * (index > 0)}{name}" for index, name in enumerate(types)]
    return ["def payload(", "    self,", ") -> (", *folded, f"):{body}"]


def _class_name(record: Record) -> str:
    """The tag; for an anonymous record the path to it, `vm_event_st_u`."""
    return record.key.removeprefix(f"{record.kind} ").split(" ")[-1].replace(".", "_")


def isort_key(name: str) -> tuple[int, list[str | int]]:
    """Constants, then classes, then the rest, numbers by value: as import sorters do."""
    rank = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    parts = re.split(r"(\d+)", name)
    return rank, [int(part) if part.isdigit() else part for part in parts]
