"""Tabulate each record's size and alignment on every target, for reviewers.

Takes each version's records as every ABI lays them out; gives the rows of abi.md in plain
strings, for `render`, and reads such a table back, for `verify`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import is_anonymous
from xenbind.ir.interface import Layouts, Record

_NUMBER_WIDTH = len("65536/8*")
_NONE = "-"  # not there


@dataclass(frozen=True, slots=True)
class VersionTable:
    """One version's part of abi.md: the lines of its table, all columns aligned."""

    version: int
    lines: tuple[str, ...]


def tables(versions: Sequence[tuple[int, Layouts]]) -> list[VersionTable]:
    """The table of each version, told apart from the one before it."""
    made = []
    before: tuple[int, Layouts] | None = None
    for version, layouts in versions:
        header = ["struct or union", *(f"{name} " for name in ABIS)]
        if before is not None:
            header.append(f"since version {before[0]}")
        rows = _rows(layouts, before[1] if before else None)
        made.append(VersionTable(version, tuple(_aligned(header, list(rows)))))
        before = version, layouts
    return made


def read(text: str, version: int, target: str) -> dict[str, int]:
    """What a table says of one version on one target, under the names of `reference`."""
    facts = {}
    _, _, rest = text.partition(f"\n## Version {version}\n")
    column = 2 + list(ABIS).index(target)
    for line in rest.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > column and (found := _CELL.fullmatch(cells[column])):
            facts[f"{cells[1]} size"] = int(found[1])
            facts[f"{cells[1]} alignment"] = int(found[2])
    return facts


_CELL = re.compile(r"(\d+)/(\d+)\*?")


def covers(fact: str) -> bool:
    """Whether a table must know a fact: of records, not of their members."""
    subject, _, kind = fact.rpartition(" ")
    return kind in ("size", "alignment") and "." not in subject


def _rows(layouts: Layouts, before: Layouts | None) -> Iterator[list[str]]:
    keys = [key for key in next(iter(layouts.values())) if not is_anonymous(key)]
    for key in keys:
        row = [key, *_cells(layouts, key)]
        yield row if before is None else [*row, _change(layouts, before, key)]
    for key in next(iter(before.values())) if before else ():
        if not is_anonymous(key) and key not in keys and before is not None:
            yield [key, *([f"{_NONE} "] * len(ABIS)), f"gone, {_was(before, key)}"]


def _cells(layouts: Layouts, key: str) -> list[str]:
    cells = [_cell(layouts[name], key) for name in ABIS]
    return [cell + ("*" if cell != cells[0] else " ") for cell in cells]


def _cell(records: Mapping[str, Record], key: str) -> str:
    record = records.get(key)
    return _NONE if record is None else f"{record.size}/{record.alignment}"


def _change(layouts: Layouts, before: Layouts, key: str) -> str:
    """What a reviewer has to know of a record that the version before had too."""
    if all(key not in records for records in before.values()):
        return "new"
    if any(_cell(layouts[name], key) != _cell(before[name], key) for name in ABIS):
        return _was(before, key)
    if any(
        _members(layouts[name], key) != _members(before[name], key) for name in ABIS
    ):
        return "members changed"
    return ""


def _was(before: Layouts, key: str) -> str:
    """The cells of the version before: the first ABI's, and those that differ from it."""
    first, *others = ((name, _cell(before[name], key)) for name in ABIS)
    differing = [f"{name} {cell}" for name, cell in others if cell != first[1]]
    return f"was {', '.join([first[1], *differing])}"


def _members(records: Mapping[str, Record], key: str) -> list[tuple[object, ...]]:
    """The members of a record and of the anonymous ones in it, and where they are."""
    return [
        (record.key, f.name, f.offset, f.size, f.bit_offset, f.bit_width)
        for record in records.values()
        if record.key == key or record.key.startswith(f"{key}.")
        for f in record.fields
    ]


def _aligned(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A table in Markdown whose columns line up as plain text too.

    Those of numbers are never narrower than most need, so that a struct that grows does
    not move the other lines of a diff.
    """
    numeric = range(1, 1 + len(ABIS))
    widths = [
        max(_NUMBER_WIDTH * (place in numeric), *map(len, column))
        for place, column in enumerate(zip(header, *rows, strict=True))
    ]
    rule = [
        "-" * (width - 1) + ":" if column in numeric else "-" * width
        for column, width in enumerate(widths)
    ]
    for row in (header, rule, *rows):
        cells = (
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"| {' | '.join(cells)} |"
