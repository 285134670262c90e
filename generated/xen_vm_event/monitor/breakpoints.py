"""Software breakpoints in a guest: instructions that are an int3 while a monitor is there."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any, Literal, NamedTuple

from .answers import BREAKPOINT_VECTOR, inject
from .channel import PAGE_SIZE
from .emulating import INSN_DATA, Emulated
from .events import Events
from .guest import Guest, MonitorError
from .physical import PhysicalMemory
from .stepping import Stepping
from .views import Views

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


class Breakpoint(NamedTuple):
    """What was there before, and how a vCPU goes on."""

    octet: bytes
    then: str | None  # Pass


class Breakpoints:
    """The monitor's breakpoints, by guest physical address; gone when it leaves.

    A guest's own ones, and a debugger's in it, are reported too, and then given to the guest.
    """

    def __init__(
        self,
        guest: Guest,
        events: Events,
        stepping: Stepping,
        emulated: Emulated,
        physical: PhysicalMemory,
        views: Views,
    ) -> None:
        self._guest, self._events, self._stepping = guest, events, stepping
        self._emulated, self._physical, self._views = emulated, physical, views
        self._own: dict[int, Breakpoint] = {}
        self._passed: Counter[int] = Counter()  # vCPUs that are at a step over it
        emulated.uncover = self._uncover

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
        if found is not None and self._is_int3(address):
            self._physical.write(address, found.octet)

    def _is_int3(self, address: int) -> bool:
        """Tell whether there is one still; a guest may have written something else there."""
        return self._physical.read(address, 1) == INT3

    def address(self, request: Any) -> int | None:
        """Tell at which of them a request's vCPU is; None if it is another's, or none."""
        reasons = self._guest.vm_event.VmEventReason
        if request.reason != reasons.SOFTWARE_BREAKPOINT:
            return None
        address = self._place(request)
        return address if address in self._own else None

    def _place(self, request: Any) -> int:
        """Give the physical address that a request's vCPU is at; Xen tells the page by the
        guest's page tables, in whose place its view may show another.
        """
        rip: int = request.data.regs.x86.rip
        return self._shown(request, request.payload.gfn * PAGE_SIZE) + rip % PAGE_SIZE

    def _shown(self, request: Any, address: int) -> int:
        view = self._views.seen(request)
        if view is None:
            return address
        gfn, offset = divmod(address, PAGE_SIZE)
        return view.shown(gfn) * PAGE_SIZE + offset

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
        octet, then = self._own[address]
        if octet == INT3 and then in ("step", "emulate"):
            # It is the guest's own as well, which carrying it out would report again.
            inject(self._guest, request, BREAKPOINT_VECTOR)
            return 0
        # A vCPU may be at a step already, which is to end with this instruction.
        steps = then == "emulate" and request.vcpu_id in self._stepping.after
        if then == "step" or steps:
            return self._step_over(request, address)
        if then == "emulate":
            return self._emulate(request, address)
        if then is None:  # a handler may have Xen carry it out
            self._note(request, address)
        if then == "remove":
            self.remove(address)
        return 0

    def _is_there(self, request: Any) -> bool:
        """Tell whether the int3 was not the monitor's own, removed meanwhile."""
        try:
            return self._is_int3(self._place(request))
        except OSError:  # no memory that is told of
            return True

    def _step_over(self, request: Any, address: int) -> int:
        if address not in self._own:  # removed meanwhile
            return 0
        if self._is_int3(address):  # not if another vCPU is at a step over it
            self._physical.write(address, self._own[address].octet)

        def back(_: Any) -> int:
            self._passed[address] -= 1
            if not self._passed[address] and address in self._own:
                # The guest may have another instruction there by now.
                octet = self._physical.read(address, 1)
                self._own[address] = self._own[address]._replace(octet=octet)
                self._physical.write(address, INT3)
            return 0

        flags = self._stepping.over(request, back)
        self._passed[address] += 1
        return flags

    def _uncover(self, request: Any, gfn: int) -> int | None:
        """Have a vCPU that uses a page step without the breakpoints there; gives the flags.

        None if no breakpoint is in its way.  One that the vCPU is at itself stays there: that
        is reported next.
        """
        there = [each for each in self._own if each // PAGE_SIZE == gfn]
        if request.payload.flags & self._guest.vm_event.MEM_ACCESS_X:
            offset = request.data.regs.x86.rip % PAGE_SIZE
            return 0 if gfn * PAGE_SIZE + offset in there else None
        flags = None
        for address in there:
            flags = (flags or 0) | self._step_over(request, address)
        return flags

    def _emulate(self, request: Any, address: int) -> int:
        try:
            code = self._code(request, address)
        except OSError:  # where it may go on is no memory now
            return self._step_over(request, address)
        self._note(request, address)
        request.data.emul.insn.data = code
        return self._guest.flag("EMULATE") | self._guest.flag("SET_EMUL_INSN_DATA")

    def _note(self, request: Any, address: int) -> None:
        self._emulated.note(request, lambda later: self._step_over(later, address))

    def _code(self, request: Any, address: int) -> bytes:
        """Read an instruction; what follows its page here need not follow it in the guest."""
        size = min(INSN_DATA, PAGE_SIZE - address % PAGE_SIZE)
        code = self._original(address, size)
        if size < INSN_DATA:
            following = request.data.regs.x86.rip + size
            rest = self._physical.translate(following, request.vcpu_id)
            code += self._original(self._shown(request, rest), INSN_DATA - size)
        return code

    def _original(self, address: int, size: int) -> bytes:
        """Read what the guest has there, without the breakpoints."""
        code = bytearray(self._physical.read(address, size))
        for other, found in self._own.items():
            if 0 <= other - address < size:
                code[other - address : other - address + 1] = found.octet
        return bytes(code)
