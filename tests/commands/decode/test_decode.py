"""Decoding recorded requests: real ones number by number, and whatever else comes in.

tests/data/requests-v7.jsonl holds requests as a Xen 4.17 hypervisor wrote them; what they
say is stated here as struct.unpack read it.  The generated classes are the other witness.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from golden_files import check_golden
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import PROJECT, SPEC, known_facts, require, tree, xenbind
from terminal import on_terminal
from xen_vm_event import VERSIONS, interface
from xenbind import pipeline, spec
from xenbind.commands.decode import gather, ring_page, table
from xenbind.commands.decode.events import Event, Names, Shapes
from xenbind.commands.decode.json_text import JsonText
from xenbind.commands.decode.recording import Form, read
from xenbind.commands.decode.stream import DecodeError, Run, request_record
from xenbind.commands.decode.text import text
from xenbind.errors import SystemFailure, XenbindError
from xenbind.ir.interface import Interface
from xenbind.plain import replace

DATA = PROJECT / "tests" / "data" / "requests-v7.jsonl"
GOLDEN = PROJECT / "tests" / "golden" / "decode"
LINES = [json.loads(line) for line in DATA.read_text().splitlines()]
REQUESTS = [bytes.fromhex(line["request"]) for line in LINES]
RAW = b"".join(REQUESTS)
# How large a request of each version is, by what a C compiler said of the original headers.
SIZES: dict[int, int] = {
    facts["interface_version"]: facts["types"]["struct vm_event_st"]["size"]
    for facts in known_facts()
}


@cache
def versions() -> dict[int, Interface]:
    loaded = spec.load(SPEC)
    return {v.number: pipeline.read(loaded, v, ("gcc",)) for v in loaded.versions}


def decode(
    data: bytes, form: str = "auto", arch: str = "x86"
) -> tuple[list[Event], list[DecodeError]]:
    """All events in some bytes, and what was no request, passed over."""
    bad: list[DecodeError] = []
    raws = read(io.BytesIO(data), "test", versions().get, Form(form), bad.append)
    return list(events(raws, arch)), bad


def events(runs: Iterable[Run], arch: str = "x86") -> Iterator[Event]:
    shapes = Shapes(arch)
    for run in runs:
        yield from shapes.of(run).events(run)


def as_json(event: Event) -> Any:
    return json.loads(JsonText()(event))


def refuse(error: DecodeError) -> None:
    raise error


def numbers_of(event: Event) -> dict[str, int]:
    """The numbers by path, such as `u.mem_access.gfn`."""
    paths = (leaf.path for leaf in event.plan.leaves)
    return dict(zip(paths, event.values, strict=True))


def said(found: list[Event]) -> list[dict[str, int]]:
    return [numbers_of(event) for event in found]


def request(version: int, reason: int, filler: int = 0) -> bytes:
    """A request whose bytes behind the header are all the same."""
    head = struct.pack("<IIII", version, 1, reason, 0)
    return head + bytes([filler]) * (SIZES[version] - len(head))


def page(requests: list[bytes], start: int = 0, answered: int = 0) -> bytes:
    """A ring page in which requests were put from index `start` on, some answered since."""
    data = bytearray(4096)
    size = len(requests[0])
    for index, one in enumerate(requests, start):
        at = 64 + index % 8 * size
        data[at : at + size] = one
    produced = start + len(requests)
    indices = (produced, produced, start + answered, start + answered + 1)
    struct.pack_into("<4I", data, 0, *(index % 2**32 for index in indices))
    return bytes(data)


# --- real requests ---------------------------------------------------------------------

FLAT = {
    **{"dr7": 0x400, "vmtrace_pos": 0xFFFF_FFFF_FFFF_FFFF},
    **{"cs.limit": 0xFFFFF, "cs.ar": 0xC9B, "ss.limit": 0xFFFFF, "ss.ar": 0xC93},
    **{"ds.limit": 0xFFFFF, "ds.ar": 0xC93, "es.limit": 0xFFFFF, "es.ar": 0xC93},
}
LONG = {**FLAT, "cs.ar": 0xA9B}
DATA_SELECTORS = {"ss_sel": 0x10, "ds_sel": 0x10, "es_sel": 0x10}
# A small guest in protected mode without paging, with its own GDT loaded.
OWN_GDT = {
    **{**FLAT, "cs_sel": 8, **DATA_SELECTORS},
    **{"rsp": 0x101180, "rsi": 0x100151, "cr0": 0x11},
    **{"gdtr_base": 0x1000D0, "gdtr_limit": 23},
}
NO_DS = dict.fromkeys(("ds.limit", "ds.ar", "es.limit", "es.ar"), 0)

# Of each request: its reason, what that selects, and the registers that are not zero.
REAL: list[tuple[str, dict[str, int], dict[str, int]]] = [
    (
        "DESCRIPTOR_ACCESS",
        {
            "u.desc_access.arch.vmx.instr_info": 0,
            "u.desc_access.arch.vmx.exit_qualification": 0,
            "u.desc_access.descriptor": 2,
            "u.desc_access.is_write": 1,
        },
        {**FLAT, "rbx": 0x102000, "rflags": 2, "rip": 0x100001, "cr0": 0x11},
    ),
    (
        "WRITE_CTRLREG",
        {
            "u.write_ctrlreg.index": 2,
            "u.write_ctrlreg.new_value": 8,
            "u.write_ctrlreg.old_value": 0,
        },
        {**OWN_GDT, "rax": 8, "rbx": 0x102000, "rflags": 2, "rip": 0x100049},
    ),
    (
        "GUEST_REQUEST",
        {},
        {
            **{**OWN_GDT, "rax": 0x22, "rbx": 0x18, "rflags": 0x46},
            **{"rip": 0x100058, "cr4": 8},
        },
    ),
    (
        "MOV_TO_MSR",
        {
            "u.mov_to_msr.msr": 0x174,
            "u.mov_to_msr.new_value": 8,
            "u.mov_to_msr.old_value": 0,
        },
        {
            **{**OWN_GDT, "rax": 8, "rcx": 0x174, "rbx": 0x18, "rflags": 0x46},
            **{"rip": 0x100067, "cr4": 8},
        },
    ),
    (
        "CPUID",
        {"u.cpuid.insn_length": 2, "u.cpuid.leaf": 0x12345, "u.cpuid.subleaf": 0},
        {**OWN_GDT, "rflags": 0x46, "rip": 0x100070, "cr4": 8, "sysenter_cs": 8},
    ),
    (
        "WRITE_CTRLREG",
        {
            "u.write_ctrlreg.index": 2,
            "u.write_ctrlreg.new_value": 0x20,
            "u.write_ctrlreg.old_value": 0,
        },
        {
            **{**FLAT, **DATA_SELECTORS, "rax": 0x20, "rbx": 0x4A00000, "rflags": 2},
            **{"rsp": 0x31484D0, "rsi": 0x4A00038, "rdi": 0x3143478},
            **{"rip": 0x1000880, "cr0": 0x11},
            **{"gdtr_base": 0x3144488, "gdtr_limit": 24},
        },
    ),
    (
        "CPUID",
        {"u.cpuid.insn_length": 2, "u.cpuid.leaf": 0x4000_0000, "u.cpuid.subleaf": 0},
        {
            **{**LONG, **DATA_SELECTORS, "cs_sel": 8, "rflags": 0x46},
            # The registers already hold the answer: "XenVMMXenVMM".
            **{"rax": 0x40000005, "rbx": 0x566E6558, "rcx": 0x65584D4D},
            **{"rdx": 0x4D4D566E, "rsp": 0x3148478, "rbp": 0x314848C},
            **{"rsi": 0x314848C, "rdi": 0x3148490, "r8": 0x3148488, "r9": 0x3148494},
            **{"r12": 0x3148494, "r13": 0x3148490, "r14": 0x3148488},
            **{"rip": 0xFFFF_FFFF_8107_E59F, "cr0": 0x8000_0011, "cr3": 0x2A10000},
            **{"cr4": 0x20, "msr_efer": 0x500, "gs_base": 0x31444A0},
            **{"gdtr_base": 0x3144488, "gdtr_limit": 24},
        },
    ),
    (
        "MOV_TO_MSR",
        {
            "u.mov_to_msr.msr": 0xC000_0082,
            "u.mov_to_msr.new_value": 0xFFFF_FFFF_81C0_0080,
            "u.mov_to_msr.old_value": 0,
        },
        {
            **{**LONG, **NO_DS, "cs_sel": 0x10, "rflags": 7},
            **{"rax": 0x81C00080, "rcx": 0xC0000082, "rdx": 0xFFFFFFFF},
            **{"rsp": 0xFFFF_FFFF_82A0_3EE0, "rbp": 0xFFFF_FFFF_82A1_AA40},
            **{"rsi": 0x81C00080, "rdi": 0xC0000082, "r8": 0xFFFFFE00},
            **{"r10": 0xFFFF_8880_0F80_6078, "r11": 0x34},
            **{"r14": 0xFFFF_FFFF_82A1_A110, "rip": 0xFFFF_FFFF_8107_E914},
            **{"cr0": 0x8005_0033, "cr3": 0x2A10000, "cr4": 0x100B0},
            **{"msr_efer": 0xD01, "msr_star": 0x23_0010_0000_0000},
            **{"gdtr_base": 0xFFFF_8880_0F80_B000, "gdtr_limit": 0x7F},
            **{"gs_base": 0xFFFF_8880_0F80_0000},
        },
    ),
]


@pytest.mark.parametrize("number", range(len(REAL)))
def test_a_real_request_says_what_the_guest_did(number: int) -> None:
    reason, details, registers = REAL[number]
    (event,), bad = decode(REQUESTS[number])
    head = {"version": 7, "flags": 1, "vcpu_id": 0, "altp2m_idx": 0}
    content = as_json(event)
    assert not bad
    assert (content["reason_name"], content["flags_name"]) == (reason, "VCPU_PAUSED")
    assert content["payload"] == (
        next(iter(details)).split(".")[1] if details else None
    )

    numbers = numbers_of(event)
    assert numbers.pop("reason") == REQUESTS[number][8]
    prefix = "data.regs.x86."
    everything = {
        **dict.fromkeys((path for path in numbers if path.startswith(prefix)), 0),
        **{f"{prefix}{name}": value for name, value in registers.items()},
    }
    assert len(everything) == 33 + 4 + 2 + 12 + 1 + 7  # struct vm_event_regs_x86
    assert numbers == {**head, **details, **everything}


def test_the_recorded_reasons() -> None:
    """The recording calls one reason by a shorter name than the header."""
    stated = [
        line["reason"].replace("DESC_ACCESS", "DESCRIPTOR_ACCESS") for line in LINES
    ]
    found, bad = decode(DATA.read_bytes())
    assert ([as_json(event)["reason_name"] for event in found], bad) == (stated, [])


def test_the_words_for_real_requests() -> None:
    found, _ = decode(DATA.read_bytes())
    check_golden(
        GOLDEN / "requests.txt", "".join(f"{text(event)}\n" for event in found)
    )
    lines = map(JsonText(), found)
    check_golden(GOLDEN / "requests.jsonl", "".join(f"{line}\n" for line in lines))


def test_the_words_for_each_reason() -> None:
    """Requests full of the byte 5 show every member that these versions have."""
    recording = b"".join(
        request(version, reason, 5) for version in (1, 2, 7) for reason in range(18)
    )
    found, bad = decode(recording)
    assert not bad
    lines = [text(event).split("\n    registers:")[0] for event in found]
    check_golden(GOLDEN / "reasons.txt", "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_has_lines_of_its_width(width: int) -> None:
    for event in decode(DATA.read_bytes())[0]:
        folded = text(event, width)
        assert max(map(len, folded.splitlines())) <= width
        assert folded.split() == text(event).split()
        assert len(text(event).splitlines()) <= 3


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (0, "0"),
        (1, "VCPU_PAUSED"),
        (3, "VCPU_PAUSED|FOREIGN"),
        (1 << 15, "RESET_FORK_MEMORY"),
        (1 << 31 | 1 << 16 | 2, "FOREIGN|0x80010000"),
        (1 << 20, "0x100000"),
    ],
)
def test_flags_are_told_by_name(flags: int, shown: str) -> None:
    data = bytearray(REQUESTS[0])
    data[4:8] = flags.to_bytes(4, "little")
    (event,), _ = decode(bytes(data))
    assert f" flags={shown} " in text(event)
    assert as_json(event)["flags"] == flags
    assert as_json(event)["flags_name"] == shown


def test_bits_that_have_a_name_together() -> None:
    names = Names(True, {0: "NONE", 3: "BOTH", 1: "ONE", 2: "TWO"})
    told = list(map(names.of, (0, 2, 3, 6, 7)))
    assert told == ["NONE", "TWO", "BOTH", "TWO|0x4", "BOTH|0x4"]


@pytest.mark.parametrize("reason", [17, 257, 2**32 - 1])
def test_unknown_reasons_are_kept(reason: int) -> None:
    (event,), bad = decode(request(7, reason))
    content = as_json(event)
    assert not bad
    assert (content["reason"], content["reason_name"]) == (reason, f"UNKNOWN_{reason}")
    assert (content["payload"], content["details"]) == (None, {})
    assert f" reason=UNKNOWN_{reason} " in text(event)


def test_arm_registers() -> None:
    data = bytearray(request(7, 11))
    struct.pack_into("<5Q", data, 56, 1, 2, 3, 0xFFFF_0000_0040_1000, 0x6000_01C5)
    (event,), _ = decode(bytes(data), arch="arm")
    assert as_json(event)["registers"] == {
        **{"ttbr0": 1, "ttbr1": 2, "ttbcr": 3},
        **{"pc": 0xFFFF_0000_0040_1000, "cpsr": 0x6000_01C5},
    }
    with pytest.raises(
        XenbindError, match="vm_event version 1 has no registers of arm"
    ):
        decode(request(1, 1), arch="arm")


# --- forms ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["auto", "raw"])
def test_a_recording_is_requests_one_after_another(form: str) -> None:
    found, bad = decode(RAW, form)
    assert (said(found), bad) == (said(decode(DATA.read_bytes())[0]), [])
    assert [event.index for event in found] == list(range(8))
    assert [event.position for event in found] == [400 * n for n in range(8)]


def test_a_recording_may_mix_versions() -> None:
    order = [7, 1, 4, 1, 6, 7]
    found, bad = decode(b"".join(request(version, 1) for version in order))
    assert [numbers_of(event)["version"] for event in found] == order
    assert [event.position for event in found] == [0, 400, 712, 1088, 1400, 1784]
    assert not bad


def test_only_the_versions_that_occur_are_read() -> None:
    asked: list[int] = []

    def read_one(number: int) -> Interface | None:
        asked.append(number)
        return versions().get(number)

    # Indices that could be no version's number.
    for data in (RAW, page(REQUESTS, start=8000), DATA.read_bytes()):
        raws = read(io.BytesIO(data), "test", read_one, Form.AUTO, refuse)
        assert len(list(events(raws))) == 8
    assert {number for number in asked if number in VERSIONS} == {7}


@pytest.mark.parametrize("form", ["auto", "page"])
@pytest.mark.parametrize(
    "start", [0, 8, 5, 2**32 - 3, 2**32 - 8, ord("{") - 8, ord("\n") - 8]
)
def test_a_ring_page_holds_requests_in_the_ring_s_order(start: int, form: str) -> None:
    found, bad = decode(page(REQUESTS, start), form)
    assert (said(found), bad) == (said(decode(RAW)[0]), [])
    indices = [(start + number) % 2**32 for number in range(8)]
    assert [event.index for event in found] == indices
    places = [64 + index % 8 * 400 for index in indices]
    assert [event.position for event in found] == places


@pytest.mark.parametrize("start", [0, 3, 5, 2**32 - 2])
def test_only_requests_not_answered_yet_are_live(start: int) -> None:
    """Entries that were never used are no hindrance, nor are old ones."""
    three = decode(page(REQUESTS[:3], start))
    assert (said(three[0]), three[1]) == (said(decode(RAW)[0])[:3], [])
    last = decode(page(REQUESTS, start, answered=6))
    assert (said(last[0]), last[1]) == (said(decode(RAW)[0])[6:], [])
    assert decode(page(REQUESTS, start, answered=8)) == ([], [])


def test_a_page_that_was_never_used_holds_nothing() -> None:
    assert decode(bytes(4096)) == ([], [])


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_page_is_laid_out_as_the_header_says(version: int) -> None:
    declared = versions()[version]
    records = {record.key: record for record in declared.records}
    (ring,) = declared.rings
    shared = {field.name: field.offset for field in records[ring.shared].fields}
    names = ("req_prod", "req_event", "rsp_prod", "rsp_event")
    assert [shared[name] for name in names] == [0, 4, 8, 12]
    assert shared["ring"] == ring_page.ENTRIES
    assert request_record(declared).size == SIZES[version]
    assert ring_page.count(SIZES[version]) == 8

    requests = [request(version, 1, filler) for filler in range(8)]
    found, bad = decode(page(requests, start=6))
    assert (said(found), bad) == (said(decode(b"".join(requests))[0]), [])


def test_nothing_holds_nothing() -> None:
    assert decode(b"") == ([], [])
    assert decode(b"\n \n", "jsonl") == ([], [])


def test_a_recording_cut_at_a_page_s_size_is_no_page() -> None:
    found, bad = decode((RAW + RAW)[:4096])
    assert (len(found), bad[0].position) == (10, 4000)
    # Indices that are alike, as an idle page's: the reason is the version.
    assert len(decode((request(7, 7) * 11)[:4096])[0]) == 10


def test_json_lines_as_long_as_a_page_are_no_page() -> None:
    data = b'{"request": ""}\n' * 256
    assert len(data) == 4096
    assert [error.line for error in decode(data)[1]] == list(range(1, 257))


def test_json_lines_tell_their_places() -> None:
    lines = DATA.read_bytes().splitlines()
    found, bad = decode(b"\n" + b"\r\n\n".join(lines))
    lengths = [len(line) + 3 for line in lines]
    assert [event.position for event in found] == [
        1 + sum(lengths[:number]) for number in range(8)
    ]
    assert not bad


class Trickle(io.RawIOBase):
    """A stream that gives what it has in its own portions."""

    def __init__(self, data: Iterator[bytes]) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return next(self.data, b"")


def stream(raw: io.RawIOBase) -> BinaryIO:
    return cast(BinaryIO, raw)


def test_a_stream_that_gives_few_bytes_at_a_time() -> None:
    for data in (RAW, page(REQUESTS, 5), DATA.read_bytes()):
        parts = (data[at : at + 7] for at in range(0, len(data), 7))
        raws = read(stream(Trickle(parts)), "test", versions().get, Form.AUTO, refuse)
        assert said(list(events(raws))) == said(decode(RAW)[0])


def test_requests_on_a_pipe_are_told_as_they_come() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe, os.fdopen(writer, "wb", buffering=0) as other:
        other.write(RAW[:800])
        raws = read(pipe, "test", versions().get, Form.AUTO, refuse)
        first = next(raws)
        assert (first.indices[0], len(first), first.data) == (0, 2, RAW[:800])
        other.write(RAW[800:1200])
        assert (next(raws).indices[0], len(first)) == (2, 2)


class Endless(io.RawIOBase):
    """The same again and again, as much as is asked for, up to `total` bytes."""

    def __init__(self, part: bytes, total: int) -> None:
        self.part = part
        self.total = total
        self.at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.total - self.at)
        start = self.at % len(self.part)
        self.at += size
        return (self.part * (2 + size // len(self.part)))[start : start + size]


@pytest.mark.parametrize("form", ["raw", "jsonl"])
def test_memory_stays_bounded(form: str) -> None:
    part = RAW if form == "raw" else DATA.read_bytes()
    decode(part)
    endless = stream(Endless(part, 1000 * len(part)))
    tracemalloc.start()
    try:
        raws = read(endless, "test", versions().get, Form(form), refuse)
        assert sum(1 for _ in events(raws)) == 8000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


# --- what is no request -----------------------------------------------------------------

LIE = page(REQUESTS)[:8] + b"\x09\xff\xff\xff" + page(REQUESTS)[12:]
HURT = page(REQUESTS)[: 64 + 800] + b"\x06" + page(REQUESTS)[64 + 801 :]


@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        (
            "auto",
            REQUESTS[0] + REQUESTS[1][:120],
            "test: byte 400: the input ends 120 bytes into a request of 400",
        ),
        ("auto", b"\7\0\0", "test: byte 0: the input ends 3 bytes into a version word"),
        (
            "auto",
            REQUESTS[0] + b"\x63" + bytes(399),
            "test: byte 400: no request begins here: version 99 is unknown",
        ),
        (
            "auto",
            REQUESTS[0] + b"\0" + REQUESTS[1],
            "test: byte 400: no request begins here: version 1792 is unknown",
        ),
        (
            "auto",
            b"\xff" * 4096,
            "test: byte 64: no request begins here: version 4294967295 is unknown",
        ),
        (
            "page",
            bytes(100),
            "test: byte 100: a ring page has 4096 bytes, and the input ends after 100",
        ),
        (
            "page",
            bytes(5000),
            "test: byte 4096: a ring page has 4096 bytes, and the input goes on",
        ),
        (
            "auto",
            LIE,
            "test: byte 0: 255 requests wait (req_prod is 8, rsp_prod 4294967049), and"
            " the ring has 8 entries",
        ),
        (
            "auto",
            HURT,
            "test: byte 864: entry 2 waits and has version 6, the others have 7",
        ),
        (
            "auto",
            b'\n{"request": "07"',
            "test:2: byte 17: the line is not JSON: Expecting ',' delimiter",
        ),
        ("jsonl", b'{"\xff": 1}\n', "test:1: byte 2: the line is not UTF-8"),
        (
            "jsonl",
            '{"ä": 1]\n'.encode(),
            "test:1: byte 8: the line is not JSON: Expecting ',' delimiter",
        ),
        (
            "jsonl",
            b"[" * 100_000 + b"\n",
            "test:1: byte 0: the line is JSON beyond reading: maximum recursion depth"
            " exceeded while decoding a JSON array from a unicode string",
        ),
        (
            "auto",
            b'{"reason": 1}\n',
            'test:1: byte 0: the line is no object with a text under "request"',
        ),
        (
            "jsonl",
            b'["07000000"]\n',
            'test:1: byte 0: the line is no object with a text under "request"',
        ),
        (
            "auto",
            b'{"request": "0g"}\n',
            'test:1: byte 0: the text under "request" is not hexadecimal',
        ),
        (
            "auto",
            b'{"request": ""}\n',
            "test:1: byte 0: the request has 0 bytes, too few for a version",
        ),
        (
            "auto",
            b'{"request": "63000000"}\n',
            "test:1: byte 0: no request begins here: version 99 is unknown",
        ),
        (
            "auto",
            b'{"request": "07000000"}\n',
            "test:1: byte 0: the request has 4 bytes, those of version 7 have 400",
        ),
        (
            "auto",
            b'{"request": "%s"}\n' % (REQUESTS[0] + b"\0").hex().encode(),
            "test:1: byte 0: the request has 401 bytes, those of version 7 have 400",
        ),
        (
            "jsonl",
            b" " * (1 << 20) + b"{}\n",
            "test:1: byte 0: the line is longer than 1048576 bytes",
        ),
    ],
)
def test_what_is_no_request_is_told_with_its_place(
    form: str, data: bytes, message: str
) -> None:
    _, bad = decode(data, form)
    assert bad[0].message == message
    assert bad[0].advice
    assert message.startswith(
        f"test{f':{bad[0].line}' if bad[0].line else ''}: byte {bad[0].position}: "
    )
    with pytest.raises(DecodeError):
        list(read(io.BytesIO(data), "test", versions().get, Form(form), refuse))


class Broken(io.RawIOBase):
    """A stream whose second read fails."""

    def __init__(self) -> None:
        self.data = iter([RAW[:500]])

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        for data in self.data:
            return data
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_stream_that_cannot_be_read_is_told_as_such() -> None:
    raws = read(stream(Broken()), "test", versions().get, Form.RAW, print)
    assert next(raws).data == REQUESTS[0]
    with pytest.raises(DecodeError) as caught:
        next(raws)
    assert caught.value.message == "test: byte 500: cannot be read: Input/output error"


# --- going on behind it -----------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 3, 4, 52, 53, 399, 400, 401, 100_000])
def test_reading_goes_on_at_the_next_request(length: int) -> None:
    noise = b"\xee" * length
    found, bad = decode(RAW[:400] + noise + RAW[400:])
    assert said(found) == said(decode(RAW)[0])
    assert [event.index for event in found] == list(range(8))
    assert [event.position for event in found[:2]] == [0, 400 + length]
    assert [(error.position, error.skipped) for error in bad] == [(400, length)]


@pytest.mark.parametrize("edge", range(65_530, 65_540))
def test_the_next_request_is_found_wherever_it_begins(edge: int) -> None:
    """The search goes through windows of 65536 bytes."""
    data = b"\xee" * edge + RAW
    bad: list[DecodeError] = []
    parts = (data[at : at + 16] for at in range(0, len(data), 16))
    raws = read(stream(Trickle(parts)), "test", versions().get, Form.RAW, bad.append)
    found = list(events(raws))
    assert [error.skipped for error in bad] == [edge]
    assert len(found) == 8


@pytest.mark.parametrize(
    ("what", "start", "size"),
    [
        ("an unknown reason", struct.pack("<III", 7, 1, 999), 400),
        ("an unknown flag", struct.pack("<III", 7, 1 << 31, 1), 400),
        ("no request behind it", struct.pack("<III", 7, 1, 1), 401),
        ("an unknown version", struct.pack("<III", 999, 1, 1), 400),
    ],
)
def test_what_only_begins_like_a_request_is_not_taken_for_one(
    what: str, start: bytes, size: int
) -> None:
    noise = b"\xee" * 9 + start.ljust(size, b"\xee")
    found, bad = decode(noise + RAW, "raw")
    assert len(found) == 8, what
    assert [(error.position, error.skipped) for error in bad] == [(0, len(noise))]


def test_the_last_request_is_found_again() -> None:
    found, bad = decode(b"\xee" * 9 + REQUESTS[1], "raw")
    assert (said(found), len(bad)) == (said(decode(RAW)[0])[1:2], 1)


def test_a_request_that_is_cut_short_is_not_found_again() -> None:
    found, bad = decode(RAW[:400] + b"\xee" * 9 + REQUESTS[1][:120])
    assert len(found) == 1
    assert [(error.position, error.skipped) for error in bad] == [(400, 129)]


def test_a_cut_request_costs_no_more_than_the_next_one() -> None:
    found, bad = decode(RAW[:1500] + RAW[1600:])
    assert said(found)[4:] == said(decode(RAW)[0])[5:]
    assert [(error.position, error.skipped) for error in bad] == [(1600, 300)]


def test_a_bad_entry_of_a_page_is_left_out() -> None:
    found, bad = decode(HURT)
    good = said(decode(RAW)[0])
    assert said(found) == good[:2] + good[3:]
    assert [event.index for event in found] == [0, 1, 3, 4, 5, 6, 7]
    assert [(error.position, error.skipped) for error in bad] == [(864, 400)]


def test_the_first_entry_of_a_page_may_be_damaged() -> None:
    data = bytearray(page(REQUESTS, answered=1))
    data[64:68] = b"\xff" * 4
    found, bad = decode(bytes(data))
    assert (said(found), bad) == (said(decode(RAW)[0])[1:], [])


def test_a_bad_line_is_left_out() -> None:
    good = DATA.read_bytes()
    lines = [b"{}\n", b'{"request": 7}\n', b"{" + b" " * (3 << 20) + b"\n"]
    found, bad = decode(lines[0] + good + lines[1] + lines[2] + good)
    assert said(found) == 2 * said(decode(RAW)[0])
    assert [error.line for error in bad] == [1, 10, 11]
    assert [error.skipped for error in bad] == [len(line) for line in lines]


# --- whatever comes in ------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=5000), st.sampled_from([form.value for form in Form]))
def test_any_bytes_give_events_or_errors(data: bytes, form: str) -> None:
    for event in decode(data, form)[0]:
        assert text(event)
        assert as_json(event)["request"] == event.request.hex()


PIECES = st.one_of(
    st.sampled_from([*REQUESTS, request(1, 1), request(4, 3, 7)]),
    st.sampled_from([REQUESTS[0][:90], b"\7\0\0\0", b"\7", b"\0" * 8]),
    st.binary(max_size=20),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=30))
def test_every_byte_is_in_an_event_or_passed_over(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    found, bad = decode(data, "raw")
    sizes = [SIZES[numbers_of(event)["version"]] for event in found]
    parts = [
        *((event.position, size) for event, size in zip(found, sizes, strict=True)),
        *((error.position, error.skipped) for error in bad),
    ]
    end = 0
    for position, size in sorted(parts):
        assert position == end
        end += size
    assert end == len(data)


@settings(max_examples=100, deadline=None)
@given(
    st.randoms(use_true_random=True),
    st.integers(0, 2**32 - 1),
    st.integers(0, 9),
    st.sampled_from(sorted(VERSIONS)),
)
def test_any_page_gives_its_live_entries_or_errors(
    dice: random.Random, answered: int, waiting: int, version: int
) -> None:
    words = memoryview(bytearray(dice.randbytes(4096))).cast("I")
    words[0], words[2] = (answered + waiting) % 2**32, answered
    for slot in range(8):
        words[(64 + slot * SIZES[version]) // 4] = version
    found, bad = decode(words.tobytes(), "page")
    assert (len(found), len(bad)) == ((0, 1) if waiting > 8 else (waiting, 0))


def members(record: Any, path: str) -> Iterator[tuple[str, int]]:
    """The numbers in a generated class's object, by path, without padding and arrays."""
    for member in record._members_:
        value = getattr(record, member.name)
        inner = f"{path}.{member.c_name}"
        if isinstance(value, ctypes.Structure | ctypes.Union):
            yield from members(value, inner)
        elif isinstance(value, int) and not member.c_name.startswith("_pad"):
            yield inner, value


