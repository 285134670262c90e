"""Tabulate each record's size and alignment on every target, for reviewers.

Takes each version's records as every ABI lays them out; gives the rows of abi.md in plain
strings, for `render`, and reads such a table back, for `verify`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set

from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import is_anonymous
from xenbind.ir.interface import Layouts, Record
from xenbind.plain import Struct

_NUMBER_WIDTH = len("65536/8*")
_NONE = "-"  # not there
_UNKNOWN = "?"  # there was no compiler to ask


class VersionTable(Struct, frozen=True):
    """One version's part of abi.md: the lines of its table, all columns aligned."""

    title: str
    lines: tuple[str, ...]


def tables(versions: Sequence[tuple[str, Layouts]]) -> list[VersionTable]:
    """The table of each version, by its title, told apart from the one before it."""
    made = []
    before: tuple[str, Layouts] | None = None
    for title, layouts in versions:
        header = ["struct or union", *(f"{name} " for name in ABIS)]
        if before is not None:
            header.append(f"since {before[0]}")
        rows = _rows(layouts, before[1] if before else None)
        made.append(VersionTable(_heading(title), tuple(_aligned(header, list(rows)))))
        before = title, layouts
    return made


def read(text: str, title: str, target: str) -> dict[str, int]:
    """What a table says of one version on one target, under the names of `reference`."""
    facts = {}
    for key, cell in _column(text, title, target):
        if found := _CELL.fullmatch(cell):
            facts[f"{key} size"] = int(found[1])
            facts[f"{key} alignment"] = int(found[2])
    return facts


def knows(text: str, title: str, target: str) -> bool:
    """Tell whether a table is one of this target too: there was a compiler to ask."""
    return all(cell != _UNKNOWN for _, cell in _column(text, title, target))


def _heading(title: str) -> str:
    """Write the title of a version, `version 7`, as that of its table."""
    return title[0].upper() + title[1:]


def _column(text: str, title: str, target: str) -> Iterator[tuple[str, str]]:
    """The names of records, and what a table has for each on one target."""
    column = 2 + list(ABIS).index(target)
    for heading, cells in _lines(text):
        if heading == f"## {_heading(title)}" and len(cells) > column:
            yield cells[1], cells[column]


def completes(old: str, new: str) -> bool:
    """Tell whether a text with tables says all that another knows, and more.

    That other one does not know some targets in some versions; one that knows them all has
    nothing to be completed.
    """
    unknown: dict[str, set[int]] = {}
    for version, cells in _lines(new):
        columns = {column for column, cell in enumerate(cells) if cell == _UNKNOWN}
        unknown.setdefault(version, set()).update(columns)
    if not any(unknown.values()):
        return False
    return old != new and list(_known(old, unknown)) == list(_known(new, unknown))


def _known(text: str, unknown: Mapping[str, Set[int]]) -> Iterator[list[str]]:
    """The lines of a text with tables, without the columns of what is unknown.

    Then what differs from another target or version is left out too, and so is a record
    that only those targets have.
    """
    for version, cells in _lines(text):
        if len(cells) == 1 or not unknown.get(version):
            # The rule under a heading is as wide as the widest cell.
            yield [re.sub("-+", "-", cell) for cell in cells]
            continue
        columns = [c for c in range(2, 2 + len(ABIS)) if c not in unknown[version]]
        known = [cells[column].removesuffix("*") for column in columns]
        if set(known) != {_NONE}:
            yield [cells[1], *known]


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """The lines as cells, one for a line that is not of a table, each with its version."""
    version = ""
    for line in text.splitlines():
        if line.startswith("## "):
            version = line
        yield version, [cell.strip() for cell in line.split("|")]


_CELL = re.compile(r"(\d+)/(\d+)\*?")


def covers(fact: str) -> bool:
    """Whether a table must know a fact: of records, not of their members."""
    return fact.endswith((" size", " alignment")) and "." not in fact


def _rows(layouts: Layouts, before: Layouts | None) -> Iterator[list[str]]:
    keys = _keys(layouts)
    changed = _with_other_members(layouts, before or {})
    for key in keys:
        row = [key, *_cells(layouts, key)]
        yield row if before is None else [*row, _change(layouts, before, key, changed)]
    for key in _keys(before or {}):
        if key not in keys and before is not None:
            yield [key, *([f"{_NONE} "] * len(ABIS)), f"gone, {_was(before, key)}"]


def _keys(layouts: Layouts) -> dict[str, None]:
    """The records that have a name, in the order of declaration."""
    return dict.fromkeys(
        key for records in layouts.values() for key in records if not is_anonymous(key)
    )


def _cells(layouts: Layouts, key: str) -> list[str]:
    cells = [_cell(layouts.get(name), key) for name in ABIS]
    return [cell + ("*" if _differ(cell, cells[0]) else " ") for cell in cells]


def _cell(records: Mapping[str, Record] | None, key: str) -> str:
    if records is None:
        return _UNKNOWN
    record = records.get(key)
    return _NONE if record is None else f"{record.size}/{record.alignment}"


def _differ(cell: str, other: str) -> bool:
    """Tell whether two cells are known to differ."""
    return cell != other and _UNKNOWN not in (cell, other)


def _change(layouts: Layouts, before: Layouts, key: str, changed: Set[str]) -> str:
    """What a reviewer has to know of a record that the version before had too."""
    if all(key not in records for records in before.values()):
        return "new"
    known = [name for name in ABIS if name in layouts and name in before]
    if any(_cell(layouts[name], key) != _cell(before[name], key) for name in known):
        return _was(before, key)
    return "members changed" if key in changed else ""


def _was(before: Layouts, key: str) -> str:
    """The cells of the version before: the first ABI's, and those that differ from it."""
    first, *others = ((name, _cell(before.get(name), key)) for name in ABIS)
    differing = [f"{name} {cell}" for name, cell in others if _differ(cell, first[1])]
    return f"was {', '.join([first[1], *differing])}"


def _with_other_members(layouts: Layouts, before: Layouts) -> set[str]:
    """The records whose members are not as before, on an ABI known of both."""
    changed = set()
    for name in layouts.keys() & before.keys():
        now, then = _members(layouts[name]), _members(before[name])
        changed |= {key for key in now if now[key] != then.get(key)}
    return changed


def _members(records: Mapping[str, Record]) -> dict[str, list[tuple[object, ...]]]:
    """The members of each record and of the anonymous ones in it, and where they are."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for record in records.values():
        found.setdefault(record.key.partition(".")[0], []).extend(
            (record.key, f.name, f.offset, f.size, f.bit_offset, f.bit_width)
            for f in record.fields
        )
    return found


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
