"""What Xen's own xen-access does, mode by mode, in a line or a few each.

    access.py 3 write              domain 3 of `xl list`: the first write to each page
    access.py 3 altp2m_exec        each page that is executed, again and again
    access.py 3 exec -m            and if this is killed, Xen ends the guest

It runs in dom0 as root, as monitor.py beside it does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress

import monitor as printing
from xen_vm_event import UnknownVersion
from xen_vm_event.monitor import Monitor

# Modes that are an event, or several.  Accesses: a page is restricted until its first one.
EVENTS = {
    "write": ["mem_access:r-x"],
    "exec": ["mem_access:rw-"],
    "breakpoint": ["software_breakpoint"],
    "debug": ["debug_exception"],
    "cpuid": ["cpuid"],
    "desc_access": ["descriptor_access"],
    "write_ctrlreg_cr4": ["write_ctrlreg:cr4:onchange:0x80"],  # but for PGE
    "privcall": ["privileged_call"],
    "altp2m_write_no_gpt": ["emul_unimplemented"],
}


def altp2m_write(monitor: Monitor) -> None:
    """Have the guest see a view without writes; each is a step in its own memory."""
    monitor.views.create("r-x", then="step").show_to_all()


def altp2m_exec(monitor: Monitor) -> None:
    """The same without execution."""
    monitor.views.create("rw-", then="step").show_to_all()


def altp2m_write_no_gpt(monitor: Monitor) -> None:
    """The same, and the CPU's own accesses to page tables are none that are reported."""
    monitor.memory.ignore_page_walks()
    altp2m_exec(monitor)


VIEWS: dict[str, Callable[[Monitor], None]] = {
    "altp2m_write": altp2m_write,
    "altp2m_exec": altp2m_exec,
    "altp2m_write_no_gpt": altp2m_write_no_gpt,
}
MODES = sorted({*EVENTS, *VIEWS})


def watch(domain: int, mode: str, required: bool = False) -> None:
    """Watch a guest in a mode, until it is gone; each event is a line."""
    with Monitor(domain, EVENTS.get(mode, [])) as monitor:
        if required:
            monitor.memory.require_monitor()
        if mode in VIEWS:
            VIEWS[mode](monitor)
        for request in monitor:
            print(printing.text(monitor.reason(request), request), flush=True)


def main() -> int:
    """The command; 1 if something could not be done."""
    parser = argparse.ArgumentParser(description="Watch a guest as xen-access does.")
    parser.add_argument("domain", type=int, help="its number, as `xl list` has it")
    parser.add_argument("mode", choices=MODES)
    parser.add_argument(
        "-m",
        action="store_true",
        dest="required",
        help="have Xen end the guest if this is killed and it does what it may not",
    )
    arguments = parser.parse_args()
    try:
        with suppress(KeyboardInterrupt):
            watch(arguments.domain, arguments.mode, arguments.required)
    except (UnknownVersion, OSError) as error:
        print(f"access: domain {arguments.domain}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
