"""A guest's memory: its pages, what it may do with them, and views of them (altp2m)."""

from __future__ import annotations

import ctypes
from typing import Any, Literal, TypeAlias

from ..monitor.channel import PAGE_SIZE
from .mapped import INT3, Mapped

RWX = 7
# XENMEM_access_* that are no bits: Xen turns both into another, and reports the second.
_RX2RW, _N2RWX = 8, 9
_KINDS = {"r": 1, "w": 2, "x": 4}
# Nothing, an event that its vCPU does not wait at, or one that it does.
Fault: TypeAlias = Literal["", "told", "held"]
ORIGINAL = 0  # the view that is the guest's own memory


class View:
    """What vCPUs that see it may do with pages, by number, and which stand in for others."""

    def __init__(self, default: int = RWX) -> None:
        self.default = default
        self.access: dict[int, int] = {}
        self.stands_for: dict[int, int] = {}


class Memory:
    """A guest's pages up to `last_gfn`, and its views, of which 0 is its own memory.

    Its page tables map the lowest 4 GiB of addresses to themselves.
    """

    def __init__(self, last_gfn: int = 0xFF) -> None:
        self.last_gfn = last_gfn
        self.pages: dict[int, Any] = {}  # as far as somebody looked
        self.mapped = Mapped()
        # Accesses before monitors set them, and that of pages that come later.
        self.had: dict[int, int] = {}
        self.had_default = RWX
        self.views: dict[int, View] = {ORIGINAL: View()}
        self.has_views = False

    @property
    def access(self) -> dict[int, int]:
        """What the guest may do with pages of its own memory, where that was said."""
        return self.views[ORIGINAL].access

    def has(self, gfn: int) -> bool:
        """Tell whether there is such a page."""
        return gfn <= self.last_gfn or gfn in self.pages

    def page(self, gfn: int) -> Any:
        """Give a page, which is all zero before somebody writes it."""
        if not self.has(gfn):  # it comes now
            self.access[gfn] = self.views[ORIGINAL].default
        if gfn not in self.pages:
            self.pages[gfn] = ctypes.create_string_buffer(PAGE_SIZE)
        return self.pages[gfn]

    def read(self, address: int, size: int, view: int = ORIGINAL) -> bytes:
        """Read bytes of one page, as a vCPU sees them in a view."""
        gfn, offset = divmod(address, PAGE_SIZE)
        octets: bytes = self.page(self._seen(gfn, view)).raw
        return octets[offset : offset + size]

    def write(self, address: int, octets: bytes, view: int = ORIGINAL) -> None:
        """Write bytes of one page, as a vCPU does that sees a view.

        Raises ValueError for what is not within a page.
        """
        gfn, offset = divmod(address, PAGE_SIZE)
        if address < 0 or offset + len(octets) > PAGE_SIZE:
            raise ValueError(f"{len(octets)} bytes at {address:#x} are not in one page")
        page = self.page(self._seen(gfn, view))
        ctypes.memmove(ctypes.addressof(page) + offset, octets, len(octets))

    def abandon(self) -> None:
        """Have the monitor be gone: Xen frees a page that it restricted at its next use."""
        self.had.clear()
        self.had_default = self.views[ORIGINAL].default
        self.mapped.abandon()

    @property
    def breakpoints(self) -> set[int]:
        """Where an int3 is that a monitor has written, by physical address."""
        written = self.mapped.breakpoints
        return {each for each in written if self.read(each, 1)[0] == INT3}

    def _seen(self, gfn: int, view: int) -> int:
        return self.views[view].stands_for.get(gfn, gfn)

    def access_of(self, gfn: int, view: int = ORIGINAL) -> int:
        """Tell what may be done with a page in a view: a XENMEM_access."""
        found = self.views[view]
        # Of its own memory the default is for pages that come later.
        return found.access.get(gfn, RWX if view == ORIGINAL else found.default)

    def fault(self, gfn: int, kind: str, view: int) -> Fault:
        """Tell of a page that is read ("r"), written ("w") or executed ("x") whether it faults.

        What Xen changes by itself at an access of that kind is changed.
        """
        access, own = self.access_of(gfn, view), self.views[view].access
        if access == _N2RWX:
            own[gfn] = RWX
            return "told"
        if access == _RX2RW:
            if kind == "w":
                own[gfn] = _KINDS["r"] | _KINDS["w"]
            return ""
        return "" if access & _KINDS[kind] else "held"
