"""What a reason needs to be done about a request, so that the guest goes on as if unwatched."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .xen import Xen

# Does it, and gives the flags of the answer.
Need = Callable[[Any], int]


def needs_of(xen: Xen, domain: int, vm_event: ModuleType) -> dict[int, Need]:
    """Give, by the reason's number, what is to be done; other requests need nothing.

    VCPU_PAUSED is not among the flags: the ring keeps it in the answer.
    """

    def cpuid(request: Any) -> int:
        """Carried out, but rip is still at it."""
        request.data.regs.x86.rip += request.payload.insn_length
        return set_registers

    def privileged_call(request: Any) -> int:
        """The vCPU's pc is still at it."""
        request.data.regs.arm.pc += 4
        return set_registers

    def descriptor_access(request: Any) -> int:
        """Not carried out."""
        return emulate

    def debug_exception(request: Any) -> int:
        """Kept from the guest."""
        debug = request.payload
        xen.functions.xc_hvm_inject_trap(
            *(xen.handle, domain, request.vcpu_id, 1, debug.type, 0xFFFF_FFFF),
            *(debug.insn_length, getattr(debug, "pending_dbg", 0)),
        )
        return 0

    flags = vm_event.VmEventFlag.__members__
    set_registers = int(flags.get("SET_REGISTERS", 0))
    emulate = int(flags.get("EMULATE", 0))
    needs: dict[str, Need] = {
        "CPUID": cpuid,
        "PRIVILEGED_CALL": privileged_call,
        "DESCRIPTOR_ACCESS": descriptor_access,
        "DEBUG_EXCEPTION": debug_exception,
    }
    reasons = vm_event.VmEventReason.__members__
    return {int(reasons[name]): needs[name] for name in needs if name in reasons}
