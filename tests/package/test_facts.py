"""The generated modules against independent facts: nothing missing, nothing invented.

tests/data/facts holds what gcc says of each interface version's original header.  The
modules are read by introspection of their ctypes classes, not through xenbind's IR.
"""

from __future__ import annotations

import ctypes
import json
from types import ModuleType
from typing import Any

import pytest
from support import PROJECT
from xen_vm_event import VERSIONS, interface

FACTS = PROJECT / "tests" / "data" / "facts"


def load(version: int) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(
        (FACTS / f"vm_event-v{version}.json").read_text()
    )
    return facts


def classes(module: ModuleType) -> dict[str, Any]:
    """The struct and union classes with a C tag, by C name."""
    return {
        str(cls._c_name_): cls
        for name, cls in vars(module).items()
        if isinstance(cls, type)
        and issubclass(cls, ctypes.Structure | ctypes.Union)
        and cls.__module__ == module.__name__
        and cls.__name__ == name
        and cls._c_name_ is not None
    }


def described(cls: Any) -> list[dict[str, Any]]:
    """A class's members as the facts describe them, from ctypes' own `_fields_`."""
    members = []
    for (name, ctype, *bits), declared in zip(cls._fields_, cls._members_, strict=True):
        assert declared.name == name
        descriptor = vars(cls)[name]
        member = {
            "name": declared.c_name,
            "offset": descriptor.offset,
            "size": ctypes.sizeof(ctype),
        }
        if bits:
            member["bit_size"] = bits[0]
            member["bit_offset"] = descriptor.size & 0xFFFF
        if hasattr(ctype, "_c_name_") and ctype._c_name_ is None:
            member["members"] = described(ctype)
        members.append(member)
    return members


def without_types(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The facts' members without their C types, which Python classes do not keep."""
    kept = []
    for member in members:
        entry = {key: value for key, value in member.items() if key != "type"}
        if "members" in entry:
            entry["members"] = without_types(entry["members"])
        kept.append(entry)
    return kept


def test_there_is_a_module_for_every_version_with_facts() -> None:
    numbers = sorted(
        int(path.stem.removeprefix("vm_event-v")) for path in FACTS.iterdir()
    )
    assert sorted(VERSIONS) == numbers


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_constants(version: int) -> None:
    module = interface(version)
    constants = {
        name: value
        for name, value in vars(module).items()
        if type(value) is int and name.isupper()
    }
    assert constants == load(version)["constants"]


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_structs_and_unions(version: int) -> None:
    found = classes(interface(version))
    facts = load(version)["types"]
    assert list(found) == list(facts)
    for name, fact in facts.items():
        assert ctypes.sizeof(found[name]) == fact["size"], name
        assert described(found[name]) == without_types(fact["fields"]), name


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_typedefs(version: int) -> None:
    module = interface(version)
    found = classes(module)
    typedefs = load(version)["typedefs"]
    assert {name: getattr(module, name) for name in typedefs} == {
        name: found[target] for name, target in typedefs.items()
    }
    aliases = {
        name
        for name, cls in vars(module).items()
        if cls in found.values() and cls.__name__ != name
    }
    assert aliases == set(typedefs)


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_page_holds_eight_entries(version: int) -> None:
    module = interface(version)
    start: int = module.vm_event_sring.ring.offset
    fit = (4096 - start) // ctypes.sizeof(module.vm_event_sring_entry)
    assert 1 << (fit.bit_length() - 1) == load(version)["ring_entries_in_4096"] == 8
