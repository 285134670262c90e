"""What is in a guest's memory, by its physical addresses: read, written, found."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from mmap import PROT_READ, PROT_WRITE
from typing import Any

from ..xenforeignmemory import v1 as libxenforeignmemory
from .channel import PAGE_SIZE
from .guest import Guest


class PhysicalMemory:
    """A guest's memory, whose pages are mapped while they are read or written.

    What the guest may not do with it, a monitor may.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._opened: Any = None

    def read(self, address: int, size: int) -> bytes:
        """Read bytes, also across pages; raises OSError where the guest has no memory."""
        found = bytearray()
        for gfn, start, end in _parts(address, size):
            with self._mapped(gfn, PROT_READ) as page:
                found += page[start:end]
        return bytes(found)

    def write(self, address: int, octets: bytes) -> None:
        """Write bytes, also across pages; raises OSError where the guest has no memory."""
        done = 0
        for gfn, start, end in _parts(address, len(octets)):
            with self._mapped(gfn, PROT_READ | PROT_WRITE) as page:
                page[start:end] = octets[done : done + end - start]
            done += end - start

    def translate(self, address: int, vcpu: int = 0) -> int:
        """Give the physical address of a virtual one, by a vCPU's page tables.

        Raises OSError where these have none.
        """
        guest = self._guest
        gfn = guest.functions.xc_translate_foreign_address(
            guest.handle, guest.domain, vcpu, address
        )
        return gfn * PAGE_SIZE + address % PAGE_SIZE

    @contextmanager
    def _mapped(self, gfn: int, protection: int) -> Generator[memoryview]:
        self._guest.require_monitored()
        self._guest.require_pages(gfn, gfn)
        if self._opened is None:
            self._opened = libxenforeignmemory.xenforeignmemory_open(None, 0)
        address = libxenforeignmemory.xenforeignmemory_map(
            self._opened, self._guest.domain, protection, 1, [gfn], None
        )
        page = (ctypes.c_char * PAGE_SIZE).from_address(address)
        try:
            with memoryview(page).cast("B") as view:
                yield view
        finally:
            libxenforeignmemory.xenforeignmemory_unmap(self._opened, page, 1)

    def close(self) -> None:
        """Let go of the way to other domains' memory."""
        opened, self._opened = self._opened, None
        if opened is not None:
            libxenforeignmemory.xenforeignmemory_close(opened)


def _parts(address: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Give each page of some bytes, and where they begin and end in it."""
    end = address + size
    while address < end:
        gfn, start = divmod(address, PAGE_SIZE)
        length = min(PAGE_SIZE - start, end - address)
        yield gfn, start, start + length
        address += length
