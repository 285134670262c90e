"""Alter a function's source in every way, one alteration at a time, for checks of tests.

Takes Python source and which lines of it a function has; gives `Mutant`s: with another operator,
name or number in the place of one, without a statement, with a barrier on its other side.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function: whose it is, and its lines behind the docstring."""

    side: str
    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Mutant:
    """The whole source with one alteration."""

    function: Function
    what: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.function.side}/{self.function.name}: {self.what}"


def mutants(
    source: str, functions: Iterator[Function], instead: Mapping[str, tuple[str, ...]]
) -> Iterator[Mutant]:
    """Every mutant of these functions; `instead` has what else a token could be."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for function in functions:
        for token in tokens:
            if function.first <= token.start[0] <= function.last:
                yield from _of_token(function, token, lines, instead)
        for number in range(function.first, function.last + 1):
            yield from _of_line(function, number, lines)


def _of_token(
    function: Function,
    token: tokenize.TokenInfo,
    lines: list[str],
    others: Mapping[str, tuple[str, ...]],
) -> Iterator[Mutant]:
    instead = others.get(token.string, ())
    if token.type == tokenize.NUMBER:
        value = int(token.string, 0)
        instead = tuple(
            str(other) for other in (value + 1, value * 2) if other != value
        )
    row, column = token.start[0] - 1, token.start[1]
    for text in instead:
        changed = lines.copy()
        line = lines[row]
        changed[row] = line[:column] + text + line[token.end[1] :]
        shown = f"{line.strip()} → {changed[row].strip()}"
        yield Mutant(function, shown, "".join(changed))


def _of_line(function: Function, number: int, lines: list[str]) -> Iterator[Mutant]:
    line = lines[number - 1]
    indent = line[: len(line) - len(line.lstrip())]
    statement = line.strip()
    kept = ("#", "if", "else", "return", ")", "(")
    if statement.startswith(kept) or statement.endswith("("):
        return
    changed = lines.copy()
    changed[number - 1] = f"{indent}pass\n"
    yield Mutant(function, f"without {statement}", "".join(changed))
    if "xen_" in statement:
        for other in (number - 1, number + 1):
            same = (
                lines[other - 1].startswith(indent)
                and lines[other - 1][len(indent)] not in " #"
            )
            if function.first <= other <= function.last and same:
                changed = lines.copy()
                changed[number - 1], changed[other - 1] = lines[other - 1], line
                where = "after" if other > number else "before"
                what = f"{statement} {where} {lines[other - 1].strip()}"
                yield Mutant(function, what, "".join(changed))


def unaltered(source: str) -> Mutant:
    """The source as it is, which must survive: else the tests fail whatever they are given."""
    return Mutant(Function("page", "nothing", 0, 0), "unaltered", source)


def reason(name: str, equivalent: Mapping[str, str]) -> str:
    """Why a mutant does the same, by patterns of what was altered; empty if nobody knows."""
    found = (why for pattern, why in equivalent.items() if re.search(pattern, name))
    return next(found, "")


def tell(
    tried: Iterable[Mutant],
    survives: Callable[[Mutant], bool],
    equivalent: Mapping[str, str],
) -> int:
    """Try mutants, print those that survive with the reason, and give the exit status."""
    count = explained = unexplained = 0
    for mutant in tried:
        count += 1
        if survives(mutant):
            why = reason(mutant.name, equivalent)
            print(f"survived: {mutant.name}\n    {why or 'UNEXPLAINED'}", flush=True)
            explained += bool(why)
            unexplained += not why
    killed = count - explained - unexplained
    print(f"{count} mutants, {killed} killed, {explained} equivalent")
    return 1 if unexplained else 0
