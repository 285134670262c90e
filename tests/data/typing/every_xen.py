"""One handler for every Xen: what type checkers prove of it, and what a test runs."""

from __future__ import annotations

from collections.abc import Iterator

from xen_vm_event import (
    common,
    v1,
    v1_4_6,
    v2,
    v2_4_8,
    v2_4_9,
    v3,
    v4,
    v5,
    v6,
    v7,
    v7_4_15,
    v7_4_16,
    v7_4_17,
    v7_4_18,
)


def tell(request: common.vm_event_st) -> str:
    """What happened, in the words of whatever Xen sent it."""
    if request.reason == v7.VM_EVENT_REASON_MEM_ACCESS:
        access = request.u.mem_access
        return f"access to {access.gfn:#x} at {request.data.regs.x86.rip:#x}"
    if request.reason == v7.VM_EVENT_REASON_MOV_TO_MSR:
        written = request.u.mov_to_msr
        if common.has(written, "value"):
            return f"{written.msr:#x} becomes {written.value:#x}"
        if common.has(written, "new_value"):
            return f"{written.msr:#x} becomes {written.new_value:#x}"
    if request.reason == v7.VM_EVENT_REASON_VMEXIT and common.has(request.u, "vmexit"):
        return f"exit {request.u.vmexit.arch.vmx.reason}"
    return f"reason {request.reason} of vCPU {request.vcpu_id}"


def emulate(request: common.vm_event_st) -> None:
    """Go on behind a breakpoint, with what all have."""
    request.flags |= v7.VM_EVENT_FLAG_VCPU_PAUSED
    request.data.regs.x86.rip += 1


def every_request() -> Iterator[common.vm_event_st]:
    """A request of each interface: each is what the handlers take."""
    yield v1_4_6.vm_event_st()
    yield v1.vm_event_st()
    yield v2_4_8.vm_event_st()
    yield v2_4_9.vm_event_st()
    yield v2.vm_event_st()
    yield v3.vm_event_st()
    yield v4.vm_event_st()
    yield v5.vm_event_st()
    yield v6.vm_event_st()
    yield v7_4_15.vm_event_st()
    yield v7_4_16.vm_event_st()
    yield v7_4_17.vm_event_st()
    yield v7_4_18.vm_event_st()
    yield v7.vm_event_st()
