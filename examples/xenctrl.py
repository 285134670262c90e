"""What a monitor needs of libxenctrl and libxenevtchn, through ctypes.

`Xen` is the hypervisor as dom0's tools reach it; `Channel` is a guest's monitor ring: the
shared page, and the event channel by which each side tells the other to look at it.
What goes wrong is a `XenError`, whose text says what to do.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import select
import struct
import time
from ctypes import c_bool, c_int, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

PAGE_SIZE = 4096

# What each function takes behind the handle.
_CONTROL: dict[str, tuple[Any, ...]] = {
    "xc_domain_getinfolist": (c_uint32, c_uint32, c_void_p),
    "xc_domain_pause": (c_uint32,),
    "xc_domain_unpause": (c_uint32,),
    "xc_hvm_inject_trap": (
        *(c_uint32, c_int, c_uint8, c_uint8),
        *(c_uint32, c_uint8, c_uint64),
    ),
    "xc_interface_close": (),
    "xc_monitor_cpuid": (c_uint32, c_bool),
    "xc_monitor_debug_exceptions": (c_uint32, c_bool, c_bool),
    "xc_monitor_descriptor_access": (c_uint32, c_bool),
    "xc_monitor_disable": (c_uint32,),
    "xc_monitor_enable": (c_uint32, c_void_p),
    "xc_monitor_guest_request": (c_uint32, c_bool, c_bool, c_bool),
    "xc_monitor_mov_to_msr": (c_uint32, c_uint32, c_bool, c_bool),
    "xc_monitor_privileged_call": (c_uint32, c_bool),
    "xc_monitor_write_ctrlreg": (c_uint32, c_uint16, c_bool, c_bool, c_uint64, c_bool),
    "xc_vcpu_getinfo": (c_uint32, c_uint32, c_void_p),
    "xc_vm_event_get_version": (),
}
_EVENT_CHANNEL: dict[str, tuple[Any, ...]] = {
    "xenevtchn_bind_interdomain": (c_uint32, c_uint32),
    "xenevtchn_close": (),
    "xenevtchn_fd": (),
    "xenevtchn_notify": (c_uint32,),
    "xenevtchn_pending": (),
    "xenevtchn_unbind": (c_uint32,),
    "xenevtchn_unmask": (c_uint32,),
}

_ADVICE = {
    errno.EACCES: "run this as root in dom0",
    errno.EBUSY: "it has a monitor already; if that was killed, run with --recover first",
    errno.EINVAL: "this guest, or this build of Xen, does not support that",
    errno.ENODEV: "only an HVM or PVH guest can be monitored",
    errno.ENOENT: "run this in dom0, with the driver xen-privcmd loaded",
    errno.EOPNOTSUPP: "this machine, or this build of Xen, does not support that",
    errno.EPERM: "only dom0, or a domain that may control others, can do that",
    errno.ESRCH: "there is no such domain; `xl list` shows those there are",
}


class XenError(Exception):
    """What Xen or its libraries refused, and what to do about it."""

    def __init__(self, what: str, number: int = 0) -> None:
        reason = f": {os.strerror(number)}" if number else ""
        advice = f"; {_ADVICE[number]}" if number in _ADVICE else ""
        super().__init__(f"{what}{reason}{advice}")


def _load(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, use_errno=True)
    except OSError as error:
        raise XenError(f"{error}; install the tools of the Xen that runs") from None


def _quiet() -> c_void_p:
    """A logger for libxenctrl that leaves it to us to report errors."""
    create = _load("libxentoollog.so.1").xtl_createlogger_stdiostream
    create.restype = c_void_p
    stderr, critical = c_void_p.in_dll(ctypes.CDLL(None), "stderr"), 9
    return c_void_p(create(stderr, critical, 0))


class _Library:
    """A library of Xen's and the handle that its functions take first."""

    def __init__(
        self,
        name: str,
        functions: dict[str, tuple[Any, ...]],
        opener: str,
        *arguments: Any,
    ) -> None:
        self._library = _load(name)
        for function in filter(self.has, functions):
            getattr(self._library, function).argtypes = (
                c_void_p,
                *functions[function],
            )
        getattr(self._library, opener).restype = c_void_p
        self._handle = getattr(self._library, opener)(*arguments)
        if not self._handle:
            raise XenError(opener, ctypes.get_errno())

    def has(self, function: str) -> bool:
        return hasattr(self._library, function)

    def call(self, function: str, *arguments: Any) -> int:
        """A function's result; raises XenError where it is negative."""
        result: int = getattr(self._library, function)(self._handle, *arguments)
        if result < 0:
            raise XenError(function, ctypes.get_errno())
        return result

    def address(self, function: str, *arguments: Any) -> int:
        """The same for a function that returns a pointer, NULL for an error."""
        getattr(self._library, function).restype = c_void_p
        pointer = getattr(self._library, function)(self._handle, *arguments)
        if not pointer:
            raise XenError(function, ctypes.get_errno())
        return int(pointer)


