"""Every macro of every request ring of Xen's headers, in the package of the tree and in C.

On the same random states, and in traces of macros that follow each other; see `ring_states`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ring_states import compare, trace
from tree_rings import STATES, STEPS, library_of, ring_of
from xen_tree import RINGS, XenTree


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
