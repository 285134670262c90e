"""What the generated package is like to use."""

from __future__ import annotations

import copy
import ctypes
import importlib
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, tree, xenbind
from xen_vm_event import (
    VERSIONS,
    UnknownVersion,
    interface,
    interface_for_xen,
    interface_of,
    v1,
    v6,
    v7,
)


def test_records_map_a_buffer_and_read_and_write_through() -> None:
    page = bytearray(4096)
    request = v7.vm_event_st.from_buffer(page, 64)
    request.data.regs.x86.rip = 0x1122_3344_5566_7788
    offset = 64 + 56 + 19 * 8
    assert page[offset : offset + 8] == bytes.fromhex("8877665544332211")
    page[64 + 8] = 4
    assert request.reason == v7.VmEventReason.WRITE_CTRLREG


def test_nested_access_makes_no_new_object() -> None:
    request = v1.vm_event_st()
    assert request.u is request.u
    assert request.u.mem_access is request.u.mem_access
    assert request.data.regs.x86 is request.data.regs.x86
    assert request.data.emul_read_data.data is request.data.emul_read_data.data


def test_assigning_a_record_copies_it_into_the_buffer() -> None:
    request, other = v1.vm_event_st(), v1.vm_event_mem_access(gfn=3, flags=1)
    view = request.u.mem_access
    request.u.mem_access = other
    other.gfn = 9
    assert (view.gfn, view.flags) == (3, 1)
    assert request.u.mem_access is view


@pytest.mark.parametrize(
    "record", [v7.vm_event_st, v7.vm_event_regs_x86, v7.vm_event_sring_entry]
)
def test_a_misspelt_member_is_an_error(record: Any) -> None:
    with pytest.raises(AttributeError, match="flgas"):
        record().flgas = 1
    with pytest.raises(AttributeError, match="flgas"):
        _ = record().flgas


def test_a_number_that_does_not_fit_keeps_its_low_bits_as_in_c() -> None:
    request = v7.vm_event_st(flags=-1, vcpu_id=2**32 + 5)
    assert (request.flags, request.vcpu_id) == (0xFFFF_FFFF, 5)
    selector = v7.vm_event_x86_selector_reg()
    selector.limit = 0x12_3456
    assert (selector.limit, selector.ar) == (0x2_3456, 0)
    with pytest.raises(TypeError):
        setattr(request, "flags", "1")  # noqa: B010


def test_unknown_enum_values_are_kept() -> None:
    reason = v7.VmEventReason(99)
    assert (reason, reason.name) == (99, "UNKNOWN_99")
    flags = v7.VmEventFlag(1 << 30 | 1)
    assert flags == 1 << 30 | 1
    assert v7.VmEventFlag.VCPU_PAUSED in flags


def test_a_repr_names_members_and_their_values() -> None:
    request = v1.vm_event_st(version=1, reason=4, flags=3, vcpu_id=2)
    assert repr(request).startswith(
        "vm_event_st(version=1, flags=VCPU_PAUSED|FOREIGN, reason=WRITE_CTRLREG, vcpu_id=2,"
    )
    assert repr(v1.vm_event_mov_to_msr(msr=0xC000_0080, value=1)) == (
        "vm_event_mov_to_msr(msr=0xc0000080, value=0x1)"
    )


def test_the_reason_selects_the_payload() -> None:
    request = v7.vm_event_st(reason=v7.VM_EVENT_REASON_DESCRIPTOR_ACCESS)
    assert request.payload is request.u.desc_access
    request.reason = v7.VM_EVENT_REASON_GUEST_REQUEST
    assert request.payload is None


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_member_of_the_union_is_selected_by_some_reason(version: int) -> None:
    module = interface(version)
    request = module.vm_event_st()
    members = {member.name for member in request.u._members_}
    selected = set()
    for reason in module.VmEventReason:
        request.reason = reason
        selected |= {
            name for name in members if request.payload is getattr(request.u, name)
        }
    # What fast_singlestep holds comes with a response, by a flag.
    assert members - selected <= {"fast_singlestep"}


def test_an_unknown_version_says_which_there_are() -> None:
    with pytest.raises(
        UnknownVersion, match="version 99: there are versions 1, 2, 3, 4, 5, 6, 7"
    ):
        interface(99)
    with pytest.raises(TypeError, match="a version is an integer, not '7'"):
        interface("7")  # type: ignore[arg-type]
    with pytest.raises(
        UnknownVersion, match=r"of Xen 4\.99: there are releases 4\.6, "
    ):
        interface_for_xen("4.99")
    with pytest.raises(TypeError, match="a release is a string"):
        interface_for_xen(4.20)  # type: ignore[arg-type]


