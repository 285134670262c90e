"""Monitor guests: attach to them, answer what Xen reports of them, and leave them as they were.

    with Monitor(3, ["cpuid", "write_ctrlreg:cr3"]) as monitor:
        monitor.memory.restrict(range(0x1000, 0x1010), "r-x")
        for request in monitor:
            print(request.vcpu_id, monitor.reason(request), request.payload)

A request is answered, as its reason needs, when the loop goes on to the next.  This runs in
dom0 as root, and needs nothing but Xen's own libraries.  What goes wrong is an OSError, whose
text says what to do.

`watching` has the monitor, `attached` how it comes and goes, `loop` what it does with requests, and
`arguments` what it is told;
`xen` is the hypervisor, `channel` a guest's ring, `guest` what can be had of one, `events` what
can be reported, `answers` what lets the guest go on, `signals` what keeps Ctrl-C from coming at
the wrong moment, `recording` keeps what happened, and `recovery` frees a guest whose monitor was
killed.  `memory` restricts what the guest may do with its `pages`, `views` in views of its
memory; `breakpoints` are instructions, `stepping` has vCPUs carry out one at a time, `emulating`
has Xen do that, and `physical` is what the memory holds.

Memory that is paged out or shared is reported on rings of its own (`own_ring`): `paging` is a
pager, `sharing` is for who has memory freed.
"""

from __future__ import annotations

from .answers import Handler
from .breakpoints import Pass
from .events import EVENTS
from .guest import MonitorError
from .pages import Then
from .paging import Paging
from .recording import Recording, recorded_requests
from .recovery import recover
from .sharing import Sharing
from .views import View
from .watching import Monitor
from .xen import Xen

__all__ = [
    "EVENTS",
    "Handler",
    "Monitor",
    "MonitorError",
    "Paging",
    "Pass",
    "Recording",
    "Sharing",
    "Then",
    "View",
    "Xen",
    "recorded_requests",
    "recover",
]
