"""Xen's end of a ring that is no monitor's, and the vCPUs that wait for answers there."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..monitor.channel import PAGE_SIZE
from .checks import is_same, mistakes
from .ring import Ring
from .roles import Whole

_PATIENCE = 3  # how often a vCPU asks for the same page before the guest is given up


class SideRing:
    """A guest's ring of paging or sharing, whose page is the guest's frame `gfn`.

    `mapped` counts its mappings, `in_reach` says whether the guest has the page, `answers` are
    what was given.  `resume` does what Xen does about an answer beside letting the vCPU go on.
    """

    def __init__(
        self, guest: Whole, reason: str, gfn: int, resume: Callable[[Any], object]
    ) -> None:
        self._guest, self.reason, self.gfn = guest, reason, gfn
        self._resume = resume
        self.name = reason.removeprefix("MEM_").lower()
        where = f"domain {guest.number}, {self.name}"
        self.ring = Ring(guest.vm_event, guest.findings, where)
        # What the guest is given in the page's place while that is a ring.
        self._other = ctypes.create_string_buffer(PAGE_SIZE)
        self.mapped = 0
        self.in_reach = False
        self.answers: list[Any] = []
        self._waiting: list[Any] = []
        self._asked: Counter[tuple[int, int]] = Counter()  # by vCPU and page

    # --- requests -------------------------------------------------------------------

    @property
    def is_attached(self) -> bool:
        """Tell whether somebody reads it."""
        return not self.ring.is_given_up

    def waits(self, vcpu: int) -> bool:
        """Tell whether a vCPU waits for an answer here."""
        return any(each.vcpu_id == vcpu for each in self._waiting)

    def ask(self, gfn: int, vcpu: int | None, **members: int) -> None:
        """Send a request for a page, at which its vCPU waits if there is one."""
        vm_event = self._guest.vm_event
        request = vm_event.vm_event_st(
            version=vm_event.VM_EVENT_INTERFACE_VERSION,
            reason=vm_event.VmEventReason[self.reason],
        )
        request.payload.gfn = gfn
        for name, number in members.items():
            setattr(request.payload, name, number)
        if vcpu is not None:
            request.vcpu_id = vcpu
            request.flags = self._guest.flag("VCPU_PAUSED")
            self._waiting.append(request)
            self._asked[vcpu, gfn] += 1
            if self._asked[vcpu, gfn] > _PATIENCE:
                self._guest.alive = False
        if self.in_reach:
            self._find("ring-in-reach", f"page {self.gfn:#x}")
            self.in_reach = False  # once is enough
        self.ring.send(request)

    # --- answers --------------------------------------------------------------------

    def take_answers(self) -> None:
        """Take the answers that there are, and let the vCPUs go on."""
        if self.ring.is_given_up:
            return
        for response, was_asked_for in self.ring.answers():
            self.answers.append(response)
            if was_asked_for:
                self._take(response)
            else:
                self.ring.break_off()
                self._waiting.clear()
                self._guest.alive = False
        self._guest.go_on()

    def _take(self, response: Any) -> None:
        own = [each for each in self._waiting if each.vcpu_id == response.vcpu_id]
        request = next((each for each in own if is_same(each, response)), None)
        if request is None and own and self._guest.flags_of(response.flags):
            request = own[0]
        if request is not None:
            flags = self._guest.flags_of(response.flags)
            for kind, details in mistakes(self._guest, request, response, flags):
                self._find(kind, f"vCPU {request.vcpu_id}, {details}")
            self._waiting = [each for each in self._waiting if each is not request]
        self._resume(response)

    def settle(self) -> None:
        """Do what happens while whoever reads the ring sleeps."""
        self.ring.port.deliver()
        if self.ring.was_not_notified:
            self._find("not-notified", "its reader waits")
            self.take_answers()

    # --- its end --------------------------------------------------------------------

    def give_up(self) -> None:
        """Take the ring from its reader, with the requests in it."""
        if self.ring.was_not_notified:
            self._find("not-notified", "the ring is given up")
            self.take_answers()
        self.tell_of_waiting()
        self._waiting.clear()  # Xen lets the vCPUs go on
        self.ring.is_given_up = True

    def map(self) -> int:
        """Map its page once more; gives the address."""
        self.mapped += 1
        if self.is_attached:
            return ctypes.addressof(self._other)
        return self.ring.address

    def unmap(self, address: int) -> None:
        """Take one mapping away, if this is where its page is."""
        if address not in (self.ring.address, ctypes.addressof(self._other)):
            return
        self.mapped -= 1
        if self.ring.attached and address == self.ring.address:
            self._find("unmapped-too-early", "the ring's page")
            self.ring.attached = 0

    def tell_of_waiting(self) -> None:
        """Note the vCPUs that wait for an answer."""
        for request in self._waiting:
            gfn = request.payload.gfn
            self._find("unanswered", f"vCPU {request.vcpu_id}, page {gfn:#x}")

    def finish(self) -> None:
        """Note what its reader has left undone."""
        if self.is_attached:
            self.tell_of_waiting()
            self._find("ring-left", "at the end")
        if self.mapped:
            self._find("page-left-mapped", f"page {self.gfn:#x}")

    def _find(self, kind: str, where: str) -> None:
        self._guest.find(kind, f"{self.name}, {where}")

    # --- as what an event channel leads to ------------------------------------------

    @property
    def ours(self) -> Any:
        """The file of its reader's end of the event channel."""
        return self.ring.port.ours

    def run(self) -> bool:
        """Let the guest's vCPUs go on until each is held or done."""
        return self._guest.run()

    def proceed(self) -> None:
        """Do what happens while its reader sleeps until the next event."""
        self._guest.proceed()
