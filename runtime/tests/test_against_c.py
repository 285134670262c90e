"""The bindings held against compiled C: every size, offset, bit, value and byte."""

from __future__ import annotations

import ctypes

import pytest
from compiled import Reference
from members import leaves, records, without_padding, words_for
from subject import facts


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
        found, wanted = (without_padding(one, members) for one in (filled, expected))
        assert found == wanted, name

        seen = (ctypes.c_uint64 * len(members))()
        reference.read(function, filled, seen)
        assert list(seen) == [member.read(filled) for member in members], name
