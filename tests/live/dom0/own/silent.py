"""A monitor that only answers, and says now and then how many events there were.

silent.py DOMAIN EVENT
"""

from __future__ import annotations

import sys
from contextlib import suppress

from xen_vm_event.monitor import Monitor

domain, event = sys.argv[1:]
with suppress(KeyboardInterrupt), Monitor(int(domain), [event]) as monitor:
    for count, _ in enumerate(monitor, start=1):
        if count % 50 == 0:
            print(count, flush=True)
