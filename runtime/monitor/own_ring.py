"""The rings of paging and of sharing: each has a page of its own, which this takes from the guest.

`paging` and `sharing` have what is done with the requests.
"""

from __future__ import annotations

import ctypes
from abc import abstractmethod
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from mmap import PROT_READ, PROT_WRITE
from typing import Any, NamedTuple

from ..xenforeignmemory import v1 as libxenforeignmemory
from .attached import Attached
from .channel import PAGE_SIZE
from .emulating import Emulated
from .events import Events
from .guest import MonitorError
from .leaving import in_turn
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


class OwnRing(Attached):
    """A guest's ring of one kind, while this is used as a context; waits as a monitor does."""

    __slots__ = ()

    _KIND: Kind
    _NEEDS: tuple[
        str, ...
    ] = ()  # functions of libxenctrl, beside those that make the ring

    def _begin(self, undo: ExitStack) -> None:
        guest, kind = self._guest, self._KIND
        guest.require(*_FUNCTIONS, kind.enable, kind.disable, *self._NEEDS)
        # Nothing is emulated and nobody steps, as the loop asks.
        self._emulated = Emulated()
        self._unimplemented = None
        self.stepping = Stepping(guest, Events(guest, ()))
        reason = int(self.vm_event.VmEventReason[kind.reason])
        self._needs = {reason: self._prepare}
        with _paused(self.xen, self.domain):
            self._attach(undo, self._enable)

    @abstractmethod
    def _prepare(self, request: Any) -> int:
        """Do what a request asks for, before it is answered; gives the answer's flags."""

    def _end(self) -> None:
        """Have the guest need nobody at this ring any more."""

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

    def _let_go(self) -> None:
        functions, handle = self.xen.functions, self.xen.handle
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
