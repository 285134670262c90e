"""Every macro of every request ring of Xen's headers, in the package of the tree and in C.

On the same random states, and in traces of macros that follow each other; see `ring_states`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ring_states import Ring, build, compare, operations_of, trace
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


def test_these_are_all_rings(xen_tree: XenTree) -> None:
    assert xen_tree.having("rings") == RINGS


@pytest.mark.parametrize("name", RINGS)
def test_macros_do_the_same_in_python_as_in_c(
    name: str, xen_tree: XenTree, tmp_path: Path, exhaustive: bool
) -> None:
    ring = ring_of(xen_tree, name)
    library = library_of(ring, tmp_path)
    assert len(ring.operations) >= 30
    for key in ring.operations:
        compare(library, ring, key, STATES[not exhaustive])
    trace(library, ring, STEPS[not exhaustive])
