"""Read recordings: records one after another in memory, looked at in turn."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

from .annotations import TYPE_CHECKING, mmap, typing
from .copies import Copy
from .records import Structure

if TYPE_CHECKING:
    Record = typing.TypeVar("Record", bound=Structure)
else:
    Record = Structure


def records(
    record: type[Record], recording: bytes | bytearray | memoryview | mmap.mmap
) -> Iterator[Record]:
    """Give each record of a recording: one object, filled anew for each; `copy()` keeps one.

    Raises ValueError where the recording ends within a record.
    """
    size = ctypes.sizeof(record)
    octets = memoryview(recording).cast("B")
    if len(octets) % size:
        raise ValueError(
            f"{len(octets)} bytes hold no whole number of {size}-byte records"
        )
    copy = Copy(record, size)
    for start in range(0, len(octets), size):
        copy.octets[:] = octets[start : start + size]
        yield copy.record
