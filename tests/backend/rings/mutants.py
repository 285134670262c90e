"""Mutation check of the ring's translated code: `make mutants`.

Every operator, mask, constant, index, statement and barrier of the translated macros is
altered, one at a time, and the differential test runs on the result. A mutant that
survives must be listed in EQUIVALENT with the reason why it does the same; exit status 1
if one is not.
"""

from __future__ import annotations

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import test_ring_macros as differential
from mutation import Function, Mutant, mutants
from ring_states import compare
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
INSTEAD: dict[str, tuple[str, ...]] = {
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


def functions(source: str) -> Iterator[Function]:
    """The functions that were translated from ring.h's macros."""
    translated = set(differential.vm_event().operations)
    for node in ast.parse(source).body:
        side = CLASSES.get(node.name, "") if isinstance(node, ast.ClassDef) else "page"
        for item in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(item, ast.FunctionDef) and (
                (side, item.name) in translated or item.name.startswith("_rd")
            ):
                first = (item.body[0].end_lineno or 0) + 1
                yield Function(side, item.name, first, item.end_lineno or first)


def survives(mutant: Mutant, library: object) -> bool:
    """Whether the differential test finds no difference to C."""
    ring = differential.vm_event()
    macros = _module("xen_vm_event.macros", mutant.source)
    for side, base in (("front", macros.FrontRing), ("back", macros.BackRing)):
        body = {"__slots__": (), "entry": v7.vm_event_sring_entry}
        ring.classes[side] = type("Ring", (base,), body)
    concerned = [
        key for key in ring.operations if mutant.function.side in ("page", key[0])
    ]
    # The function's own test first: it is the likeliest to tell.
    concerned.sort(key=lambda key: key != (mutant.function.side, mutant.function.name))
    try:
        for key in concerned:
            compare(library, ring, key, STATES)
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
        library = differential.built(Path(folder), differential.HEADERS)
        survivors, count = [], 0
        for mutant in mutants(source, functions(source), INSTEAD):
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
