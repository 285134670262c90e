"""Mutation check of the ring's translated code: `make mutants`.

Every operator, mask, constant, index, statement and barrier of the translated macros is
altered, one at a time, and the differential test runs on the result. A mutant that
survives must be listed in EQUIVALENT with the reason why it does the same; exit status 1
if one is not.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import test_ring_macros as differential
from mutation import Mutant, mutants, tell, unaltered
from ring_mutants import EQUIVALENT_ROUNDING, INSTEAD, altered, concerned, functions
from ring_states import compare
from support import PROJECT

PACKAGE = PROJECT / "generated" / "xen_vm_event"
STATES = 3000

# Survivors, by a pattern of what was altered, each with the reason why it does the same.
EQUIVALENT = EQUIVALENT_ROUNDING | {
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


def survives(mutant: Mutant, library: object) -> bool:
    """Whether the differential test finds no difference to C."""
    try:
        ring = altered(differential.vm_event(), "xen_vm_event", mutant.source)
        for key in concerned(ring, mutant):
            compare(library, ring, key, STATES)
    except Exception:
        return False
    return True


def main() -> int:
    """Try every mutant; give the exit status."""
    source = (PACKAGE / "macros.py").read_text()
    translated = differential.vm_event().operations.keys()
    with tempfile.TemporaryDirectory() as folder:
        library = differential.built(Path(folder), differential.HEADERS)
        assert survives(unaltered(source), library)
        return tell(
            mutants(source, functions(source, translated), INSTEAD),
            lambda mutant: survives(mutant, library),
            EQUIVALENT,
        )


if __name__ == "__main__":
    sys.exit(main())
