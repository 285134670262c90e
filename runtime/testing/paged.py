"""Which pages a guest's memory lacks, and those that are shared: as Xen takes and gives them."""

from __future__ import annotations

import ctypes
import errno
from typing import Any, Literal

from ..monitor.channel import PAGE_SIZE
from .roles import Whole
from .side_ring import SideRing

PAGING_RING, SHARING_RING = 27, 29  # the HVM parameters with the rings' pages
_FIRST_FRAME = 0xFEFF8  # of a guest's special pages
# Nominated, evicted, or asked for by the guest, with or without what it held.
State = Literal["nominated", "out", "coming back", "missed"]


class Paged:
    """The pages of a guest that a pager has, by number, with the ring that asks it for them."""

    def __init__(self, guest: Whole) -> None:
        self._guest = guest
        self.side = SideRing(guest, "MEM_PAGING", _FIRST_FRAME, self._resume)
        self.states: dict[int, State] = {}
        self._held: dict[int, bytes] = {}  # what each held that is out

    # --- what the guest does --------------------------------------------------------

    def lacks(self, gfn: int, kind: str, vcpu: int) -> bool:
        """Tell whether a vCPU waits at an access to a page, whose pager is asked for it."""
        state = self.states.get(gfn)
        if state is None or (state == "nominated" and kind != "w"):
            return False
        if not self.side.is_attached:
            self._guest.find("page-left-out", f"page {gfn:#x} is used")
            self._guest.alive = False
            return True
        failed = self._guest.vm_event.MEM_PAGING_EVICT_FAIL
        flags = failed if state == "nominated" else 0
        self._ask_back(gfn, state)
        self.side.ask(gfn, vcpu, flags=flags)
        return True

    def _ask_back(self, gfn: int, state: State) -> None:
        back: dict[State, State] = {"nominated": "coming back", "out": "missed"}
        self.states[gfn] = back.get(state, state)

    def drop(self, gfn: int) -> None:
        """Have the guest give a page up, which its pager is told of."""
        state = self.states.pop(gfn, None)
        self._held.pop(gfn, None)
        if state is not None and self.side.is_attached:
            names = self._guest.vm_event
            flags = names.MEM_PAGING_DROP_PAGE
            if state == "nominated":
                flags |= names.MEM_PAGING_EVICT_FAIL
            self.side.ask(gfn, None, flags=flags)

    # --- what the pager does, each with the error it ends in ------------------------

    def nominate(self, gfn: int) -> int:
        """Have the guest write there no more without a request."""
        memory = self._guest.memory
        if gfn in self.states or not memory.has(gfn) or gfn in memory.mapped.gfns:
            return errno.EBUSY
        self.states[gfn] = "nominated"
        return 0

    def evict(self, gfn: int) -> int:
        """Take a page out."""
        memory = self._guest.memory
        if self.states.get(gfn) != "nominated" or gfn in memory.mapped.gfns:
            return errno.EBUSY
        self.states[gfn] = "out"
        page = memory.page(gfn)
        self._held[gfn] = page.raw
        ctypes.memset(page, 0, PAGE_SIZE)
        return 0

    def load(self, gfn: int, octets: bytes | None) -> int:
        """Give a page back, with what it is to hold if it is out."""
        state = self.states.get(gfn)
        if state in (None, "nominated"):
            return errno.ENOENT
        if gfn in self._held:
            if octets is None:
                return errno.EINVAL
            if octets != self._held.pop(gfn):
                self._guest.find("other-content", f"page {gfn:#x}")
            ctypes.memmove(self._guest.memory.page(gfn), octets, PAGE_SIZE)
        del self.states[gfn]
        return 0

    def _resume(self, response: Any) -> None:
        gfn = response.payload.gfn
        if response.payload.flags & self._guest.vm_event.MEM_PAGING_DROP_PAGE:
            return
        if self.states.get(gfn) == "coming back":
            del self.states[gfn]
        elif self.states.get(gfn) == "missed":
            self._guest.find("not-loaded", f"page {gfn:#x}")

    def finish(self) -> None:
        """Note what the pager has left undone."""
        self.side.finish()
        for gfn, state in self.states.items():
            self._guest.find("page-left-out", f"page {gfn:#x}, {state}")


class Shared:
    """The `pages` of a guest that are shared, and how many are `free` for its own copies."""

    def __init__(self, guest: Whole) -> None:
        self._guest = guest
        self.side = SideRing(guest, "MEM_SHARING", _FIRST_FRAME + 2, lambda _: None)
        self.pages: set[int] = set()
        self.free = 0

    def lacks(self, gfn: int, kind: str, vcpu: int) -> bool:
        """Tell whether a vCPU waits at an access until there is memory for its own page."""
        if gfn not in self.pages or kind != "w":
            return False
        if self.free:
            self.free -= 1
            self.pages.discard(gfn)
            return False
        if self.side.is_attached:
            self.side.ask(gfn, vcpu)
        else:
            self._guest.alive = False  # Xen ends a guest that nobody looks after
        return True
