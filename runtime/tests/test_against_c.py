"""The bindings held against compiled C: every size, offset, bit, value and byte."""

from __future__ import annotations

import ctypes
from types import ModuleType
from typing import Any

import pytest
from compiled import Reference, facts, is_record
from members import Leaf, leaves


def records(module: ModuleType) -> dict[str, Any]:
    """The records that have a name in C, by that name."""
    return {
        record._c_name_: record
        for name, record in vars(module).items()
        if is_record(record) and record.__name__ == name and record._c_name_ is not None
    }


def words_for(members: list[Leaf]) -> Any:
    """A different 64-bit word for each member, with its high and low bits mixed."""
    words = [
        0x9E37_79B9_7F4A_7C15 * (index + 1) % 2**64 for index in range(len(members))
    ]
    return (ctypes.c_uint64 * len(members))(*words)


def test_c_and_python_agree_on_every_fact(reference: Reference) -> None:
    python, c = facts(reference.module), reference.facts()
    wrong = [
        f"{fact}: C says {c.get(fact)}, Python says {python.get(fact)}"
        for fact in sorted(c.keys() | python.keys())
        if c.get(fact) != python.get(fact)
    ]
    assert not wrong


@pytest.mark.parametrize("filler", ["c", "python"])
def test_what_one_side_fills_the_other_reads(reference: Reference, filler: str) -> None:
    for name, record in records(reference.module).items():
        members = list(leaves(record))
        words = words_for(members)
        filled, expected = record(), record()
        for member, word in zip(members, words, strict=True):
            member.write(filled if filler == "python" else expected, word)
        function = name.replace(" ", "_")
        reference.fill(function, expected if filler == "python" else filled, words)
        assert bytes(filled) == bytes(expected), name

        seen = (ctypes.c_uint64 * len(members))()
        reference.read(function, filled, seen)
        assert list(seen) == [member.read(filled) for member in members], name
