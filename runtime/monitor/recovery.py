"""Free a guest from a monitor that was killed."""

from __future__ import annotations

from contextlib import ExitStack, suppress

from ..xenctrl.common import has
from .channel import Channel
from .guest import Guest, domain_number
from .signals import Signals
from .stepping import no_vcpu_steps
from .xen import Xen


def recover(domain: int) -> None:
    """Free a guest from a monitor that was killed.

    With the ring, Xen forgets the requests in it, but not that vCPUs wait for answers.  Those
    that wait at a CPUID will carry it out a second time.  Pages that it restricted are not any
    more as soon as the guest uses them.

    Breakpoints that it set stay: an int3 in the guest's memory, and what was there before was
    known to the monitor alone.  The guest takes each as its own, and mostly dies of it.  To be
    able to take them away, keep `monitor.physical.read(address, 1)` of each in a file before
    `breakpoints.add(address)`; afterwards write it there, in a `Monitor` without events:
    `monitor.physical.write(address, octet)`.  Without that, start the guest anew, or have it
    load the page again.
    """
    domain = domain_number(domain)
    with Signals(), Xen() as xen, ExitStack() as undo:
        vm_event = xen.vm_event()
        # And with it, but for one on Arm, all events.
        xen.functions.xc_monitor_disable(xen.handle, domain)
        if has(xen.functions, "xc_monitor_privileged_call"):
            with suppress(OSError):
                xen.functions.xc_monitor_privileged_call(xen.handle, domain, False)
        _undo(Guest(xen, domain, vm_event))
        channel = Channel(xen, domain)
        undo.callback(channel.close)
        ring = vm_event.BackRing(channel.page, start=0)
        undo.callback(ring.detach)
        ring.sring.shared_ring_init()
        for vcpu in range(len(xen.vcpus(domain))):
            response = ring.get_response(ring.rsp_prod_pvt)
            response.version = vm_event.VM_EVENT_INTERFACE_VERSION
            response.vcpu_id = vcpu
            # Ignored where none waits.
            response.flags = vm_event.VmEventFlag.VCPU_PAUSED
            del response  # before its page goes
            ring.rsp_prod_pvt += 1
            ring.push_responses()
            channel.notify()


def _undo(guest: Guest) -> None:
    """Have the guest see its own memory, where nothing waits for a monitor, and not step."""
    functions, handle, domain = guest.functions, guest.handle, guest.domain
    with suppress(OSError):  # it has no views, or cannot have any
        functions.xc_altp2m_set_domain_state(handle, domain, False)
    with suppress(OSError):
        functions.xc_domain_set_access_required(handle, domain, False)
    no_vcpu_steps(guest)
