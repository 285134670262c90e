"""What a reason needs to be done about a request, so that the guest goes on as if unwatched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from .emulating import Emulated
from .events import ELSEWHERE, report_descriptor_access, report_io
from .guest import Guest, MonitorError
from .stepping import Stepping

# Does it, and gives the flags of the answer.
Need = Callable[[Any], int]
# Looks at a request and may change its registers; returns flags for the answer, if any.
Handler = Callable[[Any], int | None]

# What is read and written of the requests that come by thousands, in cells that the ring keeps.
REASON = "reason"
_PC, _RIP, _CPUID_LENGTH = (
    "data.regs.arm.pc",
    "data.regs.x86.rip",
    "u.cpuid.insn_length",
)
OFTEN_CHANGED = (_PC, _RIP, _CPUID_LENGTH)

DEBUG_VECTOR, BREAKPOINT_VECTOR = 1, 3
_U64 = 0xFFFF_FFFF_FFFF_FFFF
_NO_ERROR_CODE = 0xFFFF_FFFF
# What an int3 is; version 1 tells of no other, and not of these.
_SOFTWARE_EXCEPTION, _INT3_LENGTH = 6, 1


def needs_of(guest: Guest, stepping: Stepping, emulated: Emulated) -> dict[str, Need]:
    """Give, by the reason's name, what is to be done; the other requests here need nothing.

    Those of accesses and breakpoints are for who keeps these to say.  VCPU_PAUSED is not among
    the flags: the ring keeps it in the answer.
    """

    def cpuid(request: Any) -> int:
        """Carried out, but rip is still at it."""
        cells = request._copy_.cells
        rip = cells[_RIP]
        rip[0] = rip[0] + cells[_CPUID_LENGTH][0] & _U64
        return set_registers

    def privileged_call(request: Any) -> int:
        """The vCPU's pc is still at it."""
        pc = request._copy_.cells[_PC]
        pc[0] = pc[0] + 4 & _U64
        return set_registers

    def descriptor_access(request: Any) -> int:
        """Not carried out; if Xen cannot emulate it, the vCPU does it by itself."""
        emulated.note(
            request, lambda later: unreported(later, report_descriptor_access)
        )
        return emulate

    def debug_exception(request: Any) -> int:
        """Kept from the guest."""
        inject(guest, request, DEBUG_VECTOR)
        return 0

    def io_instruction(request: Any) -> int:
        """Not carried out, and reported as often as it is tried while that is on."""
        return unreported(request, report_io)

    def unreported(request: Any, report: Callable[[Guest, bool], None]) -> int:
        """Carried out by the vCPU, while that is off."""
        if stepping.has_ended:
            return 0  # it is off, or about to be
        report(guest, False)

        def on_again(_: Any) -> int:
            report(guest, True)
            return 0

        return stepping.over(request, on_again)

    flags = guest.vm_event.VmEventFlag.__members__
    set_registers = int(flags.get("SET_REGISTERS", 0))
    emulate = int(flags.get("EMULATE", 0))
    return {
        "CPUID": cpuid,
        "PRIVILEGED_CALL": privileged_call,
        "DESCRIPTOR_ACCESS": descriptor_access,
        "DEBUG_EXCEPTION": debug_exception,
        "IO_INSTRUCTION": io_instruction,
        "SINGLESTEP": stepping.answer,
    }


def handlers_of(
    vm_event: ModuleType, named: Mapping[str, Handler]
) -> dict[int, Handler]:
    """Give handlers by their reason's number; raises MonitorError where there is no such."""
    reasons = vm_event.VmEventReason.__members__
    for name in named:
        if name.upper() in ELSEWHERE:
            raise MonitorError(
                f"{name} comes on a ring of its own, not on the monitor's, where no handler has"
                f" it; xen_vm_event.monitor.{ELSEWHERE[name.upper()]} is for that"
            )
        if name.upper() not in reasons:
            raise MonitorError(
                f"no reason '{name}' in vm_event version"
                f" {vm_event.VM_EVENT_INTERFACE_VERSION} for a handler"
            )
    return {int(reasons[name.upper()]): handler for name, handler in named.items()}


def answer_last(
    request: Any, vm_event: ModuleType, needed: Need, give: Callable[[Any, int], None]
) -> None:
    """Answer as its reason needs, without its handler; whatever fails, it is answered."""
    flags = int(vm_event.VmEventFlag.VCPU_PAUSED)
    try:
        if request.version == vm_event.VM_EVENT_INTERFACE_VERSION:
            flags = 0
            flags = needed(request)
    finally:
        give(request, flags)


def inject(guest: Guest, request: Any, vector: int) -> None:
    """Give a guest the exception that a request kept from it."""
    debug = request.payload
    kind = getattr(debug, "type", _SOFTWARE_EXCEPTION)
    length = getattr(debug, "insn_length", _INT3_LENGTH)
    guest.functions.xc_hvm_inject_trap(
        *(guest.handle, guest.domain, request.vcpu_id, vector, kind),
        *(_NO_ERROR_CODE, length, getattr(debug, "pending_dbg", 0)),
    )
