"""A monitor for one guest: says what happens in it, and lets it go on.

    monitor.py 3                         domain 3 of `xl list`
    monitor.py 3 --events cpuid,write_ctrlreg:cr3,mov_to_msr:0xc0000082
    monitor.py 3 --events mem_access:r-x:0x40400-0x404ff      the first write to each page
    monitor.py 3 --record events.rec     for `xenbind decode events.rec`
    monitor.py 3 --json                  for `xenbind decode -`, in a pipe
    monitor.py 3 --recover               frees what a killed monitor left behind

It runs in dom0 as root, and needs Xen's libraries and xen_vm_event alone.  A monitor of your
own puts functions into `HANDLERS` and calls `main`, or is made of `xen_vm_event.monitor`.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any

from xen_vm_event import UnknownVersion
from xen_vm_event.monitor import EVENTS, Handler, Monitor, recover

HANDLERS: dict[str, Handler] = {}
"""What to do with a request of some reason, such as `HANDLERS["CPUID"]`."""

ARM = os.uname().machine == "aarch64"
USUAL = "guest_request,privileged_call" if ARM else "guest_request,write_ctrlreg:cr3"


def text(reason: str, request: Any) -> str:
    """A line that says what happened."""
    registers = request.data.regs
    pc = registers.arm.pc if ARM else registers.x86.rip
    payload = request.payload
    details = "" if payload is None else printer(payload.__class__)(payload)
    # `hex` takes half as long as a format of `#x`.
    return f"vCPU {request.vcpu_id} {hex(pc)} {reason}{details}\n"


@cache
def printer(payload: Any) -> Callable[[Any], str]:
    """What prints payloads of a type, made once: `repr` would take longer than all the rest."""
    members = [each for each in payload._members_ if not each.name.startswith("_")]
    if not all(isinstance(getattr(m.type, "_type_", None), str) for m in members):
        return lambda record: " " + repr(record).partition("(")[2].removesuffix(")")
    line = " " + ", ".join(f"{each.name}={{}}" for each in members)
    forms = [(each.name, form(each)) for each in members]
    return lambda record: line.format(
        *[shown(getattr(record, name)) for name, shown in forms]
    )


def form(member: Any) -> Callable[[int], str]:
    """What prints a member's values: by name, or as numbers of their size are best read."""
    names = member.values
    if names is not None:

        def name(value: int) -> str:
            return names(value).name or (hex(value) if value else "0")

        return cache(name)
    return hex if ctypes.sizeof(member.type) == 8 else str


def json_object(reason: str, request: Any, index: int) -> str:
    """A line with the keys of `xenbind decode --json`."""
    payload = request.payload
    values = {
        member.c_name: getattr(payload, member.name)
        for member in (() if payload is None else payload._members_)
        if not member.name.startswith("_")
    }
    event = {
        "index": index,
        "version": request.version,
        "flags": request.flags,
        "reason": request.reason,
        "reason_name": reason,
        "vcpu_id": request.vcpu_id,
        "details": {name: n for name, n in values.items() if isinstance(n, int)},
        "request": bytes(request).hex(),
    }
    return json.dumps(event) + "\n"


def watch(arguments: argparse.Namespace) -> None:
    """Monitor a guest as the command line says, until Ctrl-C or its end."""
    domain, count = arguments.domain, 0
    with ExitStack() as stack:
        # Lines are written when the guest does nothing for a moment, or there are many.
        output = stack.enter_context(open(1, "w", encoding="utf-8", closefd=False))
        stack.enter_context(suppress(KeyboardInterrupt))
        with Monitor(
            domain,
            arguments.events.split(","),
            HANDLERS,
            idle=output.flush,
            recording=arguments.record,
        ) as monitor:
            release = monitor.xen.release
            print(f"watching domain {domain} of Xen {release}", file=sys.stderr)
            for request in monitor:
                reason = monitor.reason(request)
                if arguments.json:
                    line = json_object(reason, request, count)
                else:
                    line = text(reason, request)
                output.write(line)
                count += 1
                if count == arguments.count:
                    break
    print(f"left domain {domain} after {count} events", file=sys.stderr)


def main() -> int:
    """The command; 1 if something could not be done."""
    parser = argparse.ArgumentParser(description="Say what happens in a guest.")
    parser.add_argument("domain", type=int, help="its number, as `xl list` has it")
    parser.add_argument(
        "--events",
        default=USUAL,
        help=f"what to watch, by commas: {', '.join(EVENTS)}; write_ctrlreg:REG"
        " and mov_to_msr:NUMBER each for a register, mem_access:ACCESS:GFNS for pages"
        " (%(default)s)",
    )
    parser.add_argument("--count", type=int, help="leave after so many events")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--record", type=Path, help="record for `xenbind decode`")
    parser.add_argument(
        "--recover", action="store_true", help="free what a killed monitor left"
    )
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if arguments.recover:
            recover(arguments.domain)
        else:
            watch(arguments)
    except (UnknownVersion, OSError) as error:
        print(f"monitor: domain {arguments.domain}: {said(error)}", file=sys.stderr)
        return 1
    return 0


def said(error: Exception) -> str:
    """What an error says, without its number, and what this program can do about it."""
    if not isinstance(error, OSError) or error.errno is None or error.filename:
        return str(error)
    can = "; if that was killed, run with --recover first"
    return f"{error.strerror}{can if error.errno == errno.EBUSY else ''}"


if __name__ == "__main__":
    sys.exit(main())
