"""Instructions that use a guest's memory: that read it, write it, or are in it themselves.

    guest.script([read(0x5000), write(0x5008, b"abcd"), execute(0x6000)])

Addresses are physical, and virtual as well: a guest's page tables map the lowest 4 GiB to
themselves.  All raise TypeError and ValueError for what is no such address, or leaves its page.
"""

from __future__ import annotations

from typing import Any

from ..monitor.channel import PAGE_SIZE
from ..monitor.emulating import read_data
from .arguments import number, octets_of, one_of
from .instructions import Instruction
from .mapped import INT3
from .memory import Fault
from .roles import Processor

_SOFTWARE_EXCEPTION = 6
_NAMES = {"r": "read", "w": "write", "x": "execute"}


class access(Instruction):
    """Memory that is read ("r"), written ("w") or executed ("x"), within a page.

    `value` is then what was read.
    """

    reason = "MEM_ACCESS"
    length = 3
    waits_for_monitor = True

    def __init__(
        self, address: int, kind: str, octets: bytes = b"", size: int = 8
    ) -> None:
        self.kind = one_of("access: kind", kind, tuple(_NAMES))
        name = _NAMES[self.kind]
        self.address = number(f"{name}: address", address, 64)
        self.octets = octets_of(f"{name}: octets", octets)
        self.size = len(self.octets) or number(f"{name}: size", size, 64)
        if not 0 < self.size <= PAGE_SIZE - address % PAGE_SIZE:
            raise ValueError(
                f"{name}: {self.size} bytes at {address:#x} are not in one page"
            )
        self._fault: Fault = ""

    def touches(self) -> tuple[int, str]:
        return self.address // PAGE_SIZE, self.kind

    def is_reported(self, vcpu: Processor) -> bool:
        gfn = self.address // PAGE_SIZE
        self._fault = vcpu.guest.fault(gfn, self.kind, vcpu.view)
        return bool(self._fault)

    def is_waited_for(self, vcpu: Processor) -> bool:
        return self._fault == "held"

    def fill(self, vcpu: Processor, request: Any) -> None:
        names, found = vcpu.guest.vm_event, request.u.mem_access
        found.gfn, found.offset = divmod(self.address, PAGE_SIZE)
        found.gla = self.address
        kind = getattr(names, f"MEM_ACCESS_{self.kind.upper()}")
        found.flags = (
            kind | names.MEM_ACCESS_GLA_VALID | names.MEM_ACCESS_FAULT_WITH_GLA
        )

    def carry_out(self, vcpu: Processor) -> None:
        memory = vcpu.guest.memory
        if self.kind == "w":
            memory.write(self.address, self.octets or bytes(self.size), vcpu.view)
        else:
            self.value = memory.read(self.address, self.size, vcpu.view)

    def emulate(self, vcpu: Processor, response: Any, flags: Any) -> bool:
        if "SET_EMUL_READ_DATA" in flags and self.kind == "r":
            read = read_data(response)
            self.value = bytes(read.data)[: read.size]
        elif "EMULATE_NOWRITE" not in flags or self.kind != "w":
            self.carry_out(vcpu)
        return True


def read(address: int, size: int = 8) -> access:
    """Read memory."""
    return access(address, "r", size=size)


def write(address: int, octets: bytes) -> access:
    """Write memory."""
    if not octets:
        raise ValueError("write: there are no octets")
    return access(address, "w", octets)


class execute(access):
    """Go on at an address: the byte that is there is executed, 0xCC as a breakpoint.

    Any other is an instruction of that byte alone, that does nothing.
    """

    length = 1

    def __init__(self, address: int) -> None:
        super().__init__(address, "x", size=1)

    def begin(self, vcpu: Processor) -> None:
        vcpu.pc = self.address

    def is_breakpoint(self, vcpu: Processor) -> bool:
        octet = vcpu.guest.memory.read(self.address, 1, vcpu.view)
        return octet[0] == INT3

    def is_reported(self, vcpu: Processor) -> bool:
        self.reason = "MEM_ACCESS"
        if super().is_reported(vcpu):
            return True
        self.reason = "SOFTWARE_BREAKPOINT"
        return self.is_breakpoint(vcpu) and vcpu.guest.is_on(self.reason, None)

    def is_waited_for(self, vcpu: Processor) -> bool:
        return self.reason == "SOFTWARE_BREAKPOINT" or super().is_waited_for(vcpu)

    def fill(self, vcpu: Processor, request: Any) -> None:
        if self.reason == "MEM_ACCESS":
            super().fill(vcpu, request)
            return
        found = request.u.software_breakpoint
        found.gfn = self.address // PAGE_SIZE
        if hasattr(found, "insn_length"):
            found.insn_length, found.type = self.length, _SOFTWARE_EXCEPTION

    def carry_out(self, vcpu: Processor) -> None:
        self.value = vcpu.guest.memory.read(self.address, 1, vcpu.view)
        if self.is_breakpoint(vcpu):
            vcpu.exceptions.append(3)

    def emulate(self, vcpu: Processor, response: Any, flags: Any) -> bool:
        if self.reason == "MEM_ACCESS":
            self.carry_out(vcpu)
            return True
        if "SET_EMUL_INSN_DATA" not in flags:
            return False
        self.value = bytes(response.data.emul.insn.data)
        return True
