"""Order memory accesses between a monitor and the other side, as ring.h's barriers do.

`barriers()` gives the cheapest sound ones of this machine: `xen_mb` orders every access
before it against every one after it, `xen_rmb` reads against reads, `xen_wmb` writes
against writes.  A ring takes others through its `barriers` argument.
"""

from __future__ import annotations

import ctypes
import os
from _thread import allocate_lock
from collections.abc import Callable
from functools import cache, partial

_ACQUIRE, _RELEASE, _SEQ_CST = 2, 3, 5  # memory_order of C11 7.17.3, as GCC numbers it


class NoBarrier(RuntimeError):
    """This machine has no barrier that is known to be sound."""


class Barriers:
    """The three barriers of ring.h, each a function without arguments."""

    __slots__ = ("xen_mb", "xen_rmb", "xen_wmb")

    def __init__(
        self,
        xen_mb: Callable[[], object],
        xen_rmb: Callable[[], object],
        xen_wmb: Callable[[], object],
    ) -> None:
        self.xen_mb = xen_mb
        self.xen_rmb = xen_rmb
        self.xen_wmb = xen_wmb


@cache
def barriers() -> Barriers:
    """Give the barriers of this machine; raises `NoBarrier` rather than do without."""
    machine = os.uname().machine
    fence = _fence()
    if machine in ("x86_64", "AMD64", "i386", "i686"):
        # Loads are not reordered with loads there, nor stores with stores (Intel SDM 3A
        # 8.2.2); only a store before a load needs a barrier.
        full = partial(fence, _SEQ_CST) if fence else _locked_instruction()
        return Barriers(full, _nothing, _nothing)
    if machine in ("aarch64", "arm64") and fence:
        return Barriers(
            partial(fence, _SEQ_CST), partial(fence, _ACQUIRE), partial(fence, _RELEASE)
        )
    raise NoBarrier(
        f"no memory barrier is known for {machine}: install libatomic (libatomic1), or"
        " pass barriers of your own to the ring"
    )


def _fence() -> Callable[[int], None] | None:
    """Give `atomic_thread_fence` of libatomic, None where it is not installed."""
    try:
        # PyDLL does not let go of the interpreter's lock for a single instruction.
        fence = ctypes.PyDLL("libatomic.so.1").atomic_thread_fence
    except (OSError, AttributeError):
        return None
    fence.restype = None
    return fence


def _locked_instruction() -> Callable[[], object]:
    """Take and release a lock: on x86 that is a locked instruction, a full barrier."""
    lock = allocate_lock()

    def xen_mb() -> None:
        lock.acquire()
        lock.release()

    return xen_mb


def _nothing() -> None:
    """Do nothing: the interpreter itself does not reorder memory accesses."""
