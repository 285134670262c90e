"""Alter the macros of ring.h that were translated to Python, for checks of their tests.

Takes the source of a package's `macros.py`; gives its functions, what each token of them could be
instead, and rings whose halves have what altered source says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from dataclasses import replace
from types import ModuleType

from mutation import Function, Mutant
from ring_states import Key, Ring

CLASSES = {"SharedRing": "page", "FrontRing": "front", "BackRing": "back"}

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

# Of any ring.h, survivors among the helpers that round down to a power of two.
EQUIVALENT_ROUNDING = {
    r"page/_rd\d+: .* << \d+\) & U64 .*→.* << \d+\) & (U32|0xFFFF) ": (
        "the power of two of a part, shifted back, is no larger than the value was"
    ),
}


def functions(source: str, translated: Set[Key]) -> Iterator[Function]:
    """The functions that were translated from ring.h's macros."""
    for node in ast.parse(source).body:
        side = CLASSES.get(node.name, "") if isinstance(node, ast.ClassDef) else "page"
        for item in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(item, ast.FunctionDef) and (
                (side, item.name) in translated or item.name.startswith("_rd")
            ):
                first = (item.body[0].end_lineno or 0) + 1
                yield Function(side, item.name, first, item.end_lineno or first)


def altered(ring: Ring, package: str, source: str) -> Ring:
    """A ring of a package whose `macros` have this source."""
    macros = ModuleType(f"{package}.macros")
    macros.__package__ = package
    exec(compile(source, macros.__name__, "exec"), vars(macros))
    classes = {}
    for name, side in CLASSES.items():
        if half := ring.classes.get(side):
            own = {each: vars(half)[each] for each in ("entry", "first_entry")}
            base = getattr(macros, name)
            classes[side] = type(half.__name__, (base,), {"__slots__": (), **own})
    return replace(ring, classes=classes)


def concerned(ring: Ring, mutant: Mutant) -> list[Key]:
    """The macros that a mutant can change, its own first: that is the likeliest to tell."""
    function = mutant.function
    keys = [key for key in ring.operations if function.side in ("page", key[0])]
    return sorted(keys, key=lambda key: key != (function.side, function.name))
