"""What is wrong with an answer, by itself and held against its request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .registers import changed, set_by_answers
from .roles import Whole

_EMULATED = ("MEM_ACCESS", "DESCRIPTOR_ACCESS", "SOFTWARE_BREAKPOINT")
_WITH_EMULATE = ("EMULATE_NOWRITE", "SET_EMUL_READ_DATA", "SET_EMUL_INSN_DATA")
_REGISTER_WRITES = ("WRITE_CTRLREG", "MOV_TO_MSR")
_OF_REQUESTS = ("FOREIGN", "NESTED_P2M")
# What an answer on these rings says is what Xen goes by.
_WITH_ITS_OWN_SAY = ("MEM_PAGING", "MEM_SHARING")
_ON_ARM = ("VCPU_PAUSED", "SET_REGISTERS")
# The guest comes back to them as they are.
_TO_BE_MOVED_ON = ("CPUID", "PRIVILEGED_CALL")


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two records are of the same event of a vCPU, or its answer."""
    return bool(one.vcpu_id == other.vcpu_id) and is_event(one, other)


def is_event(one: Any, other: Any) -> bool:
    """Tell whether two records are of the same event, of whichever vCPU."""
    return bool(one.reason == other.reason) and bytes(one.u) == bytes(other.u)


def mistakes(
    guest: Whole, request: Any, response: Any, flags: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Give the kinds of what is wrong with an answer, each with its details."""
    vm_event = guest.vm_event
    reason = guest.reason(request.reason)
    if response.version != request.version:
        yield "other-version", f"{response.version} for {request.version}"
    if response.reason != request.reason:
        yield "other-reason", f"{guest.reason(response.reason)} for {reason}"
    if unknown := response.flags & ~guest.known_flags:
        version = vm_event.VM_EVENT_INTERFACE_VERSION
        yield "unknown-flag", f"{unknown:#x} in version {version}"
    asked = guest.flags_of(request.flags)
    waits = "VCPU_PAUSED" in asked
    if waits and "VCPU_PAUSED" not in flags:
        yield "pause-lost", reason
    for flag in sorted(flags - asked):
        if why := _ignored(guest, reason, flag, flags, waits):
            yield "ignored-flag", f"{flag} for {reason}: {why}"
    if _is_changed(request, response) and "FAST_SINGLESTEP" not in flags:
        if "EMULATE" in flags and reason == "MEM_ACCESS":
            why = "its payload is of another access"
            yield "ignored-flag", f"EMULATE for {reason}: {why}"
        elif reason not in _WITH_ITS_OWN_SAY and any(bytes(response.u)):
            yield "ignored-payload", reason
    written = flags & {"SET_EMUL_READ_DATA", "SET_EMUL_INSN_DATA"}
    if "EMULATE" in flags and written and "SET_REGISTERS" in flags:
        yield "registers-overwritten", f"{' and '.join(sorted(written))} for {reason}"
    elif not written:
        sets = "SET_REGISTERS" in flags
        for name in changed(request, response, guest.is_arm):
            if not sets or name not in set_by_answers(guest.is_arm):
                why = "" if sets else ": there is no SET_REGISTERS"
                yield "ignored-register", f"{name} for {reason}{why}"
    yield from _unknown_views(guest, response, flags)
    if waits and reason in _TO_BE_MOVED_ON and not guest.is_moved(request, response):
        yield "not-moved-on", f"{reason} at {guest.pc_of(request):#x}"


def _ignored(
    guest: Whole, reason: str, flag: str, flags: frozenset[str], waits: bool
) -> str:
    """Say why Xen does not heed a flag of an answer; nothing if it does."""
    if not waits:
        return "the vCPU does not wait"
    if flag in _OF_REQUESTS:
        return "it tells of a request alone"
    if guest.is_arm and flag not in _ON_ARM:
        return "Xen has that on x86 alone"
    if flag == "DENY" and reason not in _REGISTER_WRITES:
        return f"only {' and '.join(_REGISTER_WRITES)} can be denied"
    if flag in _WITH_EMULATE and "EMULATE" not in flags:
        return "there is no EMULATE with it"
    if flag == "SET_EMUL_INSN_DATA" and reason != "SOFTWARE_BREAKPOINT":
        return "only a breakpoint's instruction can be given"
    if flag == "EMULATE" and not _is_emulated(reason, flags):
        return "Xen emulates nothing there"
    if flag == "FAST_SINGLESTEP":
        return _fast_step_ignored(guest, flags)
    return ""


def _fast_step_ignored(guest: Whole, flags: frozenset[str]) -> str:
    if "TOGGLE_SINGLESTEP" in flags:
        return "Xen heeds TOGGLE_SINGLESTEP in its place"
    if not guest.is_on("SINGLESTEP", None):
        return "single steps are not switched on"
    return ""


def _is_changed(request: Any, response: Any) -> bool:
    """Tell whether an answer says otherwise than its request what happened."""
    same_reason = request.reason == response.reason
    return bool(same_reason and bytes(request.u) != bytes(response.u))


def _is_emulated(reason: str, flags: frozenset[str]) -> bool:
    is_breakpoint = reason == "SOFTWARE_BREAKPOINT"
    return reason in _EMULATED and (not is_breakpoint or "SET_EMUL_INSN_DATA" in flags)


def _unknown_views(
    guest: Whole, response: Any, flags: frozenset[str]
) -> Iterator[tuple[str, str]]:
    views = guest.memory.views
    if guest.is_arm:
        return
    if "ALTERNATE_P2M" in flags and response.altp2m_idx not in views:
        yield "unknown-view", f"ALTERNATE_P2M into {response.altp2m_idx}"
    if "FAST_SINGLESTEP" not in flags or _fast_step_ignored(guest, flags):
        return
    if response.u.fast_singlestep.p2midx not in views:
        yield (
            "unknown-view",
            f"FAST_SINGLESTEP into {response.u.fast_singlestep.p2midx}",
        )
