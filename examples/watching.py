"""Watching a guest: attach to it, answer what Xen reports, and leave it as it was.

`Watching` is what a monitor does on top of the ring; monitor.py is a program made of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext, suppress
from types import ModuleType
from typing import Any

from xen_vm_event import OtherVersion
from xen_vm_event.xenctrl.common import has
from xenctrl import Channel, Xen, XenError

# Reason -> the functions that watching for it takes.  The first switches its events.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "CPUID": ("xc_monitor_cpuid",),
    "DEBUG_EXCEPTION": ("xc_monitor_debug_exceptions", "xc_hvm_inject_trap"),
    "DESCRIPTOR_ACCESS": ("xc_monitor_descriptor_access",),
    "GUEST_REQUEST": ("xc_monitor_guest_request",),
    "MOV_TO_MSR": ("xc_monitor_mov_to_msr",),
    "PRIVILEGED_CALL": ("xc_monitor_privileged_call",),
    "WRITE_CTRLREG": ("xc_monitor_write_ctrlreg",),
}
ARM = os.uname().machine == "aarch64"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Has events reported, or not any more.
Switch = Callable[[bool], object]
# Looks at a request and may change its registers; returns flags for the answer, if any.
Handler = Callable[[Any], int | None]


def switch_of(xen: Xen, domain: int, vm_event: ModuleType, event: str) -> Switch:
    """Give what switches an event: `cpuid`, `write_ctrlreg:cr3`, `mov_to_msr:0x174`.

    Raises XenError for one that there is not, or that the libraries of this release do not
    know: before anything is attached.
    """
    name, _, which = event.partition(":")
    reason = name.upper()
    index = 0
    try:
        if reason == "WRITE_CTRLREG":
            index = vm_event.VmEventX86[which.upper()]
        elif reason == "MOV_TO_MSR":
            index = int(which, 0)
        elif reason not in FUNCTIONS or which:
            raise ValueError
    except (KeyError, ValueError):
        names = ", ".join(FUNCTIONS).lower()
        raise XenError(f"no event '{event}'; name one of {names}") from None
    xen.require(*FUNCTIONS[reason])
    return _switch(xen, domain, reason, index)


def _switch(xen: Xen, domain: int, reason: str, index: int) -> Switch:
    """Give the function for a reason, called as this release declares it.

    The vCPU waits for the answer to each event.
    """
    functions, xch = xen.functions, xen.handle
    if reason == "WRITE_CTRLREG":
        write = functions.xc_monitor_write_ctrlreg
        if has(write, "bitmask"):
            return lambda on: write(xch, domain, index, on, True, 0, False)
        return lambda on: write(xch, domain, index, on, True, False)
    if reason == "GUEST_REQUEST":
        request = functions.xc_monitor_guest_request
        if has(request, "allow_userspace"):
            return lambda on: request(xch, domain, on, True, False)
        return lambda on: request(xch, domain, on, True)
    if reason == "MOV_TO_MSR":
        move = functions.xc_monitor_mov_to_msr
        if has(move, "onchangeonly"):
            return lambda on: move(xch, domain, index, on, False)
        if has(move, "msr"):
            return lambda on: move(xch, domain, index, on)
        return lambda on: move(xch, domain, on, True)  # all of them, or none
    if reason == "CPUID" and has(functions, "xc_monitor_cpuid"):
        cpuid = functions.xc_monitor_cpuid
        return lambda on: cpuid(xch, domain, on)
    if reason == "DEBUG_EXCEPTION" and has(functions, "xc_monitor_debug_exceptions"):
        debug = functions.xc_monitor_debug_exceptions
        return lambda on: debug(xch, domain, on, True)
    if reason == "DESCRIPTOR_ACCESS" and has(functions, "xc_monitor_descriptor_access"):
        access = functions.xc_monitor_descriptor_access
        return lambda on: access(xch, domain, on)
    assert has(functions, "xc_monitor_privileged_call")
    call = functions.xc_monitor_privileged_call
    return lambda on: call(xch, domain, on)


class Watching:
    """A guest that is watched, while this is used as a context.

    Each request is given to `show` as it came, and then, when what its reason needs is done,
    to the handler of its reason.
    """

    def __init__(
        self,
        xen: Xen,
        domain: int,
        vm_event: ModuleType,
        show: Callable[[str, Any], None],
        handlers: Mapping[str, Handler],
    ) -> None:
        self.xen, self.domain, self.vm_event = xen, domain, vm_event
        self.show, self.handlers = show, handlers
        self.switched_on: list[Switch] = []

    def __enter__(self) -> Watching:
        with ExitStack() as on_error:
            self.channel = Channel(self.xen, self.domain)
            on_error.callback(self.channel.close)
            # The page may hold the indices of another monitor.
            self.ring = self.vm_event.BackRing(self.channel.page, start=0)
            self.ring.sring.shared_ring_init()
            on_error.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the guest as if it had never been watched, whatever happened."""
        gone = not self.xen.is_alive(self.domain)
        with suppress(OSError) if gone else nullcontext(), ExitStack() as last_first:
            last_first.callback(self.channel.close)
            last_first.callback(self.ring.detach)
            # With the ring, Xen forgets the registers that a vCPU is to go on with.
            last_first.callback(self.xen.let_run, self.domain)
            last_first.callback(self.answer_the_rest)
            for switch in self.switched_on:
                last_first.callback(switch, False)

    def watch(self, switch: Switch) -> None:
        """Have Xen report what `switch_of` gave the switch of, until this is left."""
        switch(True)
        self.switched_on.append(switch)

    def run(self, limit: int | None = None) -> None:
        """Show and answer requests until the guest is gone, or `limit` of them."""
        count = 0
        while self.wait():
            for request in self.requests():
                self.show(self.reason(request), request)
                self.answer(request)
                count += 1
                if count == limit:
                    return  # what is not pushed yet is when leaving
            self.push()

    def requests(self) -> Iterator[Any]:
        """Take the requests that are there; XenError if another version's Xen wrote them."""
        try:
            yield from self.ring.requests()
        except OtherVersion as other:
            raise XenError(
                f"the hypervisor speaks vm_event version {other.theirs}, not {other.ours};"
                f" use interface({other.theirs})"
            ) from None

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
        """Publish the answers, and wake Xen if it asked for that."""
        if self.ring.push_responses_and_check_notify():
            self.channel.notify()

    def answer(self, request: Any) -> None:
        """Answer with what the reason needs and, beside that, what its handler wants."""
        flags = self.needed(request)
        try:
            if handler := self.handlers.get(self.reason(request)):
                flags |= handler(request) or 0
        finally:
            self.ring.respond(request, flags=flags)

    def needed(self, request: Any) -> int:
        """Do what lets the guest go on as if it were not watched; the flags for that.

        VCPU_PAUSED is not among them: the ring keeps it in the answer.
        """
        flag = self.vm_event.VmEventFlag
        flags = 0
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
                self.xen.functions.xc_hvm_inject_trap(
                    *(self.xen.handle, self.domain, request.vcpu_id),
                    *(1, debug.type, 0xFFFF_FFFF),
                    *(debug.insn_length, getattr(debug, "pending_dbg", 0)),
                )
        return flags

    def answer_the_rest(self) -> None:
        """Answer what was taken and not answered, and what came since."""
        coming = self.ring.requests(any_version=True)  # each has to be answered
        for request in (*self.ring.unanswered(), *coming):
            flags = self.vm_event.VmEventFlag.VCPU_PAUSED
            if request.version == self.vm_event.VM_EVENT_INTERFACE_VERSION:
                flags = self.needed(request)
            self.ring.respond(request, flags=flags)
        self.push()

    def reason(self, request: Any) -> str:
        name: str = self.vm_event.VmEventReason(request.reason).name
        return name


def recover(xen: Xen, domain: int, vm_event: ModuleType) -> None:
    """Free a guest from a monitor that was killed.

    With the ring, Xen forgets the requests in it, but not that vCPUs wait for answers.  Those
    that wait at a CPUID will carry it out a second time.
    """
    # And with it, but for one on Arm, all events.
    xen.functions.xc_monitor_disable(xen.handle, domain)
    if has(xen.functions, "xc_monitor_privileged_call"):
        with suppress(OSError):
            xen.functions.xc_monitor_privileged_call(xen.handle, domain, False)
    channel = Channel(xen, domain)
    ring = vm_event.BackRing(channel.page, start=0)
    ring.sring.shared_ring_init()
    for vcpu in range(len(xen.vcpus(domain))):
        response = ring.get_response(ring.rsp_prod_pvt)
        response.version = vm_event.VM_EVENT_INTERFACE_VERSION
        response.vcpu_id = vcpu
        response.flags = vm_event.VmEventFlag.VCPU_PAUSED  # ignored where none waits
        del response  # before its page goes
        ring.rsp_prod_pvt += 1
        ring.push_responses()
        channel.notify()
    ring.detach()
    channel.close()
