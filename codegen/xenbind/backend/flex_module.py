"""Prepare the classes of a flex ring for a version's module: names and text.

Takes a `FlexRing` and the names of the module so far; gives a `FlexRingView`.  `module` puts
it into its own; `rings.functions` translates what the header's functions do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from xenbind.backend.names import ring_prefix
from xenbind.backend.python_model import FlexRingView, MethodView
from xenbind.backend.python_text import docstring
from xenbind.ir.interface import FlexRing

if TYPE_CHECKING:
    from xenbind.backend.rings.model import Translated

# Where a version's module finds what its classes derive from.
BYTES, RINGS = ".runtime.byte_ring", ".runtime.flex_ring"
_IN_BODIES = frozenset(["U32", "U64", "memcpy"])
NAMES = _IN_BODIES | {"FlexRing", "Functions", "PageFlexRing"}

# What each function does, by what its name ends with.
_DOCS = {
    "mask": "give the position of a free-running index in the ring's memory.",
    "get_ring_ptr": "give the ring's memory from a free-running index on.",
    "read_packet": "copy bytes out of the ring; give the consumer's position behind them.",
    "write_packet": "copy bytes into the ring; give the producer's position behind them.",
    "queued": "count the bytes between two free-running indices: those to be taken.",
    "ring_size": "give the bytes in one direction of a ring that has 2^order pages.",
}


def view(
    ring: FlexRing,
    interface: str,
    class_of: Callable[[str], str],
    claim: Callable[[str], str],
    use: Callable[[str, str], str],
) -> FlexRingView:
    """Everything that a module says of a ring of an interface.

    `class_of` names a record's class by its key; `claim` gives a name that nothing else in the
    module has, and `use` has one imported.
    """
    from xenbind.backend.rings.functions import functions  # which few headers need

    prefix = ring_prefix(ring.name, interface)
    own = claim(f"{prefix}FlexFunctions")
    made = functions(ring, own)
    words = {
        word
        for each in made
        for line in each.lines
        for word in re.findall(r"\w+", line)
    }
    for name in words & _IN_BODIES:
        use(BYTES, name)
    has_page = ring.size is not None and bool(ring.page)
    return FlexRingView(
        name=ring.name,
        functions=own,
        functions_base=use(BYTES, "Functions"),
        methods=[_method(each) for each in made],
        front=claim(f"{prefix}FrontFlexRing"),
        back=claim(f"{prefix}BackFlexRing"),
        ring_base=use(RINGS, "PageFlexRing" if has_page else "FlexRing"),
        interface=class_of(ring.page) if has_page else "",
    )


def _method(function: Translated) -> MethodView:
    taken = ", ".join(f"{name}: {kind}" for name, kind in function.parameters)
    return MethodView(
        head=f"def {function.role}({taken}) -> {function.returns}:",
        doc=docstring(f"{function.name}: {_DOCS[function.role]}", 8),
        lines=function.lines,
    )
