"""A monitor for one guest: says what happens in it, and lets it go on.

    monitor.py 3                         domain 3 of `xl list`
    monitor.py 3 --events cpuid,write_ctrlreg:cr3,mov_to_msr:0xc0000082
    monitor.py 3 --record events.raw     for `xenbind decode events.raw`
    monitor.py 3 --recover               frees what a killed monitor left behind

It runs in dom0 as root, and needs Xen's libraries, xen_vm_event and nothing else.  A monitor of
your own imports this one, puts functions into `HANDLERS`, and calls `main`.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from xen_vm_event import UnknownVersion, interface, interface_for_xen
from xenctrl import Channel, Xen, XenError

# What to do with a request of some reason, such as HANDLERS["CPUID"]: look at it, and change its
# registers or return flags for the answer.  What every such request needs is done by then.
HANDLERS: dict[str, Callable[[Any], int | None]] = {}

# Reason -> the function that switches its events on or off, without its `xc_monitor_`, and what
# that takes behind `on`.  All are events that the vCPU waits for.
SWITCHES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "CPUID": ("cpuid", ()),
    "DEBUG_EXCEPTION": ("debug_exceptions", (True,)),
    "DESCRIPTOR_ACCESS": ("descriptor_access", ()),
    "GUEST_REQUEST": ("guest_request", (True, False)),
    "MOV_TO_MSR": ("mov_to_msr", (False,)),
    "PRIVILEGED_CALL": ("privileged_call", ()),
    "WRITE_CTRLREG": ("write_ctrlreg", (True, 0, False)),
}
ARM = os.uname().machine == "aarch64"
USUAL = "guest_request,privileged_call" if ARM else "guest_request,write_ctrlreg:cr3"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Monitor:
    """Watches a domain while it is used as a context: `with Monitor(...) as monitor`."""

    def __init__(self, xen: Xen, domain: int, vm_event: ModuleType) -> None:
        self.xen, self.domain, self.vm_event = xen, domain, vm_event
        self.watched: list[tuple[str, tuple[int, ...]]] = []
        self.count = 0

    def __enter__(self) -> Monitor:
        self.channel = Channel(self.xen, self.domain)
        self.ring = self.vm_event.BackRing(self.channel.page, start=0)
        self.ring.sring.shared_ring_init()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the guest as if it had never been watched, whatever happened."""
        gone = not self.xen.is_alive(self.domain)
        with suppress(XenError) if gone else nullcontext(), ExitStack() as last_first:
            last_first.callback(self.channel.close)
            last_first.callback(self.ring.detach)
            # With the ring, Xen forgets what a vCPU was to do when it goes on.
            last_first.callback(self.xen.let_run, self.domain)
            last_first.callback(self.answer_the_rest)
            for reason, which in self.watched:
                last_first.callback(self.switch, reason, which, False)

    def watch(self, event: str) -> None:
        """Have Xen report an event: `cpuid`, `write_ctrlreg:cr3`, `mov_to_msr:0x174`."""
        name, _, index = event.partition(":")
        reason = name.upper()
        try:
            which: tuple[int, ...] = ()
            if reason == "WRITE_CTRLREG":
                which = (self.vm_event.VmEventX86[index.upper()],)
            elif reason == "MOV_TO_MSR":
                which = (int(index, 0),)
            elif reason not in SWITCHES or index:
                raise ValueError
        except (KeyError, ValueError):
            names = ", ".join(SWITCHES).lower()
            raise XenError(f"no event '{event}'; name one of {names}") from None
        self.switch(reason, which, True)
        self.watched.append((reason, which))

    def switch(self, reason: str, which: tuple[int, ...], on: bool) -> None:
        function, rest = SWITCHES[reason]
        try:
            self.xen.call(f"xc_monitor_{function}", self.domain, *which, on, *rest)
        except XenError as error:
            if error.errno != errno.EEXIST:  # it is already, by a monitor that was killed
                raise

    def run(self, show: Callable[[Any], None], limit: int | None = None) -> None:
        """Show and answer events until the guest is gone, or `limit` of them."""
        while self.wait():
            for request in self.ring.requests():
                self.check_version(request)
                show(request)
                self.answer(request)
                self.count += 1
                if self.count == limit:
                    return  # what is not pushed yet is when leaving
            self.push()

    def wait(self) -> bool:
        """Sleep until there may be requests; False if the guest is gone."""
        try:
            # Signals come through here only, where no request is half done.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            while not self.channel.wait(seconds=1):
                if not self.xen.is_alive(self.domain):
                    return False
            return True
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def push(self) -> None:
        if self.ring.push_responses_and_check_notify():
            self.channel.notify()

    def answer(self, request: Any) -> None:
        """Answer with what the reason needs and, beside that, what its handler wants."""
        flags = self.needed(request)
        try:
            if handler := HANDLERS.get(self.reason(request)):
                flags |= handler(request) or 0
        finally:
            self.ring.respond(request, flags=flags)

    def needed(self, request: Any) -> int:
        """Do what the guest needs to go on as if it were not watched; the flags for that."""
        flag = self.vm_event.VmEventFlag
        flags: int = request.flags & flag.VCPU_PAUSED
        match self.reason(request):
            case "CPUID":  # carried out, but rip is still at it
                request.data.regs.x86.rip += request.payload.insn_length
                flags |= flag.SET_REGISTERS
            case "PRIVILEGED_CALL":  # pc is still at it
                request.data.regs.arm.pc += 4
                flags |= flag.SET_REGISTERS
            case "DESCRIPTOR_ACCESS":  # not carried out
                flags |= flag.EMULATE
            case "DEBUG_EXCEPTION":  # kept from the guest
                debug = request.payload
                self.xen.call(
                    "xc_hvm_inject_trap",
                    *(self.domain, request.vcpu_id, 1, debug.type, 0xFFFF_FFFF),
                    *(debug.insn_length, getattr(debug, "pending_dbg", 0)),
                )
        return flags

    def answer_the_rest(self) -> None:
        """Answer what a handler or Ctrl-C left, and what came since."""
        for request in (*self.ring.unanswered(), *self.ring.requests()):
            known = request.version == self.vm_event.VM_EVENT_INTERFACE_VERSION
            flags = self.needed(request) if known else self.vm_event.VmEventFlag.VCPU_PAUSED
            self.ring.respond(request, flags=flags)
        self.push()

    def check_version(self, request: Any) -> None:
        """Refuse what a hypervisor of another version wrote, before it is decoded."""
        ours = self.vm_event.VM_EVENT_INTERFACE_VERSION
        if request.version != ours:
            raise XenError(
                f"the hypervisor speaks vm_event version {request.version}, not {ours};"
                f" use interface({request.version})"
            )

    def reason(self, request: Any) -> str:
        name: str = self.vm_event.VmEventReason(request.reason).name
        return name

    def line(self, request: Any) -> str:
        """An event in words."""
        pc = request.data.regs.arm.pc if ARM else request.data.regs.x86.rip
        payload = request.payload
        details = "" if payload is None else repr(payload).partition("(")[2][:-1]
        return f"vCPU {request.vcpu_id} {pc:#x} {self.reason(request)} {details}".rstrip()

    def json(self, request: Any) -> str:
        """An event as a JSON object, with the keys of `xenbind decode --json`."""
        members = () if request.payload is None else type(request.payload)._members_
        numbers = {
            member.c_name: value
            for member in members
            if isinstance(value := getattr(request.payload, member.name), int)
            and not member.name.startswith("_")
        }
        event = {
            "index": self.count,
            "version": request.version,
            "flags": request.flags,
            "reason": request.reason,
            "reason_name": self.reason(request),
            "vcpu_id": request.vcpu_id,
            "details": numbers,
        }
        return json.dumps(event)


