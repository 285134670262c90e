"""monitor.py as a user extends it, and as it is when something goes wrong.

variants.py NAME ARGUMENTS...       the arguments are monitor.py's
"""

from __future__ import annotations

import os
import sys
import time
from threading import Timer
from typing import Any

import monitor
from xen_vm_event.monitor import Xen

CPUID = (0x11111111, 0x22222222, 0x33333333, 0x44444444)


def answer_cpuid(request: Any) -> None:
    """Give the guest another result of CPUID."""
    registers = request.data.regs.x86
    registers.rax, registers.rbx, registers.rcx, registers.rdx = CPUID


def stall(request: Any) -> None:
    """Keep a vCPU waiting for its answer, so that this monitor can be killed meanwhile."""
    print("stalled", file=sys.stderr, flush=True)
    time.sleep(600)


def pause(request: Any) -> None:
    """Keep the guest from going on."""
    own = Xen()
    own.functions.xc_domain_pause(own.handle, int(sys.argv[1]))


def unpause_when_it_leaves() -> None:
    """Have the guest go on a moment after the monitor begins to wait for that."""
    let_run = Xen.let_run

    def unpause_meanwhile(xen: Xen, domain: int) -> None:
        own = Xen()
        unpause = own.functions.xc_domain_unpause
        Timer(0.3, unpause, (own.handle, domain)).start()
        let_run(xen, domain)

    Xen.let_run = unpause_meanwhile  # type: ignore[assignment, method-assign]


class Failure(Exception):
    """What a handler raises here."""


def fail(request: Any) -> None:
    raise Failure("on purpose")


def speak(version: int) -> None:
    """Have the monitor take the hypervisor for one of another version."""
    Xen.interface_version = lambda self: version  # type: ignore[method-assign]


match sys.argv.pop(1):
    case "cpuid":
        monitor.HANDLERS["CPUID"] = answer_cpuid
    case "stall":
        monitor.HANDLERS["GUEST_REQUEST"] = stall
    case "pause":
        monitor.HANDLERS["CPUID"] = pause
        unpause_when_it_leaves()
    case "fail":
        monitor.HANDLERS["GUEST_REQUEST"] = fail
    case "nobody":
        os.setuid(65534)
    case "version-6":
        speak(6)
    case "version-99":
        speak(99)
sys.exit(monitor.main())
