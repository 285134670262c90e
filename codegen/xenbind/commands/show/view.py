"""What `xenbind show` shows: a version at a glance, one layout, or a group of constants.

Takes an `Interface` and a name as a user writes it; gives a view, plain data with the
holes and padding worked out, for `showtext` to draw and `to_json` to hand to programs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xenbind.commands.show.parts import Part, parts, record_key
from xenbind.errors import XenbindError
from xenbind.ir.interface import Constant, ConstantGroup, Field, Interface, Record


@dataclass(frozen=True, slots=True)
class RecordView:
    """A struct or union: `name` as C writes it, and what its bytes are used for."""

    interface: Interface
    record: Record
    name: str
    typedefs: tuple[str, ...]
    doc: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of constants with their values."""

    interface: Interface
    group: ConstantGroup


@dataclass(frozen=True, slots=True)
class Overview:
    """All of a version: its records without their members, groups, and other constants."""

    interface: Interface
    records: tuple[RecordView, ...]
    groups: tuple[ConstantGroup, ...]
    constants: tuple[Constant, ...]


View = RecordView | GroupView | Overview


def show(interface: Interface, type: str | None = None, expand: bool = False) -> View:
    """The view of what `type` names, or of the whole version for None.

    A name is a tag (with or without `struct`), a typedef, a path to a member that is a
    record or holds constants (`vm_event_st.u`), or a group of constants, by its Python
    name, its prefix or one of its constants.  With `expand`, nested records are laid out
    in place.  Raises `XenbindError` with the nearest names for one that is not there.
    """
    if type is None:
        return _overview(interface)
    wanted = re.sub(r"^(struct|union)\s+", "", type.strip()).removesuffix("*")
    found = _names(interface).get(wanted) or _walk(interface, wanted)
    if isinstance(found, Record):
        return _record_view(interface, found, expand)
    if isinstance(found, ConstantGroup):
        return GroupView(interface, found)
    raise _unknown(interface, type)


def to_json(view: View) -> dict[str, Any]:
    """A view as JSON has it; texts are whole, and sizes and offsets in bytes."""
    interface = view.interface
    head = {
        "interface": interface.name,
        "version": interface.version,
        "header": interface.header,
        "abi": interface.abi,
    }
    match view:
        case RecordView():
            return {
                **head,
                **_record_json(view),
                "parts": [_part_json(part) for part in view.parts],
            }
        case GroupView(group=group):
            constants = [_constant_json(constant) for constant in group.members]
            return {**head, **_group_json(group), "constants": constants}
        case Overview():
            return {
                **head,
                "records": [_record_json(record) for record in view.records],
                "groups": [_group_json(group) for group in view.groups],
                "constants": [_constant_json(constant) for constant in view.constants],
            }


# --- finding what a name means -------------------------------------------------------


def _names(interface: Interface) -> dict[str, Record | ConstantGroup]:
    """Everything that can be shown by each of its names, the best name of each first."""
    names: dict[str, Record | ConstantGroup] = {}
    records = {record.key: record for record in interface.records}
    for record in interface.records:
        names.setdefault(_path(record), record)
    for typedef in (*interface.typedefs, *interface.scalar_typedefs):
        record_named = records.get(record_key(typedef.type))
        if record_named:
            names.setdefault(typedef.name, record_named)
    for group in interface.groups:
        constants = (constant.name for constant in group.members)
        for name in (group.name, group.prefix, group.prefix.rstrip("_"), *constants):
            names.setdefault(name, group)
    for constant in interface.constants:
        names.setdefault(constant.name, _alone(constant))
    return names


def _alone(constant: Constant) -> ConstantGroup:
    """A constant that belongs to no group, as a group of one."""
    name, doc = constant.name, constant.doc
    return ConstantGroup(name, name, False, (constant,), doc, constant.coord)


