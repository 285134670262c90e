"""Requests that were recorded, which a guest reports once more if they are to be reported now."""

from __future__ import annotations

from typing import Any

from .instructions import Instruction
from .memory import ORIGINAL
from .roles import Processor

_ON_RINGS_OF_THEIR_OWN = ("MEM_PAGING", "MEM_SHARING")


class recorded(Instruction):
    """A request that was recorded, reported again as it was.

    Raises ValueError for one that was on another ring than a monitor's.
    """

    length = 0

    def __init__(self, request: Any, reason: str) -> None:
        if reason in _ON_RINGS_OF_THEIR_OWN:
            raise ValueError(
                f"a request of {reason} cannot be replayed: it comes on a ring of its own,"
                " not on the monitor's"
            )
        self.request, self.reason = request.copy(), reason

    def is_reported(self, vcpu: Processor) -> bool:
        if self.reason == "MEM_ACCESS":
            return self._faults(vcpu)
        if self.reason == "INTERRUPT":
            wanted, vcpu.wants_interrupt = vcpu.wants_interrupt, False
            return wanted
        return vcpu.guest.is_on(self.reason, self._register(vcpu), self._changed())

    def is_waited_for(self, vcpu: Processor) -> bool:
        return bool(self.request.flags & 1)

    def _faults(self, vcpu: Processor) -> bool:
        """Tell whether the page is one that may not be used so, in the view that was seen."""
        guest, found = vcpu.guest, self.request.payload
        view = ORIGINAL
        if self.request.flags & guest.flag("ALTERNATE_P2M"):
            view = self.request.altp2m_idx
        if view not in guest.memory.views:
            return False
        names = guest.vm_event
        return any(
            found.flags & getattr(names, f"MEM_ACCESS_{kind.upper()}")
            and guest.fault(found.gfn, kind, view)
            for kind in "rwx"
        )

    def _register(self, vcpu: Processor) -> object:
        """Give the register that a write is to, as those are switched on; None for the rest."""
        if self.reason == "WRITE_CTRLREG":
            number = self.request.payload.index
            names = {int(each): each.name for each in vcpu.guest.vm_event.VmEventX86}
            return names.get(number, number)
        return self.request.payload.msr if self.reason == "MOV_TO_MSR" else None

    def _changed(self) -> int | None:
        """Give the bits that a write changes, None if none; 0 where no release told of them."""
        found = self.request.payload
        if not hasattr(found, "old_value"):
            return 0
        return (found.new_value ^ found.old_value) or None
