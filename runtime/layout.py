"""Tell what the generated classes are, from the classes themselves.

`members` walks a record, and `place` finds a member; `facts` lists everything that a
version can be held to.
`python -m PACKAGE.runtime.layout VERSION` prints those as JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
from collections.abc import Iterator
from enum import EnumType
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

from . import annotations as _annotations
from .annotations import Member, annotated_type, is_array, is_pointer
from .places import Place, declaring, place_of
from .records import Structure, Union, declared

# pyright: reportPrivateUsage=false


def members(
    record: type[Structure | Union], base: int = 0, path: str = ""
) -> Iterator[Place]:
    """Give every member of a record in the order of declaration, outer before inner ones.

    Inner ones are those of anonymous records; one that has a name has its own. An array of
    anonymous records is entered at its first element (`entries[0].id`).
    """
    for member in declared(record):
        found = place_of(record, member, base, path)
        yield found
        element, index = _element(member.type)
        if member.bits is None and is_record(element) and element._c_name_ is None:
            yield from members(element, found.offset, f"{found.path}{index}.")


def place(record: type[Structure | Union], path: str) -> Place | None:
    """Find the member at a path, at any depth (`data.regs.x86.rip`); None where none is.

    A path leads through an array only if that is of anonymous records, and at its first
    element.
    """
    *way, last = path.split(".")
    record = declaring(record)
    base, before = 0, ""
    for step in way:
        name = step.partition("[")[0]
        member = _by_c_name(record).get(name)
        if member is None or member.bits is not None:
            return None
        element, index = _element(member.type)
        if step != name + index or not is_record(element):
            return None
        if index and element._c_name_ is not None:
            return None
        base += vars(record)[member.name].offset
        record, before = element, f"{before}{step}."
    found = _by_c_name(record).get(last)
    return None if found is None else place_of(record, found, base, before)


@cache
def _by_c_name(record: type[Structure | Union]) -> dict[str, Member]:
    return {member.c_name: member for member in declared(record)}


def facts(module: ModuleType) -> dict[str, int | str]:
    """List what a version's module says of its records, constants, enums and rings.

    The keys read `struct vm_event_st.u offset`; constants `VM_EVENT_FLAG_DENY value`; what
    C knows nothing of begins with `class`.
    """
    found: dict[str, int | str] = {}
    c_names: dict[str, str] = getattr(module, "C_NAMES", {})
    values = dict(vars(module))
    constants = module.__annotations__  # not what the module imports
    numbers = {value for value in values.values() if type(value) is int}
    # The constants of an enum that another module has are there.
    enums: list[Any] = [item for item in values.values() if isinstance(item, EnumType)]
    numbers |= {int(member) for enum in enums for member in enum.__members__.values()}
    for name, value in values.items():
        c_name = c_names.get(name, name)
        if type(value) is int and name in constants:
            found.update(_number_facts(c_name, value))
        elif type(value) is float:
            found[f"{c_name} value"] = value.hex()
        elif type(value) is str and name in constants:
            found[f"{c_name} value"] = value
        elif isinstance(value, type) and _is_own(value, name, module):
            found.update(_class_facts(value, numbers))
        elif is_record(value):
            found.update(_type_facts(f"class {name}", value))
        elif annotated_type(value) and not _is_imported(value, name):
            found.update(_type_facts(f"class {name}", annotated_type(value)))
    of_functions: Any = getattr(values.get("library"), "facts", None)
    if of_functions is not None:
        found.update(of_functions(module))
    return found


def _is_own(item: type, name: str, module: ModuleType) -> bool:
    """Tell whether a class is the module's own, and this its first name."""
    return item.__module__ == module.__name__ and item.__name__ == name


def _is_imported(item: object, name: str) -> bool:
    """Tell whether a type is no typedef: `uint32_t`, which may be imported as `_uint32_t`."""
    return vars(_annotations).get(name.strip("_")) is item


def _class_facts(item: Any, numbers: set[int]) -> Iterator[tuple[str, int | str]]:
    name = f"class {item.__name__}"
    if is_record(item):
        if item._c_name_ is not None:
            yield from _record_facts(item, item._c_name_)
        for member in item._members_:
            if member.values is not None:
                yield f"{name}.{member.name} values", member.values.__name__
        payload = getattr(item, "payload", None)
        if isinstance(payload, property):
            yield from _payload_facts(f"{name}.payload", payload, numbers)
    elif isinstance(item, EnumType):
        yield f"{name} base", item.__mro__[1].__name__
        values: Any = item.__members__
        for member, value in values.items():
            yield from _number_facts(f"{name}.{member}", int(value))
    elif hasattr(item, "entry"):
        yield from _ring_facts(name, item)
    else:
        for does in ("takes", "puts"):
            if does in vars(item):
                yield from _event_facts(f"{name} {does}", vars(item)[does])
        for does in ("reads", "writes"):
            if does in vars(item):
                yield from _place_facts(f"{name} {does}", vars(item)[does])


def _number_facts(subject: str, value: int) -> Iterator[tuple[str, int]]:
    yield f"{subject} value", value & 0xFFFF_FFFF_FFFF_FFFF
    yield f"{subject} negative", int(value < 0)


def is_record(item: Any) -> bool:
    """Tell whether something is a struct or union class of a version's module."""
    return (
        isinstance(item, type)
        and issubclass(item, Structure | Union)
        and "_c_name_" in vars(item)
    )


