"""One monitor for each binding: it drains a ring and answers all requests.

Each takes the page, reads ten members of every request, answers with `FLAGS` and
publishes; `drain` gives the index of its last answer. The loops differ in nothing but
what the bindings ask for, so they are written out: a shared helper would be a call more
for each of them. Where a generator gives no ring, the checks and barriers of ring.h are
written here, as the generated rings have them.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

from xen_vm_event import v7

U32 = 0xFFFF_FFFF
ENTRIES, MASK = 8, 7
FIRST_ENTRY = 64
FLAGS = 1 << 0 | 1 << 2  # the answer: VM_EVENT_FLAG_VCPU_PAUSED, VM_EVENT_FLAG_EMULATE
PATHS = (
    *("version", "flags", "reason", "vcpu_id"),
    *("u.mem_access.gfn", "u.mem_access.gla", "u.mem_access.flags"),
    *("data.regs.x86.rsp", "data.regs.x86.rip", "data.regs.x86.cr3"),
)


class Natural:
    """xenbind: whole requests, by their names."""

    def __init__(self, page: mmap.mmap) -> None:
        self.ring = v7.BackRing(page)

    def drain(self) -> int:
        ring = self.ring
        for request in ring.requests():
            _ = request.version
            _ = request.flags
            _ = request.reason
            _ = request.vcpu_id
            _ = request.u.mem_access.gfn
            _ = request.u.mem_access.gla
            _ = request.u.mem_access.flags
            _ = request.data.regs.x86.rip
            _ = request.data.regs.x86.cr3
            _ = request.data.regs.x86.rsp
            ring.respond(request, flags=FLAGS)
        ring.push_responses()
        return ring.rsp_prod_pvt


class Select:
    """xenbind: chosen members as tuples."""

    def __init__(self, page: mmap.mmap) -> None:
        self.ring = v7.BackRing(page)
        self.selection = self.ring.select(*PATHS)

    def drain(self) -> int:
        selection = self.selection
        for _v, _f, _reason, _id, _gfn, _gla, _access, _rsp, _rip, _cr3 in selection:
            selection.respond(flags=FLAGS)
        self.ring.push_responses()
        return self.ring.rsp_prod_pvt


class ByHand:
    """A ring of classes without accessors: the indices, and the checks of ring.h."""

    sring: Any

    def __init__(self) -> None:
        self.req_cons = self.rsp_prod_pvt = 0
        self.fence = ctypes.PyDLL("libatomic.so.1").atomic_thread_fence
        self.fence.restype = None

    def produced(self) -> int:
        produced: int = self.sring.req_prod
        if (produced - self.rsp_prod_pvt) & U32 > ENTRIES:
            raise RuntimeError("more requests than the ring holds")
        return produced

    def final_check(self) -> bool:
        """Whether there are more; if not, the other side will notify of the next one."""
        if self.sring.req_prod == self.req_cons:
            self.sring.req_event = (self.req_cons + 1) & U32
            self.fence(5)
        return bool(self.sring.req_prod != self.req_cons)

    def push(self) -> int:
        self.sring.rsp_prod = self.rsp_prod_pvt
        return self.rsp_prod_pvt


class Ctypes(ByHand):
    """Plain ctypes classes, `module` having been generated; copies as ring.h does."""

    def __init__(self, page: mmap.mmap, module: Any) -> None:
        super().__init__()
        self.sring = module.struct_vm_event_sring.from_buffer(page)
        entries = module.union_vm_event_sring_entry * ENTRIES
        self.entries = entries.from_buffer(page, FIRST_ENTRY)
        self.type = module.struct_vm_event_st

    def drain(self) -> int:
        entries, memmove, byref = self.entries, ctypes.memmove, ctypes.byref
        request, size = self.type(), ctypes.sizeof(self.type)
        more = True
        while more:
            produced = self.produced()
            while self.req_cons != produced:
                memmove(byref(request), byref(entries[self.req_cons & MASK].req), size)
                self.req_cons = (self.req_cons + 1) & U32
                _ = request.version
                _ = request.flags
                _ = request.reason
                _ = request.vcpu_id
                _ = request.u.mem_access.gfn
                _ = request.u.mem_access.gla
                _ = request.u.mem_access.flags
                _ = request.data.regs.x86.rip
                _ = request.data.regs.x86.cr3
                _ = request.data.regs.x86.rsp
                request.flags = FLAGS
                answer = entries[self.rsp_prod_pvt & MASK].rsp
                memmove(byref(answer), byref(request), size)
                self.rsp_prod_pvt = (self.rsp_prod_pvt + 1) & U32
            more = self.final_check()
        return self.push()


class CtypesCopies(Ctypes):
    """The same, each request a new object: `from_buffer_copy`, and C's assignment."""

    def drain(self) -> int:
        entries, copy = self.entries, self.type.from_buffer_copy
        more = True
        while more:
            produced = self.produced()
            while self.req_cons != produced:
                request = copy(entries[self.req_cons & MASK].req)
                self.req_cons = (self.req_cons + 1) & U32
                _ = request.version
                _ = request.flags
                _ = request.reason
                _ = request.vcpu_id
                _ = request.u.mem_access.gfn
                _ = request.u.mem_access.gla
                _ = request.u.mem_access.flags
                _ = request.data.regs.x86.rip
                _ = request.data.regs.x86.cr3
                _ = request.data.regs.x86.rsp
                request.flags = FLAGS
                entries[self.rsp_prod_pvt & MASK].rsp = request
                self.rsp_prod_pvt = (self.rsp_prod_pvt + 1) & U32
            more = self.final_check()
        return self.push()


