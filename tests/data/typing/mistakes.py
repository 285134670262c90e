"""Mistakes that type checkers are to find: each in a line that says so, and nowhere else."""

from __future__ import annotations

from ctypes import c_uint16, c_uint32

from post import v0 as post
from trades import v0
from xen_vm_event import common, interface_for_xen, v7
from xen_vm_event.monitor import Monitor
from xen_vm_event.runtime.parameters import Handle
from xen_vm_event.testing import PlayXen
from xen_vm_event.xenctrl.common import Functions, has


def misspelt(request: v7.vm_event_st) -> None:
    request.u.mem_access.gfm = 1  # mistake: a member that there is not
    request.vcpu_id = "0"  # mistake: a string for a number
    v7.vm_event_cpuid(leaves=1)  # mistake: a keyword that is no member
    v7.vm_event_cpuid(leaf="1")  # mistake: a string for a number
    print(request.payload.leaf)  # mistake: not every payload has it
    interface_for_xen(4.2)  # mistake: a number for a release
    v7.VmEventFlag.DENY = 3  # mistake: a constant
    print(v7.VM_EVENT_FLAG_DENIED)  # mistake: no such constant


def monitors(monitor: Monitor) -> None:
    Monitor("3", ["cpuid"])  # mistake: a string for a domain's number
    Monitor(3, ["cpuid"], {"CPUID": 1})  # mistake: no function
    for request in monitor:
        print(request.u.vmexit)  # mistake: a member that some releases lack
        print(request.payload.leaves)  # mistake: nothing has such a member


def test_it(play_xen: PlayXen) -> None:
    play_xen(4.17)  # mistake: a number for a release
    play_xen("4.17", vcpu=2)  # mistake: no such parameter
    print(play_xen("4.17").guest)  # mistake: it has several


def rings(ring: v7.BackRing, event: v7.vm_event_cpuid) -> None:
    ring.push_requests()  # mistake: a back half has responses
    ring.respond(event)  # mistake: no request


def arrays(trade: v0.trade) -> None:
    trade.venue.name = "rome"  # mistake: a string for chars
    print(trade.grid[0]["x"])  # mistake: a string for an index
    trade.bytes = "abcd"  # mistake: a string for bytes
    trade.grid = 5  # mistake: a number for an array
    trade.labels = "ask"  # mistake: a string for arrays of chars
    v0.trade(fees=["1"])  # mistake: strings for numbers


def every_xen(request: common.vm_event_st) -> None:
    print(request.u.mem_acces)  # mistake: a member that no Xen has
    print(request.u.vmexit)  # mistake: one that some lack
    if common.has(request.u, "cpuid"):
        print(request.u.vmexit)  # mistake: not what was asked
    common.has(request.u, "mem_access")  # mistake: all have it


def every_library(xen: Functions, handle: Handle) -> None:
    xen.xc_vm_event_get_version(handle)  # mistake: a function that some lack
    switch = xen.xc_monitor_guest_request
    switch(handle, 1, True, True, False)  # mistake: some take less
    if has(switch, "allow_userspace"):
        switch(handle, 1, True, True)  # mistake: this takes more
    else:
        switch(handle, 1, True, True, False)  # mistake: this takes less


def functions(office: post.post, parcel: post.parcel, letter: post.letter) -> None:
    post.post_hurry("fast", None)  # mistake: a string for an enum
    post.post_open(0.5, 0)  # mistake: a number for a text
    post.post_open("Rome", "0")  # mistake: a string for a number
    post.post_open("Rome")  # mistake: a parameter less
    post.post_close(parcel)  # mistake: another handle
    post.post_close(office.value)  # mistake: an address for a handle
    post.post_send(office, letter, 1, 5)  # mistake: a number for its place
    post.post_send(office, letter, 1, c_uint16())  # mistake: of another width
    post.post_send(office, c_uint32(), 1, None)  # mistake: a number for a record
    post.post_each(office, lambda letter: 0, None)  # mistake: takes too few
    post.post_each(office, lambda *_: "0", None)  # mistake: gives a string
    post.post_read(office, b"abcd", 4)  # mistake: bytes that C writes to
    post.post_town(office).lower(1)  # mistake: as of any bytes
    post.post_print(office, None, 0, "%p", [])  # mistake: a list, which C has none of
