"""A Xen that is played: a hypervisor of some release with guests, as its libraries tell of it.

`play` puts it where the generated package looks for the release that runs and for libraries.
The functions are Python's; how many arguments each takes, and which there are, is what
tests/data/xenctrl-prototypes.json has of the release, and an argument too many is an error.
"""

from __future__ import annotations

import ctypes
import errno
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, series
from xen_vm_event import interface_for_xen, xenctrl
from xen_vm_event.monitor import channel
from xen_vm_event.runtime import library as loading
from xen_vm_event.xenevtchn import v1 as xenevtchn
from xen_vm_event.xenforeignmemory import v1 as xenforeignmemory
from xen_vm_event.xentoollog import v1 as xentoollog

_PROTOTYPES: dict[str, list[dict[str, Any]]] = json.loads(
    (PROJECT / "tests/data/xenctrl-prototypes.json").read_text()
)
# Of the functions that the facts have no word of, how many arguments they take.
_OTHERS = {
    "xc_hvm_inject_trap": 8,  # as xenctrl_compat.h has it
    "xenevtchn_open": 2,
    "xenevtchn_close": 1,
    "xenevtchn_fd": 1,
    "xenevtchn_notify": 2,
    "xenevtchn_bind_interdomain": 3,
    "xenevtchn_unbind": 2,
    "xenforeignmemory_open": 2,
    "xenforeignmemory_close": 1,
    "xenforeignmemory_map": 6,
    "xenforeignmemory_unmap": 3,
    "xtl_createlogger_stdiostream": 3,
}
RWX = 7  # XENMEM_access_rwx
LOCAL_PORT = 70  # of every event channel, at the monitor's end
# Which events there are, by their bits.
X86 = sum(1 << bit for bit in (*range(7), *range(8, 14)))
ARM = 1 << 4 | 1 << 7
_STABLE = (
    "libxenevtchn.so.1",
    "libxenforeignmemory.so.1",
    "libxentoollog.so.1",
)


def parameters(function: str, release: str) -> int | None:
    """How many parameters a function has in a release, None if that has no such function."""
    for each in _PROTOTYPES.get(function, ()):
        if release in each["releases"]:
            inside = each["prototype"].partition("(")[2].removesuffix(")")
            return 0 if inside == "void" else inside.count(",") + 1
    return _OTHERS.get(function)


# What starts a Xen of some release, whose guests do something when they are waited for.
Begin = Callable[[str], "PlayedXen"]


class Function:
    """A function of a library, as ctypes has one."""

    argtypes: Any = None
    restype: Any = None

    def __init__(self, name: str, takes: int, does: Callable[..., Any]) -> None:
        self.name, self.takes, self.does = name, takes, does

    def __call__(self, *given: Any) -> Any:
        assert len(given) == self.takes, f"{self.name} takes {self.takes}: {given}"
        plain = [getattr(each, "value", each) for each in given]
        result = self.does(*plain)
        # Of a pointer ctypes gives the number, of a class made of one the object.
        simple = (None, ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)
        is_simple = self.restype in simple
        return result if is_simple else self.restype(result)


class Loaded:
    """A library, as ctypes has one: an index gives a function anew, an attribute keeps it."""

    def __init__(self, name: str, xen: PlayedXen) -> None:
        self._name, self._xen = name, xen

    def __getitem__(self, name: str) -> Function:
        takes = parameters(name, self._xen.release)
        if takes is None or name.startswith("xc_") != ("xenctrl" in self._name):
            raise AttributeError(name)
        return Function(name, takes, self._xen.function(name))

    def __getattr__(self, name: str) -> Function:
        function = self[name]
        setattr(self, name, function)
        return function


class Guest:
    """A guest of two idle vCPUs.

    `page` is its ring, `rounds` are the requests that come with each event, and `answers`
    what the monitor gave.  `ours` is the monitor's end of its event channel.
    """

    def __init__(self, number: int, vm_event: Any) -> None:
        self.number, self._vm_event = number, vm_event
        self.alive = True
        self.rounds: list[list[Any]] = []
        # What it may do with pages, XENMEM_access_*: rwx where nothing is said.
        self.access: dict[int, int] = {}
        self.last_gfn = 0xFF
        # What is in pages, as far as somebody looked, and how many are mapped.
        self.pages: dict[int, Any] = {}
        self.mapped = 0
        # Its altp2m views, each with what it may do with pages, and what else was said of it.
        self.params: dict[int, int] = {}
        self.views: dict[int, dict[int, int]] = {}
        self.answers: list[Any] = []
        self.notified = 0  # how often the monitor notified
        self._memory = ctypes.create_string_buffer(2 * 4096)
        self._front: Any = None
        self.ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)

    def attach(self) -> int:
        """Give the address of the page, which holds the indices of a monitor before."""
        start = ctypes.addressof(self._memory)
        page = start + -start % 4096
        view = memoryview((ctypes.c_char * 4096).from_address(page))
        view.cast("B")[:] = ((70).to_bytes(4, "little") * 4).ljust(4096, b"\0")
        self._front = self._vm_event.FrontRing(view, start=0)
        return page

    def send(self) -> None:
        """Send a round of requests, or die when there are no more."""
        if not self.rounds:
            self.alive = False
            return
        for request in self.rounds.pop(0):
            self._front.send(request)
        if self._front.push_requests_and_check_notify():
            self._theirs.send(LOCAL_PORT.to_bytes(4, "little"))

    @property
    def unmasked(self) -> int:
        """How many events the monitor has said that it wants the next after."""
        with suppress(BlockingIOError):
            self._unmasked += len(self._theirs.recv(4096)) // 4
        return self._unmasked

    _unmasked = 0

    def take_answers(self) -> None:
        """Take answers as Xen does, which does not ask whether there was a request."""
        self.notified += 1
        front = self._front
        while front.has_unconsumed_responses():
            self.answers.append(front.get_response(front.rsp_cons).copy())
            front.rsp_cons += 1
        front.final_check_for_responses()  # asks to be woken for the next one


