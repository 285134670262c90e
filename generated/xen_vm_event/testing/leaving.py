"""What a monitor has left behind in a guest: pages, views, steps, mappings, breakpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .memory import ORIGINAL, RWX, Memory
from .vcpu import Vcpu


def left_behind(memory: Memory, vcpus: Iterable[Vcpu]) -> Iterator[tuple[str, str]]:
    """Give the kinds of what is not as it was before, each with its details."""
    for gfn, access in memory.had.items():
        if memory.access_of(gfn) not in (access, RWX):
            yield "page-left-restricted", f"page {gfn:#x}"
    if memory.views[ORIGINAL].default not in (memory.had_default, RWX):
        yield "page-left-restricted", "pages that come later"
    for number in memory.views:
        if number != ORIGINAL:
            yield "view-left", f"view {number}"
    for vcpu in vcpus:
        if vcpu.steps and vcpu.steps_into is None:  # a fast step ends by itself
            yield "vcpu-left-stepping", f"vCPU {vcpu.number}"
    for gfn in memory.mapped.gfns:
        yield "page-left-mapped", f"page {gfn:#x}"
    for address in sorted(memory.breakpoints):
        yield "breakpoint-left", f"at {address:#x}"