def test_importing_the_package_imports_no_version() -> None:
    code = "import sys, xen_vm_event; print([m for m in sys.modules if 'xen_vm_event.' in m])"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT / "generated",
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "[]\n"


def test_names_that_python_cannot_use_stay_usable(tmp_path: Path) -> None:
    header = """\
#define VM_EVENT_INTERFACE_VERSION 9
struct pair {
    uint8_t in;
    uint8_t __pad;
    uint8_t _pad;
    uint8_t from_buffer;
    uint16_t class : 3;
};
"""
    out = tmp_path / "out"
    folder = tree(tmp_path / "headers", header)
    assert xenbind("generate", "--include", folder, "--out", out).returncode == 0
    assert xenbind("verify", "--include", folder, "--out", out).returncode == 0
    code = (
        "from xen_vm_event.v9 import pair;"
        "p = pair(in_=1, _pad=2, _pad_=3, from_buffer_=4, class_=5);"
        "print(bytes(p).hex(), [m.c_name for m in p._members_])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == (
        "010203040500 ['in', '__pad', '_pad', 'from_buffer', 'class']\n"
    )


def test_docstrings_are_the_headers_comments() -> None:
    assert (v7.vm_event_mem_access.__doc__ or "").startswith("A memory access that")
    assert (v7.VmEventReason.__doc__ or "").startswith("What made Xen send a request.")


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_enums_are_the_flat_constants(version: int) -> None:
    module = importlib.import_module(f"xen_vm_event.v{version}")
    for member in module.VmEventFlag:
        assert member == getattr(module, f"VM_EVENT_FLAG_{member.name}")
    assert module.MemAccess.RWX == module.MEM_ACCESS_RWX == 7
    assert ctypes.sizeof(module.vm_event_st) == ctypes.sizeof(module.vm_event_request_t)


def test_a_xen_release_has_its_version() -> None:
    assert interface_for_xen("4.7") is v1
    assert interface_for_xen("4.6") is not v1
    assert interface_for_xen("4.19.3") is interface_for_xen("4.22-rc1") is v7
    for release in ("4.5", "4.170", "", "unstable"):
        with pytest.raises(
            UnknownVersion, match=f"no bindings for vm_event of Xen {release}: "
        ):
            interface_for_xen(release)


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_request_and_a_ring_page_tell_their_version(version: int) -> None:
    module = interface(version)
    request = module.vm_event_st(version=version)
    assert interface_of(bytes(request)) is module
    page = bytearray(4096)
    module.vm_event_st.from_buffer(page, 64).version = version
    page[0] = 3  # req_prod, which is no version
    assert interface_of(page) is interface_of(memoryview(page)) is module


def test_bytes_of_no_version_are_told() -> None:
    with pytest.raises(
        UnknownVersion, match="version 0, as of a page without a request"
    ):
        interface_of(bytes(4096))
    with pytest.raises(UnknownVersion, match="version 4294967295"):
        interface_of(b"\xff" * 400)
    with pytest.raises(ValueError, match="no version word in 3 bytes"):
        interface_of(b"\x07\0\0")


