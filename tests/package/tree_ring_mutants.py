"""Mutation check of ring.h's macros in the package of Xen's tree: `make mutants`.

As tests/backend/rings/mutants.py, but the translated header is Xen's own, and the differential
test, with its ordinary numbers of states, that of all request rings of the tree.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mutation import Mutant, mutants, tell, unaltered
from ring_mutants import EQUIVALENT_ROUNDING, INSTEAD, altered, concerned, functions
from ring_states import Ring, compare, trace
from tree_rings import STATES, STEPS, library_of, ring_of
from xen_tree import RINGS, made_in

# Survivors, by a pattern of what was altered, each with the reason why it does the same.
EQUIVALENT = EQUIVALENT_ROUNDING | {
    r"/get_re\w+: .*- 1\) & U32.*→.*- 1\) & (U64|0x7FFF_FFFF)": (
        "a ring has fewer than 2^31 entries, and an index is below 2^32"
    ),
    r"/ring_full: .* == 0 → .* <= 0": "the number of free requests is not negative",
    r"self\.xen_wmb\(\) before new = self\.r\w+_prod_pvt": (
        "what is read there is private: the other side sees no difference"
    ),
    r"return req if req < rsp else rsp → return req if req <= rsp else rsp": (
        "where both are equal, either is the answer"
    ),
}


def survives(mutant: Mutant, rings: Sequence[tuple[Ring, Any]]) -> bool:
    """Whether the differential test finds no difference to C in any ring."""
    try:
        for unchanged, library in rings:
            ring = altered(unchanged, "xen_public", mutant.source)
            for key in concerned(ring, mutant):
                compare(library, ring, key, STATES[1])
            trace(library, ring, STEPS[1])
    except Exception:
        return False
    return True


def main() -> int:
    """Try every mutant; give the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = made_in(folder)
        source = (tree.out / "xen_public" / "macros.py").read_text()
        rings = [
            (ring, library_of(ring, folder))
            for ring in (ring_of(tree, name) for name in RINGS)
        ]
        translated = {key for ring, _ in rings for key in ring.operations}
        assert survives(unaltered(source), rings)
        return tell(
            mutants(source, functions(source, translated), INSTEAD),
            lambda mutant: survives(mutant, rings),
            EQUIVALENT,
        )


if __name__ == "__main__":
    sys.exit(main())
