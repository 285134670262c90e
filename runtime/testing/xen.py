"""The hypervisor that is played: its release, its guests, and what was called of it."""

from __future__ import annotations

import errno
import itertools
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .. import interface_for_xen
from ..monitor.channel import NOTIFY
from ..monitor.signals import Signals
from .capabilities import capabilities
from .findings import Findings
from .guest import Guest
from .libraries import Loaded, fail, library, names_of, pointed, series
from .memory_calls import MemoryCalls
from .monitor_calls import MonitorCalls
from .paging_calls import PagingCalls
from .port import LOCAL_PORT
from .roles import ARCHITECTURES, ARM64, X86_64
from .side_ring import SideRing

_MOST_VCPUS = 128  # that Xen gives a guest
_UNNOTED = (
    *("xc_interface_open", "xc_vm_event_get_version"),
    *("xc_domain_getinfolist", "xc_vcpu_getinfo", "xc_monitor_get_capabilities"),
)
# Of those that a domain is given to: NULL is their failure.
_GIVE_POINTERS = ("xc_monitor_enable", "xenforeignmemory_map")
_SHUT_DOWN = 1 << 2  # XEN_DOMINF_shutdown


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def undisturbed(does: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Have signals come when a call of Xen is over: to a monitor it is a single step."""

    @wraps(does)
    def done(*given: _Given.args, **named: _Given.kwargs) -> _Result:
        with Signals():
            return does(*given, **named)

    return done


class Guests(dict[int, Guest]):
    """The guests by their domains' numbers."""

    def __missing__(self, domain: object) -> Guest:
        raise LookupError(
            f"no domain {domain!r}: there are {', '.join(map(str, self))}"
        )


class PlayedXen(MonitorCalls, PagingCalls, MemoryCalls):
    """A hypervisor with two `guests`, domains 1 and 2, and the `calls` of libxenctrl.

    `capabilities` are the events that it has, and `findings` what monitors did wrong.
    `has_ioctl` says whether the event channels' device can be told to notify,
    `lets_params_be_set` whether a guest's HVM parameters can be, and `has_paging` whether it is
    built with paging and sharing.
    """

    def __init__(
        self, release: str, architecture: str = X86_64, vcpus: int = 2
    ) -> None:
        """Raises ValueError for what cannot be played, UnknownVersion for no release."""
        if architecture not in ARCHITECTURES:
            raise ValueError(f"{architecture}: one of {', '.join(ARCHITECTURES)}")
        if not 0 < vcpus <= _MOST_VCPUS:
            raise ValueError(f"vcpus is from 1 to {_MOST_VCPUS}, not {vcpus!r}")
        self.release, self.architecture = series(release), architecture
        self.vm_event: Any = interface_for_xen(self.release)
        self.findings = Findings()
        self.guests: dict[int, Guest] = Guests(
            (number, Guest(number, self.vm_event, self.findings, architecture, vcpus))
            for number in (1, 2)
        )
        self.capabilities = capabilities(self.release, architecture == ARM64)
        self.has_ioctl = True
        self.lets_params_be_set = True
        self.has_paging = True
        self.calls: list[tuple[Any, ...]] = []
        self._channels: dict[int, Guest | SideRing] = {}  # by what xenevtchn_open gave
        self._opened = 0x3000
        self._interfaces = itertools.count(0x1000)  # what xc_interface_open gives
        self._closed: set[int] = set()

    def function(self, name: str) -> Callable[..., Any]:
        """Give what a function does: some play their part, all others are noted."""
        own: Callable[..., Any] | None = getattr(self, f"_{name}", None)
        takes = [] if own is None else names_of(own)
        failed = 0 if name in _GIVE_POINTERS else -1

        @undisturbed
        def noted(*arguments: Any) -> Any:
            if name.startswith("xc_") and name not in _UNNOTED:
                self.calls.append((name, *arguments[1:]))
            domain = arguments[takes.index("domain")] if "domain" in takes else None
            if name.startswith("xc_"):
                self._note_use(arguments[0], name, domain)
            if domain is not None and domain not in self.guests:
                return fail(errno.ESRCH, failed)
            return 0 if own is None else own(*arguments)

        return noted

    def _note_use(self, xch: Any, name: str, domain: int | None) -> None:
        """Note the first use of a way to Xen that is closed."""
        if xch in self._closed:
            self._closed.discard(xch)
            where = "" if domain is None else f"domain {domain}, "
            self.findings.add("closed-too-early", f"{where}{name}")

    def load(self, name: str | None, use_errno: bool = False) -> Any:
        """Load a library, as `ctypes.CDLL` does."""
        declared = library(str(name), self.release)
        if declared is None:
            raise OSError(f"{name}: cannot open shared object file")
        return Loaded(str(name), declared, self.function)

    def end_by_file(self, number: int) -> Guest | SideRing:
        """Give what the event channel leads to that has a file of this number."""
        ends = itertools.chain.from_iterable(
            guest.ends for guest in self.guests.values()
        )
        return next(end for end in ends if end.ours.fileno() == number)

    @undisturbed
    def proceed(self, number: int) -> None:
        """Do what happens while a monitor sleeps until the event channel has an event."""
        self.end_by_file(number).proceed()

    @undisturbed
    def run_for_others(self, number: int) -> None:
        """Have the guest run for somebody who sleeps elsewhere than in this package."""
        end = self.end_by_file(number)
        end.ring.is_polled = True
        end.run()

    @undisturbed
    def ioctl(self, number: int, request: int, port: Any) -> int:
        """Notify by the device of event channels, as fcntl's does."""
        if not self.has_ioctl:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        assert (request, int.from_bytes(port, sys.byteorder)) == (NOTIFY, LOCAL_PORT)
        self.end_by_file(number).take_answers()
        return 0

    def unmap(self, address: int) -> None:
        """Let go of a page, as munmap does."""
        for guest in self.guests.values():
            if guest.ring.address == address and guest.ring.attached:
                guest.find("unmapped-too-early", "the ring's page")
                guest.ring.attached = 0

    def finish(self) -> None:
        """Note what monitors have left undone, and let go of what the guests have."""
        for guest in self.guests.values():
            guest.finish()

    def close(self) -> None:
        """Let go of what the guests have."""
        for guest in self.guests.values():
            guest.close()

    # --- domains --------------------------------------------------------------------

    def _xc_interface_open(self, *_: Any) -> int:
        return next(self._interfaces)

    def _xc_interface_close(self, xch: int) -> int:
        self._closed.add(xch)
        return 0

    def _xc_domain_getinfolist(
        self, xch: int, first: int, count: int, info: Any
    ) -> int:
        records = pointed(info)
        there = [each for each in sorted(self.guests) if each >= first][:count]
        for record, number in zip(records, there, strict=False):
            self.guests[number].proceed_elsewhere()
            record.domain = number
            record.flags = 0 if self.guests[number].alive else _SHUT_DOWN
        return len(there)

    def _xc_domain_pause(self, xch: int, domain: int) -> int:
        self.guests[domain].is_paused += 1
        return 0

    def _xc_domain_unpause(self, xch: int, domain: int) -> int:
        self.guests[domain].is_paused -= 1
        return 0

    def _xc_domain_debug_control(
        self, xch: int, domain: int, operation: int, vcpu: int
    ) -> int:
        if self.guests[domain].is_arm:
            return fail(errno.ENOSYS)
        if vcpu >= len(self.guests[domain].vcpus):
            return fail(errno.EINVAL)
        stepping = self.guests[domain].vcpus[vcpu]
        stepping.steps = bool(operation)
        if not operation:
            stepping.steps_into = None
        return 0

    def _xc_vcpu_getinfo(self, xch: int, domain: int, vcpu: int, info: Any) -> int:
        if vcpu >= len(self.guests[domain].vcpus):
            return fail(errno.ESRCH)
        record = pointed(info)
        record.online, record.blocked, record.cpu_time = 1, 1, 5
        return 0

    def _xc_hvm_inject_trap(
        self, xch: int, domain: int, vcpu: int, vector: int, *_: int
    ) -> int:
        if vcpu < len(self.guests[domain].vcpus):
            self.guests[domain].vcpus[vcpu].inject(vector)
        return 0

    # --- event channels, and the logger ---------------------------------------------

    def _xtl_createlogger_stdiostream(self, *_: Any) -> int:
        return 0x2000

    def _xenevtchn_open(self, *_: Any) -> int:
        self._opened += 1
        return self._opened

    def _xenevtchn_bind_interdomain(self, xce: int, domain: int, port: int) -> int:
        self._channels[xce] = self.guests[domain].ends[port - domain]
        return LOCAL_PORT

    def _xenevtchn_fd(self, xce: int) -> int:
        return int(self._channels[xce].ours.fileno())

    def _xenevtchn_notify(self, xce: int, port: int) -> int:
        assert port == LOCAL_PORT
        self._channels[xce].take_answers()
        return 0
