"""Find what a name that a user writes stands for: a record, a function, or constants.

Takes an `Interface` and a name; gives the `Record`, `Function` or `ConstantGroup`, or an error
with the names that are near.  `view` shows it.  `completion` asks here which names there are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from xenbind.errors import XenbindError
from xenbind.ir.interface import (
    Constant,
    ConstantGroup,
    Field,
    Function,
    Interface,
    Record,
)
from xenbind.ir.parts import record_key

# What a name can stand for.
Shown = Record | ConstantGroup | Function


def find(interface: Interface, name: str) -> Shown:
    """Give what a name stands for.

    A name is a tag (with or without `struct`, by which it is none of a typedef), a typedef, a
    path to a member that is a record or holds constants (`vm_event_st.u`), a function, or a
    group of constants, by its Python name, its prefix or one of its constants.  Raises
    `XenbindError` with the nearest names or paths for one that is not there.
    """
    key = " ".join(name.split())
    wanted = re.sub(r"^(struct|union) ", "", key).removesuffix("*")
    found = (
        interface.records_by_key.get(key)
        or _by_name(interface).get(wanted)
        or _walk(interface, wanted)
    )
    if found is None:
        raise _unknown(interface, name, wanted)
    return found


def beginning(interface: Interface, word: str) -> list[str]:
    """Give the names that begin with a word; of one with dots, the paths one member further.

    A group's are its Python name and its constants.
    """
    path, dot, _ = word.rpartition(".")
    if dot:
        inside = _inside(interface, _walk(interface, path))
        names = [f"{path}.{member}" for member in inside]
    else:
        names = [name for name in _by_name(interface) if name.isidentifier()]
        names = [name for name in names if not name.endswith("_")]
    return [name for name in names if name.startswith(word)]


def _by_name(interface: Interface) -> dict[str, Shown]:
    """Give everything that can be shown by each of its names, the best name of each first."""
    names: dict[str, Shown] = {}
    records = interface.records_by_key
    for record in interface.records:
        names.setdefault(record.path, record)
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
    for function in interface.functions:
        names.setdefault(function.name, function)
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


def _walk(interface: Interface, path: str) -> Shown | None:
    """Follow a path of member names to a record, or to the constants of a number."""
    start, *members = path.split(".")
    found = _by_name(interface).get(start)
    for name in members:
        found = _inside(interface, found).get(name)
    return found


def _inside(interface: Interface, found: Shown | None) -> dict[str, Shown]:
    """Give what the members of a record are, or the groups that their comments name."""
    if not isinstance(found, Record):
        return {}
    names = _by_name(interface)
    targets = {field.name: _target(interface, field) for field in found.fields}
    return {
        member: names[target] for member, target in targets.items() if target in names
    }


def _target(interface: Interface, field: Field) -> str:
    """Give the name of what a member is, or of the group that its comment names."""
    record = interface.records_by_key.get(record_key(field.type))
    return record.path if record else field.hint or ""


def _kinds(interface: Interface) -> str:
    return f"struct, union{', function' if interface.functions else ''} or constant"


def _unknown(interface: Interface, name: str, wanted: str) -> XenbindError:
    version = f"{interface.name} {interface.title}"
    near = _near_paths(interface, wanted)
    return XenbindError(
        f"{version} has no {_kinds(interface)} '{name}'",
        (
            f"did you mean {' or '.join(near)}?"
            if near
            else "leave the name out to see all that there are"
        ),
    )


def _near_paths(interface: Interface, wanted: str) -> list[str]:
    """Give the whole paths most like one, at most three; each can be typed as it is.

    Where no member is like the wanted one, the path ends with the record that has none.
    """
    start, *members = wanted.split(".")
    names = _by_name(interface)
    paths = {name: names[name] for name in _near(names, start)}
    for member in members:
        longer = {}
        for path, found in paths.items():
            inside = _inside(interface, found)
            for name in _near(inside, member):
                longer[f"{path}.{name}"] = inside[name]
        if not longer:
            break
        paths = longer
    return list(paths)[:3]


def _near(names: Mapping[str, Shown], wanted: str) -> list[str]:
    """Give the names most like one, one for each thing, at most three; itself if it is there."""
    if wanted in names:
        return [wanted]
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(wanted.lower(), lower, n=max(1, len(lower)))
    close = close or [name for name in lower if wanted.lower() in name]
    best: dict[Shown, str] = {}
    for name in close:
        best.setdefault(names[lower[name]], lower[name])
    return list(best.values())[:3]
