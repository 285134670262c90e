"""Tell on a terminal how far a long input has been read.

Takes a binary stream and counts what is read of it; writes one line to standard error, which it
takes away again.  Where that is no terminal, or has the events on it, nothing is written.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from io import BufferedReader
from os import fstat

_EVERY = 0.2  # seconds


class Progress:
    """A stream that tells how much of it was read."""

    def __init__(self, stream: BufferedReader, name: str) -> None:
        self._stream = stream
        self._name = name
        self._read = 0
        self._told = time.monotonic()
        self._has_told = False
        self._size = 0
        with suppress(OSError):
            self._size = fstat(stream.fileno()).st_size

    def read1(self, size: int) -> bytes:
        """Read what is there."""
        data = self._stream.read1(size)
        self._read += len(data)
        now = time.monotonic()
        if now - self._told >= _EVERY:
            self._told = now
            self._tell()
        return data

    def read(self, size: int) -> bytes:
        return self.read1(size)

    def close(self) -> None:
        """Take the line away."""
        if self._has_told:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _tell(self) -> None:
        part = f"{self._read / 1e6:.0f} MB"
        if self._size:
            part = f"{100 * self._read // self._size} % of {self._size / 1e6:.0f} MB"
        sys.stderr.write(f"\r\x1b[K{self._name}: {part}")
        sys.stderr.flush()
        self._has_told = True


def wanted(prints_events: bool) -> bool:
    """Tell whether there is a terminal to tell progress on, with no events on it."""
    return sys.stderr.isatty() and not (prints_events and sys.stdout.isatty())
