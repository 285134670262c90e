"""A guest's own memory: what the guest may do with its pages, until the monitor leaves."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress

from ..xenctrl.common import has
from .emulating import Emulated
from .events import Event, Events
from .guest import Guest, MonitorError
from .pages import Pages, Restriction
from .stepping import Stepping

_DEFAULT = 0xFFFF_FFFF_FFFF_FFFF  # in a page's place: those of which nothing is said
_ARM_RAM = 0x40000  # the first page of a guest's memory on Arm

# Pages, all of them if it is None, and what is to become of them.
Wanted = tuple[range | None, Restriction]


class Memory(Pages):
    """What a guest may do with its memory, until the monitor leaves.

    Pages that were restricted one by one get back what they had then; after `restrict_all` the
    guest may do anything with all of them.
    """

    _WAYS = ("lift", "emulate", "step")

    def __init__(
        self, guest: Guest, events: Events, stepping: Stepping, emulated: Emulated
    ) -> None:
        super().__init__(guest, events, stepping, emulated)
        self._was: dict[int, int] = {}
        self._walks_ignored = False
        self._is_required = False

    def wanted(self, events: Iterable[Event]) -> list[Wanted]:
        """Read events such as `mem_access:r-x` and `mem_access:r-x:0x40400-0x404ff:step`.

        Raises MonitorError for what there is not here.
        """
        found: list[Wanted] = []
        for event in events:
            if event.reason == "MEM_ACCESS" and event.options:
                access, gfns, then = (
                    *event.options,
                    *("all", "lift")[len(event.options) - 1 :],
                )
                restriction = self._restriction(access, then)
                found.append((_gfns(self._guest, event, gfns), restriction))
        return found

    def begin(self, wanted: Iterable[Wanted]) -> None:
        """Restrict pages as events want it."""
        for gfns, restriction in wanted:
            if gfns is None:
                self._restrict_all(restriction)
            else:
                self._restrict(gfns, restriction)

    def access(self, gfn: int) -> str:
        """Ask what the guest may do with a page: `r-x`, or one of Xen's own names."""
        self._guest.require_pages(gfn, gfn)
        number = self._access(gfn)
        if number > self._free:
            return str(self._guest.xen.module.XenmemAccess(number).name)
        return "".join(
            kind if number & 1 << bit else "-" for bit, kind in enumerate("rwx")
        )

    def require_monitor(self) -> None:
        """Have Xen end the guest if it does what it may not while there is no monitor, as when
        this one is killed; until the monitor leaves.  Xen lets it go on otherwise.
        """
        self._require_monitor(True)
        self._is_required = True

    def _require_monitor(self, required: bool) -> None:
        guest = self._guest
        guest.functions.xc_domain_set_access_required(
            guest.handle, guest.domain, required
        )

    def ignore_page_walks(self) -> None:
        """Have none of the CPU's own accesses to the guest's page tables reported, until
        the monitor leaves: from Xen 4.12 on, and with `emulate` in views.
        """
        self._guest.require("xc_monitor_inguest_pagefault")
        self._ignore_page_walks(True)
        self._walks_ignored = True

    def _ignore_page_walks(self, ignore: bool) -> None:
        guest = self._guest
        if has(guest.functions, "xc_monitor_inguest_pagefault"):
            guest.functions.xc_monitor_inguest_pagefault(
                guest.handle, guest.domain, ignore
            )

    def last_gfn(self) -> int:
        """Ask for the highest guest frame number."""
        return self._guest.last_gfn()

    def all_gfns(self) -> range:
        """Give the guest's pages, and the holes between them."""
        last = self.last_gfn()
        # A guest that is played has its memory below.
        first = _ARM_RAM if self._guest.is_arm and last >= _ARM_RAM else 0
        return range(first, last + 1)

    def restore(self) -> None:
        """Give single pages back what they had, and all if all were restricted; the rest too."""
        with ExitStack() as last_first:  # all of it, also if one fails
            last_first.callback(self._restore_single)
            if self._everywhere is not None:
                self._everywhere = None
                last_first.callback(self._set_everywhere, self._free)
            if self._walks_ignored:
                self._walks_ignored = False
                last_first.callback(self._ignore_page_walks, False)
            if self._is_required:
                self._is_required = False
                last_first.callback(self._require_monitor, False)

    def _restore_single(self) -> None:
        was, self._was = self._was, {}
        self._own.clear()
        for access in sorted(set(was.values())):
            gfns = [gfn for gfn, its in was.items() if its == access]
            try:
                self._set(access, gfns)
            except OSError:  # at a page that is gone; the others have to be done
                for gfn in gfns:
                    with suppress(OSError):
                        self._set(access, [gfn])

    def _access(self, gfn: int) -> int:
        guest, found = self._guest, ctypes.c_uint()
        guest.functions.xc_get_mem_access(guest.handle, guest.domain, gfn, found)
        return found.value

    def _restrict(self, gfns: Sequence[int], restriction: Restriction) -> None:
        for gfn in gfns:
            if gfn not in self._was and self._everywhere is None:
                self._was[gfn] = self._free
                with suppress(OSError):  # no page is there yet
                    self._was[gfn] = self._access(gfn)
        super()._restrict(gfns, restriction)

    def _set(self, access: int, gfns: Sequence[int]) -> None:
        guest = self._guest
        functions, handle, domain = guest.functions, guest.handle, guest.domain
        count = len(gfns)
        if isinstance(gfns, range) or count == 1:
            functions.xc_set_mem_access(handle, domain, access, gfns[0], count)
        elif has(functions, "xc_set_mem_access_multi"):
            accesses = (ctypes.c_uint8 * count)(*[access] * count)
            pages = (ctypes.c_uint64 * count)(*gfns)
            functions.xc_set_mem_access_multi(handle, domain, accesses, pages, count)
        else:
            for gfn in gfns:
                functions.xc_set_mem_access(handle, domain, access, gfn, 1)

    def _set_everywhere(self, access: int) -> None:
        guest = self._guest
        guest.functions.xc_set_mem_access(
            guest.handle, guest.domain, access, _DEFAULT, 0
        )
        self._set(access, self.all_gfns())


def _gfns(guest: Guest, event: Event, text: str) -> range | None:
    """Read pages: `0x40400`, `0x40400-0x404ff`, or `all`, which is None."""
    if text == "all":
        return None
    begin, _, end = text.partition("-")
    try:
        first, last = int(begin, 0), int(end or begin, 0)
    except ValueError:
        first, last = 1, 0
    if first > last:
        raise MonitorError(f"{event.text}: no pages '{text}'")
    guest.require_pages(first, last, event.text)
    return range(first, last + 1)
