"""What a guest does with pages that are restricted: a line of JSON for each event.

access_steps.py STEP DOMAIN
"""

from __future__ import annotations

import json
import sys
from typing import Any

from xen_vm_event.monitor import Monitor

ROUNDS = 5
# A page each that the guest writes, reads and calls, and what it may do with it.
PAGES = {0x40400: "r-x", 0x40500: "-wx", 0x40600: "rw-"}


def said(reason: str, request: Any) -> str:
    """An event with all that Xen told of an access."""
    event = {"reason": reason, "pc": request.data.regs.arm.pc}
    if reason == "MEM_ACCESS":
        names = ("gfn", "offset", "gla", "flags")
        event |= {name: int(getattr(request.payload, name)) for name in names}
    return json.dumps(event)


def watch_pages(domain: int) -> None:
    """Restrict them at each request of the guest's own, of which each round has one."""
    rounds = 0
    with Monitor(domain, ["guest_request"]) as monitor:
        for request in monitor:
            reason = monitor.reason(request)
            if reason == "GUEST_REQUEST":
                if rounds == ROUNDS:
                    break
                rounds += 1
                for gfn, access in PAGES.items():
                    monitor.memory.restrict(gfn, access)
            print(said(reason, request))


def watch_everything(domain: int) -> None:
    """Tell of each page in which the guest carries out an instruction, once."""
    requests = 0
    with Monitor(domain, ["guest_request", "mem_access:rw-"]) as monitor:
        for request in monitor:
            reason = monitor.reason(request)
            print(said(reason, request))
            requests += reason == "GUEST_REQUEST"
            if requests == ROUNDS:
                break


def tell_accesses(domain: int) -> None:
    """Tell what the guest may do with the pages now."""
    with Monitor(domain, []) as monitor:
        for gfn in (*PAGES, 0x40000):
            print(json.dumps([gfn, monitor.memory.access(gfn)]))


if __name__ == "__main__":
    step, number = sys.argv[1], int(sys.argv[2])
    steps = {
        "pages": watch_pages,
        "everything": watch_everything,
        "pages left": tell_accesses,
    }
    try:
        steps[step](number)
    except OSError as error:
        sys.exit(f"{error}")
