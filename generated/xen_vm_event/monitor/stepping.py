"""Single steps: vCPUs that carry out one instruction after the other, or one and no more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .events import Events
from .guest import Guest

# XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF
_STEP_OFF = 0

# Where that ends a step, but not that it is a fast one: the next step of the vCPU would be one,
# too, and end unreported.
_FAST_FOR_EVER = ("4.14", "4.15", "4.16", "4.17", "4.18")

# What is to be done when an instruction was carried out; gives flags for the answer.
After = Callable[[Any], int]


class Stepping:
    """The vCPUs that step.

    `start` and `stop` give flags for an answer, which has the vCPU report each instruction or
    not any more.  `over` is for one instruction, whose report is the monitor's own: nobody
    else is shown it.
    """

    def __init__(self, guest: Guest, events: Events) -> None:
        self._guest, self._events = guest, events
        # What comes when vCPUs have carried out the one instruction that they are at.
        self.after: dict[int, list[After]] = {}
        self._stepping: set[int] = set()  # for who asked by `start`
        self._fast: dict[int, After] = {}  # of vCPUs that may be at a fast step
        self.has_ended = False

    def start(self, request: Any) -> int:
        """Have a request's vCPU step, from its answer on, until `stop`.

        Raises MonitorError where this machine has no single steps.
        """
        if self.has_ended:
            return 0
        self._events.also("SINGLESTEP")
        vcpu = request.vcpu_id
        was_stepping = vcpu in self._stepping or vcpu in self.after
        self._stepping.add(vcpu)
        return 0 if was_stepping else self._begin(vcpu)

    def stop(self, request: Any) -> int:
        """Have it go on without."""
        vcpu = request.vcpu_id
        if vcpu not in self._stepping:
            return 0
        self._stepping.remove(vcpu)
        return 0 if vcpu in self.after else self._toggle

    def over(self, request: Any, after: After) -> int:
        """Have the vCPU carry out one instruction, and then do what comes after.

        Gives flags for the answer; none while the monitor leaves, when nothing is in the way
        any more.  Raises MonitorError where there are no single steps.
        """
        if self.has_ended:
            return 0
        self._events.also("SINGLESTEP")
        vcpu = request.vcpu_id
        waiting = self.after.get(vcpu)
        if waiting is not None:  # the same instruction, which is not carried out yet
            waiting.append(after)
            return 0
        self.after[vcpu] = [after]
        return 0 if vcpu in self._stepping else self._begin(vcpu)

    def fast(self, request: Any, after: After) -> int | None:
        """Have the vCPU carry out one instruction unreported; None if it steps otherwise.

        The two ways would end each other: one sets what the other turns over.  What comes after
        is done if the step is reported after all, since another begins before it ends.
        """
        if self.has_ended:
            return 0
        self._events.also("SINGLESTEP")
        vcpu = request.vcpu_id
        if vcpu in self._stepping or vcpu in self.after:
            return None
        if self._guest.xen.release in _FAST_FOR_EVER:
            return None
        self._fast[vcpu] = after
        return self._guest.flag("FAST_SINGLESTEP")

    def _begin(self, vcpu: int) -> int:
        """Give the flag that has a vCPU step, which may be at a fast step still."""
        after = self._fast.pop(vcpu, None)
        if after is not None:
            no_steps(self._guest, vcpu)
            self.after.setdefault(vcpu, []).append(after)
        return self._toggle

    def is_own(self, request: Any) -> bool:
        """Tell whether it reports the end of a step that nobody but the monitor asked for."""
        return self.ends(request) and request.vcpu_id not in self._stepping

    def ends(self, request: Any) -> bool:
        """Tell whether a request reports the end of a step `over` an instruction."""
        is_step = request.reason == self._guest.vm_event.VmEventReason.SINGLESTEP
        return is_step and request.vcpu_id in self.after

    def answer(self, request: Any) -> int:
        """Do what comes after a step; gives the flags of the answer."""
        if not self.ends(request):
            return 0
        vcpu = request.vcpu_id
        flags = 0 if vcpu in self._stepping else self._toggle
        for after in self.after.pop(vcpu):
            flags |= after(request)
        return flags

    def end(self) -> None:
        """Have no vCPU step any more, whatever it is at."""
        self.has_ended = True
        self.after.clear()
        self._stepping.clear()
        self._fast.clear()
        if self._events.is_on("SINGLESTEP"):
            no_vcpu_steps(self._guest)

    @property
    def _toggle(self) -> int:
        return self._guest.flag("TOGGLE_SINGLESTEP")


def no_vcpu_steps(guest: Guest) -> None:
    """Have no vCPU of a guest step, whoever asked for it."""
    for vcpu, _ in enumerate(guest.xen.vcpus(guest.domain)):
        with suppress(OSError):  # each of the others has to be told
            no_steps(guest, vcpu)


def no_steps(guest: Guest, vcpu: int) -> None:
    """Have a vCPU of a guest not step."""
    guest.functions.xc_domain_debug_control(guest.handle, guest.domain, _STEP_OFF, vcpu)
