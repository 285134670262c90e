"""Types that nobody here thought of, from gcc's and csmith's generators: run by `make suites`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from suites import csmith, struct_layout
from suites.declarations import Declaration
from suites.holding import hold

# Each test of gcc's types holds every so many of them, each of csmith's a hundred programs'.
PARTS = 10
PROGRAMS = 200


@pytest.fixture(scope="session")
def from_gcc(seed: int, tmp_path_factory: pytest.TempPathFactory) -> list[Declaration]:
    source = struct_layout.sources(tmp_path_factory.mktemp("source"))
    return struct_layout.make(source, seed, tmp_path_factory.mktemp("types"))


Record = Callable[[str, object], None]


@pytest.mark.parametrize("part", range(PARTS))
def test_types_of_gccs_struct_layout_test(
    part: int, from_gcc: list[Declaration], tmp_path: Path, record_property: Record
) -> None:
    types = [one for one in from_gcc if one.name[0] == "S" and one.name[1:].isdigit()]
    others = [one for one in from_gcc if one not in types]
    check(types[part::PARTS], others, tmp_path, record_property)


@pytest.mark.parametrize("part", range(PROGRAMS // 100))
def test_types_of_csmiths_programs(
    part: int, seed: int, tmp_path: Path, record_property: Record
) -> None:
    program = csmith.program(tmp_path)
    first = seed + 100 * part
    types = csmith.make(program, range(first, first + 100))
    check(types, [], tmp_path, record_property)


def check(
    types: list[Declaration],
    others: list[Declaration],
    folder: Path,
    record_property: Record,
) -> None:
    """Hold types against C; nothing may be wrong."""
    found = hold(types, others, folder)
    record_property("held", (found.held, found.facts))
    record_property("refused", dict(found.refused))
    assert found.held, "nothing was held"
    assert not found.wrong, "\n".join(found.wrong)
