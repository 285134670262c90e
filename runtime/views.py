"""Give the bytes of a record, or of one of its members, to read and write in place.

    ring = v0.xenstore_domain_interface.from_buffer(page)
    raw(ring, "req")[3] = 0x61

A char array reads as bytes of its own; here it is the buffer itself.
"""

from __future__ import annotations

import ctypes

from .annotations import typing
from .layout import place
from .records import Structure, Union


def raw(record: Structure | Union, path: str = "") -> memoryview:
    """View the bytes of a record, or of the member at a path such as `u.mem_access`.

    Names in the path are C's.  Raises ValueError for a path that is no member's, or a
    bit-field's, which has no bytes of its own.
    """
    whole: typing.Any = ctypes.c_ubyte * ctypes.sizeof(record)
    octets = memoryview(whole.from_buffer(record)).cast("B")
    if not path:
        return octets
    found = place(type(record), path)
    if found is None or found.bit_width is not None:
        raise ValueError(f"{type(record).__name__} has no bytes of a member '{path}'")
    return octets[found.offset : found.offset + found.size]
