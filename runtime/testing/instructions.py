"""What a guest's script is made of: instructions, each of which Xen may report.

    guest.script([cpuid(1), write_cr3(0x5000), guest_request()])
    guest.script(generator, vcpu=1)

Without a report, or after its answer, a vCPU carries the instruction out and goes on to the
next.  What it brought stays: `value` is what was read, and a vCPU's `registers`, `control`
and `msrs` are as the instructions and the monitor left them.  `accesses` has those to memory.
All raise TypeError for what is no number where one is needed, ValueError for what is too large.
"""

from __future__ import annotations

from typing import Any

from ..monitor.channel import PAGE_SIZE
from .arguments import number, one_of
from .roles import ARCHITECTURES, ARM64, X86_64, Processor

_HARDWARE_EXCEPTION = 3
_OF_CPUID = ("rax", "rbx", "rcx", "rdx")
_CONTROL = ("CR0", "CR3", "CR4", "XCR0")
_DESCRIPTORS = ("GDTR", "IDTR", "LDTR", "TR")


class Instruction:
    """An instruction that is reported with a `reason`, and is `length` bytes long.

    `waits_for_monitor` says that it comes again unless the monitor does something about it,
    `architectures` where there is such a one.
    """

    reason = ""
    architectures: tuple[str, ...] = ARCHITECTURES
    length = 2
    waits_for_monitor = False
    value: Any = None

    def begin(self, vcpu: Processor) -> None:
        """Have a vCPU be at it."""

    def which(self) -> object:
        """Name what has to be switched on of its reason: a register, or nothing more."""
        return None

    def touches(self) -> tuple[int, str] | None:
        """Name the page that it uses, and whether it reads, writes or executes there."""
        return None

    def is_reported(self, vcpu: Processor) -> bool:
        """Tell whether Xen reports it now."""
        return vcpu.guest.is_on(self.reason, self.which())

    def is_waited_for(self, vcpu: Processor) -> bool:
        """Tell whether the vCPU waits for the answer to its report."""
        return vcpu.guest.is_synchronous(self.reason, self.which())

    def fill(self, vcpu: Processor, request: Any) -> None:
        """Write what happened into a request."""

    def carry_out(self, vcpu: Processor) -> None:
        """Do what it does; the vCPU moves on afterwards."""

    def emulate(self, vcpu: Processor, response: Any, flags: Any) -> bool:
        """Have Xen carry it out as an answer says; tells whether Xen did."""
        return False

    def __repr__(self) -> str:
        return self.reason.lower()


