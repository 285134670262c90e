"""Which events a Xen can report, by release and architecture, and their bits."""

from __future__ import annotations

BITS = {
    "WRITE_CTRLREG": 0,
    "MOV_TO_MSR": 1,
    "SINGLESTEP": 2,
    "SOFTWARE_BREAKPOINT": 3,
    "GUEST_REQUEST": 4,
    "DEBUG_EXCEPTION": 5,
    "CPUID": 6,
    "PRIVILEGED_CALL": 7,
    "INTERRUPT": 8,
    "DESCRIPTOR_ACCESS": 9,
    "EMUL_UNIMPLEMENTED": 10,
    "INGUEST_PAGEFAULT": 11,
    "VMEXIT": 12,
    "IO_INSTRUCTION": 13,
}
"""What can be reported, by XEN_DOMCTL_MONITOR_EVENT_*."""

# The minor number of the release of Xen 4 that has it first.
_SINCE = {
    "DEBUG_EXCEPTION": 8,
    "CPUID": 8,
    "PRIVILEGED_CALL": 8,
    "INTERRUPT": 9,
    "DESCRIPTOR_ACCESS": 9,
    "EMUL_UNIMPLEMENTED": 10,
    "INGUEST_PAGEFAULT": 12,
    "VMEXIT": 17,
    "IO_INSTRUCTION": 18,
}
_ON_ARM = {"GUEST_REQUEST", "PRIVILEGED_CALL"}


def capabilities(release: str, is_arm: bool) -> int:
    """Give what a release has: on Intel's hardware, or on Arm's."""
    minor = int(release.partition(".")[2])
    there = {name for name in BITS if _SINCE.get(name, 0) <= minor}
    there = there & _ON_ARM if is_arm else there - {"PRIVILEGED_CALL"}
    return sum(1 << BITS[name] for name in there)
