"""Alternative views of a guest's memory (altp2m): other accesses, other pages, by vCPU."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from ..xenctrl.common import has
from .events import Events
from .guest import Guest, MonitorError
from .memory import Memory
from .pages import Pages, Then
from .stepping import Stepping

ORIGINAL = 0  # the view that is the guest's own memory
_ALTP2M = 35  # HVM_PARAM_ALTP2M
_MIXED, _EXTERNAL = 1, 2  # XEN_ALTP2M_*; the second is no guest's, from Xen 4.10 on
_NO_GFN = ctypes.c_ulong(-1).value
_FUNCTIONS = (
    "xc_altp2m_set_domain_state",
    "xc_altp2m_create_view",
    "xc_altp2m_set_mem_access",
)


class View(Pages):
    """One view of a guest's memory: what may be done with its pages, and which they are.

    `number` is Xen's for it, which requests of vCPUs that see it have as `altp2m_idx`.
    """

    _WAYS = ("lift", "emulate", "step", "fast_step", "leave")

    def __init__(
        self,
        number: int,
        guest: Guest,
        events: Events,
        stepping: Stepping,
        memory: Memory,
    ) -> None:
        super().__init__(guest, events, stepping)
        self.number = number
        self._memory = memory

    def show(self, request: Any) -> int:
        """Have a request's vCPU see this view from its answer on; gives flags for that."""
        request.altp2m_idx = self.number
        return self._guest.flag("ALTERNATE_P2M")

    def show_to_all(self) -> None:
        """Have all vCPUs see this view, from now on."""
        guest = self._guest
        guest.functions.xc_altp2m_switch_to_view(
            guest.handle, guest.domain, self.number
        )

    def remap(self, gfn: int, to: int | None) -> None:
        """Show another of the guest's pages in a page's place, or with None its own again."""
        guest = self._guest
        guest.functions.xc_altp2m_change_gfn(
            *(guest.handle, guest.domain, self.number),
            *(gfn, _NO_GFN if to is None else to),
        )

    def answer(self, request: Any) -> int:
        """Have a vCPU go on as the page's restriction has it; gives the flags."""
        found = self._own.get(request.payload.gfn, self._everywhere)
        if found is None or found.then not in ("step", "fast_step", "leave"):
            return super().answer(request)
        if found.then == "step":
            return self.step_aside(request)
        request.altp2m_idx = ORIGINAL
        flags = self._guest.flag("ALTERNATE_P2M")
        if found.then == "fast_step":
            self._events.also("SINGLESTEP")
            request.u.fast_singlestep.p2midx = self.number
            flags |= self._guest.flag("FAST_SINGLESTEP")
        return flags

    def answer_unimplemented(self, request: Any) -> int:
        """Have a vCPU carry out by itself what Xen cannot; gives the flags."""
        return self.step_aside(request)

    def step_aside(self, request: Any) -> int:
        """Have a vCPU carry out one instruction in the guest's own memory; gives the flags."""
        request.altp2m_idx = ORIGINAL
        return self._guest.flag("ALTERNATE_P2M") | self._stepping.over(
            request, self.show
        )

    def _set(self, access: int, gfns: Sequence[int]) -> None:
        guest = self._guest
        functions, handle, domain = guest.functions, guest.handle, guest.domain
        count = len(gfns)
        if count > 1 and has(functions, "xc_altp2m_set_mem_access_multi"):
            accesses = (ctypes.c_uint8 * count)(*[access] * count)
            pages = (ctypes.c_uint64 * count)(*gfns)
            functions.xc_altp2m_set_mem_access_multi(
                handle, domain, self.number, accesses, pages, count
            )
            return
        for gfn in gfns:
            functions.xc_altp2m_set_mem_access(handle, domain, self.number, gfn, access)

    def _set_everywhere(self, access: int) -> None:
        for gfn in self._memory.all_gfns():
            with suppress(OSError):  # a hole
                self._set(access, [gfn])