class PlayedXen:
    """A hypervisor with two guests, domains 1 and 2, and what was called.

    `capabilities` are the events that it has.  `has_ioctl` says whether the event channels'
    device can be told to notify, `lets_params_be_set` whether a guest's HVM parameters can be.
    """

    def __init__(self, release: str) -> None:
        self.release = release
        self.vm_event: Any = interface_for_xen(release)
        self.guests = {number: Guest(number, self.vm_event) for number in (1, 2)}
        self.capabilities = X86
        self.has_ioctl = True
        self.lets_params_be_set = True
        self.calls: list[tuple[Any, ...]] = []
        self._channels: dict[int, Guest] = {}  # by what xenevtchn_open gave
        self._opened = 0x3000
        self.busy: set[int] = set()  # guests that have a monitor

    def function(self, name: str) -> Callable[..., Any]:
        """Give what a function does: some play their part, all others are noted."""
        own: Callable[..., Any] | None = getattr(self, f"_{name}", None)

        def noted(*arguments: Any) -> Any:
            if name.startswith("xc_") and name not in _UNNOTED:
                self.calls.append((name, *arguments[1:]))
            return 0 if own is None else own(*arguments)

        return noted

    def guest_of(self, opened: channel.Channel) -> Guest:
        """Give the guest at the other end of an event channel."""
        by_channel = {each.ours.fileno(): each for each in self.guests.values()}
        return by_channel[opened.fileno()]

    def load(self, name: str | None, use_errno: bool = False) -> Any:
        """Load a library, as `ctypes.CDLL` does."""
        is_there = name in _STABLE and series(self.release) > (4, 6)
        if name == f"libxenctrl.so.{self.release}" or is_there:
            return Loaded(str(name), self)
        raise OSError(f"{name}: cannot open shared object file")

    def ioctl(self, fd: int, request: int, port: Any) -> int:
        """Notify by the device of event channels, as fcntl's does."""
        if not self.has_ioctl:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        assert (request, port.value) == (0x44504, LOCAL_PORT)
        by_channel = {each.ours.fileno(): each for each in self.guests.values()}
        by_channel[fd].take_answers()
        return 0

    # --- libxenctrl -----------------------------------------------------------------

    def _xc_interface_open(self, *_: Any) -> int:
        return 0x1000

    def _xc_monitor_get_capabilities(self, xch: int, domain: int, found: Any) -> int:
        found._obj.value = self.capabilities
        return 0

    def _xc_monitor_enable(self, xch: int, domain: int, port: Any) -> int:
        if domain in self.busy:
            ctypes.set_errno(errno.EBUSY)
            return 0
        self.busy.add(domain)
        port._obj.value = domain
        return self.guests[domain].attach()

    def _xc_monitor_disable(self, xch: int, domain: int) -> int:
        self.busy.discard(domain)
        return 0

    def _xc_vm_event_get_version(self, xch: int) -> int:
        return int(self.vm_event.VM_EVENT_INTERFACE_VERSION)

    def _xc_domain_maximum_gpfn(self, xch: int, domain: int, last: Any) -> int:
        last._obj.value = self.guests[domain].last_gfn
        return 0

    # --- memory access --------------------------------------------------------------

    def _xc_get_mem_access(self, xch: int, domain: int, gfn: int, access: Any) -> int:
        guest = self.guests[domain]
        if gfn > guest.last_gfn:
            ctypes.set_errno(errno.ESRCH)
            return -1
        access._obj.value = guest.access.get(gfn, RWX)
        return 0

    def _xc_set_mem_access(
        self, xch: int, domain: int, access: int, first: int, count: int
    ) -> int:
        guest = self.guests[domain]
        guest.access.update(dict.fromkeys(range(first, first + count), access))
        return 0

    def _xc_set_mem_access_multi(
        self, xch: int, domain: int, access: Any, gfns: Any, count: int
    ) -> int:
        guest = self.guests[domain]
        both = zip(_array(gfns)[:count], _array(access)[:count], strict=True)
        guest.access.update(both)
        return 0

    # --- views of memory ------------------------------------------------------------

    def _xc_hvm_param_get(self, xch: int, domain: int, number: int, value: Any) -> int:
        value._obj.value = self.guests[domain].params.get(number, 0)
        return 0

    def _xc_hvm_param_set(self, xch: int, domain: int, number: int, value: int) -> int:
        if not self.lets_params_be_set:
            ctypes.set_errno(errno.EOPNOTSUPP)
            return -1
        self.guests[domain].params[number] = value
        return 0

    def _xc_altp2m_create_view(
        self, xch: int, domain: int, access: int, number: Any
    ) -> int:
        views = self.guests[domain].views
        number._obj.value = len(views) + 1
        views[len(views) + 1] = {}
        return 0

    def _xc_altp2m_destroy_view(self, xch: int, domain: int, number: int) -> int:
        del self.guests[domain].views[number]
        return 0

    def _xc_altp2m_set_mem_access(
        self, xch: int, domain: int, number: int, gfn: int, access: int
    ) -> int:
        self.guests[domain].views[number][gfn] = access
        return 0

    def _xc_altp2m_set_mem_access_multi(
        self, xch: int, domain: int, number: int, access: Any, gfns: Any, count: int
    ) -> int:
        both = zip(_array(gfns)[:count], _array(access)[:count], strict=True)
        self.guests[domain].views[number].update(both)
        return 0

    def _xc_translate_foreign_address(
        self, xch: int, domain: int, vcpu: int, address: int
    ) -> int:
        return address % 2**32 // 4096  # its page tables map everything there

    # --- libxenforeignmemory --------------------------------------------------------

    def _xenforeignmemory_open(self, *_: Any) -> int:
        return 0x4000

    def _xenforeignmemory_map(
        self, fmem: int, domain: int, prot: int, count: int, gfns: Any, errors: Any
    ) -> int:
        guest, [gfn] = self.guests[domain], _array(gfns)[:count]
        if gfn > guest.last_gfn:
            ctypes.set_errno(errno.EINVAL)
            return 0
        guest.mapped += 1
        page = guest.pages.setdefault(gfn, ctypes.create_string_buffer(4096))
        return ctypes.addressof(page)

    def _xenforeignmemory_unmap(self, fmem: int, address: Any, count: int) -> int:
        for guest in self.guests.values():
            guest.mapped -= any(
                ctypes.addressof(page) == ctypes.addressof(_array(address))
                for page in guest.pages.values()
            )
        return 0

    # --- domains --------------------------------------------------------------------

    def _xc_domain_getinfolist(
        self, xch: int, first: int, count: int, info: Any
    ) -> int:
        info[0].domain = first
        info[0].flags = 0 if self.guests[first].alive else 1
        return 1

    def _xc_vcpu_getinfo(self, xch: int, domain: int, vcpu: int, info: Any) -> int:
        if vcpu > 1:
            ctypes.set_errno(errno.ESRCH)
            return -1
        record = info._obj
        record.online, record.blocked, record.cpu_time = 1, 1, 5
        return 0

    # --- libxenevtchn and libxentoollog ---------------------------------------------

    def _xtl_createlogger_stdiostream(self, *_: Any) -> int:
        return 0x2000

    def _xenevtchn_open(self, *_: Any) -> int:
        self._opened += 1
        return self._opened

    def _xenevtchn_bind_interdomain(self, xce: int, domain: int, port: int) -> int:
        assert port == domain
        self._channels[xce] = self.guests[domain]
        return LOCAL_PORT

    def _xenevtchn_fd(self, xce: int) -> int:
        return self._channels[xce].ours.fileno()

    def _xenevtchn_notify(self, xce: int, port: int) -> int:
        assert port == LOCAL_PORT
        self._channels[xce].take_answers()
        return 0


