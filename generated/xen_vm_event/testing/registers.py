"""Where a record of the interface has the registers of a vCPU, and which an answer can set."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

_GENERAL = ("rax", "rbx", "rcx", "rdx", "rsp", "rbp", "rsi", "rdi")
_SET_ON_X86 = (*_GENERAL, *(f"r{number}" for number in range(8, 16)), "rflags", "rip")


def registers_in(record: Any, is_arm: bool) -> Any:
    """Give the registers in a record; those of Arm are nowhere before Xen 4.8."""
    name = "arm" if is_arm else "x86"
    return getattr(record.data.regs, name, None) or SimpleNamespace(pc=0)


def pc_in(record: Any, is_arm: bool) -> tuple[Any, str]:
    """Give the registers in a record, and the name of the instruction pointer among them."""
    return registers_in(record, is_arm), "pc" if is_arm else "rip"


def set_by_answers(is_arm: bool) -> tuple[str, ...]:
    """Name the registers that SET_REGISTERS sets: the rest of those told of are for reading."""
    return ("pc",) if is_arm else _SET_ON_X86


def changed(request: Any, response: Any, is_arm: bool) -> list[str]:
    """Name the registers that an answer has otherwise; none if it has none at all."""
    asked, given = registers_in(request, is_arm), registers_in(response, is_arm)
    members: Any = getattr(asked, "_members_", ())
    if not members or not any(bytes(given)):
        return []
    return [
        member.name
        for member in members
        if _plain(getattr(asked, member.name)) != _plain(getattr(given, member.name))
    ]


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else bytes(value)
