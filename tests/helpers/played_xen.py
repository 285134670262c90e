"""A Xen that is played: a hypervisor of some release with one guest, as its libraries tell of it.

`play` puts it where the generated package looks for the release that runs and for libraries.
The functions are Python's; how many arguments each takes, and which there are, is what
tests/data/xenctrl-prototypes.json has of the release, and an argument too many is an error.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, series
from xen_vm_event import interface_for_xen, xenctrl
from xen_vm_event.runtime import library as loading
from xen_vm_event.xenevtchn import v1 as xenevtchn
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
    "xenevtchn_pending": 1,
    "xenevtchn_unmask": 2,
    "xtl_createlogger_stdiostream": 3,
}
_STABLE = ("libxenevtchn.so.1", "libxentoollog.so.1")


def parameters(function: str, release: str) -> int | None:
    """How many parameters a function has in a release, None if that has no such function."""
    for each in _PROTOTYPES.get(function, ()):
        if release in each["releases"]:
            inside = each["prototype"].partition("(")[2].removesuffix(")")
            return 0 if inside == "void" else inside.count(",") + 1
    return _OTHERS.get(function)


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
        is_simple = self.restype in (None, ctypes.c_int, ctypes.c_void_p)
        return result if is_simple else self.restype(result)


class Loaded:
    """A library, as ctypes has one."""

    def __init__(self, name: str, xen: PlayedXen) -> None:
        self._name, self._xen = name, xen

    def __getattr__(self, name: str) -> Function:
        takes = parameters(name, self._xen.release)
        if takes is None or name.startswith("xc_") != ("xenctrl" in self._name):
            raise AttributeError(name)
        function = Function(name, takes, self._xen.function(name))
        setattr(self, name, function)
        return function


class PlayedXen:
    """A hypervisor with a guest of two idle vCPUs, domain 1, and what was called.

    `page` is the guest's ring, and `rounds` are the requests that come with each event.
    """

    def __init__(self, release: str) -> None:
        self.release = release
        self.vm_event: Any = interface_for_xen(release)
        self.alive = True
        self.calls: list[tuple[Any, ...]] = []
        self.switched_on: list[tuple[Any, ...]] = []
        self.rounds: list[list[Any]] = []
        self.answers: list[Any] = []
        self.page = ctypes.create_string_buffer(2 * 4096)
        self.events = os.eventfd(0)
        self._front: Any = None

    def function(self, name: str) -> Callable[..., Any]:
        """Give what a function does: some play their part, all others are noted."""
        own: Callable[..., Any] | None = getattr(self, f"_{name}", None)

        def noted(*arguments: Any) -> Any:
            if name.startswith("xc_") and name not in _UNNOTED:
                self.calls.append((name, *arguments[1:]))
            return 0 if own is None else own(*arguments)

        return noted

    def load(self, name: str | None, use_errno: bool = False) -> Any:
        """Load a library, as `ctypes.CDLL` does."""
        is_there = name in _STABLE and series(self.release) > (4, 6)
        if name == f"libxenctrl.so.{self.release}" or is_there:
            return Loaded(str(name), self)
        raise OSError(f"{name}: cannot open shared object file")

    # --- what the guest does --------------------------------------------------------

    def send(self) -> None:
        """Send a round of requests, or die when there are no more."""
        if not self.rounds:
            self.alive = False
            return
        for request in self.rounds.pop(0):
            self._front.send(request)
        self._front.push_requests_and_check_notify()
        os.eventfd_write(self.events, 1)

    # --- libxenctrl -----------------------------------------------------------------

    def _xc_interface_open(self, *_: Any) -> int:
        return 0x1000

    def _xc_monitor_enable(self, xch: int, domain: int, port: Any) -> int:
        port._obj.value = 7
        start = ctypes.addressof(self.page)
        page = start + -start % 4096
        view = memoryview((ctypes.c_char * 4096).from_address(page))
        indices = (70).to_bytes(4, "little") * 4  # of a monitor before
        view.cast("B")[:] = indices.ljust(4096, b"\0")
        self._front = self.vm_event.FrontRing(view, start=0)
        return page

    def _xc_vm_event_get_version(self, xch: int) -> int:
        return int(self.vm_event.VM_EVENT_INTERFACE_VERSION)

    def _xc_domain_getinfolist(
        self, xch: int, first: int, count: int, info: Any
    ) -> int:
        info[0].domain = first
        info[0].flags = 0 if self.alive else 1
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
        return 0x3000

    def _xenevtchn_bind_interdomain(self, xce: int, domain: int, port: int) -> int:
        assert port == 7
        return 70

    def _xenevtchn_fd(self, xce: int) -> int:
        return self.events

    def _xenevtchn_pending(self, xce: int) -> int:
        os.eventfd_read(self.events)
        return 70

    def _xenevtchn_notify(self, xce: int, port: int) -> int:
        """Take answers as Xen does, which does not ask whether there was a request."""
        assert port == 70
        front = self._front
        while front.has_unconsumed_responses():
            self.answers.append(front.get_response(front.rsp_cons).copy())
            front.rsp_cons += 1
        front.final_check_for_responses()  # asks to be woken for the next one
        return 0


_UNNOTED = (
    *("xc_interface_open", "xc_vm_event_get_version"),
    *("xc_domain_getinfolist", "xc_vcpu_getinfo"),
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
    for module in (xenctrl.interface_for_xen(release), xenevtchn, xentoollog):
        monkeypatch.setattr(module.library, "_loaded", None)
        monkeypatch.setattr(module.library, "_prepared", {})
    return xen
