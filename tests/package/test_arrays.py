"""Many requests at once: what numpy and a projection read is what the classes read."""

from __future__ import annotations

import ctypes
import functools
import random
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xen_vm_event import (
    VERSIONS,
    column,
    columns,
    dtype,
    interface,
    projection,
    records,
    v7,
)
from xen_vm_event.runtime.layout import members
from xen_vm_event.runtime.places import Place
from xen_vm_event.runtime.records import Structure, Union

versions = st.sampled_from(sorted(VERSIONS)).map(interface)
contents = st.integers(0).map(lambda seed: random.Random(seed).randbytes(3 * 400))


def numbers(module: ModuleType, bits: bool) -> list[Place]:
    return [
        place
        for place in members(module.vm_event_st)
        if not issubclass(place.member.type, Structure | Union | ctypes.Array)
        and (bits or place.bit_width is None)
    ]


def read(record: Any, path: str) -> Any:
    """A member by the classes, which have C's names but for `in`."""
    names = [f"{name}_" if name == "in" else name for name in path.split(".")]
    return functools.reduce(getattr, names, record)


def requests(module: ModuleType, content: bytes) -> list[Any]:
    size = ctypes.sizeof(module.vm_event_st)
    return [
        module.vm_event_st.from_buffer_copy(content, start)
        for start in (0, size, 2 * size)
    ]


@given(versions, contents)
def test_a_column_is_what_the_classes_read(module: ModuleType, content: bytes) -> None:
    expected = requests(module, content)
    events = numpy.frombuffer(content, dtype(module.vm_event_st), 3)
    for place in numbers(module, bits=True):
        values = column(events, module.vm_event_st, place.path)
        assert values.tolist() == [read(event, place.path) for event in expected]


@given(versions, contents)
def test_a_dtype_has_the_members_where_they_are(
    module: ModuleType, content: bytes
) -> None:
    expected = requests(module, content)
    events = numpy.frombuffer(content, dtype(module.vm_event_st), 3)
    for place in numbers(module, bits=False):
        values = functools.reduce(
            lambda part, name: part[name], place.path.split("."), events
        )
        assert values.tolist() == [read(event, place.path) for event in expected]


def test_a_column_is_a_view_of_any_part_of_an_array() -> None:
    events = numpy.zeros(4, dtype(v7.vm_event_st))
    column(events[1::2], v7.vm_event_st, "u.mem_access.gfn")[:] = 5
    assert events["u"]["mem_access"]["gfn"].tolist() == [0, 5, 0, 5]


def test_a_column_of_an_array_has_its_elements() -> None:
    events = numpy.zeros(2, dtype(v7.vm_event_st))
    values = column(events, v7.vm_event_st, "data.emul.read.data")
    assert values.shape == (2, ctypes.sizeof(v7.vm_event_emul_read_data().data))


@given(versions, contents)
def test_columns_are_of_all_numbers_or_of_those_named(
    module: ModuleType, content: bytes
) -> None:
    record = module.vm_event_st
    events = numpy.frombuffer(content, dtype(record), 3)
    found = columns(events, record)
    named = [place.path for place in numbers(module, bits=True)]
    assert set(named) <= set(found)
    for event, row in zip(
        requests(module, content), zip(*found.values(), strict=True), strict=True
    ):
        assert list(row) == [read(event, path) for path in found]
    some = columns(events, record, "reason", "data.regs.x86.cr3")
    assert list(some) == ["reason", "data.regs.x86.cr3"]
    assert some["reason"].tolist() == events["reason"].tolist()


@pytest.mark.exhaustive
def test_pandas_makes_a_table_of_columns() -> None:
    pandas = import_module("pandas")
    events = numpy.zeros(2, dtype(v7.vm_event_st))
    column(events, v7.vm_event_st, "data.regs.x86.rip")[:] = 2**64 - 1
    table = pandas.DataFrame(columns(events, v7.vm_event_st))
    assert table["data.regs.x86.rip"].tolist() == [2**64 - 1] * 2
    assert table["data.regs.x86.cs.limit"].tolist() == [0, 0]


def test_a_path_of_no_member_is_told() -> None:
    with pytest.raises(ValueError, match=r"vm_event_st has no member 'u\.gfn'"):
        column(numpy.zeros(1, dtype(v7.vm_event_st)), v7.vm_event_st, "u.gfn")


@given(versions, contents, st.data())
def test_a_projection_is_what_the_classes_read(
    module: ModuleType, content: bytes, data: st.DataObject
) -> None:
    places = st.sampled_from(numbers(module, bits=False))
    chosen: Sequence[Place] = data.draw(st.lists(places, max_size=12))
    paths = [place.path for place in chosen]
    tuples = projection(module.vm_event_st, *paths)
    size = ctypes.sizeof(module.vm_event_st)
    for index, event in enumerate(requests(module, content)):
        expected = tuple(read(event, path) for path in paths)
        assert tuples(content, index * size) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("u.gfn", "has no number 'u.gfn'"),
        ("u", "has no number 'u'"),
        ("data.regs.x86.cs.ar", "'data.regs.x86.cs.ar' is a bit-field"),
        ("", "has no number ''"),
    ],
)
def test_a_projection_is_of_numbers(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        projection(v7.vm_event_st, "reason", path)


@given(versions, contents)
def test_a_recording_has_its_records_in_turn(
    module: ModuleType, content: bytes
) -> None:
    whole = content[: 3 * ctypes.sizeof(module.vm_event_st)]
    found = [record.copy() for record in records(module.vm_event_st, whole)]
    assert b"".join(map(bytes, found)) == whole


def test_a_recording_is_of_whole_records() -> None:
    with pytest.raises(ValueError, match="401 bytes hold no whole number of 400-byte"):
        next(records(v7.vm_event_st, bytes(401)))
