"""xc_mem_paging_*, xc_memshr_*, and what takes the rings' pages from the guest or gives it them."""

from __future__ import annotations

import ctypes
import errno
from typing import Any

from ..monitor.channel import PAGE_SIZE
from .guest import Guest
from .libraries import fail, pointed
from .side_ring import SideRing


class PagingCalls:
    """The functions for paging and sharing, each by its name after an underscore."""

    guests: dict[int, Guest]
    has_paging: bool

    # --- the rings ------------------------------------------------------------------

    def _xc_mem_paging_enable(self, xch: int, domain: int, port: Any) -> int:
        return self._enable(domain, self.guests[domain].paged.side, port)

    def _xc_mem_paging_disable(self, xch: int, domain: int) -> int:
        return self._disable(self.guests[domain].paged.side)

    def _xc_memshr_ring_enable(self, xch: int, domain: int, port: Any) -> int:
        return self._enable(domain, self.guests[domain].shared.side, port)

    def _xc_memshr_ring_disable(self, xch: int, domain: int) -> int:
        return self._disable(self.guests[domain].shared.side)

    def _enable(self, domain: int, side: SideRing, port: Any) -> int:
        if not self.has_paging or self.guests[domain].is_arm:
            return fail(errno.ENODEV)
        if side.is_attached:
            return fail(errno.EBUSY)
        if not side.in_reach:
            return fail(errno.EINVAL)
        side.ring.attach()
        pointed(port).value = domain + self.guests[domain].ends.index(side)
        return 0

    def _disable(self, side: SideRing) -> int:
        if side.is_attached:
            side.give_up()
        return 0

    # --- pages ----------------------------------------------------------------------

    def _xc_domain_populate_physmap_exact(
        self, xch: int, domain: int, count: int, order: int, flags: int, gfns: Any
    ) -> int:
        for gfn in pointed(gfns)[:count]:
            side = self.guests[domain].side_at(gfn)
            if side is None:
                self.guests[domain].memory.page(gfn)
            else:
                side.in_reach = True
        return 0

    def _xc_domain_decrease_reservation_exact(
        self, xch: int, domain: int, count: int, order: int, gfns: Any
    ) -> int:
        for gfn in pointed(gfns)[:count]:
            side = self.guests[domain].side_at(gfn)
            if side is None:
                self.guests[domain].memory.pages.pop(gfn, None)
            else:
                side.in_reach = False
        return 0

    def _xc_mem_paging_nominate(self, xch: int, domain: int, gfn: int) -> int:
        return self._paged(domain, self.guests[domain].paged.nominate(gfn))

    def _xc_mem_paging_evict(self, xch: int, domain: int, gfn: int) -> int:
        return self._paged(domain, self.guests[domain].paged.evict(gfn))

    def _xc_mem_paging_prep(self, xch: int, domain: int, gfn: int) -> int:
        return self._paged(domain, self.guests[domain].paged.load(gfn, None))

    def _xc_mem_paging_load(self, xch: int, domain: int, gfn: int, buffer: Any) -> int:
        found = pointed(buffer)
        address = found if isinstance(found, int) else ctypes.addressof(found)
        if address % PAGE_SIZE:
            return fail(errno.EINVAL)
        octets = ctypes.string_at(address, PAGE_SIZE)
        return self._paged(domain, self.guests[domain].paged.load(gfn, octets))

    def _paged(self, domain: int, error: int) -> int:
        if not self.guests[domain].paged.side.is_attached:
            return fail(errno.ENODEV)
        return fail(error) if error else 0
