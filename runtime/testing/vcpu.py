"""A vCPU: at an instruction of its script, held while the report of it is not answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from .instructions import Instruction, step
from .memory import ORIGINAL
from .recorded import recorded
from .registers import registers_in, set_by_answers
from .roles import Whole

_START = 0x10_0000
_BREAKPOINT = 3
_PATIENCE = 3  # how often an instruction comes again before the vCPU moves on by itself


class Vcpu:
    """A vCPU of a guest, with its `registers` as Xen tells of them.

    `view` is the altp2m view that it sees, `exceptions` what it was given: by its own
    instructions, or injected.  `request` is what it waits at the answer of.
    """

    def __init__(self, guest: Whole, number: int) -> None:
        self.guest, self.number = guest, number
        self.registers: Any = self._registers_of(guest.vm_event.vm_event_st())
        self.pc = _START
        self.control: dict[str, int] = {}
        self.msrs: dict[int, int] = {}
        self.exceptions: list[int] = []
        self.view = ORIGINAL
        self.steps = False
        self.steps_into: int | None = (
            None  # a view after the next step, without a report
        )
        self.wants_interrupt = self.denied = False
        self.request: Any = None
        self.has_script = False
        self._passed = 0  # the length of what an exception in its place ends
        self._script: Iterator[Instruction] = iter(())
        self._at: Instruction | None = None
        self._reports: Counter[tuple[str, int]] = Counter()  # of it, by reason and view

    # --- registers ------------------------------------------------------------------

    def _registers_of(self, record: Any) -> Any:
        return registers_in(record, self.guest.is_arm)

    @property
    def _pc_name(self) -> str:
        return "pc" if self.guest.is_arm else "rip"

    @property
    def pc(self) -> int:
        """Where it is: rip, or pc on Arm."""
        number: int = getattr(self.registers, self._pc_name)
        return number

    @pc.setter
    def pc(self, address: int) -> None:
        setattr(self.registers, self._pc_name, address)

    def _length(self, instruction: Instruction) -> int:
        return 4 if self.guest.is_arm and instruction.length else instruction.length

    # --- going on -------------------------------------------------------------------

    def follow(self, script: Iterator[Instruction]) -> None:
        """Have it do what a script says, after what it does now."""
        self._script, self.has_script = script, True

    @property
    def is_held(self) -> bool:
        """Tell whether it waits for an answer."""
        return self.request is not None

    @property
    def is_idle(self) -> bool:
        """Tell whether its script is at its end."""
        return not self.is_held and self._next() is None

    def _next(self) -> Instruction | None:
        if self._at is None:
            following = next(self._script, None)
            if following is None:
                return None
            self.require(following)
            self._at = following
            self._reports.clear()
            self._at.begin(self)
        return self._at

    def require(self, instruction: Any) -> None:
        """Raise TypeError for what is no instruction, ValueError for another architecture's."""
        if not isinstance(instruction, Instruction):
            raise TypeError(
                f"a script is made of instructions such as cpuid(1), not {instruction!r}"
            )
        architecture = self.guest.architecture
        if architecture not in instruction.architectures:
            raise ValueError(
                f"{instruction!r} is no instruction of {architecture}, but of"
                f" {', '.join(instruction.architectures)}"
            )

    def run(self) -> bool:
        """Do one instruction, or report it; tells whether there was something to do."""
        if self.is_held or self.guest.waits_elsewhere(self.number):
            return False
        instruction = self._next()
        if instruction is None:
            return False
        is_patient = max(self._reports.values(), default=0) < _PATIENCE
        if any(ring.is_full for ring in self.guest.rings):
            return False  # Xen has it wait for room
        if self.guest.lacks(instruction.touches(), self.number):
            return self.guest.alive
        if is_patient and instruction.is_reported(self):
            self._report(instruction)
        else:
            self._do(instruction)
        return True

    @property
    def was_reported(self) -> bool:
        """Tell whether what it is at was reported."""
        return bool(self._reports)

    def _report(self, instruction: Instruction) -> None:
        same = instruction.reason, self.view
        self._reports[same] += 1
        if self._reports[same] > 1:
            self.guest.find("not-moved-on", self.where(instruction.reason))
        request = self._made(instruction)
        waits = instruction.is_waited_for(self)
        if waits:
            request.flags |= self.guest.flag("VCPU_PAUSED")
            self.request = request
        self.guest.ring.send(request)
        if not waits:
            self._do(instruction)

    def _made(self, instruction: Instruction) -> Any:
        if isinstance(instruction, recorded):
            request = instruction.request.copy()
            self.registers = self._registers_of(request.copy())
            return request
        vm_event = self.guest.vm_event
        request = vm_event.vm_event_st(
            version=vm_event.VM_EVENT_INTERFACE_VERSION,
            reason=vm_event.VmEventReason[instruction.reason],
            vcpu_id=self.number,
        )
        self._store(request)
        if self.guest.memory.has_views:
            request.flags = self.guest.flag("ALTERNATE_P2M")
            request.altp2m_idx = self.view
        instruction.fill(self, request)
        return request

    def _store(self, request: Any) -> None:
        found = self._registers_of(request)
        if not isinstance(found, SimpleNamespace):
            members: Any = found._members_
            for member in members:
                setattr(found, member.name, getattr(self.registers, member.name))

    def where(self, reason: str) -> str:
        """Say what it is at."""
        return f"vCPU {self.number}, {reason} at {self.pc:#x}"

    def _do(self, instruction: Instruction) -> None:
        """Carry it out by itself, and be stepped over it."""
        instruction.carry_out(self)
        self.denied = False
        if not isinstance(instruction, recorded):
            self.pc += self._length(instruction)
        self._end(instruction)

    def _end(self, instruction: Instruction) -> None:
        """Be done with an instruction, and with the step over it if the vCPU steps."""
        self._at = None
        if isinstance(instruction, recorded) and (
            instruction.reason == "SINGLESTEP" or self.guest.replays_step(self.number)
        ):
            return
        if self.steps and self.guest.is_on("SINGLESTEP", None):
            if self.steps_into is not None:
                self.view, self.steps_into, self.steps = self.steps_into, None, False
            else:
                self._at = step()
                self._reports.clear()

    # --- answers --------------------------------------------------------------------

    def go_on(self, response: Any, flags: frozenset[str]) -> None:
        """Apply the answer to what it waits at, as Xen does."""
        self.request, instruction = None, self._at
        self._switch(response, flags)
        self.wants_interrupt |= "GET_NEXT_INTERRUPT" in flags
        if instruction is None:  # what it waited at was no script's, or is done
            if self._passed:
                self._set_registers(response, flags)
                self._pass()
            return
        self.denied = "DENY" in flags
        at = self.pc
        has_moved = self._set_registers(response, flags)
        if isinstance(instruction, recorded):
            self._end(instruction)
        elif isinstance(instruction, step):
            self._at = None
        elif not instruction.waits_for_monitor:
            moved_to = self.pc if has_moved else None
            if "SET_REGISTERS" in flags and not has_moved and self._length(instruction):
                return  # Xen has moved on, and is moved back by the answer
            self.pc = at
            self._do(instruction)
            if moved_to is not None:
                self.pc = moved_to
        elif has_moved:
            self._at = None
        elif "EMULATE" in flags and instruction.emulate(self, response, flags):
            self.pc += self._length(instruction)
            self._at = None

    def _switch(self, response: Any, flags: frozenset[str]) -> None:
        if self.guest.is_arm:
            return
        if "TOGGLE_SINGLESTEP" in flags:
            self.steps = not self.steps
        elif "FAST_SINGLESTEP" in flags:
            self.steps = True
            self.steps_into = response.u.fast_singlestep.p2midx
        if "ALTERNATE_P2M" in flags and response.altp2m_idx in self.guest.memory.views:
            self.view = response.altp2m_idx

    def _set_registers(self, response: Any, flags: frozenset[str]) -> bool:
        """Take the registers of an answer; tells whether they are at another instruction."""
        if "SET_REGISTERS" not in flags:
            return False
        at, given = self.pc, self._registers_of(response)
        for name in set_by_answers(self.guest.is_arm):
            setattr(self.registers, name, getattr(given, name))
        return self.pc != at

    def wake(self) -> None:
        """Have it go on with what it was at, as if it had never been reported."""
        self.request = None

    def inject(self, vector: int) -> None:
        """Give it an exception: what it is at is done, if that is reported in its place."""
        self.exceptions.append(vector)
        if self._at is None or self._at.reason != "SOFTWARE_BREAKPOINT":
            return
        # A #BP is a trap, whose handler finds the address behind the int3; others are faults.
        self._passed = self._length(self._at) if vector == _BREAKPOINT else 0
        self._at = None
        if not self.is_held:
            self._pass()

    def _pass(self) -> None:
        self.pc += self._passed
        self._passed = 0
