"""`typing.get_type_hints` works on all that the generated package has."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest
import xen_vm_event
from support import PROJECT
from xen_vm_event import VERSIONS, interface, v7

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(xen_vm_event.__path__, "xen_vm_event.")
] + [xen_vm_event]


def subjects(owner: ModuleType | type[Any], module: str) -> Iterator[tuple[str, Any]]:
    """The classes and functions that are defined in a module, methods included."""
    for name, value in vars(owner).items():
        found = value
        if isinstance(found, classmethod | staticmethod):
            found = found.__func__
        found = getattr(found, "fget", None) or getattr(found, "__wrapped__", found)
        if getattr(found, "__module__", None) != module:
            continue
        if isinstance(found, FunctionType):
            yield f"{owner.__name__}.{name}", found
        elif isinstance(found, type) and found.__name__ == name:
            yield name, found
            yield from subjects(found, module)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_type_hints_are_found_of_every_class_and_function(module: ModuleType) -> None:
    count = 0
    for name, subject in subjects(module, module.__name__):
        for extras in (False, True):
            hints = typing.get_type_hints(subject, include_extras=extras)
            for item, hint in hints.items():
                # None, which stood in for types, would be taken for that of None.
                told = subject.__annotations__.get(item) in (None, "None")
                assert hint is not type(None) or told, (name, item)
        count += 1
    facades = {f"xen_vm_event.{name}" for name in ("runtime", "monitor", "testing")}
    assert count or module.__name__ in facades


def test_a_record_s_hints_are_its_members() -> None:
    hints = typing.get_type_hints(v7.vm_event_st)
    assert list(hints) == [member.name for member in v7.vm_event_st._members_]
    assert hints["version"] is int
    assert hints["flags"] is int
    assert hints["u"] is v7.vm_event_st_u
    assert typing.get_type_hints(v7.vm_event_back_ring)["sring"] is Any
    payload = typing.get_type_hints(v7.vm_event_st.payload.fget)["return"]  # type: ignore[attr-defined]
    selected = {*v7._PAYLOADS.values()}
    assert {*typing.get_args(payload)} == {
        type(None),
        *(m.type for m in v7.vm_event_st_u._members_ if m.name in selected),
    }


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_hints_with_extras_have_what_makes_the_members(version: int) -> None:
    records = [
        record for record in vars(interface(version)).values() if is_record(record)
    ]
    assert records
    for record in records:
        hints = typing.get_type_hints(record, include_extras=True)
        for member in record._members_:
            hint = hints[member.name]
            if typing.get_origin(hint) is not typing.Annotated:
                assert hint is member.type
                continue
            ctype, *notes = hint.__metadata__
            assert ctype is member.type
            expected = [member.bits, member.values, member.at]
            assert [note for note in notes if not isinstance(note, str)] == [
                item for item in expected if item is not None
            ]


def test_importing_a_version_does_not_import_typing() -> None:
    code = "import sys; from xen_vm_event import v7; print({'typing', 'mmap'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=PROJECT / "generated",
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "set()\n"


def is_record(item: Any) -> bool:
    return isinstance(item, type) and hasattr(item, "_members_")