class Cffi(ByHand):
    """cffi in ABI mode, `ffi` knowing the types."""

    def __init__(self, page: mmap.mmap, ffi: Any) -> None:
        super().__init__()
        self.buffer = ffi.from_buffer(page, require_writable=True)
        self.sring = ffi.cast("vm_event_sring_t *", self.buffer)
        self.entries = self.sring.ring
        self.request = ffi.new("vm_event_request_t *")

    def drain(self) -> int:
        entries, request = self.entries, self.request
        more = True
        while more:
            produced = self.produced()
            while self.req_cons != produced:
                request[0] = entries[self.req_cons & MASK].req
                self.req_cons = (self.req_cons + 1) & U32
                _ = request.version
                _ = request.flags
                _ = request.reason
                _ = request.vcpu_id
                _ = request.u.mem_access.gfn
                _ = request.u.mem_access.gla
                _ = request.u.mem_access.flags
                _ = request.data.regs.x86.rip
                _ = request.data.regs.x86.cr3
                _ = request.data.regs.x86.rsp
                request.flags = FLAGS
                entries[self.rsp_prod_pvt & MASK].rsp = request[0]
                self.rsp_prod_pvt = (self.rsp_prod_pvt + 1) & U32
            more = self.final_check()
        return self.push()


class Dissect(ByHand):
    """dissect.cstruct, which parses bytes and writes bytes; indices by plain ctypes."""

    def __init__(self, page: mmap.mmap, request: Any) -> None:
        super().__init__()
        self.sring = v7.vm_event_sring.from_buffer(page)
        self.octets = memoryview(page)
        self.type, self.size = request, len(request)

    def drain(self) -> int:
        octets, size = self.octets, self.size
        more = True
        while more:
            produced = self.produced()
            while self.req_cons != produced:
                place = FIRST_ENTRY + (self.req_cons & MASK) * size
                request = self.type(bytes(octets[place : place + size]))
                self.req_cons = (self.req_cons + 1) & U32
                _ = request.version
                _ = request.flags
                _ = request.reason
                _ = request.vcpu_id
                _ = request.u.mem_access.gfn
                _ = request.u.mem_access.gla
                _ = request.u.mem_access.flags
                _ = request.data.regs.x86.rip
                _ = request.data.regs.x86.cr3
                _ = request.data.regs.x86.rsp
                request.flags = FLAGS
                place = FIRST_ENTRY + (self.rsp_prod_pvt & MASK) * size
                octets[place : place + size] = request.dumps()
                self.rsp_prod_pvt = (self.rsp_prod_pvt + 1) & U32
            more = self.final_check()
        return self.push()
