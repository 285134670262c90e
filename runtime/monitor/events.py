"""What Xen can report of a guest, by the names that people give it, and what switches that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from ..xenctrl.common import has
from .guest import Guest, MonitorError

# Has events reported, or not any more.
Switch = Callable[[bool], object]


class Kind(NamedTuple):
    """What a reason takes: a capability, by its bit, and functions of libxenctrl."""

    capability: int | None  # XEN_DOMCTL_MONITOR_EVENT_*
    functions: tuple[str, ...]
    options: str = ""  # what may follow its name


_KINDS: dict[str, Kind] = {
    "CPUID": Kind(6, ("xc_monitor_cpuid",)),
    "DEBUG_EXCEPTION": Kind(5, ("xc_monitor_debug_exceptions", "xc_hvm_inject_trap")),
    "DESCRIPTOR_ACCESS": Kind(9, ("xc_monitor_descriptor_access",)),
    "EMUL_UNIMPLEMENTED": Kind(10, ("xc_monitor_emul_unimplemented",)),
    "GUEST_REQUEST": Kind(4, ("xc_monitor_guest_request",)),
    "INTERRUPT": Kind(8, ()),
    # It goes on by a step, see answers.
    "IO_INSTRUCTION": Kind(13, ("xc_monitor_io", "xc_monitor_singlestep")),
    "MEM_ACCESS": Kind(None, ("xc_set_mem_access",), ":ACCESS[:GFNS[:THEN]]"),
    "MOV_TO_MSR": Kind(1, ("xc_monitor_mov_to_msr",), ":NUMBER[:onchange]"),
    "PRIVILEGED_CALL": Kind(7, ("xc_monitor_privileged_call",)),
    "SINGLESTEP": Kind(2, ("xc_monitor_singlestep",)),
    "SOFTWARE_BREAKPOINT": Kind(
        3, ("xc_monitor_software_breakpoint", "xc_hvm_inject_trap")
    ),
    "VMEXIT": Kind(12, ("xc_monitor_vmexit",)),
    "WRITE_CTRLREG": Kind(
        0, ("xc_monitor_write_ctrlreg",), ":REGISTER[:onchange[:MASK]]"
    ),
}
EVENTS = tuple(reason.lower() for reason in _KINDS)
"""The events there are; some need more, as in `write_ctrlreg:cr3` and `mov_to_msr:0x174`."""

# What comes on a ring of its own, and what reads that.
ELSEWHERE = {"MEM_PAGING": "Paging", "MEM_SHARING": "Sharing"}


class Event(NamedTuple):
    """An event that was asked for: its reason, which register, and how."""

    text: str
    reason: str
    register: int = 0
    on_change: bool = False  # only if the register has another value then
    ignored_bits: int = 0  # whose changes are none
    options: tuple[str, ...] = ()


def parse(guest: Guest, text: str) -> Event:
    """Read an event: `cpuid`, `write_ctrlreg:cr3`, `mov_to_msr:0x174:onchange`.

    Raises MonitorError for one that there is not.
    """
    name, *options = text.split(":")
    reason = name.upper()
    if reason in ELSEWHERE:
        raise MonitorError(
            f"{text}: comes on a ring of its own, not on the monitor's;"
            f" xen_vm_event.monitor.{ELSEWHERE[reason]} is for that"
        )
    try:
        if reason == "MEM_ACCESS" and len(options) <= 3:
            return Event(text, reason, options=tuple(options))
        if reason in ("WRITE_CTRLREG", "MOV_TO_MSR"):
            which, *how = options
            is_msr = reason == "MOV_TO_MSR"
            number = (
                _number(text, which, 32)
                if is_msr
                else int(guest.vm_event.VmEventX86[which.upper()])
            )
            if (how and how[0] != "onchange") or len(how) > (1 if is_msr else 2):
                raise ValueError
            mask = _number(text, how[1], 64) if len(how) == 2 else 0
            return Event(text, reason, number, bool(how), mask)
        if reason in _KINDS and not options:
            return Event(text, reason)
    except (KeyError, ValueError):
        pass
    said = f"no event '{text}'; name one of {', '.join(EVENTS)}"
    if reason in _KINDS:
        said += f"; this one as {name}{_KINDS[reason].options}"
    raise MonitorError(said)


def _number(event: str, text: str, bits: int) -> int:
    """Read a number of so many bits; raises ValueError for what is none at all."""
    number = int(text, 0)
    if not 0 <= number < 1 << bits:
        raise MonitorError(f"{event}: {text} is no number of {bits} bits")
    return number


class Events:
    """The events that a monitor has reported of its guest.

    Making one raises MonitorError for an event that there is not, that the libraries of this
    release do not know, or that cannot be had of this guest, on this machine: before anything
    is attached.
    """

    def __init__(self, guest: Guest, texts: Sequence[str]) -> None:
        self._guest = guest
        self.chosen = [parse(guest, text) for text in texts]
        _require_sense(self.chosen)
        for event in self.chosen:
            guest.require(*_KINDS[event.reason].functions)
        for event in self.chosen:
            self.require(event.reason, event.text)
        self._switches = [_switch(guest, event) for event in self.chosen]
        self._reasons: set[str] = set()
        self.switched_on: list[Switch] = []

    def require(self, reason: str, text: str = "") -> None:
        """Raise MonitorError for a reason that is not to be had here."""
        guest, kind = self._guest, _KINDS[reason]
        guest.require(*kind.functions)
        if guest.can_report(kind.capability):
            return
        reported = ", ".join(
            each.lower()
            for each, (bit, *_) in _KINDS.items()
            if bit is not None and guest.can_report(bit)
        )
        raise MonitorError(
            f"{text or reason.lower()}: this machine, or this build of Xen, does not report"
            f" that of this guest; {f'it reports {reported}' if reported else 'nor others'}"
        )

    def begin(self) -> None:
        """Switch on what was asked for."""
        for event, switch in zip(self.chosen, self._switches, strict=True):
            self._on(event.reason, switch)

    def also(self, reason: str) -> None:
        """Switch on what the monitor itself needs, if it is not on yet."""
        if not self.is_on(reason):
            self.require(reason)
            self._on(reason, _switch(self._guest, Event(reason.lower(), reason)))

    def is_on(self, reason: str) -> bool:
        """Tell whether a reason is switched on, by whom ever."""
        return reason in self._reasons

    def _on(self, reason: str, switch: Switch) -> None:
        switch(True)
        self._reasons.add(reason)
        self.switched_on.append(switch)

    def switch_off(self) -> None:
        """Have none reported any more, the last first; all of them, also if one fails."""
        with ExitStack() as each:
            for switch in self.switched_on:
                each.callback(switch, False)

    def end(self) -> None:
        """Forget them: they end with the ring, or were switched off."""
        self._reasons.clear()
        self.switched_on.clear()


def _require_sense(events: Sequence[Event]) -> None:
    """Raise MonitorError for an event that is named twice, or that would never come."""
    named: set[tuple[str, int]] = set()
    for event in events:
        which = event.reason, event.register
        if which in named and event.reason != "MEM_ACCESS":
            raise MonitorError(f"{event.text}: this event is named twice")
        named.add(which)
    if named == {("INTERRUPT", 0)}:
        raise MonitorError(
            "interrupt: comes after the answer to another event; name one that comes first,"
            " such as cpuid"
        )


def _switch(guest: Guest, event: Event) -> Switch:
    """Give what switches an event, by the functions as this release declares them.

    The vCPU waits for the answer to each event, but for `vmexit`: Xen carries out only those
    exits that do not wait.
    """
    functions, xch, domain = guest.functions, guest.handle, guest.domain
    reason, index, on_change = event.reason, event.register, event.on_change
    if reason == "WRITE_CTRLREG":
        write, mask = functions.xc_monitor_write_ctrlreg, event.ignored_bits
        if has(write, "bitmask"):
            return lambda on: write(xch, domain, index, on, True, mask, on_change)
        if mask:
            raise MonitorError(f"{event.text}: a mask is there since Xen 4.10")
        return lambda on: write(xch, domain, index, on, True, on_change)
    if reason == "GUEST_REQUEST":
        request = functions.xc_monitor_guest_request
        if has(request, "allow_userspace"):
            return lambda on: request(xch, domain, on, True, False)
        return lambda on: request(xch, domain, on, True)
    if reason == "MOV_TO_MSR":
        move = functions.xc_monitor_mov_to_msr
        if has(move, "onchangeonly"):
            return lambda on: move(xch, domain, index, on, on_change)
        if on_change:
            raise MonitorError(f"{event.text}: onchange is there since Xen 4.11")
        if has(move, "msr"):
            return lambda on: move(xch, domain, index, on)
        return lambda on: move(xch, domain, on, True)  # all of them, or none
    if reason == "DEBUG_EXCEPTION" and has(functions, "xc_monitor_debug_exceptions"):
        debug = functions.xc_monitor_debug_exceptions
        return lambda on: debug(xch, domain, on, True)
    if reason == "IO_INSTRUCTION":
        return lambda on: report_io(guest, on)
    if reason == "VMEXIT" and has(functions, "xc_monitor_vmexit"):
        leave = functions.xc_monitor_vmexit
        return lambda on: leave(xch, domain, on, False)
    called = _KINDS[reason].functions[:1]
    if reason == "MEM_ACCESS" or not called:
        return (
            lambda on: None
        )  # is reported where pages are restricted, or when asked for
    [name] = called
    simple = getattr(functions, name)
    return lambda on: simple(xch, domain, on)


def report_io(guest: Guest, on: bool) -> None:
    """Have I/O instructions reported, or carried out; it may be so already, for a step."""
    if has(guest.functions, "xc_monitor_io"):
        with suppress(FileExistsError):
            guest.functions.xc_monitor_io(guest.handle, guest.domain, on)


def report_descriptor_access(guest: Guest, on: bool) -> None:
    """Have accesses to descriptor tables reported, or carried out; it may be so already."""
    if has(guest.functions, "xc_monitor_descriptor_access"):
        with suppress(FileExistsError):
            guest.functions.xc_monitor_descriptor_access(guest.handle, guest.domain, on)
