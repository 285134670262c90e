"""What `verify` found, for people and for programs.

Takes `Report`s; gives text or plain data for JSON.  `cli` prints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xenbind.commands.verify.compare import Mismatch, Report


def text(report: Report) -> str:
    """A line for each mismatch, and one that counts what was held."""
    return "\n".join(
        [
            *map(str, report.mismatches),
            f"{report.target} version {report.version}: {report.facts} facts held against"
            f" {report.command}, {report.dwarf_facts} against its DWARF,"
            f" {_count(report.mismatches)}",
        ]
    )


def total(reports: Sequence[Report]) -> str:
    """The sums of several reports."""
    targets = list(dict.fromkeys(report.target for report in reports))
    facts = sum(report.facts for report in reports)
    dwarf_facts = sum(report.dwarf_facts for report in reports)
    found = [mismatch for report in reports for mismatch in report.mismatches]
    return (
        f"in all, for {', '.join(targets)}: {facts} facts held against C,"
        f" {dwarf_facts} against DWARF, {_count(found)}"
    )


def as_json(report: Report) -> dict[str, Any]:
    """A report as plain data; `said` is by party, null where it has nothing to say."""
    return {
        "target": report.target,
        "compiler": report.command,
        "version": report.version,
        "header": report.header,
        "facts": report.facts,
        "dwarf_facts": report.dwarf_facts,
        "mismatches": [
            {
                "fact": mismatch.fact,
                "said": dict(mismatch.said),
                "file": mismatch.coord.file,
                "line": mismatch.coord.line,
                "column": mismatch.coord.column,
            }
            for mismatch in report.mismatches
        ],
    }


def _count(mismatches: Sequence[Mismatch]) -> str:
    return f"{len(mismatches)} mismatch{'' if len(mismatches) == 1 else 'es'}"
