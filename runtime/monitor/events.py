"""What Xen can report of a guest, by the names that people give it, and what switches that."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import ModuleType

from ..xenctrl.common import has
from .xen import Xen

# Has events reported, or not any more.
Switch = Callable[[bool], object]


class MonitorError(OSError):
    """What cannot be done here, and what to do about it."""


# Reason -> its bit among the capabilities, XEN_DOMCTL_MONITOR_EVENT_*, and the functions that
# watching for it takes, of which the first switches its events.
_KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "CPUID": (6, ("xc_monitor_cpuid",)),
    "DEBUG_EXCEPTION": (5, ("xc_monitor_debug_exceptions", "xc_hvm_inject_trap")),
    "DESCRIPTOR_ACCESS": (9, ("xc_monitor_descriptor_access",)),
    "GUEST_REQUEST": (4, ("xc_monitor_guest_request",)),
    "MOV_TO_MSR": (1, ("xc_monitor_mov_to_msr",)),
    "PRIVILEGED_CALL": (7, ("xc_monitor_privileged_call",)),
    "WRITE_CTRLREG": (0, ("xc_monitor_write_ctrlreg",)),
}
EVENTS = tuple(reason.lower() for reason in _KINDS)
"""The events there are; some need more, as in `write_ctrlreg:cr3` and `mov_to_msr:0x174`."""


def switches_of(
    xen: Xen, domain: int, vm_event: ModuleType, events: Sequence[str]
) -> list[Switch]:
    """Give what switches each of some events: `cpuid`, `write_ctrlreg:cr3`, `mov_to_msr:0x174`.

    Raises MonitorError for one that there is not, that the libraries of this release do not
    know, or that cannot be had of this guest, on this machine: before anything is attached.
    """
    chosen = [(event, *_parsed(vm_event, event)) for event in events]
    for _, reason, _ in chosen:
        _require(xen, *_KINDS[reason][1])
    reported = _reported(xen, domain)
    for event, reason, _ in chosen:
        if reason.lower() not in reported:
            has_some = f"it reports {', '.join(reported)}" if reported else "nor others"
            raise MonitorError(
                f"{event}: this machine, or this build of Xen, does not report that of this"
                f" guest; {has_some}"
            )
    return [_switch(xen, domain, reason, index) for _, reason, index in chosen]


def _parsed(vm_event: ModuleType, event: str) -> tuple[str, int]:
    """Give an event's reason, and the number of its register."""
    name, _, which = event.partition(":")
    reason = name.upper()
    try:
        if reason == "WRITE_CTRLREG":
            return reason, vm_event.VmEventX86[which.upper()]
        if reason == "MOV_TO_MSR":
            return reason, int(which, 0)
        if reason not in _KINDS or which:
            raise ValueError
    except (KeyError, ValueError):
        raise MonitorError(
            f"no event '{event}'; name one of {', '.join(EVENTS)}"
        ) from None
    return reason, 0


def _require(xen: Xen, *functions: str) -> None:
    """Raise MonitorError for a function that the library of this release lacks."""
    for name in functions:
        if not (hasattr(xen.module, name) and xen.module.library.has(name)):
            library = xen.module.library.name.replace("{release}", xen.release)
            raise MonitorError(f"{name}: not in {library} of Xen {xen.release}")


def _reported(xen: Xen, domain: int) -> Sequence[str]:
    """Ask which events can be had of a guest."""
    capabilities = ctypes.c_uint32(0xFFFF_FFFF)
    with suppress(OSError):  # attaching, too, fails then, and tells why
        xen.functions.xc_monitor_get_capabilities(xen.handle, domain, capabilities)
    return [
        reason.lower()
        for reason, (bit, _) in _KINDS.items()
        if capabilities.value & 1 << bit
    ]


def _switch(xen: Xen, domain: int, reason: str, index: int) -> Switch:
    """Give the function for a reason, called as this release declares it.

    The vCPU waits for the answer to each event.
    """
    functions, xch = xen.functions, xen.handle
    if reason == "WRITE_CTRLREG":
        write = functions.xc_monitor_write_ctrlreg
        if has(write, "bitmask"):
            return lambda on: write(xch, domain, index, on, True, 0, False)
        return lambda on: write(xch, domain, index, on, True, False)
    if reason == "GUEST_REQUEST":
        request = functions.xc_monitor_guest_request
        if has(request, "allow_userspace"):
            return lambda on: request(xch, domain, on, True, False)
        return lambda on: request(xch, domain, on, True)
    if reason == "MOV_TO_MSR":
        move = functions.xc_monitor_mov_to_msr
        if has(move, "onchangeonly"):
            return lambda on: move(xch, domain, index, on, False)
        if has(move, "msr"):
            return lambda on: move(xch, domain, index, on)
        return lambda on: move(xch, domain, on, True)  # all of them, or none
    if reason == "CPUID" and has(functions, "xc_monitor_cpuid"):
        cpuid = functions.xc_monitor_cpuid
        return lambda on: cpuid(xch, domain, on)
    if reason == "DEBUG_EXCEPTION" and has(functions, "xc_monitor_debug_exceptions"):
        debug = functions.xc_monitor_debug_exceptions
        return lambda on: debug(xch, domain, on, True)
    if reason == "DESCRIPTOR_ACCESS" and has(functions, "xc_monitor_descriptor_access"):
        access = functions.xc_monitor_descriptor_access
        return lambda on: access(xch, domain, on)
    assert has(functions, "xc_monitor_privileged_call")
    call = functions.xc_monitor_privileged_call
    return lambda on: call(xch, domain, on)
