"""Compare two trees of headers: which came and went, and what changed in each of the others.

Takes the interfaces of both by their headers; gives a `TreeDifference`.  `compare` compares each
header with itself; `command` prints it, in the words of `text` and `as_json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xenbind.commands.diff.as_json import as_json
from xenbind.commands.diff.compare import Difference, Verdict, diff
from xenbind.commands.diff.text import Kind, Line, sections
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.words import count


class TreeDifference(Struct, frozen=True):
    """All that tells two trees apart; `changed` are headers of both that differ."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[Difference, ...]

    @property
    def verdict(self) -> Verdict:
        """Tell whether what was written for the old tree works with the new one."""
        verdicts = [each.verdict for each in self.changed]
        if self.removed or Verdict.BREAKING in verdicts:
            return Verdict.BREAKING
        is_more = bool(self.added) or Verdict.ADDITIONS in verdicts
        return Verdict.ADDITIONS if is_more else Verdict.SAME


def diff_trees(
    old: Mapping[str, Interface], new: Mapping[str, Interface]
) -> TreeDifference:
    """Compare the interfaces of two trees, by their headers."""
    both = [(name, diff(old[name], new[name], None)) for name in new if name in old]
    return TreeDifference(
        removed=tuple(name for name in old if name not in new),
        added=tuple(name for name in new if name not in old),
        changed=tuple(each for _, each in both if any(sections(each))),
    )


def tree_lines(difference: TreeDifference, old: str, new: str) -> Iterator[Line]:
    """Tell the difference in words; `old` and `new` name the trees."""
    headers = count(len(difference.changed), "header")
    differ = "differs" if len(difference.changed) == 1 else "differ"
    verdict = f"{old} → {new}: {difference.verdict.value}, {headers} {differ}"
    yield Line(Kind.HEADING, verdict)
    for name in difference.removed:
        yield Line(Kind.REMOVED, name)
    for name in difference.added:
        yield Line(Kind.ADDED, name)
    for each in difference.changed:
        yield Line(Kind.NOTE, "")
        yield Line(Kind.HEADING, f"{each.name}: {each.verdict.value}")
        for heading, section in sections(each):
            yield from (Line(Kind.NOTE, ""), Line(Kind.HEADING, heading), *section)


def tree_as_json(difference: TreeDifference) -> dict[str, Any]:
    """Give the difference as `json` can write it."""
    return {
        "verdict": difference.verdict.value,
        "removed": [*difference.removed],
        "added": [*difference.added],
        "headers": [as_json(each) for each in difference.changed],
    }
