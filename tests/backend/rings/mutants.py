"""Mutation check of the ring's translated code: `make mutants`.

Every operator, mask, constant, index, statement and barrier of the translated macros is
altered, one at a time, and the differential test runs on the result. A mutant that
survives must be listed in EQUIVALENT with the reason why it does the same; exit status 1
if one is not.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import test_ring_macros as differential
from support import PROJECT
from xen_vm_event import v7

PACKAGE = PROJECT / "generated" / "xen_vm_event"
STATES = 3000
CLASSES = {"SharedRing": "page", "FrontRing": "front", "BackRing": "back"}

# Survivors, by a pattern of what was altered, each with the reason why it does the same.
EQUIVALENT = {
    r"page/_rd\d+: .* << \d+\) & U64 .*→.* << \d+\) & (U32|0xFFFF) ": (
        "the power of two of a part, shifted back, is no larger than the value was"
    ),
    r"/get_re\w+: .*& U32 & index.*→.*& (U64|0x7FFF_FFFF) & index": (
        "a ring has fewer than 2^31 entries, and an index is below 2^32"
    ),
    r"/get_re\w+: .*\.req → .*\.rsp|/get_re\w+: .*\.rsp → .*\.req": (
        "request and response begin at the same byte and are of one type"
    ),
    r"& U32\) [+-] self\.\w+\) & U32.*→.*& U64\) [+-] self\.\w+\) & U32": (
        "the outer mask takes away what the inner one leaves"
    ),
    r"self\.xen_wmb\(\) before after = self\.r\w+_prod_pvt": (
        "what is read there is private: the other side sees no difference"
    ),
    r"posted if room > posted else room.*→.*posted if room >= posted else room": (
        "where both are equal, either is the answer"
    ),
}

_WORDS = ("REQ_PROD", "REQ_EVENT", "RSP_PROD", "RSP_EVENT")
_BARRIERS = ("xen_mb", "xen_rmb", "xen_wmb")
_INDICES = ("req_prod_pvt", "rsp_cons", "rsp_prod_pvt", "req_cons", "nr_ents")
_INSTEAD: dict[str, tuple[str, ...]] = {
    "+": ("-", "|"),
    "-": ("+", "^"),
    "&": ("|", "^"),
    "<<": (">>",),
    ">>": ("<<",),
    "//": ("*", "%"),
    "<": ("<=", ">", "!="),
    "<=": ("<", ">=", "=="),
    ">": (">=", "<", "!="),
    ">=": (">", "<=", "=="),
    "==": ("!=", "<="),
    "not": ("",),
    "U32": ("U64", "0x7FFF_FFFF", "0xFFFF_FFFE"),
    "U64": ("U32", "0xFFFF"),
    **{word: tuple(other for other in _WORDS if other != word) for word in _WORDS},
    **{
        name: tuple(other for other in _BARRIERS if other != name) for name in _BARRIERS
    },
    **{name: tuple(other for other in _INDICES if other != name) for name in _INDICES},
    "req": ("rsp",),
    "rsp": ("req",),
}


@dataclass(frozen=True)
class Function:
    """A translated function: whose it is, and its lines behind the docstring."""

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


def functions(source: str) -> Iterator[Function]:
    """The functions that were translated from ring.h's macros."""
    translated = set(differential.operations())
    for node in ast.parse(source).body:
        side = CLASSES.get(node.name, "") if isinstance(node, ast.ClassDef) else "page"
        for item in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(item, ast.FunctionDef) and (
                (side, item.name) in translated or item.name.startswith("_rd")
            ):
                first = (item.body[0].end_lineno or 0) + 1
                yield Function(side, item.name, first, item.end_lineno or first)


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of the translated functions."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for function in functions(source):
        for token in tokens:
            if function.first <= token.start[0] <= function.last:
                yield from _of_token(function, token, lines)
        for number in range(function.first, function.last + 1):
            yield from _of_line(function, number, lines)


def _of_token(
    function: Function, token: tokenize.TokenInfo, lines: list[str]
) -> Iterator[Mutant]:
    instead = _INSTEAD.get(token.string, ())
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
    if statement.startswith(("if", "else", "return", ")", "(")) or statement.endswith(
        "("
    ):
        return
    changed = lines.copy()
    changed[number - 1] = f"{indent}pass\n"
    yield Mutant(function, f"without {statement}", "".join(changed))
    if "xen_" in statement:
        for other in (number - 1, number + 1):
            same = (
                lines[other - 1].startswith(indent)
                and lines[other - 1][len(indent)] != " "
            )
            if function.first <= other <= function.last and same:
                changed = lines.copy()
                changed[number - 1], changed[other - 1] = lines[other - 1], line
                where = "after" if other > number else "before"
                what = f"{statement} {where} {lines[other - 1].strip()}"
                yield Mutant(function, what, "".join(changed))


def survives(mutant: Mutant, library: object) -> bool:
    """Whether the differential test finds no difference to C."""
    macros = _module("xen_vm_event.macros", mutant.source)
    for side, base in (("front", macros.FrontRing), ("back", macros.BackRing)):
        body = {"__slots__": (), "entry": v7.vm_event_sring_entry}
        differential.RINGS[side] = type("Ring", (base,), body)
    concerned = [
        key
        for key in differential.operations()
        if mutant.function.side in ("page", key[0])
    ]
    # The function's own test first: it is the likeliest to tell.
    concerned.sort(key=lambda key: key != (mutant.function.side, mutant.function.name))
    try:
        for key in concerned:
            differential.compare(library, key, STATES)
    except Exception:
        return False
    return True


def _module(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    module.__package__ = "xen_vm_event"
    exec(compile(source, name, "exec"), vars(module))
    return module


def reason(name: str) -> str:
    """Why a mutant does the same, empty if nobody knows."""
    found = (why for pattern, why in EQUIVALENT.items() if re.search(pattern, name))
    return next(found, "")


def main() -> int:
    """Try every mutant; give the exit status."""
    source = (PACKAGE / "macros.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        library = differential.build(Path(folder), differential.HEADERS)
        survivors, count = [], 0
        for mutant in mutants(source):
            count += 1
            if survives(mutant, library):
                survivors.append(mutant.name)
    reasons = {name: reason(name) for name in survivors}
    unexplained = [name for name in survivors if not reasons[name]]
    for name in survivors:
        print(f"survived: {name}\n    {reasons[name] or 'UNEXPLAINED'}")
    print(
        f"{count} mutants, {count - len(survivors)} killed, {len(survivors)} equivalent"
    )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
