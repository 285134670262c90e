"""Where a record of the interface has the registers of a vCPU."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def registers_in(record: Any, is_arm: bool) -> Any:
    """Give the registers in a record; those of Arm are nowhere before Xen 4.8."""
    name = "arm" if is_arm else "x86"
    return getattr(record.data.regs, name, None) or SimpleNamespace(pc=0)


def pc_in(record: Any, is_arm: bool) -> tuple[Any, str]:
    """Give the registers in a record, and the name of the instruction pointer among them."""
    return registers_in(record, is_arm), "pc" if is_arm else "rip"
