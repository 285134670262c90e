"""Test monitors without Xen: a hypervisor that is played, and what a monitor did wrong with it.

    with played("4.17") as xen:
        xen.guests[1].script([cpuid(1), write_cr3(0x5000)])
        with Monitor(1, ["cpuid", "write_ctrlreg:cr3"]) as monitor:
            monitor.run()

The guest's vCPUs follow their scripts, wait for the answers, and go on as Xen has them do.
Leaving the context raises MonitorMistakes, which says what a real Xen would have punished.
Whatever uses the functions of Xen's libraries by this package, and its rings, can be tested.

`playing` puts it in place, and `instructions` is what a guest does; `findings` has the kinds of
mistakes.  pytest has the fixtures `play_xen` and `played_xen`, by `pytest_plugin`.
"""

from __future__ import annotations

from .accesses import access, execute, read, write
from .findings import ADVICE, Finding, Findings, MonitorMistakes
from .guest import Guest
from .instructions import (
    Instruction,
    cpuid,
    debug_exception,
    descriptor_access,
    guest_request,
    interrupt,
    io,
    mov_to_msr,
    privileged_call,
    write_cr3,
    write_ctrlreg,
)
from .libraries import RELEASES
from .playing import PlayXen, played
from .vcpu import Vcpu
from .xen import PlayedXen

__all__ = [
    "ADVICE",
    "RELEASES",
    "Finding",
    "Findings",
    "Guest",
    "Instruction",
    "MonitorMistakes",
    "PlayXen",
    "PlayedXen",
    "Vcpu",
    "access",
    "cpuid",
    "debug_exception",
    "descriptor_access",
    "execute",
    "guest_request",
    "interrupt",
    "io",
    "mov_to_msr",
    "played",
    "privileged_call",
    "read",
    "write",
    "write_cr3",
    "write_ctrlreg",
]
