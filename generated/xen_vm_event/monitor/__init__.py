"""Monitor guests: attach to them, answer what Xen reports of them, and leave them as they were.

    with Monitor(3, ["cpuid", "write_ctrlreg:cr3"]) as monitor:
        for request in monitor:
            print(request.vcpu_id, monitor.reason(request), request.payload)

A request is answered, as its reason needs, when the loop goes on to the next.  This runs in
dom0 as root, and needs nothing but Xen's own libraries.  What goes wrong is an OSError, whose
text says what to do.

`watching` has the monitor; `xen` is the hypervisor, `channel` a guest's ring, `events` what
can be reported, `answers` what lets the guest go on, `signals` what keeps Ctrl-C from coming
at the wrong moment, `recording` keeps what happened, and `recovery` frees a guest whose monitor
was killed.
"""

from __future__ import annotations

from .events import EVENTS, MonitorError
from .recording import Recording
from .recovery import recover
from .watching import Handler, Monitor
from .xen import Xen

__all__ = [
    "EVENTS",
    "Handler",
    "Monitor",
    "MonitorError",
    "Recording",
    "Xen",
    "recover",
]