class cpuid(Instruction):
    """CPUID of a leaf: `result` goes into rax, rbx, rcx and rdx, before it is reported."""

    reason = "CPUID"
    architectures = (X86_64,)
    waits_for_monitor = True

    def __init__(
        self,
        leaf: int,
        subleaf: int = 0,
        result: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> None:
        self.leaf = number("cpuid: leaf", leaf, 32)
        self.subleaf = number("cpuid: subleaf", subleaf, 32)
        if len(result) != len(_OF_CPUID):
            raise ValueError(f"cpuid: result is {', '.join(_OF_CPUID)}, not {result}")
        self.result = [number("cpuid: result", each, 32) for each in result]

    def fill(self, vcpu: Processor, request: Any) -> None:
        self._load(request.data.regs.x86)
        found = request.u.cpuid
        found.insn_length, found.leaf, found.subleaf = 2, self.leaf, self.subleaf

    def carry_out(self, vcpu: Processor) -> None:
        self._load(vcpu.registers)

    def _load(self, registers: Any) -> None:
        for name, value in zip(_OF_CPUID, self.result, strict=True):
            setattr(registers, name, value)


class write_ctrlreg(Instruction):
    """A write to CR0, CR3, CR4 or XCR0, which DENY in an answer drops."""

    reason = "WRITE_CTRLREG"
    architectures = (X86_64,)
    length = 3

    def __init__(self, register: str, value: int) -> None:
        self.register = one_of("write_ctrlreg: register", register, _CONTROL)
        self.new = number("write_ctrlreg: value", value, 64)

    def which(self) -> str:
        return self.register

    def is_reported(self, vcpu: Processor) -> bool:
        old = vcpu.control.get(self.register, 0)
        return vcpu.guest.is_on(
            self.reason, self.register, changed=self.new ^ old or None
        )

    def fill(self, vcpu: Processor, request: Any) -> None:
        found = request.u.write_ctrlreg
        found.index = vcpu.guest.vm_event.VmEventX86[self.register]
        found.new_value = self.new
        found.old_value = vcpu.control.get(self.register, 0)

    def carry_out(self, vcpu: Processor) -> None:
        if vcpu.denied:
            return
        vcpu.control[self.register] = self.new
        name = self.register.lower()
        if hasattr(vcpu.registers, name):
            setattr(vcpu.registers, name, self.new)


def write_cr3(value: int) -> write_ctrlreg:
    """Switch to other page tables, as a kernel does when it switches processes."""
    return write_ctrlreg("CR3", value)


class mov_to_msr(Instruction):
    """A write to a model-specific register, which DENY in an answer drops."""

    reason = "MOV_TO_MSR"
    architectures = (X86_64,)

    def __init__(self, msr: int, value: int) -> None:
        self.msr = number("mov_to_msr: msr", msr, 32)
        self.new = number("mov_to_msr: value", value, 64)

    def which(self) -> int:
        return self.msr

    def is_reported(self, vcpu: Processor) -> bool:
        old = vcpu.msrs.get(self.msr, 0)
        return vcpu.guest.is_on(self.reason, self.msr, changed=self.new ^ old or None)

    def fill(self, vcpu: Processor, request: Any) -> None:
        found = request.u.mov_to_msr
        found.msr = self.msr
        if hasattr(found, "new_value"):
            found.new_value, found.old_value = self.new, vcpu.msrs.get(self.msr, 0)
        else:
            found.value = self.new

    def carry_out(self, vcpu: Processor) -> None:
        if not vcpu.denied:
            vcpu.msrs[self.msr] = self.new


class guest_request(Instruction):
    """The hypercall by which a guest asks for an event itself."""

    reason = "GUEST_REQUEST"
    length = 3

    def begin(self, vcpu: Processor) -> None:
        if vcpu.guest.is_arm:  # HVC is over when Xen is told
            vcpu.pc += 4
            self.length = 0


class descriptor_access(Instruction):
    """LGDT, SIDT and the like, of `GDTR`, `IDTR`, `LDTR` or `TR`."""

    reason = "DESCRIPTOR_ACCESS"
    architectures = (X86_64,)
    length = 4
    waits_for_monitor = True

    def __init__(self, descriptor: str = "IDTR", is_write: bool = False) -> None:
        what = "descriptor_access: descriptor"
        self.descriptor = one_of(what, descriptor, _DESCRIPTORS)
        self.is_write = is_write

    def fill(self, vcpu: Processor, request: Any) -> None:
        names = vcpu.guest.vm_event
        found = request.u.desc_access
        found.descriptor = getattr(names, f"VM_EVENT_DESC_{self.descriptor}")
        found.is_write = self.is_write

    def emulate(self, vcpu: Processor, response: Any, flags: Any) -> bool:
        return True


class io(Instruction):
    """IN and OUT at a port."""

    reason = "IO_INSTRUCTION"
    architectures = (X86_64,)
    length = 1
    waits_for_monitor = True

    def __init__(self, port: int, size: int = 1, is_in: bool = False) -> None:
        self.port = number("io: port", port, 16)
        self.size = one_of("io: size", size, (1, 2, 4))
        self.is_in = is_in

    def fill(self, vcpu: Processor, request: Any) -> None:
        found = request.u.io
        found.bytes, found.port, found.in_ = self.size, self.port, self.is_in


class privileged_call(Instruction):
    """SMC, on Arm."""

    reason = "PRIVILEGED_CALL"
    architectures = (ARM64,)
    length = 4
    waits_for_monitor = True


class debug_exception(Instruction):
    """A #DB of the guest's, which the guest does not get unless the monitor injects it."""

    reason = "DEBUG_EXCEPTION"
    architectures = (X86_64,)
    length = 0

    def fill(self, vcpu: Processor, request: Any) -> None:
        found = request.u.debug_exception
        found.gfn = vcpu.pc // PAGE_SIZE
        found.type = _HARDWARE_EXCEPTION

    def carry_out(self, vcpu: Processor) -> None:
        if not vcpu.was_reported:
            vcpu.exceptions.append(1)


class interrupt(Instruction):
    """An interrupt that the vCPU is given: reported if the answer before asked for the next."""

    reason = "INTERRUPT"
    architectures = (X86_64,)
    length = 0

    def __init__(self, vector: int) -> None:
        self.vector = number("interrupt: vector", vector, 8)

    def is_reported(self, vcpu: Processor) -> bool:
        wanted, vcpu.wants_interrupt = vcpu.wants_interrupt, False
        return wanted

    def is_waited_for(self, vcpu: Processor) -> bool:
        return True

    def fill(self, vcpu: Processor, request: Any) -> None:
        request.u.interrupt.x86.vector = self.vector

    def carry_out(self, vcpu: Processor) -> None:
        vcpu.exceptions.append(self.vector)


class step(Instruction):
    """The end of an instruction while the vCPU is stepped, which no script has."""

    reason = "SINGLESTEP"
    length = 0

    def fill(self, vcpu: Processor, request: Any) -> None:
        request.u.singlestep.gfn = vcpu.pc // PAGE_SIZE
