"""What is done with records, held against C: it fills one, and reads what came of it."""

from __future__ import annotations

import copy
import ctypes
import pickle
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from compiled import Reference
from members import (
    leaves,
    member_at,
    padding_is_shared,
    places,
    records,
    words_for,
)
from subject import package


class Filled:
    """A record that C has filled, every member with bytes of its own."""

    def __init__(self, reference: Reference, name: str, record: Any) -> None:
        self._reference = reference
        self._function = name.replace(" ", "_")
        self.leaves = list(leaves(record))
        self.record = record()
        reference.fill(self._function, self.record, words_for(self.leaves))
        self.words = self.read_by_c(self.record)

    def read_by_c(self, record: Any) -> list[int]:
        """The members of any record of the type, one after another, as C reads them."""
        words = (ctypes.c_uint64 * len(self.leaves))()
        self._reference.read(self._function, record, words)
        return list(words)


@pytest.fixture(scope="session")
def filled(reference: Reference) -> list[Filled]:
    """One of each record of a version."""
    found = records(reference.module)
    return [Filled(reference, name, record) for name, record in found.items()]


def with_keywords(record: Any) -> Any:
    return type(record)(**{m.name: getattr(record, m.name) for m in record._members_})


def with_positions(record: Any) -> Any:
    return type(record)(*[getattr(record, m.name) for m in record._members_])


def member_by_member(record: Any) -> Any:
    made = type(record)()
    for member in record._members_:
        setattr(made, member.name, getattr(record, member.name))
    return made


def with_lists(record: Any) -> Any:
    values = {m.name: getattr(record, m.name) for m in record._members_}
    return type(record)(**{name: listed(value) for name, value in values.items()})


def listed(value: Any) -> Any:
    """What an array holds, as lists, or as bytes if it is of such; all else as it is.

    A long double is more than Python's float can hold.
    """
    if not isinstance(value, ctypes.Array) or value._type_ is ctypes.c_longdouble:
        return value
    if getattr(value._type_, "_type_", "") in ("b", "B", "c"):
        return bytes(value)
    return [listed(item) for item in value]


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy()": lambda record: record.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda record: pickle.loads(pickle.dumps(record)),
}
MADE_OF_VALUES: dict[str, Callable[[Any], Any]] = {
    "keywords": with_keywords,
    "arguments": with_positions,
    "lists": with_lists,
    "assignments": member_by_member,
}


@pytest.mark.parametrize("way", COPIES)
def test_c_reads_of_a_copy_what_it_wrote(filled: list[Filled], way: str) -> None:
    for one in filled:
        made = COPIES[way](one.record)
        assert one.read_by_c(made) == one.words, one.record._c_name_
        assert repr(made) == repr(one.record)


@pytest.mark.parametrize("way", MADE_OF_VALUES)
def test_c_reads_of_what_is_made_of_values_what_it_wrote(
    filled: list[Filled], way: str
) -> None:
    for one in filled:
        if not padding_is_shared(type(one.record)):
            made = MADE_OF_VALUES[way](one.record)
            assert one.read_by_c(made) == one.words, one.record._c_name_


def test_a_copy_has_memory_of_its_own(filled: list[Filled]) -> None:
    for one in filled:
        made = one.record.copy()
        ctypes.memset(ctypes.byref(made), 0, ctypes.sizeof(made))
        assert one.read_by_c(one.record) == one.words


def test_a_recording_gives_what_c_wrote(filled: list[Filled]) -> None:
    for one in filled:
        cls = type(one.record)
        if issubclass(cls, ctypes.Union) or not ctypes.sizeof(cls):
            continue  # a recording is of structs
        found = [
            ([leaf.read(record) for leaf in one.leaves], one.read_by_c(record))
            for record in package.records(cls, bytes(cls()) + bytes(one.record))
        ]
        assert found[1] == (one.words, one.words), cls._c_name_


def test_a_projection_reads_what_c_wrote(filled: list[Filled]) -> None:
    for one in filled:
        for place in places(type(one.record)):
            if is_number(place):
                read = package.projection(type(one.record), place.path)
                expected = member_at(one.record, place.path)
                assert read(bytes(one.record), 0) == (expected,), place.path


@pytest.mark.skipif(find_spec("numpy") is None, reason="needs numpy, an extra")
def test_columns_read_what_c_wrote(filled: list[Filled]) -> None:
    import numpy

    for one in filled:
        cls = type(one.record)
        size = ctypes.sizeof(cls)
        if not size:
            continue  # numpy counts the records by their bytes
        octets = bytes(cls()) + bytes(one.record)
        rows = numpy.frombuffer(octets, numpy.dtype((numpy.void, size)))
        for place in places(cls):
            values = package.column(rows, cls, place.path)
            if place.bit_width is not None or is_number(place):
                assert values[1] == member_at(one.record, place.path), place.path
            else:
                start = size + place.offset
                expected = octets[start : start + place.size]
                assert values[1:].tobytes() == expected, place.path


def is_number(place: Any) -> bool:
    """Whether a member is an integer in bytes of its own."""
    kind = getattr(place.member.type, "_type_", None)
    return place.bit_width is None and isinstance(kind, str) and kind in "bBhHiIlLqQ"
