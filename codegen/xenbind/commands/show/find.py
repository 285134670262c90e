"""Find what a name that a user writes stands for: a record, or a group of constants.

Takes an `Interface` and a name; gives the `Record` or `ConstantGroup`, or an error with the
names that are near.  `view` shows it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from xenbind.commands.show.parts import record_key
from xenbind.errors import XenbindError
from xenbind.ir.interface import Constant, ConstantGroup, Field, Interface, Record


def find(interface: Interface, name: str) -> Record | ConstantGroup:
    """Give what a name stands for.

    A name is a tag (with or without `struct`), a typedef, a path to a member that is a
    record or holds constants (`vm_event_st.u`), or a group of constants, by its Python
    name, its prefix or one of its constants.  Raises `XenbindError` with the nearest names
    for one that is not there.
    """
    wanted = re.sub(r"^(struct|union)\s+", "", name.strip()).removesuffix("*")
    found = _by_name(interface).get(wanted) or _walk(interface, wanted)
    if found is None:
        raise _unknown(interface, name)
    return found


def path_of(record: Record) -> str:
    """Give a record's key without `struct` or `union`: its tag, or the path to it."""
    return record.key.rpartition(" ")[2]


def _by_name(interface: Interface) -> dict[str, Record | ConstantGroup]:
    """Give everything that can be shown by each of its names, the best name of each first."""
    names: dict[str, Record | ConstantGroup] = {}
    records = interface.records_by_key
    for record in interface.records:
        names.setdefault(path_of(record), record)
    for typedef in (*interface.typedefs, *interface.scalar_typedefs):
        record_named = records.get(record_key(typedef.type))
        if record_named:
            names.setdefault(typedef.name, record_named)
    for group in interface.groups:
        constants = (constant.name for constant in group.members)
        prefix = group.prefix
        for name in (group.name, group.key, prefix, prefix.rstrip("_"), *constants):
            names.setdefault(name, group)
    for constant in interface.constants:
        names.setdefault(constant.name, _alone(constant))
    return names


def _alone(constant: Constant) -> ConstantGroup:
    """Make a group of a constant that belongs to none."""
    return ConstantGroup(
        name=constant.name,
        key=constant.name,
        prefix=constant.name,
        is_flag=False,
        members=(constant,),
        doc=constant.doc,
        coord=constant.coord,
    )


def _walk(interface: Interface, path: str) -> Record | ConstantGroup | None:
    """Follow a path of member names to a record, or to the constants of a number."""
    names = _by_name(interface)
    start, *members = path.split(".")
    found = names.get(start)
    for name in members:
        if not isinstance(found, Record):
            return None
        field = next((field for field in found.fields if field.name == name), None)
        found = names.get(_target(interface, field)) if field else None
    return found


def _target(interface: Interface, field: Field) -> str:
    """Give the name of what a member is, or of the group that its comment names."""
    record = interface.records_by_key.get(record_key(field.type))
    return path_of(record) if record else field.hint or ""


def _unknown(interface: Interface, name: str) -> XenbindError:
    version = f"{interface.name} {interface.title}"
    near = _near(_by_name(interface), name.lower())
    return XenbindError(
        f"{version} has no struct, union or constant '{name}'",
        (
            f"did you mean {' or '.join(near)}?"
            if near
            else "leave the name out to see all that there are"
        ),
    )


def _near(names: Mapping[str, Record | ConstantGroup], wanted: str) -> list[str]:
    """Give the names most like one in small letters, one for each thing, at most three."""
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted, lower, n=len(lower))
    close = close or [name for name in lower if wanted in name]
    best: dict[Record | ConstantGroup, str] = {}
    for name in close:
        best.setdefault(names[lower[name]], lower[name])
    return list(best.values())[:3]
