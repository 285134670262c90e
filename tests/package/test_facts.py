"""The generated modules against independent facts: nothing missing, nothing invented.

tests/data/facts holds what gcc says of the original headers, one file for each interface, with
all the releases that have it.  The modules are read by introspection of their ctypes classes,
not through xenbind's IR.
"""

from __future__ import annotations

import ctypes
import re
from types import ModuleType
from typing import Any

import pytest
from support import known_facts, series
from xen_vm_event import VERSIONS, interface, interface_for_xen

Facts = dict[str, Any]

INTERFACES = known_facts()
each = pytest.mark.parametrize(
    "facts", INTERFACES, ids=[facts["releases"][0] for facts in INTERFACES]
)


def module(facts: Facts) -> ModuleType:
    return interface_for_xen(facts["releases"][0])


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


def test_every_release_has_the_module_of_its_facts() -> None:
    known = [release for facts in INTERFACES for release in facts["releases"]]
    assert sum(series(release) < (4, 23) for release in known) == 99
    for facts in INTERFACES:
        modules = {interface_for_xen(release) for release in facts["releases"]}
        assert modules == {module(facts)}
    assert len({module(facts) for facts in INTERFACES}) == len(INTERFACES)


def test_a_version_number_is_its_newest_interface() -> None:
    newest = {facts["interface_version"]: module(facts) for facts in INTERFACES}
    assert {number: interface(number) for number in VERSIONS} == newest


def places(members: list[dict[str, Any]], base: int = 0) -> dict[str, tuple[int, ...]]:
    """Where members are and how wide, in bits, by their path; of arrays where they begin."""
    found: dict[str, tuple[int, ...]] = {}
    for member in members:
        name, offset = member["name"], base + member["offset"]
        width = member.get("bit_size", 8 * member["size"])
        first = 8 * offset + member.get("bit_offset", 0)
        is_array = "[" in member["type"]
        found[name] = (first,) if is_array else (first, width)
        inner = places(member.get("members", []), offset)
        found |= {f"{name}.{path}": place for path, place in inner.items()}
    return found


def test_a_version_number_reads_what_all_its_releases_write_but_for_what_it_says() -> (
    None
):
    newest = {facts["interface_version"]: facts for facts in INTERFACES}
    unlike = set()
    for facts in INTERFACES:
        for name, fact in facts["types"].items():
            other = newest[facts["interface_version"]]["types"][name]
            now = places(other["fields"])
            for path, place in places(fact["fields"]).items():
                if now.get(path) != place and not path.rpartition(".")[2].startswith(
                    "_"
                ):
                    release = ".".join(facts["releases"][0].split(".")[:2])
                    unlike.add(f"`{name.split()[1]}.{path}` of Xen {release}")
    told = re.findall(
        r"`[\w.]+` of Xen \d+\.\d+", " ".join(str(interface.__doc__).split())
    )
    assert set(told) == unlike == {"`vm_event_regs_arm.cpsr` of Xen 4.15"}


@each
def test_constants(facts: Facts) -> None:
    constants = {
        name: value
        for name, value in vars(module(facts)).items()
        if type(value) is int and name.isupper()
    }
    assert constants == facts["constants"]


@each
def test_structs_and_unions(facts: Facts) -> None:
    found = classes(module(facts))
    assert list(found) == list(facts["types"])
    for name, fact in facts["types"].items():
        assert ctypes.sizeof(found[name]) == fact["size"], name
        assert described(found[name]) == without_types(fact["fields"]), name


@each
def test_typedefs(facts: Facts) -> None:
    found = classes(module(facts))
    typedefs = facts["typedefs"]
    assert {name: getattr(module(facts), name) for name in typedefs} == {
        name: found[target] for name, target in typedefs.items()
    }
    aliases = {
        name
        for name, cls in vars(module(facts)).items()
        if cls in found.values() and cls.__name__ != name
    }
    assert aliases == set(typedefs)


@each
def test_a_page_holds_eight_entries(facts: Facts) -> None:
    start: int = module(facts).vm_event_sring.ring.offset
    fit = (4096 - start) // ctypes.sizeof(module(facts).vm_event_sring_entry)
    assert 1 << (fit.bit_length() - 1) == facts["ring_entries_in_4096"] == 8
