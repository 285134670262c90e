"""The pages of a guest that monitors have mapped, and the breakpoints that they wrote there."""

from __future__ import annotations

from typing import Any

from ..monitor.channel import PAGE_SIZE

INT3 = 0xCC


class Mapped:
    """Which pages are mapped, and where an int3 was written that was not taken back.

    That is one byte by itself: among others that change it is data.
    """

    def __init__(self) -> None:
        self._before: dict[int, list[bytes]] = {}  # each mapping's page as it was
        self.breakpoints: set[int] = set()  # by physical address

    @property
    def gfns(self) -> list[int]:
        """Name the pages that are mapped."""
        return list(self._before)

    def add(self, gfn: int, page: Any) -> None:
        """Map a page once more."""
        self._before.setdefault(gfn, []).append(page.raw)

    def abandon(self) -> None:
        """Have who mapped pages be gone: the system unmaps them."""
        self._before.clear()

    def remove(self, gfn: int, page: Any) -> None:
        """Unmap a page once, and look at what was written there."""
        if gfn not in self._before:
            return
        before, after = self._before[gfn].pop(), page.raw
        if not self._before[gfn]:
            del self._before[gfn]
        if before == after:
            return
        changed = {each for each in range(PAGE_SIZE) if before[each] != after[each]}
        for offset in changed:
            is_alone = not changed & {offset - 1, offset + 1}
            if after[offset] == INT3 and is_alone:
                self.breakpoints.add(gfn * PAGE_SIZE + offset)
            else:
                self.breakpoints.discard(gfn * PAGE_SIZE + offset)
