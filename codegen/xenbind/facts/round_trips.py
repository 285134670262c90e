"""Choose the members that compiled C fills and reads, to be held against Python's.

Takes a record of the IR; gives a `RoundTrip`: each scalar in it, at any depth, as C reads
and writes it.  The template reference/version.c.jinja makes two functions of one, which the
package's own tests call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenbind.ir.c_types import Enumeration, Pointer, RecordRef, Scalar, inside_arrays
from xenbind.ir.interface import Record
from xenbind.plain import Struct

_FLOATS = ("float", "double", "long double")
# A record of more makes no round trip, as in the package's tests/members.py: those in it do.
MOST_SCALARS = 10_000


class Leaf(Struct, frozen=True):
    """A scalar member at some depth, as the round trip reads and writes it.

    `path` is a C path with index variables; `lengths` are the arrays passed on the way.
    `read` is C for the integer that it is read as, `type` turns an integer into it.
    """

    path: str
    lengths: tuple[int, ...]
    read: str
    type: str

    @property
    def loops(self) -> tuple[tuple[str, int], ...]:
        return tuple(
            (f"xenbind_{depth}", length) for depth, length in enumerate(self.lengths)
        )


class RoundTrip(Struct, frozen=True):
    """A record with the functions that fill and read it; `name` is theirs."""

    name: str
    type: str
    leaves: tuple[Leaf, ...]


def round_trip(record: Record, records: Mapping[str, Record]) -> RoundTrip:
    """Give the round trip of a record; `records` has those in it by their keys."""
    leaves = tuple(_leaves(record, records, "", ()))
    return RoundTrip(record.key.replace(" ", "_"), record.key, leaves)


def _leaves(
    record: Record, records: Mapping[str, Record], path: str, lengths: tuple[int, ...]
) -> Iterator[Leaf]:
    for field in record.fields:
        element, inner_lengths = inside_arrays(field.type)
        first = len(lengths)
        all_lengths = lengths + inner_lengths
        index = "".join(
            f"[xenbind_{depth}]" for depth in range(first, len(all_lengths))
        )
        inner = f"{path}{field.name}{index}"
        if isinstance(element, RecordRef):
            nested = records[element.key]
            yield from _leaves(nested, records, f"{inner}.", all_lengths)
            continue
        value = f"xenbind_record->{inner}"
        if isinstance(element, Pointer):
            read, cast = f"(xenbind_uintptr_t){value}", "(void *)(xenbind_uintptr_t)"
            yield Leaf(inner, all_lengths, read, cast)
        elif isinstance(element, Scalar | Enumeration):
            if element.base in _FLOATS:
                value = f"xenbind_bits({value})"
            elif element.base == "_Bool" and field.bit_width is None:
                # In a union it may have any bits, which C may read as it likes.
                value = f"0 != *(const unsigned char *)&{value}"
            elif element.base == "char" and field.bit_width is None:
                value = f"(signed char){value}"  # which some targets have unsigned
            yield Leaf(inner, all_lengths, value, "")
