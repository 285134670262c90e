"""What a guest's parts know of the guest, and instructions of the vCPU that they are for."""

from __future__ import annotations

from typing import Any, Protocol

from .memory import Fault, Memory
from .ring import Ring

X86_64, ARM64 = ARCHITECTURES = ("x86_64", "arm64")
"""What a Xen can be played of."""


class Whole(Protocol):
    """A guest, as its vCPUs and what checks its answers know it."""

    vm_event: Any
    architecture: str
    is_arm: bool
    memory: Memory
    ring: Ring
    known_flags: int

    def find(self, kind: str, where: str) -> None:
        """Note what a monitor did."""

    def is_on(self, reason: str, which: object, changed: int | None = 0) -> bool:
        """Tell whether events of a reason are reported, of one register maybe.

        `changed` are the bits that a write changes, None if it changes none.
        """
        ...

    def is_any_on(self, reason: str) -> bool:
        """Tell whether events of a reason are reported, of whatever register."""
        ...

    def is_synchronous(self, reason: str, which: object) -> bool:
        """Tell whether a vCPU waits for the answers to events of a reason."""
        ...

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
