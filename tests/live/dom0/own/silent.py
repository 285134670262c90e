"""A monitor that only answers, and says now and then how many events there were.

silent.py DOMAIN EVENT
"""

from __future__ import annotations

import sys
from contextlib import suppress

from xen_vm_event.monitor import Monitor


def main() -> None:
    domain, event = sys.argv[1:]
    count = 0
    with suppress(KeyboardInterrupt), Monitor(int(domain), [event]) as monitor:
        for _ in monitor:
            count += 1
            if count % 50 == 0:
                print(count, flush=True)


main()
