"""What Xen's emulator is to do otherwise than the guest's instruction says, on x86."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .guest import Guest, MonitorError

# As long as any instruction; Xen wants so many.
INSN_DATA = 16


def read_data(record: Any) -> Any:
    """Give where a record has what Xen is to read; before Xen 4.8 there was nothing beside it."""
    emul = getattr(record.data, "emul", None)
    return record.data.emul_read_data if emul is None else emul.read


class Emulated:
    """What vCPUs had Xen carry out, and how each goes on if Xen cannot."""

    def __init__(self) -> None:
        self.instead: dict[int, Callable[[Any], int]] = {}
        # Of a request about a page, and the page that its vCPU sees there: has the vCPU carry out
        # one instruction on what the guest has there, and gives the flags; None if that is there.
        self.uncover: Callable[[Any, int], int | None] = lambda request, gfn: None

    def note(self, request: Any, instead: Callable[[Any], int]) -> None:
        """Keep what gives the flags for another way on, until the vCPU's next request."""
        self.instead[request.vcpu_id] = instead

    def forget(self, request: Any) -> None:
        """At another request of the vCPU: what it was at is carried out."""
        self.instead.pop(request.vcpu_id, None)

    def answer_unimplemented(self, request: Any) -> int | None:
        """Have the vCPU go on from what Xen cannot emulate; None if nobody knows of it."""
        instead = self.instead.pop(request.vcpu_id, None)
        return None if instead is None else instead(request)


class Emulator:
    """Flags for the answer to a violation, which have Xen carry the instruction out.

    A handler of MEM_ACCESS gives them, for pages that are restricted with `then="emulate"` or
    `then=None`.  All raise MonitorError where the version has them not.  Xen carries it out on
    what is in memory: with `then=None` the guest reads a breakpoint of the monitor's as an int3,
    which `then="emulate"` hides.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def as_it_is(self) -> int:
        """Carry it out."""
        return self._flags()

    def without_writes(self) -> int:
        """Carry it out, but throw away what it writes."""
        return self._flags("EMULATE_NOWRITE")

    def with_data(self, request: Any, octets: bytes) -> int:
        """Carry it out on these bytes in place of those that it reads.

        They take the place of the request's registers.
        """
        flags = self._flags("SET_EMUL_READ_DATA")
        read = read_data(request)
        room = len(read.data)
        if len(octets) > room:
            raise MonitorError(f"{len(octets)} bytes to be read, of {room} at most")
        read.size = len(octets)
        read.data = octets
        return flags

    def instead(self, request: Any, code: bytes) -> int:
        """At a breakpoint: carry out this instruction in place of the guest's.

        It takes the place of the request's registers.
        """
        flags = self._flags("SET_EMUL_INSN_DATA")
        if len(code) > INSN_DATA:
            raise MonitorError(f"{len(code)} bytes of code, of {INSN_DATA} at most")
        request.data.emul.insn.data = code.ljust(INSN_DATA, b"\0")
        return flags

    def _flags(self, *names: str) -> int:
        if self._guest.is_arm:
            raise MonitorError("Xen emulates nothing on Arm")
        flags = self._guest.flag("EMULATE")
        for name in names:
            flags |= self._guest.flag(name)
        return flags
