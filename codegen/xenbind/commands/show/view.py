"""What `xenbind show` shows: a version at a glance, a layout, constants or a function.

Takes an `Interface` and a name as a user writes it, which `find` looks up; gives a view,
plain data with the holes and padding worked out by `parts`.  `text` draws it, `as_json`
hands it to programs.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.commands.show.find import find
from xenbind.ir.c_types import as_spelled, declaration
from xenbind.ir.interface import (
    Constant,
    ConstantGroup,
    Function,
    Interface,
    Record,
)
from xenbind.ir.parts import Part, parts, record_doc, record_key
from xenbind.plain import Struct


class RecordView(Struct, frozen=True):
    """A struct or union: `name` as C writes it, and what its bytes are used for."""

    interface: Interface
    record: Record
    name: str
    typedefs: tuple[str, ...]
    doc: str
    parts: tuple[Part, ...]


class GroupView(Struct, frozen=True):
    """A group of constants with their values; `asked` names the one that was asked for."""

    interface: Interface
    group: ConstantGroup
    asked: str | None = None


class FunctionView(Struct, frozen=True):
    """A function of the interface's library, with its prototype as C writes it."""

    interface: Interface
    function: Function

    @property
    def prototype(self) -> str:
        return declaration(self.function.type, self.function.name, as_spelled)


class Overview(Struct, frozen=True):
    """All of a version: its records without members, groups, other constants, functions."""

    interface: Interface
    records: tuple[RecordView, ...]
    groups: tuple[ConstantGroup, ...]
    constants: tuple[Constant, ...]
    functions: tuple[FunctionView, ...]


View = RecordView | GroupView | FunctionView | Overview


def show(interface: Interface, name: str | None = None, expand: bool = False) -> View:
    """Give the view of what `name` names, or of the whole version for None.

    With `expand`, nested records are laid out in place.  Raises `XenbindError` as `find`
    does for a name that is not there.
    """
    if name is None:
        return _overview(interface)
    found = find(interface, name)
    if isinstance(found, Record):
        return _record_view(interface, found, expand)
    if isinstance(found, Function):
        return FunctionView(interface, found)
    return GroupView(interface, found, _asked(found, name))


def _asked(group: ConstantGroup, name: str) -> str | None:
    """Tell which of several constants a group was named by, None for the group's own names."""
    names = [constant.name for constant in group.members]
    return name.strip() if len(names) > 1 and name.strip() in names else None


def _overview(interface: Interface) -> Overview:
    grouped = {
        constant.name for group in interface.groups for constant in group.members
    }
    return Overview(
        interface=interface,
        records=tuple(
            _record_view(interface, record, False) for record in _in_order(interface)
        ),
        groups=interface.groups,
        constants=tuple(
            constant for constant in interface.constants if constant.name not in grouped
        ),
        functions=tuple(
            FunctionView(interface, function) for function in interface.functions
        ),
    )


def _in_order(interface: Interface) -> Iterator[Record]:
    """Give records as declared, but each anonymous one after the record that it is part of."""
    inside: dict[str, list[Record]] = {}
    for record in interface.records:
        if record.is_anonymous:
            inside.setdefault(record.key.partition(".")[0], []).append(record)
    for record in interface.records:
        if not record.is_anonymous:
            yield record
            yield from sorted(
                inside.get(record.key, ()),
                key=lambda other: (other.coord, other.key.count(".")),
            )


def _record_view(interface: Interface, record: Record, expand: bool) -> RecordView:
    return RecordView(
        interface=interface,
        record=record,
        name=f"{record.kind} {record.path}",
        typedefs=tuple(
            typedef.name
            for typedef in interface.typedefs
            if record_key(typedef.type) == record.key
        ),
        doc=record_doc(interface, record),
        parts=parts(interface, record, expand),
    )