class Views:
    """The views of a guest's memory that a monitor makes, on x86; gone when it leaves.

    A guest has at most ten, its own memory among them.
    """

    def __init__(
        self, guest: Guest, events: Events, stepping: Stepping, memory: Memory
    ) -> None:
        self._guest, self._events, self._stepping = guest, events, stepping
        self._memory = memory
        self._views: dict[int, View] = {}
        self._is_on = False

    def create(self, access: str = "rwx", then: Then | None = "step") -> View:
        """Make a view, where the guest may do no more than this with any page.

        Nobody sees it before `show` or `show_to_all`.  Raises MonitorError where there are no
        views, OSError where there are too many.
        """
        guest, number = self._guest, ctypes.c_uint16()
        self._switch_on()
        everything = guest.xen.module.XENMEM_access_rwx
        guest.functions.xc_altp2m_create_view(
            guest.handle, guest.domain, everything, number
        )
        view = View(number.value, guest, self._events, self._stepping, self._memory)
        self._views[view.number] = view
        if access != "rwx":
            view.restrict_all(access, then)
        return view

    def destroy(self, view: View) -> None:
        """Do away with a view, which no vCPU may see any more."""
        guest = self._guest
        self._views.pop(view.number)
        guest.functions.xc_altp2m_destroy_view(guest.handle, guest.domain, view.number)

    def show_original(self, request: Any) -> int:
        """Have a request's vCPU see the guest's own memory again; gives flags for that."""
        request.altp2m_idx = ORIGINAL
        return self._guest.flag("ALTERNATE_P2M")

    def show_original_to_all(self) -> None:
        """Have all vCPUs see the guest's own memory again."""
        guest = self._guest
        guest.functions.xc_altp2m_switch_to_view(guest.handle, guest.domain, ORIGINAL)

    def seen(self, request: Any) -> View | None:
        """Tell which of these a request's vCPU saw; None if the guest's own memory."""
        if not request.flags & self._guest.flag("ALTERNATE_P2M"):
            return None
        return self._views.get(request.altp2m_idx)

    def restore(self) -> None:
        """Have the guest see its own memory, and do away with all of these."""
        if not self._is_on:
            return
        with ExitStack() as last_first:  # all of it, also if one fails
            last_first.callback(self._set_state, False)
            for view in self._views.values():
                last_first.callback(self.destroy, view)
            last_first.callback(self.show_original_to_all)

    def answer(self, request: Any) -> int:
        """Have a vCPU go on that may not do what it does with a page of what it sees."""
        return self._pages(request).answer(request)

    def answer_unimplemented(self, request: Any) -> int:
        """Have a vCPU carry out what Xen cannot emulate by itself."""
        return self._pages(request).answer_unimplemented(request)

    def _pages(self, request: Any) -> Pages:
        return (self.seen(request) if self._views else None) or self._memory

    def _switch_on(self) -> None:
        if self._is_on:
            return
        guest = self._guest
        if guest.is_arm:
            raise MonitorError("Xen has views of a guest's memory on x86 alone")
        guest.require(*_FUNCTIONS)
        self._allow()
        self._set_state(True)

    def _allow(self) -> None:
        """Have the guest be one that may have views, if its configuration says nothing."""
        guest, mode = self._guest, ctypes.c_uint64()
        guest.functions.xc_hvm_param_get(guest.handle, guest.domain, _ALTP2M, mode)
        if mode.value:
            return
        is_old = guest.xen.release in ("4.6", "4.7", "4.8", "4.9")
        try:
            guest.functions.xc_hvm_param_set(
                guest.handle, guest.domain, _ALTP2M, _MIXED if is_old else _EXTERNAL
            )
        except OSError as error:
            raise MonitorError(
                error.errno,
                f"this guest may not have views of its memory ({error.strerror}): its"
                ' configuration has to say altp2m = "external"',
            ) from None

    def _set_state(self, on: bool) -> None:
        guest = self._guest
        guest.functions.xc_altp2m_set_domain_state(guest.handle, guest.domain, on)
        self._is_on = on
