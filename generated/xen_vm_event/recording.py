"""Recordings: records one after another in memory, looked at in turn."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from mmap import mmap
from typing import TypeVar

from .base import Structure
from .private import Copy

Record = TypeVar("Record", bound=Structure)


def records(
    record: type[Record], recording: bytes | bytearray | memoryview | mmap
) -> Iterator[Record]:
    """Each record of a recording: one object, filled anew for each; `copy()` keeps one.

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
