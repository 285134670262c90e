"""What users write with the generated packages: no type checker finds fault with it."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, assert_never, assert_type

from bells import common as bells
from post import LibraryError
from post import v0 as post
from trades import v0
from xen_vm_event import common, interface, interface_for_xen, interface_of, records, v7
from xen_vm_event.monitor import Monitor, Xen
from xen_vm_event.testing import PlayedXen, PlayXen, played
from xen_vm_event.v7 import VmEventFlag, VmEventReason


def hide(request: v7.vm_event_st) -> int:
    request.data.regs.x86.rax = 0
    return VmEventFlag.SET_REGISTERS


def look(request: common.vm_event_st) -> None:
    print(request.vcpu_id)


def watch(domain: int) -> None:
    handlers = {"CPUID": hide, "WRITE_CTRLREG": look}
    with Xen() as xen, Monitor(domain, ["cpuid"], handlers, xen) as one:
        for request in one:
            assert_type(request, common.vm_event_st)
            assert_type(one.reason(request), str)
            assert_type(request.payload.leaf, int | Any)
            cpuid: common.vm_event_cpuid = request.payload
            print(cpuid, request.payload is None, request.payload.arch.vmx.reason)
            one.answer(request, VmEventFlag.DENY)
        for request in one.pending():
            one.postpone(request)
        assert_type(one.fileno(), int)


def hear(event: bells.bell_event, answer: bells.bell_answer) -> None:
    """Of each version: what is selected is a record, or may be anything."""
    assert_type(event.payload.seconds, int | Any)
    assert_type(answer.payload + 1, Any)
    if bells.has(event.ring, "loud"):
        assert_type(event.ring.loud, int)


def test_it(play_xen: PlayXen) -> None:
    assert_type(play_xen(), PlayedXen)
    xen = play_xen("4.17", architecture="arm64", strict=False, vcpus=4)
    assert_type(xen, PlayedXen)
    assert_type(xen.release, str)
    with played("4.17", vcpus=1) as another:
        assert_type(another, PlayedXen)


async def watch_in_asyncio(domain: int) -> None:
    with Monitor(domain, ("write_ctrlreg:cr3",)) as one:
        async for request in one:
            assert_type(request, common.vm_event_st)


Payload = (
    v7.vm_event_mem_access
    | v7.vm_event_sharing
    | v7.vm_event_paging
    | v7.vm_event_write_ctrlreg
    | v7.vm_event_mov_to_msr
    | v7.vm_event_debug
    | v7.vm_event_singlestep
    | v7.vm_event_cpuid
    | v7.vm_event_st_u_interrupt
    | v7.vm_event_desc_access
    | v7.vm_event_vmexit
    | v7.vm_event_io
    | None
)


def monitor(page: mmap.mmap) -> bool:
    with v7.BackRing(page) as ring:
        for request in ring.requests():
            assert_type(request, v7.vm_event_st)
            answer(ring, request)
        return assert_type(ring.push_responses_and_check_notify(), bool)


def answer(ring: v7.BackRing, request: v7.vm_event_st) -> None:
    match request.payload:
        case v7.vm_event_cpuid() as cpuid:
            assert_type(cpuid, v7.vm_event_cpuid)
            assert_type(cpuid.leaf, int)
            request.data.regs.x86.rip += cpuid.insn_length
        case v7.vm_event_mem_access(gfn=gfn):
            assert_type(gfn, int)
        case None:
            pass
        case _:
            pass
    ring.respond(request, flags=request.flags | VmEventFlag.EMULATE)


def name(payload: Payload) -> str:
    match payload:
        case v7.vm_event_mem_access() | v7.vm_event_sharing() | v7.vm_event_paging():
            return "memory"
        case v7.vm_event_write_ctrlreg() | v7.vm_event_mov_to_msr():
            return "register"
        case v7.vm_event_debug() | v7.vm_event_singlestep():
            return "debugging"
        case v7.vm_event_cpuid() | v7.vm_event_desc_access() | v7.vm_event_io():
            return "instruction"
        case v7.vm_event_st_u_interrupt() | v7.vm_event_vmexit():
            return "exit"
        case None:
            return "nothing"
        case _:
            assert_never(payload)


def payloads_have_names(request: v7.vm_event_st) -> str:
    return name(request.payload)


def simulate(page: bytearray) -> int:
    front = v7.FrontRing(page, start=0)
    front.sring.shared_ring_init()
    front.send(
        v7.vm_event_st(
            version=v7.VM_EVENT_INTERFACE_VERSION,
            flags=VmEventFlag.VCPU_PAUSED | VmEventFlag.FOREIGN,
            reason=VmEventReason.CPUID,
            u=v7.vm_event_st_u(cpuid=v7.vm_event_cpuid(insn_length=2, leaf=1)),
        )
    )
    notify = front.push_requests_and_check_notify()
    return assert_type(notify, bool) + sum(
        answer.vcpu_id for answer in front.responses()
    )


def members(request: v7.vm_event_st) -> None:
    request.flags = 0
    request.flags = VmEventFlag.DENY
    request.reason = VmEventReason.CPUID
    request.u.mem_access.gfn += 1
    request.u = v7.vm_event_st_u()
    assert_type(request.copy(), v7.vm_event_st)
    data = request.data.emul.read.data
    assert_type(data[0], int)
    assert_type(data[1:3], list[int])
    data[0] = 1
    data[:2] = b"ab"
    assert_type([octet + 1 for octet in data], list[int])
    request.data.emul.read.data = (1, 2, 3)
    request.data.emul.read.data = v7.vm_event_emul_read_data(data=(1, 2)).data
    memoryview(data)
    assert_type(len(bytes(data)) + ctypes.sizeof(request) + ctypes.sizeof(data), int)
    assert_type(v7.vm_event_st.from_buffer_copy(bytes(400)).reason, int)


def arrays() -> v0.trade:
    trade = v0.trade(venue=v0.venue(1, b"paris"), price=2, fees=(0.5, 0.25))
    assert_type(trade.venue, v0.venue)
    assert_type(trade.venues[0].id, int)
    assert_type(trade.venues[1:], list[v0.venue])
    assert_type(trade.grid[1][2], int)
    assert_type(trade.grid[1][:2], list[int])
    trade.grid[0][1] = 7
    trade.grid[1] = (1, 2, 3)
    trade.grid = ((1, 2, 3), (4, 5, 6))
    trade.grid = [[1, 2, 3], [4, 5, 6]]
    trade.grid = [trade.grid[1]]
    trade.labels = [b"ask", bytearray(b"bid")]
    trade.bytes = b"abcd"
    trade.bytes = bytearray(4)
    trade.bytes = memoryview(b"ab")
    trade.bytes = [1, 2]
    trade.fees = [0.5]
    trade.venues = [trade.venue, (2, b"rome")]
    v0.trade(bytes=b"abcd", grid=[[1], [2]], labels=(b"ask",))
    assert_type(trade.labels[0].raw, bytes)
    trade.labels[0].raw = b"abcd"
    assert_type(trade.venue.name, bytes)
    trade.venue.name = b"rome"
    assert_type(trade.fees[0], float)
    assert_type(trade.price, float)
    assert_type(trade.open, bool)
    assert_type(trade.cookie, int | None)
    trade.owner = ctypes.pointer(trade.venue)
    assert_type(trade.owner.contents, v0.venue)
    assert_type(v0.quote(b"b", v0.venue(), price=3).price, int)
    return trade


def versions(recording: bytes) -> None:
    module: Any = interface_of(recording)
    assert module is interface(7) is interface_for_xen("4.17")
    for event in records(v7.vm_event_st, recording):
        assert_type(event, v7.vm_event_st)


def functions(memory: mmap.mmap) -> None:
    office = post.post_open("Rome", 0)
    assert_type(office, post.post)
    found = post.post_after(ctypes.create_string_buffer(b"nach Rom"), " ")
    post.post_after(found, ctypes.c_char_p(b"o"))
    post.post_after(bytearray(b"Rom\0"), ctypes.addressof(found.contents))
    post.post_steps([lambda number: number + 1, None], 5)
    post.post_two_steps((lambda number: number + 1, 0x1000), 5)
    post.post_steps((ctypes.c_void_p * 2)(), 5)
    post.post_number(memoryview(bytearray(b"5\0")), ctypes.c_char_p())
    number, letters = ctypes.c_uint32(), (post.letter * 2)()
    assert_type(post.post_send(office, letters, 2, number), int)
    post.post_send(office, letters[0], 1, (ctypes.c_uint32 * 1)())
    post.post_send(office, ctypes.pointer(letters[0]), 1, None)

    def visit(letter: Any, town: bytes | None, data: int | None) -> int:
        return len(town or b"")

    post.post_each(office, visit, letters)
    post.post_each(office, lambda letter, town, data: letter.contents.to, None)
    assert_type(post.post_write(office, b"abcd", 4), bool)
    post.post_read(office, bytearray(4), 4)
    speed = post.post_hurry(post.PostSpeed.SLOW, lambda speed, is_late: speed)
    assert_type(speed, post.PostSpeed)
    post.post_hurry(1, lambda speed, is_late: 1 if speed is speed.FAST else 0)
    post.post_read(office, memory, 4)
    assert_type(post.post_town(office), bytes)
    post.post_print(office, None, 0, "%s %d %f", b"a", 1, 1.5)
    post.post_print(office, None, 0, "%n", ctypes.byref(ctypes.c_int()))
    assert_type(post.post_last(office).weight, int)
    assert_type(post.post_find(office, 1).contents, post.letter)
    post.post_swap(office, post.post())
    assert_type(post.library.has("post_weigh"), bool)
    post.library.forget(visit)
    try:
        post.post_weigh(office, None)
    except LibraryError as error:
        print(error.errno)