def _record_facts(
    record: type[Structure | Union], name: str
) -> Iterator[tuple[str, int | str]]:
    yield f"{name} size", ctypes.sizeof(record)
    yield f"{name} alignment", alignment(record)
    for place in members(record):
        subject = f"{name}.{place.path}"
        if place.bit_offset is not None and place.bit_width is not None:
            yield f"{subject} bit_offset", place.bit_offset
            yield f"{subject} bit_width", place.bit_width
        else:
            yield f"{subject} offset", place.offset
            yield f"{subject} size", place.size
        yield from _type_facts(subject, place.member.read_type)
        element, _ = _element(place.member.type)
        if is_record(element) and element._c_name_ is None:
            yield f"{subject} alignment", alignment(element)


def _type_facts(subject: str, ctype: Any) -> Iterator[tuple[str, int | str]]:
    """Tell the kind of a type, the lengths of its arrays, and what a pointer leads to.

    That is a record that has a name in C, or the size of a number.
    """
    index = ""
    while is_array(ctype):
        yield f"{subject}{index} length", ctype._length_
        ctype, index = ctype._type_, f"{index}[0]"
    yield f"{subject} kind", _kind(ctype)
    if is_pointer(ctype):
        target = ctype._type_
        if not is_record(target):
            if not is_array(target):
                yield f"{subject} target", ctypes.sizeof(target)
        elif target._c_name_ is not None:
            yield f"{subject} target", target._c_name_


# What ctypes' codes of simple types stand for.
_KINDS = {
    "c": "char",
    "?": "bool",
    **dict.fromkeys("PzZ", "pointer"),
    **dict.fromkeys("bhilq", "signed"),
    **dict.fromkeys("BHILQ", "unsigned"),
    **dict.fromkeys("fdg", "float"),
}


def _kind(ctype: Any) -> str:
    if is_record(ctype):
        kind = "union" if issubclass(ctype, Union) else "struct"
        return ctype._c_name_ or kind
    return "pointer" if is_pointer(ctype) else _KINDS[ctype._type_]


def _payload_facts(
    name: str, payload: Any, numbers: set[int]
) -> Iterator[tuple[str, str]]:
    """Tell the member that each number selects if the tag is that, as one reads it."""
    for number in numbers:
        way = _Way(number)
        if payload.fget(way) is not None:
            tag, *path = way.names
            yield f"{name} tag", tag
            yield f"{name}[{number}] member", ".".join(path)


class _Way:
    """Stands for a record whose tag is a number, and notes what is read of it."""

    def __init__(self, tag: int) -> None:
        self.tag = tag
        self.names: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.names.append(name)
        return self.tag if len(self.names) == 1 else self


def _ring_facts(name: str, half: Any) -> Iterator[tuple[str, int | str]]:
    """Set up half a ring, and tell what is where in its page."""
    page = bytearray(4096 + 4 * ctypes.sizeof(half.entry))
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    # Nobody is at the other side, and not every machine has barriers.
    barriers = SimpleNamespace(xen_mb=int, xen_rmb=int, xen_wmb=int)
    ring = half(page, start=0, barriers=barriers)
    first: Any = ring.get_request(0)
    second: Any = ring.get_request(1)
    response: Any = ring.get_response(0)
    entry: Any = ring.sring.ring[0]
    yield f"{name} entry", entry._c_name_
    yield f"{name} first_entry", ctypes.addressof(first) - start
    yield f"{name} entry_size", ctypes.addressof(second) - ctypes.addressof(first)
    yield f"{name} request", first._c_name_
    yield f"{name} response", response._c_name_
    if hasattr(half, "kept_flags"):  # the half that answers
        yield f"{name} flags_member", half.flags_member
        yield f"{name} version_member", half.version_member or "none"
        yield f"{name} kept_flags", half.kept_flags & 0xFFFF_FFFF_FFFF_FFFF


def _event_facts(name: str, ring: Any) -> Iterator[tuple[str, int | str]]:
    """Tell where a ring of events has these, and which one an index stands for.

    An index of 2^32 - 1 tells by what it is divided.
    """
    yield f"{name} event", ring.event._c_name_
    yield f"{name} first", ring.place(0)
    yield f"{name} last", ring.place(ring.length - 1)
    yield f"{name} at_wrap_around", ring.place(0xFFFF_FFFF)
    yield f"{name} consumer", ring.consumer
    yield f"{name} producer", ring.producer


def _place_facts(name: str, place: Any) -> Iterator[tuple[str, int]]:
    """Tell where a ring of bytes is in its page, and where an index of 2^32 - 1 leads.

    Of one whose size the page tells, where it does.
    """
    if hasattr(place, "order"):
        yield f"{name} order", place.order
        yield f"{name} order_bytes", place.order_size
    else:
        yield f"{name} first", place.place(0)
        yield f"{name} bytes", place.size
        yield f"{name} at_wrap_around", place.place(0xFFFF_FFFF)
    yield f"{name} consumer", place.consumer
    yield f"{name} producer", place.producer


def alignment(record: type[Structure | Union]) -> int:
    """Give a record's alignment in C, which may be more than ctypes can give it."""
    extent = vars(record).get("_extent_")
    return extent[1] if extent else ctypes.alignment(record)


def _element(ctype: Any) -> tuple[Any, str]:
    """Give the type inside an array of one or more elements, and the path to its first one."""
    index = ""
    while is_array(ctype) and ctype._length_ > 0:
        ctype, index = ctype._type_, f"{index}[0]"
    return ctype, index


def _main() -> None:
    module = importlib.import_module(f"..v{sys.argv[1]}", __package__)
    json.dump(facts(module), sys.stdout, indent=1)


if __name__ == "__main__":
    _main()