def _walk(interface: Interface, path: str) -> Record | ConstantGroup | None:
    """What a path of member names leads to: a record, or the constants of a number."""
    names = _names(interface)
    start, *members = path.split(".")
    found = names.get(start)
    for name in members:
        if not isinstance(found, Record):
            return None
        field = next((field for field in found.fields if field.name == name), None)
        found = names.get(_target(interface, field)) if field else None
    return found


def _target(interface: Interface, field: Field) -> str:
    """The name of what a member is, or of the group that its comment names."""
    key = record_key(field.type)
    records = (record for record in interface.records if record.key == key)
    return next((_path(record) for record in records), field.hint or "")


def _unknown(interface: Interface, type: str) -> XenbindError:
    version = f"{interface.name} version {interface.version}"
    near = _near(_names(interface), type.lower())
    return XenbindError(
        f"{version} has no struct, union or constant '{type}'",
        (
            f"did you mean {' or '.join(near)}?"
            if near
            else "leave the name out to see all that there are"
        ),
    )


def _near(names: Mapping[str, Record | ConstantGroup], wanted: str) -> list[str]:
    """The names most like one in small letters, one for each thing, at most three."""
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted, lower, n=len(lower))
    close = close or [name for name in lower if wanted in name]
    best: dict[Record | ConstantGroup, str] = {}
    for name in close:
        best.setdefault(names[lower[name]], lower[name])
    return list(best.values())[:3]


# --- views ---------------------------------------------------------------------------


def _overview(interface: Interface) -> Overview:
    grouped = {
        constant.name for group in interface.groups for constant in group.members
    }
    return Overview(
        interface,
        tuple(
            _record_view(interface, record, False) for record in _in_order(interface)
        ),
        interface.groups,
        tuple(
            constant for constant in interface.constants if constant.name not in grouped
        ),
    )


def _in_order(interface: Interface) -> Iterator[Record]:
    """Records as declared, but each anonymous one after the record that it is part of."""
    for record in interface.records:
        if "." not in record.key:
            yield record
            inside = [
                other
                for other in interface.records
                if other.key.startswith(f"{record.key}.")
            ]
            yield from sorted(
                inside, key=lambda other: (other.coord, other.key.count("."))
            )


def _record_view(interface: Interface, record: Record, expand: bool) -> RecordView:
    return RecordView(
        interface,
        record,
        f"{record.kind} {_path(record)}",
        tuple(
            typedef.name
            for typedef in interface.typedefs
            if record_key(typedef.type) == record.key
        ),
        record.doc or _member_doc(interface, record),
        parts(interface, record, expand),
    )


def _path(record: Record) -> str:
    """A record's key without `struct` or `union`: its tag, or the path to it."""
    return record.key.rpartition(" ")[2]


def _member_doc(interface: Interface, record: Record) -> str:
    """What is said of an anonymous record: the comment on the member that has its type."""
    fields: Iterator[Field] = (
        field
        for outer in interface.records
        for field in outer.fields
        if record.tag is None and record_key(field.type) == record.key
    )
    return next((field.doc for field in fields), "")


# --- JSON ----------------------------------------------------------------------------


def _record_json(view: RecordView) -> dict[str, Any]:
    record = view.record
    return {
        "name": view.name,
        "kind": record.kind,
        "size": record.size,
        "alignment": record.alignment,
        "members": len(record.fields),
        "typedefs": list(view.typedefs),
        "doc": view.doc,
        "file": record.coord.file,
        "line": record.coord.line,
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind.value,
        "name": part.name,
        "type": part.type,
        "offset": part.offset,
        "size": part.size,
        "bits": list(part.bits) if part.bits else None,
        "doc": part.doc,
        "parts": [_part_json(inner) for inner in part.parts],
    }


def _group_json(group: ConstantGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "prefix": group.prefix,
        "kind": "flags" if group.is_flag else "values",
        "members": len(group.members),
        "doc": group.doc,
        "file": group.coord.file,
        "line": group.coord.line,
    }


def _constant_json(constant: Constant) -> dict[str, Any]:
    return {
        "name": constant.name,
        "value": constant.value,
        "body": constant.body,
        "doc": constant.doc,
        "line": constant.coord.line,
    }
