"""A monitor of two guests at once, in one task each, with nothing but the installed package.

two_guests.py DOMAIN DOMAIN EVENTS...
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from xen_vm_event.monitor import Monitor, Xen

ARM = os.uname().machine == "aarch64"
LEAST = 30  # events of each guest


async def watch(monitor: Monitor, seen: dict[int, int]) -> None:
    """Print what a guest does, until every guest has done enough."""
    async for request in monitor:
        registers: Any = request.data.regs
        pc = registers.arm.pc if ARM else registers.x86.rip
        print(json.dumps([monitor.domain, monitor.reason(request), pc]))
        seen[monitor.domain] += 1
        if min(seen.values()) >= LEAST:
            break


async def main(first: int, second: int, events: list[str]) -> None:
    with (
        Xen() as xen,
        Monitor(first, events, xen=xen) as one,
        Monitor(second, events, xen=xen) as other,
    ):
        print("watching", file=sys.stderr, flush=True)
        seen = {first: 0, second: 0}
        await asyncio.gather(watch(one, seen), watch(other, seen))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
