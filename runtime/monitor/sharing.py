"""Memory sharing's ring: Xen tells there that it has no memory for a page of the guest's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .own_ring import Kind, OwnRing
from .xen import Xen


class Sharing(OwnRing):
    """A guest that shares pages with others, while this is used as a context.

        with Sharing(3) as sharing:
            for request in sharing:     # until the guest is gone
                free_memory()           # the vCPU tries again when the loop goes on

    A vCPU that writes to a page which it shares is given one of its own.  Where there is no
    memory for that, it waits here; `request.payload.gfn` is the page.  Which pages are shared
    is for others to say: the functions `xc_memshr_*` of `xenctrl` do that.

    Requests are waited for, answered and postponed as a monitor's are.  Xen shares memory on
    x86, of guests that have hardware-assisted paging, where it is built with that.
    """

    __slots__ = ()

    _KIND = Kind("MEM_SHARING", 29, "xc_memshr_ring_enable", "xc_memshr_ring_disable")

    def __init__(
        self,
        domain: int,
        xen: Xen | None = None,
        idle: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(domain, xen, idle)

    def _prepare(self, request: Any) -> int:
        return 0  # what there is to do, the loop's body did
