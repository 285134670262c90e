"""A pager: takes pages of a guest's memory, keeps them, and gives them back when they are used."""

from __future__ import annotations

import errno
from collections.abc import Callable, MutableMapping
from contextlib import closing, suppress
from mmap import mmap
from typing import Any

from .channel import PAGE_SIZE
from .leaving import for_each, in_turn
from .own_ring import Kind, OwnRing
from .physical import PhysicalMemory
from .xen import Xen


class Paging(OwnRing):
    """A guest whose pages are elsewhere, while this is used as a context.

        with Paging(3) as paging:
            paging.evict(0x1234)
            for request in paging:      # until the guest is gone
                ...                     # answered when the loop goes on

    `pages` is where they are kept, by guest frame number: a dict, or what is used like one,
    such as a file's.  A page that the guest uses is loaded, and forgotten there, before its
    request is answered; one that the guest gave up is forgotten.  On leaving all are loaded.

    Requests are waited for, answered and postponed as a monitor's are.  Xen pages guests of x86
    that have hardware-assisted paging, where it is built with that.
    """

    __slots__ = ("_buffer", "_nominated", "pages")

    _KIND = Kind("MEM_PAGING", 27, "xc_mem_paging_enable", "xc_mem_paging_disable")
    _NEEDS = (
        *("xc_mem_paging_nominate", "xc_mem_paging_evict"),
        *("xc_mem_paging_load", "xc_mem_paging_prep"),
    )

    def __init__(
        self,
        domain: int,
        pages: MutableMapping[int, bytes] | None = None,
        xen: Xen | None = None,
        idle: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(domain, xen, idle)
        self.pages: MutableMapping[int, bytes] = {} if pages is None else pages
        self._nominated: set[int] = set()  # whose eviction failed
        self._buffer = mmap(-1, PAGE_SIZE)  # the library wants a page of memory

    def evict(self, gfn: int) -> bool:
        """Take a page from the guest and keep it; False if it is in use, as by a device.

        The guest may write to a page that was in use once more before it can be taken: that is
        a request, too.  Raises MonitorError for a page that the guest cannot have.
        """
        self._require_context()
        self._guest.require_pages(gfn, gfn)
        if gfn in self.pages:
            return True
        guest = self._guest
        with self._signals.hold():
            try:
                if gfn not in self._nominated:
                    guest.functions.xc_mem_paging_nominate(
                        guest.handle, guest.domain, gfn
                    )
                    self._nominated.add(gfn)
                self._take_out(gfn)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
        return True

    def load(self, gfn: int) -> None:
        """Give a page back, which the guest need not have asked for.

        Raises KeyError for one that is not kept, OSError where there is no memory for it: it
        is kept then.
        """
        self._require_context()
        guest = self._guest
        with self._signals.hold():
            self._buffer[:] = self.pages[gfn]
            guest.functions.xc_mem_paging_load(
                guest.handle, guest.domain, gfn, self._buffer
            )
            del self.pages[gfn]

    def _take_out(self, gfn: int) -> None:
        guest = self._guest
        # From the nomination on, the guest does not write there without a request.
        with closing(PhysicalMemory(guest)) as memory:
            self.pages[gfn] = memory.read(gfn * PAGE_SIZE, PAGE_SIZE)
        try:
            guest.functions.xc_mem_paging_evict(guest.handle, guest.domain, gfn)
        except OSError:
            del self.pages[gfn]
            raise
        self._nominated.discard(gfn)

    def _prepare(self, request: Any) -> int:
        asked, guest = request.payload, self._guest
        gfn = asked.gfn
        if asked.flags & self.vm_event.MEM_PAGING_DROP_PAGE:
            self.pages.pop(gfn, None)
        elif gfn in self.pages:
            self.load(gfn)
        else:  # nominated and not evicted, or back since another vCPU asked
            with suppress(FileNotFoundError):
                guest.functions.xc_mem_paging_prep(guest.handle, guest.domain, gfn)
        self._nominated.discard(gfn)
        return 0

    def _end(self) -> None:
        # Without a pager the guest dies of the next use of what is not there, or nominated.
        in_turn(
            lambda: for_each(list(self._nominated), self._take_out),
            lambda: for_each(list(self.pages), self.load),
        )
