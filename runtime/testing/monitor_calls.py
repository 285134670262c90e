"""xc_monitor_*: who monitors a guest, and what is reported of it."""

from __future__ import annotations

import errno
from typing import Any

from .capabilities import BITS
from .guest import Guest
from .libraries import fail, pointed
from .switches import How


class MonitorCalls:
    """The functions of libxenctrl for monitors, each by its name after an underscore."""

    guests: dict[int, Guest]
    capabilities: int
    vm_event: Any

    def _xc_monitor_get_capabilities(self, xch: int, domain: int, found: Any) -> int:
        pointed(found).value = self.capabilities
        return 0

    def _xc_vm_event_get_version(self, xch: int) -> int:
        return int(self.vm_event.VM_EVENT_INTERFACE_VERSION)

    def _xc_monitor_enable(self, xch: int, domain: int, port: Any) -> int:
        if not self.guests[domain].ring.is_given_up:
            return fail(errno.EBUSY, 0)
        pointed(port).value = domain
        return self.guests[domain].attach(xch)

    def _xc_monitor_disable(self, xch: int, domain: int) -> int:
        if not self.guests[domain].ring.is_given_up:
            self.guests[domain].give_up(xch)
        return 0

    def _xc_monitor_resume(self, xch: int, domain: int) -> int:
        self.guests[domain].take_answers()
        return 0

    def _switch(
        self,
        domain: int,
        reason: str,
        on: int,
        how: How | None = None,
        which: object = None,
    ) -> int:
        bit = BITS.get(reason)
        if bit is not None and not self.capabilities & 1 << bit:
            return fail(errno.EOPNOTSUPP)
        is_new = self.guests[domain].switches.switch(reason, bool(on), how, which)
        return 0 if is_new else fail(errno.EEXIST)

    def _xc_monitor_write_ctrlreg(
        self, xch: int, domain: int, index: int, on: int, waits: int, *how: int
    ) -> int:
        *mask, only_changes = how
        told = How(bool(waits), bool(only_changes), *mask)
        register = self.vm_event.VmEventX86(index).name
        return self._switch(domain, "WRITE_CTRLREG", on, told, register)

    def _xc_monitor_mov_to_msr(self, xch: int, domain: int, *how: int) -> int:
        if not hasattr(self.vm_event, "VM_EVENT_REASON_CPUID"):  # all, before Xen 4.8
            return self._switch(domain, "MOV_TO_MSR", how[0])
        msr, on, *only_changes = how
        told = How(only_changes=any(only_changes))
        return self._switch(domain, "MOV_TO_MSR", on, told, msr)

    def _xc_monitor_guest_request(
        self, xch: int, domain: int, on: int, waits: int, *_: int
    ) -> int:
        return self._switch(domain, "GUEST_REQUEST", on, How(bool(waits)))

    def _xc_monitor_debug_exceptions(
        self, xch: int, domain: int, on: int, waits: int
    ) -> int:
        return self._switch(domain, "DEBUG_EXCEPTION", on, How(bool(waits)))

    def _xc_monitor_vmexit(self, xch: int, domain: int, on: int, waits: int) -> int:
        return self._switch(domain, "VMEXIT", on, How(bool(waits)))

    def _xc_monitor_cpuid(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "CPUID", on)

    def _xc_monitor_descriptor_access(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "DESCRIPTOR_ACCESS", on)

    def _xc_monitor_emul_unimplemented(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "EMUL_UNIMPLEMENTED", on)

    def _xc_monitor_io(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "IO_INSTRUCTION", on)

    def _xc_monitor_privileged_call(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "PRIVILEGED_CALL", on)

    def _xc_monitor_singlestep(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "SINGLESTEP", on)

    def _xc_monitor_software_breakpoint(self, xch: int, domain: int, on: int) -> int:
        return self._switch(domain, "SOFTWARE_BREAKPOINT", on)
