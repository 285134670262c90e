"""Find names of a spec's [names] that something else of a module has, too.

Takes a spec and the `Interface` of one of its versions; gives an error for each.  A name that C
has is made another where it is taken; one that a user chose is to be as chosen.

    [names]
    KIND_ = "pair"    ->  pair is the name of struct pair, too
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.backend.scope import plain_class_name
from xenbind.errors import SourceError
from xenbind.ir.c_types import Enumeration
from xenbind.ir.interface import ConstantGroup, Interface
from xenbind.spec import Spec


def clashes(spec: Spec, interface: Interface) -> Iterator[SourceError]:
    """Give an error for each name in [names] that is not free in a version's module."""
    if not spec.names:
        return
    others = dict(_named(interface))
    seen: dict[str, ConstantGroup] = {}
    for group in interface.groups:
        key = next((k for k in (group.key, group.prefix) if k in spec.names), None)
        if key is None or spec.names[key] != group.name:
            continue
        other = others.get(group.name)
        if group.name in seen:
            other = f"the group {seen[group.name].spelling}"
        seen.setdefault(group.name, group)
        if other is not None:
            yield SourceError(
                spec.places.of("names", key),
                f"{group.name} is the name of {other}, too",
                f"choose another for {group.spelling}",
            )


def _named(interface: Interface) -> Iterator[tuple[str, str]]:
    """Give the names that a module has of C's, each with what it is."""
    for constant in interface.constants:
        yield constant.name, f"the constant {constant.name}"
    for typedef in (*interface.typedefs, *interface.scalar_typedefs):
        if not isinstance(typedef.type, Enumeration):
            yield typedef.name, f"the typedef {typedef.name}"
    for handle in interface.handles:
        for name in (handle.key.partition(" ")[2], *handle.names):
            yield name, handle.key
    for record in interface.records:
        yield plain_class_name(record), record.key
    for function in interface.functions:
        yield function.name, f"the function {function.name}"