def recover(xen: Xen, domain: int, vm_event: ModuleType) -> None:
    """Free a domain from a monitor that was killed.

    With the ring, Xen forgets the requests in it, but not that vCPUs wait for answers.  What
    these were about to write is lost.
    """
    xen.call("xc_monitor_disable", domain)
    channel = Channel(xen, domain)
    ring = vm_event.BackRing(channel.page, start=0)
    ring.sring.shared_ring_init()
    for vcpu in range(len(xen.vcpus(domain))):
        response = ring.get_response(ring.rsp_prod_pvt)
        response.version = vm_event.VM_EVENT_INTERFACE_VERSION
        response.vcpu_id = vcpu
        response.flags = vm_event.VmEventFlag.VCPU_PAUSED  # ignored where none waits
        ring.rsp_prod_pvt += 1
        ring.push_responses()
        channel.notify()
    del response
    ring.detach()
    channel.close()


def monitor(xen: Xen, arguments: argparse.Namespace) -> None:
    """Do what the command line says."""
    version = xen.interface_version()
    vm_event = interface(version) if version else interface_for_xen(xen.release)
    domain = arguments.domain
    if arguments.recover:
        recover(xen, domain, vm_event)
        print(f"domain {domain} is free", file=sys.stderr)
        return
    with ExitStack() as files, Monitor(xen, domain, vm_event) as watching:
        text = watching.json if arguments.json else watching.line
        record = None
        if arguments.record:
            record = files.enter_context(arguments.record.open("wb", buffering=0))

        def show(request: Any) -> None:
            if record:
                record.write(request)
            print(text(request), flush=True)

        for event in arguments.events.split(","):
            watching.watch(event)
        print(f"watching domain {domain} of Xen {xen.release}", file=sys.stderr)
        with suppress(KeyboardInterrupt):
            watching.run(show, arguments.count)
    print(f"left domain {domain} after {watching.count} events", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="Say what happens in a guest.")
    parser.add_argument("domain", type=int, help="the domain's number")
    parser.add_argument(
        "--events", default=USUAL, help="what to watch, separated by commas (%(default)s)"
    )
    parser.add_argument("--count", type=int, help="leave after so many events")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--record", type=Path, help="also write the raw requests here")
    parser.add_argument(
        "--recover", action="store_true", help="free what a killed monitor left, and end"
    )
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        xen = Xen()
        try:
            monitor(xen, arguments)
        finally:
            xen.close()
    except (XenError, UnknownVersion) as error:
        print(f"monitor: domain {arguments.domain}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