class Xen:
    """The hypervisor that runs, as dom0's tools reach it."""

    def __init__(self) -> None:
        version = Path("/sys/hypervisor/version")
        try:
            major, minor = (
                (version / part).read_text().strip() for part in ("major", "minor")
            )
        except OSError:
            raise XenError("no Xen runs here; run this in dom0") from None
        self.release = f"{major}.{minor}"
        # It speaks to the hypervisor of its own release only, hence the name.
        library = f"libxenctrl.so.{self.release}"
        quiet = _quiet()
        self._control = _Library(
            library, _CONTROL, "xc_interface_open", quiet, quiet, 0
        )
        self.call, self.address = self._control.call, self._control.address

    def interface_version(self) -> int | None:
        """The vm_event version that the hypervisor speaks; None before Xen 4.13."""
        if not self._control.has("xc_vm_event_get_version"):
            return None
        return self.call("xc_vm_event_get_version")

    def is_alive(self, domain: int) -> bool:
        """Whether a domain exists and neither dies nor has shut down."""
        # struct xen_domctl_getdomaininfo begins: domid_t domain, a pad, uint32_t flags.
        info = (c_uint32 * 256)()
        found = self.call("xc_domain_getinfolist", domain, 1, info)
        dying_or_shut_down = 0b101
        return (
            found == 1
            and info[0] & 0xFFFF == domain
            and not info[1] & dying_or_shut_down
        )

    def vcpus(self, domain: int) -> list[tuple[bool, int]]:
        """Of each vCPU: whether it has nothing to do, and the nanoseconds it ran so far."""
        found: list[tuple[bool, int]] = []
        info = ctypes.create_string_buffer(256)
        for number in itertools.count():
            try:
                self.call("xc_vcpu_getinfo", domain, number, info)
            except XenError:
                return found
            # struct xen_domctl_getvcpuinfo
            online, blocked, _, ran = struct.unpack_from("<4x3?xQ", info)
            found.append((blocked or not online, ran))
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
        self.call("xc_interface_close")


class Channel:
    """A guest's monitor ring: its `page`, and the event channel to wait and notify on."""

    def __init__(self, xen: Xen, domain: int) -> None:
        self._xen, self._domain = xen, domain
        self._events = _Library(
            "libxenevtchn.so.1", _EVENT_CHANNEL, "xenevtchn_open", None, 0
        )
        port = c_uint32()
        self._address = xen.address("xc_monitor_enable", domain, ctypes.byref(port))
        self.page = memoryview((ctypes.c_char * PAGE_SIZE).from_address(self._address))
        try:
            self._port = self._events.call("xenevtchn_bind_interdomain", domain, port)
        except XenError:
            xen.call("xc_monitor_disable", domain)
            raise
        self._poll = select.poll()
        self._poll.register(self._events.call("xenevtchn_fd"), select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Sleep until the other side notifies; False if it did not within this time."""
        if not self._poll.poll(seconds * 1000):
            return False
        port = self._events.call("xenevtchn_pending")
        self._events.call("xenevtchn_unmask", port)
        return True

    def notify(self) -> None:
        self._events.call("xenevtchn_notify", self._port)

    def close(self) -> None:
        """Give the ring up; its page must not be used any more."""
        self.page.release()
        try:
            self._xen.call("xc_monitor_disable", self._domain)
        finally:
            self._events.call("xenevtchn_unbind", self._port)
            self._events.call("xenevtchn_close")
            ctypes.CDLL(None).munmap(
                c_void_p(self._address), ctypes.c_size_t(PAGE_SIZE)
            )
