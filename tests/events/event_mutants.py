"""Mutation check of what pages of events do: `make mutants`.

Every operator, mask, constant, statement and barrier of runtime/event_page.py is altered, one at
a time, and the differential test runs on the result. A mutant that survives must be listed in
EQUIVALENT with the reason why it does the same; exit status 1 if one is not.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import test_event_pages as differential
from event_packages import BELL, DISPLIF, KBDIF, library_of, module_of
from mutation import Function, Mutant, mutants, tell, unaltered
from support import PROJECT

SOURCE = PROJECT / "runtime" / "event_page.py"
STATES = 400
# What the differential test compares with C; the others have tests of their own.
COMPARED = {"place", "room", "events", "put", "free"}

# Survivors, by a pattern of what was altered, each with the reason why it does the same.
EQUIVALENT = {
    r"at < _EPOCH \+ self.surplus: → .*\|": "the surplus has no bit of 2^32",
    r"while 0 < .* → while 0 != ": "the difference of indices is not negative",
    r"while 0 < .* & U32.*→.*& 0x7FFF_FFFF": (
        "it was found no larger than `length`, and what an iteration within takes is no more"
    ),
    r"self\.xen_mb\(\) before self\._consumed = |xen_wmb\(\).*before self\._produced = ": (
        "what is written there is private: the other side sees no difference"
    ),
    r"self\.xen_mb\(\).*after start = ": "the place of an event is a number, and read nowhere",
}

_INSTEAD: dict[str, tuple[str, ...]] = {
    "+": ("-", "|"),
    "-": ("+", "^"),
    "*": ("+", "//"),
    "//": ("*", "%"),
    "%": ("//", "&"),
    "&": ("|", "^"),
    "<": ("<=", ">", "!="),
    "<=": ("<", ">=", "=="),
    ">": (">=", "<", "!="),
    "not": ("",),
    "min": ("max",),
    "max": ("min",),
    "U32": ("0x1_FFFF_FFFF", "0x7FFF_FFFF", "0xFFFF_FFFE"),
    "_EPOCH": ("U32", "(_EPOCH + 1)"),
    "xen_mb": ("xen_wmb",),
    "xen_wmb": ("xen_mb",),
    "consumer": ("producer",),
    "producer": ("consumer",),
    "_consumed": ("_produced",),
    "_produced": ("_consumed",),
}


def functions(source: str) -> Iterator[Function]:
    """The functions of the classes that are compared with C."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name in COMPARED:
                    first = (item.body[0].end_lineno or 0) + 1
                    yield Function(
                        node.name, item.name, first, item.end_lineno or first
                    )


def altered(module: ModuleType, source: str) -> ModuleType:
    """A version's module whose pages of events do what this source says."""
    runtime = ModuleType(f"{module.__package__}.runtime.event_page")
    runtime.__package__ = f"{module.__package__}.runtime"
    exec(compile(source, "event_page.py", "exec"), vars(runtime))
    copy = ModuleType(module.__name__)
    copy.__package__ = module.__package__
    vars(copy).update(vars(module))
    for name in ("FrontEventPage", "BackEventPage"):
        side = vars(module)[name]
        rings = {
            does: runtime.EventRing(
                ring.event,
                first=ring.first,
                length=ring.length,
                consumer=ring.consumer,
                producer=ring.producer,
            )
            for does, ring in vars(side).items()
            if does in ("takes", "puts")
        }
        bases = tuple(getattr(runtime, base.__name__) for base in side.__bases__)
        setattr(copy, name, type(name, bases, {"__slots__": (), **rings}))
    return copy


def survives(mutant: Mutant, both: list[differential.Both]) -> bool:
    """Whether the differential test finds no difference to C."""
    try:
        for each in both:
            module = altered(each.module, mutant.source)
            again = differential.Both(each.header, module, each.library)
            for compare in differential.COMPARISONS:
                compare(again, STATES)
    except Exception:
        return False
    return True


def main() -> int:
    """Try every mutant; give the exit status."""
    source = SOURCE.read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        both = [
            differential.Both(
                header,
                module_of(folder, "ours", header),
                library_of(folder, "ours", header),
            )
            for header in (KBDIF, DISPLIF, BELL)
        ]
        assert survives(unaltered(source), both)
        return tell(
            mutants(source, functions(source), _INSTEAD),
            lambda mutant: survives(mutant, both),
            EQUIVALENT,
        )


if __name__ == "__main__":
    sys.exit(main())
