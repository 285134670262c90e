"""What a guest's parts know of the guest, and instructions of the vCPU that they are for."""

from __future__ import annotations

from typing import Any, Protocol

from .findings import Findings
from .memory import Fault, Memory
from .ring import Ring

X86_64, ARM64 = ARCHITECTURES = ("x86_64", "arm64")
"""What a Xen can be played of."""


class Whole(Protocol):
    """A guest, as its vCPUs and what checks its answers know it."""

    number: int
    alive: bool
    vm_event: Any
    architecture: str
    is_arm: bool
    findings: Findings
    memory: Memory
    ring: Ring
    known_flags: int

    @property
    def rings(self) -> list[Ring]:
        """Its rings: the monitor's, and the others."""
        ...

    def find(self, kind: str, where: str) -> None:
        """Note what a monitor did."""

    def is_on(self, reason: str, which: object, changed: int | None = 0) -> bool:
        """Tell whether events of a reason are reported, of one register maybe.

        `changed` are the bits that a write changes, None if it changes none.
        """
        ...

    def is_synchronous(self, reason: str, which: object) -> bool:
        """Tell whether a vCPU waits for the answers to events of a reason."""
        ...

    def replays_step(self, vcpu: int) -> bool:
        """Tell whether the end of a step is what was recorded next of a vCPU."""
        ...

    def waits_elsewhere(self, vcpu: int) -> bool:
        """Tell whether a vCPU waits for a pager, or for memory."""
        ...

    def lacks(self, access: tuple[int, str] | None, vcpu: int) -> bool:
        """Tell whether a vCPU has to wait with an access to a page, which was asked for."""
        ...

    def run(self) -> bool:
        """Let the vCPUs go on until each is held or done."""
        ...

    def proceed(self) -> None:
        """Do what happens while a monitor sleeps until the next event."""

    def go_on(self) -> None:
        """Let the vCPUs go on after answers."""

    def fault(self, gfn: int, kind: str, view: int) -> Fault:
        """Tell whether an access is reported."""
        ...

    def flag(self, name: str) -> int:
        """Give a flag's number."""
        ...

    def flags_of(self, number: int) -> frozenset[str]:
        """Name the flags in a number."""
        ...

    def reason(self, number: int) -> str:
        """Name a reason."""
        ...

    def pc_of(self, record: Any) -> int:
        """Give the instruction pointer that a record has."""
        ...

    def is_moved(self, request: Any, response: Any) -> bool:
        """Tell whether an answer has the vCPU go on at another instruction."""
        ...


class Processor(Protocol):
    """A vCPU, as its instructions know it."""

    guest: Whole
    registers: Any
    control: dict[str, int]
    msrs: dict[int, int]
    exceptions: list[int]
    view: int
    denied: bool
    wants_interrupt: bool

    @property
    def pc(self) -> int:
        """Where it is: rip, or pc on Arm."""
        ...

    @pc.setter
    def pc(self, address: int) -> None: ...

    @property
    def was_reported(self) -> bool:
        """Tell whether what it is at was reported."""
        ...
