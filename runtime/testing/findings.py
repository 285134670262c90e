"""What a monitor did that a real Xen punishes later: each kind by its name, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

ADVICE = {
    "unanswered": "answer every request; its vCPU waits for ever",
    "answered-twice": "answer a request once; Xen takes the second for the next one's answer",
    "pause-lost": "repeat VCPU_PAUSED in the answer; without it the vCPU stays paused",
    "not-moved-on": "move the instruction pointer on, or have Xen do it; the vCPU comes back to"
    " the same instruction",
    "ignored-flag": "leave out the flag; Xen does not heed it here",
    "ignored-register": "leave the register as it is, or answer with SET_REGISTERS, which sets"
    " general ones, rflags and rip, on Arm pc alone",
    "ignored-payload": "leave what the request says as it is; Xen takes nothing of it from an"
    " answer",
    "unknown-flag": "ask the version's VmEventFlag for the flag; Xen has no meaning for this one",
    "other-version": "answer with the version of the request; Xen drops this answer, and the vCPU"
    " waits for ever",
    "other-vcpu": "answer with the vcpu_id of the request; another vCPU is let go in its place",
    "other-reason": "answer with the reason of the request; Xen decides by it what to do",
    "unknown-view": "create the view before vCPUs are sent into it; Xen does not switch to it",
    "registers-overwritten": "leave out one of SET_REGISTERS and the emulator's bytes; they lie"
    " in the same memory",
    "written-late": "write the answer before its index is published; Xen may have read the entry"
    " before",
    "out-of-reach": "publish no index beyond what was asked for; Xen takes what it finds there",
    "not-notified": "notify when push_responses_and_check_notify says so; Xen sleeps",
    "disabled-too-early": "switch the events off before the ring is given up; what comes meanwhile"
    " nobody answers",
    "answered-too-late": "answer all requests before the ring is given up; Xen reads no answer"
    " after that",
    "unmapped-too-early": "detach the ring before its page is unmapped; using it is a crash",
    "events-left-on": "switch the events off on leaving; vCPUs go on paying for them, or wait",
    "page-left-restricted": "give the page back what it had; at its next use Xen frees it, or ends"
    " the guest",
    "view-left": "switch altp2m off on leaving, or destroy the view; vCPUs go on seeing it, and a"
    " guest has ten at most",
    "vcpu-left-stepping": "have no vCPU step on leaving; it goes on being stopped at each"
    " instruction",
    "page-left-mapped": "unmap the page; the guest's memory is not let go of while it is mapped",
    "breakpoint-left": "put the instruction back; the guest comes to an int3 that is not its own",
    "closed-too-early": "close Xen when all that use it have left; using it after that is a crash",
    "ring-left": "call xc_monitor_disable on leaving, or that of the other ring; nobody else can"
    " attach",
    "ring-in-reach": "take the ring's page out of the guest's memory; the guest can write answers"
    " and requests",
    "not-loaded": "load the page before its request is answered; the vCPU comes back to it",
    "other-content": "load what the page held when it was taken; the guest goes on with that",
    "page-left-out": "load all pages before the paging ring is given up; the guest ends at the next"
    " use of one",
}
"""The kinds of findings, and what to do about each."""


class Finding(NamedTuple):
    """Something that a monitor did wrong: a `kind` of `ADVICE`, and where that was."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}; {ADVICE[self.kind]}"


class Findings:
    """The findings so far, each once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def add(self, kind: str, where: str) -> None:
        """Note one, of a kind that there is."""
        if kind not in ADVICE:
            raise KeyError(kind)
        self._found[Finding(kind, where)] = None

    def clear(self) -> None:
        """Forget all of them, which were expected."""
        self._found.clear()

    @property
    def kinds(self) -> list[str]:
        """The kinds that were found, each once."""
        return list(dict.fromkeys(each.kind for each in self))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        return "\n".join(f"  {each}" for each in self)


class MonitorMistakes(AssertionError):
    """A monitor did what a real Xen punishes; `findings` has what."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(f"the monitor's mistakes, {len(findings)}:\n{findings}")
        self.findings = findings
