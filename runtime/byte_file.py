"""Read and write a ring of bytes as a file, for what works on files.

    file = ring.file(wait=channel.wait, notify=channel.notify)
    header = io.BufferedReader(file).read(7)

The file is raw: it reads and writes at once what is there and what fits.
"""

from __future__ import annotations

import io

from .annotations import typing
from .byte_ring import ByteRing


class ByteFile(io.RawIOBase):
    """A ring as a raw file; `ByteRing.file` says what `wait` and `notify` are.

    Without `wait` it is as a file that does not block: there is None to read where nothing
    is there, and None is written where there is no room.  It has no end.
    """

    def __init__(
        self,
        ring: ByteRing,
        wait: typing.Callable[[], object] | None,
        notify: typing.Callable[[], object] | None,
    ) -> None:
        super().__init__()
        self._ring = ring
        self._wait = wait
        self._notify = notify

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: typing.Any, /) -> int | None:
        """Take bytes into a buffer, once there are any; give their number."""
        return self._moved(self._ring.readinto, buffer)

    def write(self, data: typing.Any, /) -> int | None:
        """Put bytes into the ring, once there is room for any; give their number."""
        return self._moved(self._ring.write, data)

    def _moved(
        self, move: typing.Callable[[typing.Any], int], buffer: typing.Any
    ) -> int | None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if not memoryview(buffer).nbytes:
            return 0
        while not (size := move(buffer)):
            if self._wait is None:
                return None
            self._wait()
        if self._notify is not None:
            self._notify()
        return size
