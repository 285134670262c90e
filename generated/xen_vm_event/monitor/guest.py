"""A guest as the parts of a monitor know it, and what can be had of it here."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cached_property
from operator import index
from types import ModuleType
from typing import SupportsIndex

from .. import xenctrl as libxenctrl
from ..xenctrl.common import Functions
from .xen import Xen

_DOMAINS = 0x7FF0  # DOMID_FIRST_RESERVED: other numbers are no domain's
ALL_CAPABILITIES = 0xFFFF_FFFF
# Bits of the capabilities, XEN_DOMCTL_MONITOR_EVENT_*.
_WRITE_CTRLREG, _GUEST_REQUEST = 0, 4
PRIVILEGED_CALL = 7


class MonitorError(OSError):
    """What cannot be done here, and what to do about it."""


def domain_number(domain: SupportsIndex) -> int:
    """Give a domain's number.

    Raises TypeError for what is none, such as its name, and ValueError for one that none has.
    """
    try:
        number = index(domain)
    except TypeError:
        raise TypeError(
            f"domain {domain!r} is no number; `xl domid NAME` tells that of a name"
        ) from None
    if not 0 <= number < _DOMAINS:
        raise ValueError(f"no domain has the number {number}; `xl list` tells which do")
    return number


class Guest:
    """A guest of a hypervisor, by its number, whose events are a `vm_event` module's."""

    def __init__(self, xen: Xen, domain: int, vm_event: ModuleType) -> None:
        self.xen, self.domain, self.vm_event = xen, domain, vm_event
        self.handle = xen.handle
        self._has_left = False
        self._known_pages = 0  # as many as it had when it was asked last

    @property
    def functions(self) -> Functions:
        """The library's functions; raises MonitorError after the monitor has left."""
        self.require_monitored()
        return self.xen.functions

    def require_monitored(self) -> None:
        """Raise MonitorError after the monitor has left."""
        if self._has_left:
            raise MonitorError(
                "the monitor has left the guest: nothing changes it any more"
            )

    def leave(self) -> None:
        """Have nothing done to the guest from now on."""
        self._has_left = True

    @cached_property
    def capabilities(self) -> int:
        """What can be reported of it, a bit each; all of them where nobody tells."""
        found = ctypes.c_uint32(ALL_CAPABILITIES)
        with suppress(OSError):  # attaching, too, fails then, and tells why
            self.functions.xc_monitor_get_capabilities(self.handle, self.domain, found)
        return found.value

    def can_report(self, bit: int | None) -> bool:
        """Tell whether it has this capability, or what needs none."""
        return bit is None or bool(self.capabilities & 1 << bit)

    @property
    def is_arm(self) -> bool:
        """Tell whether it runs on Arm, where Xen emulates nothing and steps nothing."""
        if self.capabilities == ALL_CAPABILITIES:
            return False
        # Before Xen 4.8 Arm has guest requests alone, which x86 never has.
        is_old = self.can_report(_GUEST_REQUEST) and not self.can_report(_WRITE_CTRLREG)
        return is_old or self.can_report(PRIVILEGED_CALL)

    @property
    def arch(self) -> str | None:
        """What a recording calls its registers; None where nobody tells, as the machine's are."""
        if self.capabilities == ALL_CAPABILITIES:
            return None
        if self.is_arm:
            return "arm"
        return "x86" if self.can_report(_WRITE_CTRLREG) else None

    def require(self, *functions: str) -> None:
        """Raise MonitorError for a function that the library of this release lacks."""
        xen = self.xen
        for name in functions:
            if hasattr(xen.module, name) and xen.module.library.has(name):
                continue
            library = xen.module.library.name.replace("{release}", xen.release)
            said = f"{name}: not in {library} of Xen {xen.release}"
            if not hasattr(xen.module, name):
                said += f"; it is there since Xen {libxenctrl.since(name)}"
            raise MonitorError(said)

    def last_gfn(self) -> int:
        """Ask for the highest guest frame number."""
        found = ctypes.c_ulong()
        self.functions.xc_domain_maximum_gpfn(self.handle, self.domain, found)
        self._known_pages = found.value + 1
        return found.value

    def require_pages(self, first: int, last: int, said: str = "") -> None:
        """Raise MonitorError unless the guest may have all of these pages.

        To Xen some numbers that are no page's mean others, or all of them; and libraries take
        as many of a number's bits as they have.
        """
        if first >= 0 and last < self._known_pages:
            return
        end = self.last_gfn()  # which may be another one by now
        if not (first >= 0 and last <= end):
            pages = (
                f"page {first:#x}" if first == last else f"pages {first:#x}-{last:#x}"
            )
            raise MonitorError(
                f"{said or pages}: the guest's pages are 0x0-{end:#x}; name some of these"
            )

    def flag(self, name: str) -> int:
        """Give a flag of answers; raises MonitorError where the version has no such one."""
        flags = self.vm_event.VmEventFlag.__members__
        if name not in flags:
            version = self.vm_event.VM_EVENT_INTERFACE_VERSION
            raise MonitorError(
                f"no flag {name} in vm_event version {version} of Xen {self.xen.release}"
            )
        return int(flags[name])
