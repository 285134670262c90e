"""Alternative views of a guest's memory (altp2m): other accesses, other pages, by vCPU."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from ..xenctrl.common import has
from .emulating import Emulated
from .events import Events
from .guest import Guest, MonitorError
from .memory import Memory
from .pages import Pages, Then
from .stepping import Stepping

ORIGINAL = 0  # the view that is the guest's own memory
_ALTP2M = 35  # HVM_PARAM_ALTP2M
_MIXED, _EXTERNAL = 1, 2  # XEN_ALTP2M_*; the second is no guest's, from Xen 4.10 on
_AT_ONCE = 512  # pages, of which one that is a hole has each set by itself
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
        emulated: Emulated,
        memory: Memory,
        aside: dict[int, View],
    ) -> None:
        super().__init__(guest, events, stepping, emulated)
        self.number = number
        self._memory = memory
        self._aside = aside  # by vCPU, the view that it comes back to after a step
        self._shown: dict[int, int] = {}  # pages that are shown in others' place

    def show(self, request: Any) -> int:
        """Have a request's vCPU see this view from its answer on; gives flags for that."""
        self._aside.pop(request.vcpu_id, None)
        request.altp2m_idx = self.number
        return self._guest.flag("ALTERNATE_P2M")

    def show_to_all(self) -> None:
        """Have all vCPUs see this view, from now on."""
        _show_to_all(self._guest, self.number)
        self._aside.clear()

    def remap(self, gfn: int, to: int | None) -> None:
        """Show another of the guest's pages in a page's place, or with None its own again.

        Raises MonitorError for a page that the guest cannot have.
        """
        guest = self._guest
        for page in (gfn,) if to is None else (gfn, to):
            guest.require_pages(page, page)
        guest.functions.xc_altp2m_change_gfn(
            *(guest.handle, guest.domain, self.number),
            *(gfn, _NO_GFN if to is None else to),
        )
        self._shown[gfn] = gfn if to is None else to

    def shown(self, gfn: int) -> int:
        """Tell which of the guest's pages is shown in a page's place: itself, mostly."""
        return self._shown.get(gfn, gfn)

    def _seen_at(self, gfn: int) -> int:
        return self.shown(gfn)

    def answer(self, request: Any) -> int:
        """Have a vCPU go on as the page's restriction has it; gives the flags."""
        found = self._own.get(request.payload.gfn, self._everywhere)
        if found is None or found.then not in ("fast_step", "leave"):
            return super().answer(request)
        if found.then == "fast_step":
            return self._step_fast(request)
        request.altp2m_idx = ORIGINAL
        return self._guest.flag("ALTERNATE_P2M")

    def _step_fast(self, request: Any) -> int:
        fast = self._stepping.fast(request, self._show_again)
        if fast is None:  # its step is reported anyway
            return self.step_aside(request)
        self._aside[request.vcpu_id] = self
        request.altp2m_idx = ORIGINAL
        if fast:
            request.u.fast_singlestep.p2midx = self.number
        return self._guest.flag("ALTERNATE_P2M") | fast

    def step_aside(self, request: Any) -> int:
        """Have a vCPU carry out one instruction in the guest's own memory; gives the flags."""
        self._aside[request.vcpu_id] = self
        request.altp2m_idx = ORIGINAL
        return self._guest.flag("ALTERNATE_P2M") | self._stepping.over(
            request, self._show_again
        )

    def _show_again(self, request: Any) -> int:
        """After a step: unless the vCPU is to see another view, or this one is gone."""
        back = self._aside.get(request.vcpu_id) is self
        return self.show(request) if back else 0

    def _step_over(self, request: Any, gfn: int) -> int:
        return self.step_aside(request)

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
        gfns = self._memory.all_gfns()
        for start in range(0, len(gfns), _AT_ONCE):
            some = gfns[start : start + _AT_ONCE]
            try:
                self._set(access, some)
            except ProcessLookupError:  # there is a hole; the others have to be set
                for gfn in some:
                    with suppress(ProcessLookupError):
                        self._set(access, [gfn])


def _show_to_all(guest: Guest, number: int) -> None:
    guest.functions.xc_altp2m_switch_to_view(guest.handle, guest.domain, number)


class Views:
    """The views of a guest's memory that a monitor makes, on x86; gone when it leaves.

    A guest has at most ten, its own memory among them.
    """

    def __init__(
        self,
        guest: Guest,
        events: Events,
        stepping: Stepping,
        emulated: Emulated,
        memory: Memory,
    ) -> None:
        self._guest, self._events, self._stepping = guest, events, stepping
        self._emulated, self._memory = emulated, memory
        self._aside: dict[int, View] = {}
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
        view = View(
            *(number.value, guest, self._events, self._stepping, self._emulated),
            *(self._memory, self._aside),
        )
        self._views[view.number] = view
        if access != "rwx":
            view.restrict_all(access, then)
        return view

    def destroy(self, view: View) -> None:
        """Do away with a view, which no vCPU may see any more.

        Raises TypeError for what is no view, MonitorError for one that is not there any more.
        """
        guest = self._guest
        guest.require_monitored()
        # Of a user's program nothing checks the types.
        if not isinstance(view, View):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"{view!r} is no view: give one that `create` made")
        if self._views.get(view.number) is not view:
            raise MonitorError(
                f"view {view.number} is there no more, or another monitor's"
            )
        guest.functions.xc_altp2m_destroy_view(guest.handle, guest.domain, view.number)
        self._views.pop(view.number)
        for vcpu in [vcpu for vcpu, its in self._aside.items() if its is view]:
            del self._aside[vcpu]

    def show_original(self, request: Any) -> int:
        """Have a request's vCPU see the guest's own memory again; gives flags for that."""
        self._aside.pop(request.vcpu_id, None)
        request.altp2m_idx = ORIGINAL
        return self._guest.flag("ALTERNATE_P2M")

    def show_original_to_all(self) -> None:
        """Have all vCPUs see the guest's own memory again."""
        _show_to_all(self._guest, ORIGINAL)
        self._aside.clear()

    def seen(self, request: Any) -> View | None:
        """Tell which of these a request's vCPU saw; None if the guest's own memory."""
        if not self._views or not request.flags & self._guest.flag("ALTERNATE_P2M"):
            return None
        return self._views.get(request.altp2m_idx)

    def restore(self) -> None:
        """Have the guest see its own memory, and do away with all of these."""
        if not self._is_on:
            return
        with ExitStack() as last_first:  # all of it, also if one fails
            last_first.callback(self._views.clear)
            last_first.callback(self._set_state, False)
            for view in self._views.values():
                last_first.callback(self.destroy, view)
            last_first.callback(self.show_original_to_all)

    def answer(self, request: Any) -> int:
        """Have a vCPU go on that may not do what it does with a page of what it sees."""
        return self._pages(request).answer(request)

    def answer_unimplemented(self, request: Any) -> int:
        """Have a vCPU carry out what Xen cannot emulate by itself."""
        flags = self._emulated.answer_unimplemented(request)
        if flags is not None:
            return flags
        view = self.seen(request)
        return view.step_aside(request) if view else 0

    def _pages(self, request: Any) -> Pages:
        return self.seen(request) or self._memory

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
