"""Software breakpoints in a guest: instructions that are an int3 while a monitor is there."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any, Literal, NamedTuple

from .answers import BREAKPOINT_VECTOR, inject
from .channel import PAGE_SIZE
from .events import Events
from .guest import Guest, MonitorError
from .physical import PhysicalMemory
from .stepping import Stepping

INT3 = b"\xcc"

Pass = Literal["step", "emulate", "remove"]
"""How a vCPU goes on from a breakpoint, whose instruction it has not carried out:

- `step`: it carries it out by itself, one step, while the breakpoint is not there, for other
  vCPUs neither.
- `emulate`: Xen carries it out, from Xen 4.9 on; no vCPU passes the breakpoint meanwhile.
- `remove`: the breakpoint was for once.

None leaves it to a handler: without one that moves rip on, the vCPU comes back for ever.
"""
_WAYS = ("step", "emulate", "remove")

# As long as any instruction; Xen wants so many.
_INSN_DATA = 16


class Breakpoint(NamedTuple):
    """What was there before, and how a vCPU goes on."""

    octet: bytes
    then: str | None  # Pass


class Breakpoints:
    """The monitor's breakpoints, by guest physical address; gone when it leaves.

    A guest's own ones, and a debugger's in it, are reported too, and then given to the guest.
    """

    def __init__(
        self, guest: Guest, events: Events, stepping: Stepping, physical: PhysicalMemory
    ) -> None:
        self._guest, self._events, self._stepping = guest, events, stepping
        self._physical = physical
        self._own: dict[int, Breakpoint] = {}
        self._passed: Counter[int] = Counter()  # vCPUs that are at a step over it

    def add(self, address: int, then: Pass | None = "step") -> None:
        """Set a breakpoint at the first byte of an instruction, at a physical address.

        Of a virtual one, `monitor.physical.translate` gives that.  Raises MonitorError where
        this machine has no breakpoints, or not this way on; OSError where there is no memory.
        """
        if then is not None and then not in _WAYS:
            raise MonitorError(f"no way on '{then}'; name one of {', '.join(_WAYS)}")
        if then == "step":
            self._events.require("SINGLESTEP")
        if then == "emulate":
            self._guest.flag("SET_EMUL_INSN_DATA")
        self._events.also("SOFTWARE_BREAKPOINT")
        if address in self._own:
            self._own[address] = self._own[address]._replace(then=then)
            return
        self._own[address] = Breakpoint(self._physical.read(address, 1), then)
        self._physical.write(address, INT3)

    def remove(self, address: int) -> None:
        """Take one away: the guest has its instruction again."""
        found = self._own.pop(address, None)
        if found is not None:
            self._physical.write(address, found.octet)

    def address(self, request: Any) -> int | None:
        """Tell at which of them a request's vCPU is; None if it is another's."""
        rip: int = request.data.regs.x86.rip
        address: int = request.payload.gfn * PAGE_SIZE + rip % PAGE_SIZE
        return address if address in self._own else None

    def restore(self) -> None:
        """Take all away."""
        with ExitStack() as each:  # also if one fails
            for address in self._own:
                each.callback(self.remove, address)

    def answer(self, request: Any) -> int:
        """Have a vCPU go on as the breakpoint has it, or the guest see its own."""
        address = self.address(request)
        if address is None:
            if self._is_there(request):
                inject(self._guest, request, BREAKPOINT_VECTOR)
            return 0
        then = self._own[address].then
        if then == "step":
            return self._step_over(request, address)
        if then == "emulate":
            return self._emulate(request, address)
        if then == "remove":
            self.remove(address)
        return 0

    def _is_there(self, request: Any) -> bool:
        """Tell whether the int3 was not the monitor's own, removed meanwhile."""
        place = request.payload.gfn * PAGE_SIZE + request.data.regs.x86.rip % PAGE_SIZE
        try:
            return self._physical.read(place, 1) == INT3
        except OSError:  # no memory that is told of
            return True

    def _step_over(self, request: Any, address: int) -> int:
        self._physical.write(address, self._own[address].octet)
        self._passed[address] += 1

        def back(_: Any) -> int:
            self._passed[address] -= 1
            if not self._passed[address] and address in self._own:
                self._physical.write(address, INT3)
            return 0

        return self._stepping.over(request, back)

    def _emulate(self, request: Any, address: int) -> int:
        code = bytearray(self._code(address))
        for other, found in self._own.items():
            if 0 <= other - address < len(code):
                code[other - address : other - address + 1] = found.octet
        request.data.emul.insn.data = bytes(code).ljust(_INSN_DATA, b"\0")
        return self._guest.flag("EMULATE") | self._guest.flag("SET_EMUL_INSN_DATA")

    def _code(self, address: int) -> bytes:
        """Read an instruction; what follows its page here need not follow it in the guest."""
        return self._physical.read(
            address, min(_INSN_DATA, PAGE_SIZE - address % PAGE_SIZE)
        )