def _array(given: Any) -> Any:
    """The array that a pointer to it was made of."""
    return getattr(given, "_obj", given)


_UNNOTED = (
    *("xc_interface_open", "xc_vm_event_get_version"),
    *("xc_domain_getinfolist", "xc_vcpu_getinfo", "xc_monitor_get_capabilities"),
)


def play(monkeypatch: pytest.MonkeyPatch, folder: Path, release: str) -> PlayedXen:
    """Have the Xen of a release run here, for one test."""
    xen = PlayedXen(release)
    major, minor = release.split(".")
    (folder / "major").write_text(f"{major}\n")
    (folder / "minor").write_text(f"{minor}\n")
    monkeypatch.setattr(loading, "VERSION", str(folder))

    class Ctypes:
        """The module as the package's loader sees it: its libraries are those played."""

        CDLL = staticmethod(xen.load)

        def __getattr__(self, name: str) -> Any:
            return getattr(ctypes, name)

    monkeypatch.setattr(loading, "ctypes", Ctypes())
    monkeypatch.setattr(channel, "ioctl", xen.ioctl)
    monkeypatch.setattr(channel, "unmap", lambda address: None)
    for module in (
        xenctrl.interface_for_xen(release),
        xenevtchn,
        xenforeignmemory,
        xentoollog,
    ):
        monkeypatch.setattr(module.library, "_loaded", None)
        monkeypatch.setattr(module.library, "_prepared", {})
    return xen
