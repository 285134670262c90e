"""The rings of paging and of sharing: each has a page of its own, which this takes from the guest.

`paging` and `sharing` have what is done with the requests.
"""

from __future__ import annotations

import ctypes
from abc import abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from mmap import PROT_READ, PROT_WRITE
from typing import Any, NamedTuple, Self

from ..xenforeignmemory import v1 as libxenforeignmemory
from .answers import answer_last
from .arguments import domain_number, require_idle, require_xen
from .channel import PAGE_SIZE, Channel
from .emulating import Emulated
from .events import Events
from .guest import Guest, MonitorError
from .leaving import for_each, in_turn
from .loop import Loop
from .signals import Signals
from .stepping import Stepping
from .xen import Xen

_FUNCTIONS = (
    *("xc_domain_populate_physmap_exact", "xc_domain_decrease_reservation_exact"),
    "xc_hvm_param_get",
)


class Kind(NamedTuple):
    """A ring that is not the monitor's, and the functions of libxenctrl that make and end it."""

    reason: str
    parameter: int  # HVM_PARAM_*_RING_PFN, which has the number of its page
    enable: str
    disable: str


class OwnRing(Loop):
    """A guest's ring of one kind, while this is used as a context; waits as a monitor does."""

    __slots__ = ("_guest", "_leaving", "_shared_xen")

    _KIND: Kind
    _NEEDS: tuple[
        str, ...
    ] = ()  # functions of libxenctrl, beside those that make the ring

    def __init__(
        self, domain: int, xen: Xen | None, idle: Callable[[], object] | None
    ) -> None:
        number = domain_number(domain)
        require_xen(xen)
        require_idle(idle)
        super().__init__(number, Signals(OwnRing.__exit__.__code__), idle)
        self._shared_xen = xen

    def __enter__(self) -> Self:
        """Attach to the ring.

        Raises MonitorError for a release that lacks what this needs, or a guest without a page
        for the ring; OSError where the guest cannot have the ring, or it is somebody else's.
        """
        with ExitStack() as undo:
            undo.enter_context(self._signals)
            self.xen = self._shared_xen or undo.enter_context(Xen())
            self.vm_event = self.xen.vm_event()
            self._guest = guest = Guest(self.xen, self.domain, self.vm_event)
            kind = self._KIND
            guest.require(*_FUNCTIONS, kind.enable, kind.disable, *self._NEEDS)
            # Nothing is emulated and nobody steps, as the loop asks.
            self._emulated = Emulated()
            self._unimplemented = None
            self.stepping = Stepping(guest, Events(guest, ()))
            reason = int(self.vm_event.VmEventReason[kind.reason])
            self._needs = {reason: self._prepare}
            with _paused(self.xen, self.domain):
                self._attach()
            undo.callback(self._leave)
            try:
                self._signals.let_through()  # what came meanwhile
            finally:
                self._signals.held = True
            self._leaving = undo.pop_all()
        self._signals.held = False
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Leave the guest to go on by itself, whatever happened; raises what failed then."""
        self._signals.held = True
        if error is not None:
            self._current = None  # its answer may be what failed
        self._leaving.close()

    @abstractmethod
    def _prepare(self, request: Any) -> int:
        """Do what a request asks for, before it is answered; gives the answer's flags."""

    def _end(self) -> None:
        """Have the guest need nobody at this ring any more."""

    def _attach(self) -> None:
        with ExitStack() as on_error:
            self._channel = Channel(self.xen, self.domain, self._enable)
            on_error.callback(self._channel.close)
            self.ring = self.vm_event.BackRing(self._channel.page, start=0)
            on_error.callback(self.ring.detach)
            self.ring.sring.shared_ring_init()
            self._published = 0
            on_error.pop_all()
        self._attached = True

    def _enable(
        self, xen: Xen, domain: int, port: ctypes.c_uint32, undo: ExitStack
    ) -> int:
        """Have Xen make the ring on its page, which the guest has no more then."""
        functions, handle, kind = xen.functions, xen.handle, self._KIND
        number = ctypes.c_uint64()
        functions.xc_hvm_param_get(handle, domain, kind.parameter, number)
        if not number.value:
            raise MonitorError(
                f"domain {domain} has no page for this ring; only an HVM or PVH guest has"
            )
        gfns = [number.value]
        memory = libxenforeignmemory.xenforeignmemory_open(None, 0)
        undo.callback(libxenforeignmemory.xenforeignmemory_close, memory)
        address = _mapped(xen, domain, memory, gfns)
        page = (ctypes.c_char * PAGE_SIZE).from_address(address)
        undo.callback(libxenforeignmemory.xenforeignmemory_unmap, memory, page, 1)
        ctypes.memset(address, 0, PAGE_SIZE)  # the guest may have written there
        try:
            getattr(functions, kind.enable)(handle, domain, port)
            undo.callback(getattr(functions, kind.disable), handle, domain)
        finally:
            functions.xc_domain_decrease_reservation_exact(
                handle, domain, len(gfns), 0, _numbers(gfns)
            )
        return address

    def _leave(self) -> None:
        gone = False
        with suppress(OSError):  # nobody can tell; all is to be undone anyway
            gone = not self.is_alive()
        functions, handle = self.xen.functions, self.xen.handle
        with suppress(OSError) if gone else nullcontext():
            in_turn(
                partial(functions.xc_domain_pause, handle, self.domain),
                self._finish,
                self._answer_the_rest,
                self._end,
                self._detach,
                self.ring.detach,
                self._channel.close,
                partial(functions.xc_domain_unpause, handle, self.domain),
                self._guest.leave,
            )

    def _answer_the_rest(self) -> None:
        """Answer what was taken and not answered, and what came since."""
        taken = self.ring.unanswered()
        in_turn(
            partial(for_each, taken, self._answer_last),
            self._answer_what_came,
            self._push,
        )

    def _answer_what_came(self) -> None:
        for_each(list(self.ring.requests(any_version=True)), self._answer_last)

    def _answer_last(self, request: Any) -> None:
        answer_last(request, self.vm_event, self._needed, self._give)

    def _detach(self) -> None:
        self._attached = False
        self._stop_reading()


@contextmanager
def _paused(xen: Xen, domain: int) -> Generator[None]:
    """Have no vCPU of a guest run within this context."""
    xen.functions.xc_domain_pause(xen.handle, domain)
    try:
        yield
    finally:
        xen.functions.xc_domain_unpause(xen.handle, domain)


def _mapped(xen: Xen, domain: int, memory: Any, gfns: list[int]) -> int:
    """Map the ring's page; the last one at the ring may have left the guest without it."""

    def map_it() -> int:
        address: int = libxenforeignmemory.xenforeignmemory_map(
            memory, domain, PROT_READ | PROT_WRITE, len(gfns), gfns, None
        )
        return address

    try:
        return map_it()
    except OSError:
        xen.functions.xc_domain_populate_physmap_exact(
            xen.handle, domain, len(gfns), 0, 0, _numbers(gfns)
        )
        return map_it()


def _numbers(gfns: Sequence[int]) -> Any:
    return (ctypes.c_ulong * len(gfns))(*gfns)
