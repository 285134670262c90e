"""The request rings of Xen's headers, in the package of the tree and in C, for `ring_states`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ring_states import Ring, build, operations_of
from xen_tree import RINGS, XenTree, c_options, interface_of
from xenbind.backend.names import ring_prefix

# For each macro of each ring, and steps of each ring's trace; with --exhaustive the first.
STATES = 1_000, 20
STEPS = 20_000, 400


def ring_of(tree: XenTree, name: str) -> Ring:
    """A ring of the package."""
    header = RINGS[name]
    module, interface = tree.module(header), interface_of(header)
    (declared,) = (each for each in interface.rings if each.name == name)
    prefix = ring_prefix(name, interface.name)
    return Ring(
        name,
        operations_of(interface, declared),
        {side: getattr(module, f"{name}_{side}_ring") for side in ("front", "back")},
        {
            side.lower(): getattr(module, f"{prefix}{side}Ring")
            for side in ("Front", "Back")
        },
    )


def library_of(ring: Ring, folder: Path) -> Any:
    """Its macros in C."""
    header = RINGS[ring.name]
    text = f'#include "{header}"\n'
    return build(folder, ring, text, *c_options(header))
