"""Tell which words of a struct are indices: of the next byte or event to be taken, or to be put.

Takes a `Record`; gives its members by what their names say.  `event_pages` and `byte_pages` find
rings by them.

    struct xenkbd_page { uint32_t in_cons, in_prod; … };    ->    directions: in, …
"""

from __future__ import annotations

from collections.abc import Mapping

from xenbind.ir.c_types import Scalar
from xenbind.ir.interface import Field, Record

# What an index's name ends with.
CONSUMER, PRODUCER = "_cons", "_prod"
# Who reads what a page's words are named after: in and out are as the frontend sees them.
READERS = {"in": "frontend", "rsp": "frontend", "out": "backend", "req": "backend"}


def index_words(record: Record) -> Mapping[str, Field]:
    """Give the members of a struct that may be indices: unsigned words of 32 bits."""
    return {field.name: field for field in record.fields if is_index(field)}


def is_index(field: Field) -> bool:
    """Tell whether a member may be an index."""
    return (
        isinstance(field.type, Scalar)
        and field.type.base in ("uint32_t", "unsigned int")
        and field.bit_width is None
        and field.offset % 4 == 0
    )


def directions(record: Record) -> list[str]:
    """Give what a struct has both a consumer's and a producer's index of: `in`, `out`."""
    words = index_words(record)
    return [
        name.removesuffix(CONSUMER)
        for name in words
        if name.endswith(CONSUMER)
        and f"{name.removesuffix(CONSUMER)}{PRODUCER}" in words
    ]