@pytest.mark.exhaustive
def test_a_type_checker_finds_a_misspelt_member(tmp_path: Path) -> None:
    program = tmp_path / "monitor.py"
    program.write_text(
        "from xen_vm_event import v7\n"
        "request = v7.vm_event_st()\n"
        "request.reason = 3\n"
        "request.u.mem_access.gfn = request.data.regs.x86.rip\n"
        "request.resaon = 3\n"
        "print(request.u.mem_access.gfm)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(program)],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(PROJECT / "generated")},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.partition(" error: ")[2] for line in shown.stdout.splitlines()]
    assert found[0].startswith('"vm_event_st" has no attribute "resaon"')
    assert found[1].startswith('"vm_event_mem_access" has no attribute "gfm"')
    assert len(found) == 3  # the last line counts them


def test_a_record_can_be_copied() -> None:
    request = v7.vm_event_st(reason=3)
    for other in (request.copy(), copy.copy(request), copy.deepcopy(request)):
        other.reason = 4
        assert request.reason == 3


def taken() -> v7.vm_event_st:
    """A request as a ring gives it out."""
    page = bytearray(4096)
    with v7.FrontRing(page) as front:
        front.send(v7.vm_event_st(version=7, vcpu_id=3))
        front.push_requests()
    return next(v7.BackRing(page).requests())


def test_a_ring_s_requests_are_records_like_any_other() -> None:
    request = taken()
    assert isinstance(request, v7.vm_event_st)
    assert repr(request) == repr(v7.vm_event_st(version=7, vcpu_id=3))
    assert request.u.mem_access is request.u.mem_access
    misspelt: Any = request
    with pytest.raises(AttributeError, match="flgas"):
        misspelt.flgas = 1
    with pytest.raises(AttributeError, match="flgas"):
        _ = misspelt.flgas


def test_assigning_to_a_ring_s_request_copies_too() -> None:
    request, other = taken(), v7.vm_event_st()
    other.u.mem_access.gfn = 5
    view = request.u
    request.u = other.u
    request.data.regs.x86.rip = 9
    other.u.mem_access.gfn = 6
    assert request.u is view
    assert (request.u.mem_access.gfn, bytes(request)[56 + 19 * 8]) == (5, 9)


def test_a_copy_of_a_ring_s_request_has_memory_of_its_own() -> None:
    request = taken()
    copies = (request.copy(), copy.copy(request), copy.deepcopy(request))
    request.vcpu_id = 4
    for copied in copies:
        assert type(copied) is v7.vm_event_st
        assert (copied.vcpu_id, copied.data.regs.x86.rip) == (3, 0)


def test_records_can_be_pickled_and_unions_copied() -> None:
    request = taken()
    request.u.mem_access.gfn = 5
    for original in (request, request.copy(), request.u, request.u.mem_access):
        for again in (
            pickle.loads(pickle.dumps(original)),
            copy.copy(original),
            copy.deepcopy(original),
        ):
            assert bytes(again) == bytes(original)
            assert type(again) is getattr(v7, type(original).__name__)
    union = copy.copy(request.u)
    union.mem_access.gfn = 6
    assert (request.u.mem_access.gfn, bytes(union)[0]) == (5, 6)
    record = pickle.loads(pickle.dumps(request))
    record.u.mem_access.gfn = 7
    assert record.copy().u.mem_access.gfn == 7


def test_flags_that_do_not_fit_keep_their_low_bits() -> None:
    page = bytearray(4096)
    with v7.FrontRing(page) as front, v7.BackRing(page) as back:
        for _ in range(2):
            front.send(v7.vm_event_st(version=7))
        front.push_requests()
        for request, flags in zip(back.requests(), (1 << 32 | 5, -1), strict=True):
            back.respond(request, flags=flags)
        back.push_responses()
        found = [response.flags for response in front.responses()]
        assert found == [5, 0xFFFF_FFFF]


def test_a_response_of_a_wrong_type_is_refused() -> None:
    page = bytearray(4096)
    wrong: Any = v6.vm_event_st()
    with v7.FrontRing(page) as front, v7.BackRing(page) as back:
        front.send(v7.vm_event_st(version=7))
        front.push_requests()
        (request,) = back.requests()
        with pytest.raises(
            TypeError, match=r"a vm_event_st is wanted, not a vm_event_st of"
        ):
            back.respond(request, response=wrong)
        assert back.unanswered() == [request]


def test_a_ring_s_request_can_be_sent_on() -> None:
    page, request = bytearray(4096), taken()
    other: Any = v6.vm_event_st()
    with v7.FrontRing(page) as front:
        front.send(request)
        assert front.get_request(0).vcpu_id == 3
        with pytest.raises(TypeError, match=r"vm_event_st .* of xen_vm_event.v6"):
            front.send(other)


def test_a_response_of_another_type_is_given(tmp_path: Path) -> None:
    header = """\
#define VM_EVENT_INTERFACE_VERSION 9
#include "ring.h"
struct question { uint32_t id; uint32_t sector[4]; };
struct answer { uint16_t id; int16_t status; };
DEFINE_RING_TYPES(disk, struct question, struct answer);
"""
    folder = tree(tmp_path / "headers", header)
    shutil.copy(PROJECT / "headers" / "io" / "ring.h", folder)
    out = tmp_path / "out"
    made = xenbind("generate", "--include", folder, "--out", out)
    assert made.returncode == 0, made.stderr
    code = """\
from xen_vm_event import v9
page = bytearray(4096)
back, front = v9.DiskBackRing(page), v9.DiskFrontRing(page)
front.send(v9.question(id=5))
front.push_requests()
(request,) = back.requests()
for wrong in ({}, {"flags": 1}, {"response": v9.answer(), "flags": 1}):
    try:
        back.respond(request, **wrong)
    except TypeError as error:
        print(error)
assert back.unanswered() == [request]
chosen = v9.DiskBackRing(page, start=0).select("id")
assert list(chosen) == [(5,)]
try:
    chosen.respond(flags=1)
except TypeError as error:
    print(error)
back.respond(request, response=v9.answer(id=request.id, status=-3))
back.push_responses()
print(*front.responses())
"""
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (shown.stdout, shown.stderr) == (
        "the responses of this ring are no requests: give one\n"
        "the responses of this ring are no requests: give one\n"
        "the flags of a response are its own\n"
        "the responses of this ring are no requests\n"
        "answer(id=5, status=-3)\n",
        "",
    )
