"""A monitor for one guest: says what happens in it, and lets it go on.

    monitor.py 3                         domain 3 of `xl list`
    monitor.py 3 --events cpuid,write_ctrlreg:cr3,mov_to_msr:0xc0000082
    monitor.py 3 --record events.raw     for `xenbind decode events.raw`
    monitor.py 3 --json                  for `xenbind decode -`, in a pipe
    monitor.py 3 --recover               frees what a killed monitor left behind

It runs in dom0 as root, and needs Xen's libraries and xen_vm_event alone.  A monitor of your
own puts functions into `HANDLERS` and calls `main`.
"""

from __future__ import annotations

import argparse
import errno
import json
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from watching import ARM, FUNCTIONS, SIGNALS, Handler, Watching, recover, switch_of
from xen_vm_event import UnknownVersion, interface, interface_for_xen
from xenctrl import Xen

HANDLERS: dict[str, Handler] = {}
"""What to do with a request of some reason, such as `HANDLERS["CPUID"]`."""

EVENTS = "guest_request,privileged_call" if ARM else "guest_request,write_ctrlreg:cr3"


class Output:
    """Where events go: a line of each to stdout, its bytes to a file."""

    def __init__(self, as_json: bool, recording: Any) -> None:
        self.count = 0
        self._line: Callable[[str, Any], str] = self.object if as_json else self.text
        self._recording = recording

    def show(self, reason: str, request: Any) -> None:
        if self._recording:
            self._recording.write(request)
        print(self._line(reason, request), flush=True)
        self.count += 1

    def text(self, reason: str, request: Any) -> str:
        registers = request.data.regs
        pc = registers.arm.pc if ARM else registers.x86.rip
        payload = "" if request.payload is None else repr(request.payload)
        details = payload.partition("(")[2].removesuffix(")")
        return f"vCPU {request.vcpu_id} {pc:#x} {reason} {details}".rstrip()

    def object(self, reason: str, request: Any) -> str:
        """A JSON object, with the keys of `xenbind decode --json`."""
        payload = request.payload
        values = {
            member.c_name: getattr(payload, member.name)
            for member in (() if payload is None else payload._members_)
            if not member.name.startswith("_")
        }
        event = {
            "index": self.count,
            "version": request.version,
            "flags": request.flags,
            "reason": request.reason,
            "reason_name": reason,
            "vcpu_id": request.vcpu_id,
            "details": {name: n for name, n in values.items() if isinstance(n, int)},
            "request": bytes(request).hex(),
        }
        return json.dumps(event)


def vm_event_of(xen: Xen) -> ModuleType:
    """The bindings for the hypervisor that runs."""
    version = xen.interface_version()
    return interface_for_xen(xen.release) if version is None else interface(version)


def watch(xen: Xen, arguments: argparse.Namespace) -> None:
    """Watch a guest as the command line says, until Ctrl-C or its end."""
    domain = arguments.domain
    vm_event = vm_event_of(xen)
    switches = [
        switch_of(xen, domain, vm_event, event) for event in arguments.events.split(",")
    ]
    with ExitStack() as stack:
        recording = None
        if arguments.record:
            recording = stack.enter_context(arguments.record.open("wb", buffering=0))
        output = Output(arguments.json, recording)
        with Watching(xen, domain, vm_event, output.show, HANDLERS) as watching:
            for switch in switches:
                watching.watch(switch)
            print(f"watching domain {domain} of Xen {xen.release}", file=sys.stderr)
            with suppress(KeyboardInterrupt):
                watching.run(arguments.count)
    print(f"left domain {domain} after {output.count} events", file=sys.stderr)


def main() -> int:
    """The command; 1 if something could not be done."""
    parser = argparse.ArgumentParser(description="Say what happens in a guest.")
    parser.add_argument("domain", type=int, help="its number, as `xl list` has it")
    parser.add_argument(
        "--events",
        default=EVENTS,
        help=f"what to watch, by commas: {', '.join(FUNCTIONS).lower()}; write_ctrlreg:REG"
        " and mov_to_msr:NUMBER each for a register (%(default)s)",
    )
    parser.add_argument("--count", type=int, help="leave after so many events")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--record", type=Path, help="write the raw requests here too")
    parser.add_argument(
        "--recover", action="store_true", help="free what a killed monitor left"
    )
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        xen = Xen()
        try:
            if arguments.recover:
                recover(xen, arguments.domain, vm_event_of(xen))
            else:
                watch(xen, arguments)
        finally:
            xen.close()
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
