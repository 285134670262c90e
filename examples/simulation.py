"""Both sides of a vm_event ring in one process: a monitor, and a stand-in for Xen.

    PYTHONPATH=generated python examples/simulation.py [VERSION]

The stand-in puts requests into a page as a guest's doings would; the monitor takes them,
says what happened, and answers. Start here to try a monitor's logic without a hypervisor.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from xen_vm_event import interface


def provoke(vm_event: ModuleType, front: Any) -> None:
    """Send what a guest might cause: a page fault, and a write to CR3 of another vCPU."""
    fault = vm_event.vm_event_st(
        version=vm_event.VM_EVENT_INTERFACE_VERSION,
        reason=vm_event.VmEventReason.MEM_ACCESS,
        flags=vm_event.VmEventFlag.VCPU_PAUSED,
    )
    fault.u.mem_access.gfn = 0x1F00
    fault.u.mem_access.flags = vm_event.MemAccess.W
    fault.data.regs.x86.rip = 0xFFFF_FFFF_8107_E59F
    front.send(fault)

    write = vm_event.vm_event_st(
        version=vm_event.VM_EVENT_INTERFACE_VERSION,
        reason=vm_event.VmEventReason.WRITE_CTRLREG,
        flags=vm_event.VmEventFlag.VCPU_PAUSED,
        vcpu_id=1,
    )
    write.u.write_ctrlreg.index = vm_event.VmEventX86.CR3
    write.u.write_ctrlreg.new_value = 0x10_0000
    front.send(write)


def monitor(vm_event: ModuleType, ring: Any) -> None:
    """Take every request that is there, print it, and answer it."""
    for request in ring.requests():
        reason = vm_event.VmEventReason(request.reason)
        print(f"vCPU {request.vcpu_id}: {reason.name} {request.payload}")
        flags = vm_event.VmEventFlag(0)
        if reason == vm_event.VmEventReason.MEM_ACCESS:
            flags |= vm_event.VmEventFlag.EMULATE
        ring.respond(request, flags=flags)  # VCPU_PAUSED is kept by itself


def main() -> None:
    """Play one round."""
    vm_event = interface(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    page = bytearray(4096)
    with vm_event.FrontRing(page) as front, vm_event.BackRing(page) as back:
        back.sring.shared_ring_init()  # the monitor's part, before the guest runs
        provoke(vm_event, front)
        if front.push_requests_and_check_notify():
            monitor(vm_event, back)
        if back.push_responses_and_check_notify():
            for response in front.responses():
                flags = vm_event.VmEventFlag(response.flags)
                print(f"vCPU {response.vcpu_id} goes on: {flags.name}")


if __name__ == "__main__":
    main()
