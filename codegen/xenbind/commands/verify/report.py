"""What `verify` found, and how people and programs are told.

`compare` makes a `Report` for each version and machine; here it becomes text, or plain data
for JSON, which `command` prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xenbind.facts.probes import Answer
from xenbind.plain import Struct
from xenbind.source import Coord
from xenbind.words import count


class Mismatch(Struct, frozen=True):
    """A fact on which not all say the same: what each source says, None for nothing.

    `within_compiler` says that only the compiler's debug information differs from its C:
    nothing is wrong with what was generated.
    """

    fact: str
    said: tuple[tuple[str, Answer | None], ...]
    coord: Coord
    within_compiler: bool

    def __str__(self) -> str:
        (first, first_value), *others = (
            (source, "nothing" if value is None else value)
            for source, value in self.said
        )
        rest = "".join(f", {source} {value}" for source, value in others)
        said = f"{first} says {first_value}{rest}"
        if self.within_compiler:
            said = f"the compiler's own answers differ: {said}"
        return f"{self.coord}: {self.fact}: {said}"


class Report(Struct, frozen=True):
    """How one version fared on one machine.

    `facts` were held against C's own expressions, `dwarf_facts` against its debug
    information.  `differing` are the facts on which the compiler contradicts itself.  The
    `functions` were looked for in the installed `library`, None where there is none.
    """

    target: str
    command: str
    version: int
    title: str
    header: str
    facts: int
    dwarf_facts: int
    functions: int
    library: Path | None
    mismatches: tuple[Mismatch, ...]
    differing: tuple[Mismatch, ...]


def text(report: Report) -> str:
    """Write a line for each mismatch, and one that counts what was compared."""
    found = count(len(report.mismatches), "mismatch", "mismatches")
    if report.differing:
        facts = count(len(report.differing), "fact")
        found += f", {facts} on which {report.command} and its DWARF differ"
    return "\n".join(
        [
            *map(str, report.mismatches),
            *map(str, report.differing),
            f"{report.target} {report.title}: {report.facts} facts held against"
            f" {report.command}, {report.dwarf_facts} against its DWARF{_symbols(report)},"
            f" {found}",
        ]
    )


def _symbols(report: Report) -> str:
    """Say which library was asked for functions, or that none is there to be asked."""
    if report.library is None:
        functions = count(report.functions, "function")
        return f", {functions} in no library that is here" if report.functions else ""
    return f", {count(report.functions, 'function')} against {report.library}"


def total(reports: Sequence[Report]) -> str:
    """Write the sums of several reports in a line."""
    targets = list(dict.fromkeys(report.target for report in reports))
    facts = sum(report.facts for report in reports)
    dwarf_facts = sum(report.dwarf_facts for report in reports)
    found = sum(len(report.mismatches) for report in reports)
    return (
        f"in all, for {', '.join(targets)}: {facts} facts held against C,"
        f" {dwarf_facts} against DWARF, {count(found, 'mismatch', 'mismatches')}"
    )


def as_json(report: Report) -> dict[str, Any]:
    """Give a report as plain data; `said` is by source, null where it has nothing to say."""
    return {
        "target": report.target,
        "compiler": report.command,
        "version": report.version,
        "header": report.header,
        "facts": report.facts,
        "dwarf_facts": report.dwarf_facts,
        "functions": report.functions,
        "library": None if report.library is None else str(report.library),
        "mismatches": list(map(_mismatch_as_json, report.mismatches)),
        "differing": list(map(_mismatch_as_json, report.differing)),
    }


def _mismatch_as_json(mismatch: Mismatch) -> dict[str, Any]:
    return {
        "fact": mismatch.fact,
        "said": dict(mismatch.said),
        "file": mismatch.coord.file,
        "line": mismatch.coord.line,
        "column": mismatch.coord.column,
    }
