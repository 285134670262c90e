"""A breakpoint at the guest's write to CR4, which Xen carries out: a line of JSON for each event.

breakpoint_steps.py DOMAIN
"""

from __future__ import annotations

import json
import sys
from typing import Any

from xen_vm_event.monitor import Monitor

ROUNDS = 3


def main(domain: int) -> None:
    """Set it where the first write is, see it hit, and take it away within a round."""
    hits, at, octets = 0, 0, b""
    with Monitor(domain, ["write_ctrlreg:cr4"]) as monitor:
        requests: Any = monitor
        for request in requests:
            reason, rip = monitor.reason(request), request.data.regs.x86.rip
            print(json.dumps([reason, rip]))
            if not at:
                at = monitor.physical.translate(rip)
                octets = monitor.physical.read(at, 3)
                monitor.breakpoints.add(at, "emulate")
            hits += reason == "SOFTWARE_BREAKPOINT"
            if hits == ROUNDS:
                break
        said = monitor.physical.read(at, 3).hex(), octets.hex()
    with Monitor(domain, []) as monitor:
        print(json.dumps([*said, monitor.physical.read(at, 3).hex()]))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{error}")
