"""Tell where the members of the generated records are, from the classes themselves.

`members` walks a record; `facts` lists everything that compiled C can be asked about a
version.  `python -m PACKAGE.runtime.layout VERSION` prints those as JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from .annotations import Member
from .records import Structure, Union, declared


class Place(NamedTuple):
    """A member at any depth: its C path, and where it is in the outermost record.

    `bit_offset` counts from the record's first bit and is None unless the member is a
    bit-field, as is `bit_width`.
    """

    path: str
    member: Member
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None


def members(
    record: type[Structure | Union], base: int = 0, path: str = ""
) -> Iterator[Place]:
    """Give every member of a record in the order of declaration, outer before inner ones.

    An array of anonymous records is entered at its first element (`entries[0].id`);
    other arrays are one member.
    """
    for member in declared(record):
        field = vars(record)[member.name]
        inner = f"{path}{member.c_name}"
        if member.bits is None:
            offset = base + field.offset
            yield Place(inner, member, offset, ctypes.sizeof(member.type), None, None)
        else:
            position = 8 * (base + field.offset) + (field.size & 0xFFFF)
            unit = ctypes.sizeof(member.type)
            yield Place(inner, member, base + field.offset, unit, position, member.bits)
            continue
        element, index = _element(member.type)
        if is_record(element) and (not index or element._c_name_ is None):
            yield from members(element, offset, f"{inner}{index}.")


def facts(module: ModuleType) -> dict[str, int]:
    """List what a version's module says of sizes, alignments, offsets, bits and values.

    The keys read `struct vm_event_st.u offset`; constants `VM_EVENT_FLAG_DENY value`.
    """
    found: dict[str, int] = {}
    c_names: dict[str, str] = getattr(module, "C_NAMES", {})
    for name, value in vars(module).items():
        if is_record(value) and value.__name__ == name and value._c_name_ is not None:
            found.update(_record_facts(value, value._c_name_))
        elif type(value) is int:
            c_name = c_names.get(name, name)
            found[f"{c_name} value"] = value & 0xFFFF_FFFF_FFFF_FFFF
            found[f"{c_name} negative"] = int(value < 0)
    return found


def is_record(item: Any) -> bool:
    """Tell whether something is a struct or union class of a version's module."""
    return (
        isinstance(item, type)
        and issubclass(item, Structure | Union)
        and "_c_name_" in vars(item)
    )


def _record_facts(
    record: type[Structure | Union], name: str
) -> Iterator[tuple[str, int]]:
    yield f"{name} size", ctypes.sizeof(record)
    yield f"{name} alignment", alignment(record)
    for place in members(record):
        subject = f"{name}.{place.path}"
        if place.bit_offset is not None and place.bit_width is not None:
            yield f"{subject} bit_offset", place.bit_offset
            yield f"{subject} bit_width", place.bit_width
            continue
        yield f"{subject} offset", place.offset
        yield f"{subject} size", place.size
        element, _ = _element(place.member.type)
        if is_record(element) and element._c_name_ is None:
            yield f"{subject} alignment", alignment(element)


def alignment(record: type[Structure | Union]) -> int:
    """Give a record's alignment in C, which may be more than ctypes can give it."""
    extent = vars(record).get("_extent_")
    return extent[1] if extent else ctypes.alignment(record)


def _element(ctype: Any) -> tuple[Any, str]:
    """Give the type inside an array of one or more elements, and the path to its first one."""
    index = ""
    while hasattr(ctype, "_length_") and ctype._length_ > 0:
        ctype, index = ctype._type_, f"{index}[0]"
    return ctype, index


def _main() -> None:
    module = importlib.import_module(f"..v{sys.argv[1]}", __package__)
    json.dump(facts(module), sys.stdout, indent=1)


if __name__ == "__main__":
    _main()
