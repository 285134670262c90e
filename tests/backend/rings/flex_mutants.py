"""Mutation check of a flex ring's translated functions: `make mutants`.

As `mutants.py`, with the same alterations, for the functions of each kind of header.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import test_flex_functions as differential
from flex_rings import KINDS
from mutation import Function, Mutant, mutants, tell
from ring_mutants import INSTEAD

# Survivors, by a pattern of what was altered, each with the reason why it does the same.
EQUIVALENT: dict[str, str] = {
    r"/mask: .*U32.*→.*U64": "what it is combined with has no more than 32 bits",
    r"_packet: .*(ring_size - \w+\) & )U32.*→.*\1(U64|0x7FFF_FFFF|0xFFFF_FFFE)": (
        "a position is within the ring, whose end is less than 2^31 bytes away, and where the"
        " last of these is cut off nothing is left to be copied"
    ),
    r"_packet: .*\(size - .*& U64.*→.*& U32\)": "no packet has 2^32 bytes",
    r"_packet: .*\.mask\(.*& U32.*→.*& (U64|0x7FFF_FFFF), ring_size": (
        "the position that comes of it is less than the ring's size"
    ),
    r"_packet: if .* size > to_end: → .* size >= to_end:": (
        "where all fits before the end, nothing is left for the second copy"
    ),
    r"_packet: if .* size <= .* → .* size < ": (
        "where all fits before the end, nothing is left for the second copy"
    ),
    r"/queued: .*if prod > cons .*→.*if prod >= cons ": "they are not equal there",
    r"/queued: .*\(\w+ - \w+\) & U32.*→.*\(\w+ - \w+\) & U64": (
        "the first is the larger one there"
    ),
    r"/ring_size: .*& U32\)\) & U64.*→.*& (U64|0x7FFF_FFFF)\)\)": (
        "no order is as large"
    ),
}

_ARGUMENTS = ("size", "ring_size", "masked_prod", "masked_cons")
_INSTEAD = INSTEAD | {
    "and": ("or",),
    "or": ("and",),
    **{name: tuple(o for o in _ARGUMENTS if o != name) for name in _ARGUMENTS},
    "prod": ("cons",),
    "cons": ("prod",),
    "head": ("tail",),
    "tail": ("head",),
    "at": ("to_end",),
    "to_end": ("at",),
}


def functions(source: str, owner: str) -> Iterator[Function]:
    """The functions of a class, each with the lines behind its docstring."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    first = (item.body[0].end_lineno or 0) + 1
                    yield Function(owner, item.name, first, item.end_lineno or first)


def survives(mutant: Mutant, made: ModuleType, c: object) -> bool:
    """Whether the differential test finds no difference to C."""
    module = ModuleType(made.__name__)
    module.__package__ = made.__package__
    try:
        code = compile(mutant.source, made.__name__, "exec", dont_inherit=True)
        exec(code, vars(module))
        subject = differential.Subject(getattr(module, mutant.function.side), c)
        own = mutant.function.name
        for name in (own, *(n for n in differential.CHECKS if n != own)):
            differential.compare(subject, name, differential.STATES)
    except Exception:
        return False
    return True


def main() -> int:
    """Try every mutant of every kind that is here; give the exit status."""
    status = 0
    for kind in KINDS.values():
        if (kind.folder / "io" / "ring.h").is_file():
            with tempfile.TemporaryDirectory() as folder:
                made, both = differential.subject(kind, Path(folder))
                status |= _of_kind(f"{kind.prefix}FlexFunctions", made, both.c)
    return status


def _of_kind(owner: str, made: ModuleType, c: object) -> int:
    source = Path(made.__file__ or "").read_text()
    same = Mutant(Function(owner, "mask", 0, 0), "unaltered", source)
    assert survives(same, made, c)
    return tell(
        mutants(source, functions(source, owner), _INSTEAD),
        lambda mutant: survives(mutant, made, c),
        EQUIVALENT,
    )


if __name__ == "__main__":
    sys.exit(main())
