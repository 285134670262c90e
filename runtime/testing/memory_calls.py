"""What a monitor does with a guest's memory: accesses, views (altp2m), and mapped pages."""

from __future__ import annotations

import ctypes
import errno
from typing import Any

from ..monitor.channel import PAGE_SIZE
from .guest import Guest
from .libraries import fail, pointed
from .memory import ORIGINAL, Memory, View

_DEFAULT = 2**64 - 1  # in a page's place: those that come later
_NO_GFN = ctypes.c_ulong(-1).value
_MOST_VIEWS = 10


class MemoryCalls:
    """The functions for memory, each by its name after an underscore."""

    guests: dict[int, Guest]
    lets_params_be_set: bool

    def _memory(self, domain: int) -> Memory:
        return self.guests[domain].memory

    def _xc_domain_maximum_gpfn(self, xch: int, domain: int, last: Any) -> int:
        memory = self._memory(domain)
        pointed(last).value = max(memory.last_gfn, *memory.pages, 0)
        return 0

    def _xc_translate_foreign_address(
        self, xch: int, domain: int, vcpu: int, address: int
    ) -> int:
        return address % 2**32 // PAGE_SIZE  # its page tables map everything there

    # --- what the guest may do with pages -------------------------------------------

    def _xc_get_mem_access(self, xch: int, domain: int, gfn: int, access: Any) -> int:
        if self.guests[domain].ring.is_given_up:
            return fail(errno.ENODEV)
        if gfn == _DEFAULT:
            pointed(access).value = self._memory(domain).views[ORIGINAL].default
            return 0
        if not self._memory(domain).has(gfn):
            return fail(errno.EINVAL)
        return self._get_access(domain, ORIGINAL, gfn, access)

    def _xc_set_mem_access(
        self, xch: int, domain: int, access: int, first: int, count: int
    ) -> int:
        if self.guests[domain].ring.is_given_up:
            return fail(errno.ENODEV)
        memory = self._memory(domain)
        if first == _DEFAULT:
            memory.views[ORIGINAL].default = access
            return 0
        if not memory.has(first + count - 1):
            return fail(errno.EINVAL)
        gfns = range(first, first + count)
        return self._set_access(domain, ORIGINAL, gfns, [access] * count)

    def _xc_set_mem_access_multi(
        self, xch: int, domain: int, access: Any, gfns: Any, count: int
    ) -> int:
        if self.guests[domain].ring.is_given_up:
            return fail(errno.ENODEV)
        chosen, to = pointed(gfns)[:count], pointed(access)[:count]
        return self._set_access(domain, ORIGINAL, chosen, to)

    def _get_access(self, domain: int, view: int, gfn: int, access: Any) -> int:
        memory = self._memory(domain)
        if view not in memory.views:
            return fail(errno.EINVAL)
        if not memory.has(gfn):
            return fail(errno.ESRCH)
        pointed(access).value = memory.access_of(gfn, view)
        return 0

    def _set_access(self, domain: int, view: int, gfns: Any, accesses: Any) -> int:
        memory = self._memory(domain)
        if view not in memory.views:
            return fail(errno.EINVAL)
        for gfn, access in zip(gfns, accesses, strict=True):
            if view == ORIGINAL:
                memory.had.setdefault(gfn, memory.access_of(gfn))
            memory.views[view].access[gfn] = access
        return 0

    # --- views ----------------------------------------------------------------------

    def _xc_hvm_param_get(self, xch: int, domain: int, number: int, value: Any) -> int:
        pointed(value).value = self.guests[domain].params.get(number, 0)
        return 0

    def _xc_hvm_param_set(self, xch: int, domain: int, number: int, value: int) -> int:
        if not self.lets_params_be_set:
            return fail(errno.EOPNOTSUPP)
        self.guests[domain].params[number] = value
        return 0

    def _xc_altp2m_get_domain_state(self, xch: int, domain: int, state: Any) -> int:
        pointed(state).value = self._memory(domain).has_views
        return 0

    def _xc_altp2m_set_domain_state(self, xch: int, domain: int, state: int) -> int:
        memory = self._memory(domain)
        if self.guests[domain].is_arm:
            return fail(errno.EOPNOTSUPP)
        memory.has_views = bool(state)
        for vcpu in self.guests[domain].vcpus:
            vcpu.view = ORIGINAL
        if not state:
            memory.views = {ORIGINAL: memory.views[ORIGINAL]}
        return 0

    def _xc_altp2m_create_view(
        self, xch: int, domain: int, access: int, number: Any
    ) -> int:
        memory = self._memory(domain)
        free = set(range(_MOST_VIEWS)) - set(memory.views)
        if not memory.has_views:
            return fail(errno.EINVAL)
        if not free:
            return fail(errno.ENOSPC)
        pointed(number).value = made = min(free)
        memory.views[made] = View(access)
        return 0

    def _xc_altp2m_destroy_view(self, xch: int, domain: int, number: int) -> int:
        guest = self.guests[domain]
        if number == ORIGINAL or number not in guest.memory.views:
            return fail(errno.EINVAL)
        if any(vcpu.view == number for vcpu in guest.vcpus):
            return fail(errno.EBUSY)
        del guest.memory.views[number]
        return 0

    def _xc_altp2m_switch_to_view(self, xch: int, domain: int, number: int) -> int:
        guest = self.guests[domain]
        if number not in guest.memory.views:
            return fail(errno.EINVAL)
        for vcpu in guest.vcpus:
            vcpu.view = number
        return 0

    def _xc_altp2m_get_vcpu_p2m_idx(
        self, xch: int, domain: int, vcpu: int, found: Any
    ) -> int:
        if vcpu >= len(self.guests[domain].vcpus):
            return fail(errno.EINVAL)
        pointed(found).value = self.guests[domain].vcpus[vcpu].view
        return 0

    def _xc_altp2m_get_mem_access(
        self, xch: int, domain: int, view: int, gfn: int, access: Any
    ) -> int:
        return self._get_access(domain, view, gfn, access)

    def _xc_altp2m_set_mem_access(
        self, xch: int, domain: int, view: int, gfn: int, access: int
    ) -> int:
        if not self._memory(domain).has(gfn):
            return fail(errno.ESRCH)
        return self._set_access(domain, view, [gfn], [access])

    def _xc_altp2m_set_mem_access_multi(
        self, xch: int, domain: int, view: int, access: Any, gfns: Any, count: int
    ) -> int:
        chosen, to = pointed(gfns)[:count], pointed(access)[:count]
        return self._set_access(domain, view, chosen, to)

    def _xc_altp2m_change_gfn(
        self, xch: int, domain: int, number: int, old: int, new: int
    ) -> int:
        views = self._memory(domain).views
        if number == ORIGINAL or number not in views:
            return fail(errno.EINVAL)
        if new == _NO_GFN:
            views[number].stands_for.pop(old, None)
        else:
            views[number].stands_for[old] = new
        return 0

    # --- pages that are mapped ------------------------------------------------------

    def _xenforeignmemory_open(self, *_: Any) -> int:
        return 0x4000

    def _xenforeignmemory_map(
        self, fmem: int, domain: int, prot: int, count: int, gfns: Any, errors: Any
    ) -> int:
        [gfn] = pointed(gfns)[:count]
        side = self.guests[domain].side_at(gfn)
        if side is not None:
            if not side.in_reach:
                return fail(errno.EINVAL, 0)
            return side.map()
        memory = self._memory(domain)
        if not memory.has(gfn):
            return fail(errno.EINVAL, 0)
        page = memory.page(gfn)
        memory.mapped.add(gfn, page)
        return ctypes.addressof(page)

    def _xenforeignmemory_unmap(self, fmem: int, address: Any, count: int) -> int:
        found = pointed(address)
        number = found if isinstance(found, int) else ctypes.addressof(found)
        for guest in self.guests.values():
            for side in guest.sides:
                side.unmap(number)
            for gfn, page in guest.memory.pages.items():
                if ctypes.addressof(page) == number:
                    guest.memory.mapped.remove(gfn, page)
        return 0
