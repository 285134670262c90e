"""The hypervisor that runs, and the monitor ring of a guest, by Xen's own libraries.

`Xen` is the hypervisor as dom0's tools reach it; `Channel` is a guest's ring: the shared page,
and the event channel by which each side tells the other to look at it.  What goes wrong is an
OSError, whose text says what to do.
"""

from __future__ import annotations

import ctypes
import itertools
import select
import time
from typing import Any

from xen_vm_event import running_release
from xen_vm_event import xenctrl as libxenctrl
from xen_vm_event.xenctrl.common import (
    functions_for_xen,
    has,
    xen_domctl_getvcpuinfo,
)
from xen_vm_event.xenevtchn import v1 as libxenevtchn
from xen_vm_event.xentoollog import v1 as libxentoollog

PAGE_SIZE = 4096


class XenError(OSError):
    """What cannot be done here, and what to do about it."""


class Xen:
    """The hypervisor that runs, as dom0's tools reach it.

    `module` is libxenctrl's, of the release that runs, and `functions` is the same for type
    checkers: what not every release has, or not with the same parameters, they let nobody call
    who has not asked.  `handle` is what the functions take first.
    """

    def __init__(self) -> None:
        self.release = running_release()
        self.module: Any = libxenctrl.interface_for_xen(self.release)
        self.functions = functions_for_xen(self.release)
        quiet = self._logger()
        self.handle = self.functions.xc_interface_open(quiet, quiet, 0)

    def _logger(self) -> Any:
        """A logger that leaves it to us to report errors."""
        stderr = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "stderr")
        logger = libxentoollog.xtl_createlogger_stdiostream(
            libxentoollog.FILE(stderr.value),
            libxentoollog.XentoollogLevel.CRITICAL,
            0,
        )
        return self.module.xentoollog_logger(logger.value)

    def require(self, *functions: str) -> None:
        """Raise XenError for a function that the library of this release lacks."""
        for name in functions:
            if not (hasattr(self.module, name) and self.module.library.has(name)):
                library = self.module.library.name.replace("{release}", self.release)
                raise XenError(f"{name}: not in {library} of Xen {self.release}")

    def interface_version(self) -> int | None:
        """The vm_event version that the hypervisor speaks; None before Xen 4.13."""
        if not has(self.functions, "xc_vm_event_get_version"):
            return None
        return self.functions.xc_vm_event_get_version(self.handle)

    def is_alive(self, domain: int) -> bool:
        """Whether a domain exists and neither dies nor has shut down."""
        info = (self.module.xc_domaininfo_t * 2)()  # on Arm one may be longer
        count = self.functions.xc_domain_getinfolist(self.handle, domain, 1, info)
        ended = self.module.XEN_DOMINF_dying | self.module.XEN_DOMINF_shutdown
        found = info[0]
        return bool(count == 1 and found.domain == domain and not found.flags & ended)

    def vcpus(self, domain: int) -> list[tuple[bool, int]]:
        """Of each vCPU: whether it has nothing to do, and the nanoseconds it ran so far."""
        found: list[tuple[bool, int]] = []
        for number in itertools.count():
            vcpu: xen_domctl_getvcpuinfo = self.module.xc_vcpuinfo_t()
            try:
                self.functions.xc_vcpu_getinfo(self.handle, domain, number, vcpu)
            except OSError:
                break
            found.append((bool(vcpu.blocked or not vcpu.online), vcpu.cpu_time))
        return found

    def let_run(self, domain: int) -> None:
        """Wait until each vCPU ran or has nothing to do; a second at most, if it is paused."""
        before = self.vcpus(domain)
        for _ in range(1000):
            now = self.vcpus(domain)
            if all(
                idle or ran > ran_before
                for (idle, ran), (_, ran_before) in zip(now, before, strict=False)
            ):
                return
            time.sleep(0.001)

    def close(self) -> None:
        self.functions.xc_interface_close(self.handle)


class Channel:
    """A guest's monitor ring: its `page`, and the event channel to wait and notify on."""

    def __init__(self, xen: Xen, domain: int) -> None:
        self._xen, self._domain = xen, domain
        self._events = libxenevtchn.xenevtchn_open(None, 0)
        theirs = ctypes.c_uint32()
        self._address = xen.functions.xc_monitor_enable(xen.handle, domain, theirs)
        self.page = memoryview((ctypes.c_char * PAGE_SIZE).from_address(self._address))
        try:
            self._port = libxenevtchn.xenevtchn_bind_interdomain(
                self._events, domain, theirs.value
            )
        except OSError:
            xen.functions.xc_monitor_disable(xen.handle, domain)
            raise
        self._poll = select.poll()
        self._poll.register(libxenevtchn.xenevtchn_fd(self._events), select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Sleep until the other side notifies; False if it did not within this time."""
        if not self._poll.poll(seconds * 1000):
            return False
        port = libxenevtchn.xenevtchn_pending(self._events)
        libxenevtchn.xenevtchn_unmask(self._events, port)
        return True

    def notify(self) -> None:
        libxenevtchn.xenevtchn_notify(self._events, self._port)

    def close(self) -> None:
        """Give the ring up; its page must not be used any more."""
        self.page.release()
        try:
            self._xen.functions.xc_monitor_disable(self._xen.handle, self._domain)
        finally:
            libxenevtchn.xenevtchn_unbind(self._events, self._port)
            libxenevtchn.xenevtchn_close(self._events)
            unmap(self._address)


def unmap(address: int) -> None:
    """Let go of a page that a library has mapped, which has no function for that."""
    ctypes.CDLL(None).munmap(ctypes.c_void_p(address), ctypes.c_size_t(PAGE_SIZE))