@pytest.mark.parametrize("version", sorted(VERSIONS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_agrees_with_the_generated_classes(version: int, data: st.DataObject) -> None:
    module = interface(version)
    size = ctypes.sizeof(module.vm_event_st)
    content = bytearray(data.draw(st.binary(min_size=size, max_size=size)))
    content[:4] = version.to_bytes(4, "little")
    content[8:12] = data.draw(st.integers(0, 17)).to_bytes(4, "little")
    arch = data.draw(st.sampled_from(["x86", "arm"] if version > 1 else ["x86"]))

    record = module.vm_event_st.from_buffer_copy(content)
    scalars = ("version", "flags", "reason", "vcpu_id", "altp2m_idx")
    expected = {name: getattr(record, name) for name in scalars}
    payload = module._PAYLOADS.get(record.reason)
    if payload is not None:
        expected.update(members(record.payload, f"u.{payload}"))
    registers = getattr(record.data.regs, arch)
    expected.update(members(registers, f"data.regs.{arch}"))

    (event,), bad = decode(bytes(content), "raw", arch)
    assert not bad
    assert event.plan.payload == payload
    assert numbers_of(event) == expected


def test_signed_members_enums_and_bit_fields(tmp_path: Path) -> None:
    """What no version of vm_event has, but C does."""
    header = """\
#define VM_EVENT_INTERFACE_VERSION 9
#include "io/ring.h"
enum colour { RED, GREEN };
struct vm_event_regs_x86 { int64_t big; int32_t low : 3; int32_t high : 29; };
typedef struct vm_event_st {
    uint32_t version;
    enum colour colour;
    int16_t delta;
    int8_t small;
    uint8_t bits : 3;
    union { union { struct vm_event_regs_x86 x86; } regs; } data;
} vm_event_request_t, vm_event_response_t;
DEFINE_RING_TYPES(vm_event, vm_event_request_t, vm_event_response_t);
"""
    tree(tmp_path, header)
    shutil.copytree(PROJECT / "headers" / "io", tmp_path / "io")
    loaded = replace(spec.load(SPEC).for_tree(tmp_path), payloads=(), rings={})
    declared = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    low_and_high = (-1 & 0x1FFF_FFFF) << 3 | 0b101  # -3 and -1 in 3 and 29 bits
    data = struct.pack("<IIhbB4xqI4x", 9, 1, -2, -100, 0b1111_1110, -5, low_and_high)
    numbers = {
        **{"version": 9, "colour": 1, "delta": -2, "small": -100, "bits": 0b110},
        "data.regs.x86.big": -5,
        "data.regs.x86.low": -3,
        "data.regs.x86.high": -1,
    }
    found = list(read(io.BytesIO(data), "test", {9: declared}.get, Form.RAW, refuse))
    (event,) = events(found)
    assert numbers_of(event) == numbers

    require(find_spec("pyarrow") is not None, "pyarrow")
    table.write(found, Shapes("x86"), tmp_path / "table", "arrow")
    assert load(tmp_path / "table", "arrow").to_pylist() == [
        {"position": 0, **numbers, "colour_name": "GREEN"}
    ]


# --- tables -----------------------------------------------------------------------------


def names(event: Event) -> dict[str, str]:
    """What stands beside the numbers that have names."""
    leaves = zip(event.plan.leaves, event.values, strict=True)
    return {
        f"{leaf.path}_name": leaf.names.of(number)
        for leaf, number in leaves
        if leaf.names is not None
    }


def load(path: Path, form: str) -> Any:
    require(find_spec("pyarrow") is not None, "pyarrow")
    import pyarrow
    from pyarrow import parquet

    if form == "parquet":
        return parquet.read_table(path)
    return pyarrow.ipc.open_file(str(path)).read_all()


def write(data: bytes, path: Path, form: str, arch: str = "x86") -> int:
    return table.write(runs(data), Shapes(arch), path, form)


def runs(data: bytes) -> Iterator[Run]:
    return read(io.BytesIO(data), "test", versions().get, Form.RAW, refuse)


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@pytest.mark.parametrize("batch", [3, 1 << 14])
def test_a_table_has_a_column_for_each_number(
    form: str, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    monkeypatch.setattr(table, "_BATCH", batch)
    target = tmp_path / "table"
    assert write(RAW, target, form) == 8
    loaded = load(target, form)
    paths = loaded.schema.names
    assert len(paths) == len(set(paths))
    expected = [
        {
            **dict.fromkeys(paths),
            "position": event.position,
            **numbers_of(event),
            **names(event),
        }
        for event in decode(RAW)[0]
    ]
    assert loaded.to_pylist() == expected
    assert loaded["u.write_ctrlreg.new_value"].to_pylist() == [
        *(None, 8, None, None, None, 32, None, None)
    ]
    assert str(loaded.schema.field("data.regs.x86.rip").type) == "uint64"
    assert str(loaded.schema.field("data.regs.x86.cs_sel").type) == "uint16"
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


@pytest.mark.parametrize("version", sorted(VERSIONS))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    dice=st.randoms(use_true_random=True),
    count=st.integers(1, 40),
    batch=st.integers(1, 50),
    piece=st.integers(1, 10),
    at_once=st.integers(1, 40),
)
def test_a_table_says_what_the_events_say(
    version: int,
    dice: random.Random,
    count: int,
    batch: int,
    piece: int,
    at_once: int,
    tmp_path: Path,
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    size = SIZES[version]
    recording = b"".join(
        struct.pack("<III", version, dice.getrandbits(32), dice.randrange(18))
        + dice.randbytes(size - 12)
        for _ in range(count)
    )
    cut = (
        run.only(range(start, min(start + at_once, len(run))))
        for run in runs(recording)
        for start in range(0, len(run), at_once)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_BATCH", batch)
        patch.setattr(gather, "_PIECE", piece)
        written = table.write(cut, Shapes("x86"), tmp_path / "table", "arrow")
    assert written == count
    told = load(tmp_path / "table", "arrow").to_pylist()
    found, _ = decode(recording)
    for row, event in zip(told, found, strict=True):
        said = {path: number for path, number in row.items() if number is not None}
        expected = {"position": event.position, **numbers_of(event), **names(event)}
        assert said == expected


def test_a_table_of_lines_and_of_a_page(tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    for data in (DATA.read_bytes(), page(REQUESTS, start=5)):
        found = read(io.BytesIO(data), "test", versions().get, Form.AUTO, refuse)
        table.write(found, Shapes("x86"), tmp_path / "table", "arrow")
        told = load(tmp_path / "table", "arrow")["position"].to_pylist()
        assert told == [event.position for event in decode(data)[0]]


def test_a_table_has_every_member_that_a_reason_may_select(tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    all_reasons = b"".join(request(7, reason, 5) for reason in range(17))
    write(all_reasons, tmp_path / "table", "arrow")
    loaded = load(tmp_path / "table", "arrow")
    assert all(column.null_count < 17 for column in loaded.columns)


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "there is no event to write"),
        (RAW + request(6, 1), "event 8 is of version 6, those before it of version 7"),
        (RAW + b"\7", "test: byte 3200: the input ends 1 bytes into a version word"),
    ],
)
def test_what_makes_no_table_leaves_the_old_one(
    form: str, data: bytes, message: str, tmp_path: Path
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    target = tmp_path / "table"
    target.write_text("old")
    with pytest.raises(XenbindError) as caught:
        write(data, target, form)
    assert caught.value.message == message
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


@pytest.mark.parametrize("target", ["none/table", "file/table", "folder"])
def test_a_table_that_cannot_be_written(target: str, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(SystemFailure, match=f"cannot write {tmp_path / target}: "):
        write(RAW, tmp_path / target, "parquet")


def test_a_table_through_a_link_and_into_a_pipe(tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "target")
    write(RAW, link, "arrow")
    assert link.is_symlink()
    whole = (tmp_path / "target").read_bytes()

    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(RAW, pipe, "arrow")
    assert os.read(reader, 1 << 20) == whole
    os.close(reader)


def test_without_pyarrow_it_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(XenbindError) as caught:
        write(RAW, tmp_path / "table", "parquet")
    assert caught.value.message.startswith("writing parquet needs pyarrow and numpy: ")
    assert caught.value.advice == "pip install 'xenbind[arrow]'"


# --- the command ------------------------------------------------------------------------


def test_the_command(tmp_path: Path) -> None:
    recording = tmp_path / "requests.bin"
    recording.write_bytes(RAW + b"\x63\0\0\0" + RAW)
    result = xenbind("decode", recording)
    assert result.returncode == 1
    assert result.stdout.count("#") == 8
    assert result.stderr.startswith(
        f"xenbind: error: {recording}: byte 3200: no request begins here: version 99"
    )
    shown = xenbind("decode", recording, "--json", "--skip-bad")
    assert [json.loads(line)["version"] for line in shown.stdout.splitlines()] == [
        7
    ] * 16
    assert xenbind("decode", tmp_path / "none").stderr.startswith(
        "xenbind: error: cannot read"
    )
    assert xenbind("decode", recording, "--format", "arrow").returncode == 2


def test_the_command_folds_lines_for_a_terminal_alone() -> None:
    piped = xenbind("decode", DATA, COLUMNS="60").stdout
    assert max(map(len, piped.splitlines())) > 200
    for columns in (60, 100):
        shown = on_terminal("decode", DATA, columns=columns)
        assert columns - 20 < max(map(len, shown.splitlines())) <= columns
        assert shown.split() == piped.split()


@pytest.mark.parametrize("form", ["auto", "jsonl"])
def test_what_the_command_prints_as_json_it_reads_again(
    form: str, tmp_path: Path
) -> None:
    first = xenbind("decode", DATA, "--json").stdout
    again = tmp_path / "again"
    again.write_text(first)
    second = xenbind("decode", again, "--json", "--input", form).stdout
    first_read, second_read = (
        [json.loads(line) for line in printed.splitlines()]
        for printed in (first, second)
    )
    assert [line["request"] for line in first_read] == [one.hex() for one in REQUESTS]
    for line in (*first_read, *second_read):
        del line["position"]  # in another file it is another
    assert first_read == second_read


def test_what_help_says_of_pipes_works(tmp_path: Path) -> None:
    help_text = xenbind("decode", "--help").stdout
    lines = re.findall(r"^  +(.* \| xenbind decode .*)$", help_text, re.MULTILINE)
    (tmp_path / "events.raw").write_bytes(RAW)
    (tmp_path / "page.dump").write_bytes(page(REQUESTS))
    told = []
    for line in lines:
        line = line.replace("xenbind", f"{sys.executable} -m xenbind")
        line = line.replace("tail", "timeout 5 tail")  # which would follow it for ever
        run = subprocess.run(
            line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert run.stderr == ""
        told.append(run.stdout.count("reason="))
    assert told == [8, 2]


def test_the_command_writes_a_table(tmp_path: Path) -> None:
    target = tmp_path / "table"
    require(find_spec("pyarrow") is not None, "pyarrow")
    shown = xenbind("decode", DATA, "--format", "parquet", "--output", target)
    assert shown.stdout == f"{target}: 8 events\n"
    assert load(target, "parquet").num_rows == 8
