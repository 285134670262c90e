"""The names of one module: which classes and constants get, and what it takes from others.

Takes an `Interface`; gives a `Scope`, in which each name is claimed once.  `module` and the
modules beside it write with these names, and `module_imports` imports what was used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import normpath

from xenbind.backend import byte_module, event_module, flex_module, functions
from xenbind.backend.names import BUILTINS, RECORD_ATTRIBUTES, python_name
from xenbind.backend.pointers import Called, Pointers
from xenbind.backend.python_types import PYTHON_TYPES, TYPE_NAMES, Types
from xenbind.ir import extent
from xenbind.ir.c_types import CType, Enumeration, RecordRef, Scalar
from xenbind.ir.interface import Field, Handle, Interface, Record
from xenbind.plain import Struct

# Where a version's module finds what is not in C.
ALIGNED = ".runtime.aligned"
RECORDS = ".runtime.records"
TARGETS = ".runtime.targets"
# Names that a version's module may import; no constant or class may take them.
_IMPORTABLE = TYPE_NAMES.union(
    [
        "At",
        "ZERO",
        "AlignedStructure",
        "AlignedUnion",
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


class TreePlace(Struct, frozen=True):
    """Where the module of one header of a tree stands.

    `macros` is what it imports the package's `macros` from.  `borrowed` tells of the keys of types
    that other headers' modules have, which module that is, as an import names it, and the name
    there.  `only` are the targets that it is for, all if it is empty.
    """

    macros: str
    borrowed: Mapping[str, tuple[str, str]]
    only: Sequence[str]


class Scope:
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
        self.member_names = {
            record.key: member_names(record) for record in interface.own_records
        }
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
            record.key: self.claim(plain_class_name(record))
            for record in interface.records
        }
        self.handles = {
            handle.key: self.claim(handle.key.partition(" ")[2])
            for handle in interface.handles
        }
        # Claimed as all names are: a group of constants may be called as a handle's typedef is.
        self.handle_aliases = {
            handle.key: [
                self.claim(name)
                for name in handle.names
                if name != self.handles[handle.key]
            ]
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
        self.called = Called(self.types, self.handles, self.groups)
        self.pointers = Pointers(self.types, self.called)

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
        """Take a name for something of C's, which nothing else of the module gets."""
        name = python_name(c_name, self.taken)
        self.taken.add(name)
        return name

    def use(self, module: str, name: str) -> str:
        """Have a name imported, and give what it is called where a member may hide it."""
        if module != "builtins" or name in self.aliases:
            self.imported.add((module, name))
        return self.seen(name)

    def hidden_names(self) -> dict[str, str]:
        """Other names for what annotations are written with and a member is called."""
        written = {*_WRITTEN, *self.classes.values(), *self.scalars.values()}
        members = {
            name for names in self.member_names.values() for name in names.values()
        }
        written.update(self.groups.values(), self.handles.values())
        found = {}
        for name in sorted(written & members):
            found[name] = python_name(f"_{name}", self.taken | members)
            self.taken.add(found[name])
        return found

    def again(self, handle: Handle) -> list[str]:
        """The other name of a handle's class, if a member hides it."""
        name = self.handles[handle.key]
        return [self.aliases[name]] if name in self.aliases else []

    def seen(self, name: str) -> str:
        """How to name something where members' names may hide it: in a class."""
        if name in self.borrowed:
            self.wanted.add(name)
        return self.aliases.get(name, name)

    def enum_of(self, field: Field) -> str:
        """The enum class of what a member holds, empty without one."""
        if field.hint in self.hints and isinstance(field.type, Scalar | Enumeration):
            return self.groups[self.hints[field.hint].key]
        return ""

    def class_of(self, key: str) -> str:
        """Name a record's class outside of any, and import it if it is another header's."""
        name = self.classes[key]
        return self.seen(name) if name in self.borrowed else name

    def is_own_name(self, name: str, c_type: CType) -> bool:
        """Whether a typedef has the name in C of the record that it names."""
        if not isinstance(c_type, RecordRef):
            return False
        return plain_class_name(self.records[c_type.key]) == name


def type_names(interface: Interface) -> dict[str, str]:
    """Give the names of an interface's types and enums, by key."""
    scope = Scope(interface)
    aliases = {
        each.name: scope.claim(each.name)
        for each in interface.typedefs
        if not scope.is_own_name(each.name, each.type)
    }
    named = {
        each.name: scope.classes[each.type.key]
        for each in interface.typedefs
        if isinstance(each.type, RecordRef) and each.name not in aliases
    }
    return {**scope.scalars, **aliases, **named, **scope.groups, **scope.classes}


def class_names(interface: Interface) -> dict[str, str]:
    """Give the names of an interface's classes, by their records' keys."""
    return Scope(interface).classes


def member_names(record: Record) -> dict[str, str]:
    """The members' names in Python, by their names in C."""
    names: dict[str, str] = {}
    taken = set(RECORD_ATTRIBUTES)
    for field in record.fields:
        names[field.name] = python_name(field.name, taken)
        taken.add(names[field.name])
    return names


def plain_class_name(record: Record) -> str:
    """The tag; for an anonymous record the path to it, `vm_event_st_u`."""
    return record.key.removeprefix(f"{record.kind} ").split(" ")[-1].replace(".", "_")
