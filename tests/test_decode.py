"""Decoding recorded requests: real ones field by field, and whatever else comes in.

tests/data/requests-v7.jsonl holds requests as a Xen 4.17 hypervisor wrote them.
"""

from __future__ import annotations

import ctypes
import io
import json
import random
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PROJECT, SPEC, require, xenbind
from xen_vm_event import VERSIONS, interface
from xenbind import pipeline, spec
from xenbind.decode import Event, events
from xenbind.decodetext import text, to_json
from xenbind.ir import Interface
from xenbind.recordings import DecodeError, read

DATA = PROJECT / "tests" / "data" / "requests-v7.jsonl"
GOLDEN = PROJECT / "tests" / "golden" / "decode"
LINES = [json.loads(line) for line in DATA.read_text().splitlines()]
REQUESTS = [bytes.fromhex(line["request"]) for line in LINES]

MSR = {"msr": 0xC000_0082, "new_value": 0xFFFF_FFFF_81C0_0080, "old_value": 0}
DESCRIPTOR = {"descriptor": 2, "is_write": 1}
NO_VMX = {"arch.vmx.instr_info": 0, "arch.vmx.exit_qualification": 0}

# Reason, details, and rip, cr0, cr4, rsp, rflags and rax of the eight real requests.
REAL: list[tuple[str, dict[str, int], tuple[int, ...]]] = [
    ("DESCRIPTOR_ACCESS", {**NO_VMX, **DESCRIPTOR}, (0x100001, 0x11, 0, 0, 2, 0)),
    (
        "WRITE_CTRLREG",
        {"index": 2, "new_value": 8, "old_value": 0},
        (0x100049, 0x11, 0, 0x101180, 2, 8),
    ),
    ("GUEST_REQUEST", {}, (0x100058, 0x11, 8, 0x101180, 0x46, 0x22)),
    (
        "MOV_TO_MSR",
        {"msr": 0x174, "new_value": 8, "old_value": 0},
        (0x100067, 0x11, 8, 0x101180, 0x46, 8),
    ),
    (
        "CPUID",
        {"insn_length": 2, "leaf": 0x12345, "subleaf": 0},
        (0x100070, 0x11, 8, 0x101180, 0x46, 0),
    ),
    (
        "WRITE_CTRLREG",
        {"index": 2, "new_value": 0x20, "old_value": 0},
        (0x1000880, 0x11, 0, 0x31484D0, 2, 0x20),
    ),
    (
        "CPUID",
        {"insn_length": 2, "leaf": 0x4000_0000, "subleaf": 0},
        (0xFFFF_FFFF_8107_E59F, 0x8000_0011, 0x20, 0x3148478, 0x46, 0x4000_0005),
    ),
    (
        "MOV_TO_MSR",
        MSR,
        (
            *(0xFFFF_FFFF_8107_E914, 0x8005_0033, 0x100B0),
            *(0xFFFF_FFFF_82A0_3EE0, 7, 0x81C0_0080),
        ),
    ),
]


@cache
def versions() -> dict[int, Interface]:
    loaded = spec.load(SPEC)
    return {v.number: pipeline.read(loaded, v, ("gcc",)) for v in loaded.versions}


def decode(data: bytes, form: str = "auto") -> tuple[list[Event], list[DecodeError]]:
    """All events in some bytes, and what was no request, passed over."""
    bad: list[DecodeError] = []
    raws = read(io.BytesIO(data), "test", versions().get, form, bad.append)
    return list(events(raws)), bad


def page(requests: list[bytes], start: int = 0, answered: int = 0) -> bytes:
    """A ring page in which requests were put from index `start` on, some answered since."""
    data = bytearray(4096)
    size = len(requests[0])
    for index, request in enumerate(requests, start):
        at = 64 + index % 8 * size
        data[at : at + size] = request
    words = memoryview(data).cast("I")
    words[0] = (start + len(requests)) % 2**32
    words[2] = (start + answered) % 2**32
    return bytes(data)


LIE = page(REQUESTS)[:8] + b"\x09\xff\xff\xff" + page(REQUESTS)[12:]
NOISE = b"\xfe" * 8 + b"\xff" * 4088


@pytest.mark.parametrize("number", range(len(REAL)))
def test_a_real_request_says_what_the_guest_did(number: int) -> None:
    reason, details, registers = REAL[number]
    (event,), bad = decode(REQUESTS[number])
    content = to_json(event)
    assert not bad
    assert content["version"] == 7
    assert (content["reason_name"], content["details"]) == (reason, details)
    assert content["flags_name"] == "VCPU_PAUSED"
    names = ("rip", "cr0", "cr4", "rsp", "rflags", "rax")
    assert tuple(content["registers"][name] for name in names) == registers


def test_the_recorded_reasons() -> None:
    found, _ = decode(DATA.read_bytes())
    stated = [
        line["reason"].replace("DESC_ACCESS", "DESCRIPTOR_ACCESS") for line in LINES
    ]
    assert [to_json(event)["reason_name"] for event in found] == stated


def test_the_words_for_real_requests() -> None:
    found, _ = decode(DATA.read_bytes())
    check_golden(
        GOLDEN / "requests.txt", "".join(f"{text(event)}\n" for event in found)
    )
    lines = [json.dumps(to_json(event)) for event in found]
    check_golden(GOLDEN / "requests.jsonl", "".join(f"{line}\n" for line in lines))


def test_all_forms_say_the_same() -> None:
    expected = [event.details for event in decode(DATA.read_bytes())[0]]
    for data in (b"".join(REQUESTS), page(REQUESTS), page(REQUESTS, start=2**32 - 3)):
        found, bad = decode(data)
        assert ([event.details for event in found], bad) == (expected, [])


def test_the_indices_tell_which_entries_of_a_page_are_live() -> None:
    found, _ = decode(page(REQUESTS, start=5, answered=6))
    assert [event.head for event in found] == [
        event.head for event in decode(b"".join(REQUESTS[6:]))[0]
    ]
    assert [event.position for event in found] == [64 + 3 * 400, 64 + 4 * 400]
    assert decode(page(REQUESTS, answered=8)) == ([], [])
    assert decode(bytes(4096)) == ([], [])


@pytest.mark.parametrize(
    ("what", "data", "form", "position", "message"),
    [
        (
            "truncated",
            REQUESTS[0] + REQUESTS[1][:120],
            "auto",
            400,
            "cut short: 120 of 400",
        ),
        ("three bytes", b"\7\0\0", "auto", 0, "cut short: 3 of 4 bytes"),
        (
            "wrong version",
            REQUESTS[0] + b"\x63" + bytes(399),
            "auto",
            400,
            "version word is 99",
        ),
        (
            "short page",
            bytes(100),
            "page",
            0,
            "a ring page has 4096 bytes, this has 100",
        ),
        ("long page", bytes(5000), "page", 0, "this has more than 4096"),
        ("page of a lie", LIE, "auto", 0, "requests wait in a ring of 8"),
        ("page of noise", NOISE, "auto", 64, "holds no request of a known version"),
        ("bad JSON", b'{"request": "07"\n', "auto", 0, "line 1: "),
        ("no request", b'{"reason": 1}\n', "auto", 0, "line 1: no 'request'"),
        (
            "bad hexadecimal",
            b'{"request": "0g"}\n',
            "auto",
            0,
            "line 1: non-hexadecimal",
        ),
        (
            "short line",
            b'\n{"request": "07000000"}\n',
            "auto",
            1,
            "has 4 bytes, not 400",
        ),
        ("unknown line", b'{"request": "63000000"}\n', "auto", 0, "version word is 99"),
    ],
)
def test_what_is_no_request_is_told_by_its_byte(
    what: str, data: bytes, form: str, position: int, message: str
) -> None:
    _, bad = decode(data, form)
    assert bad, what
    assert bad[0].position == position
    assert message in bad[0].message
    assert bad[0].message.startswith(f"test: byte {position}: ")


def test_reading_goes_on_behind_what_is_bad() -> None:
    noise = b"\xee" * 52
    found, bad = decode(REQUESTS[0] + noise + REQUESTS[1] + REQUESTS[2])
    assert [event.position for event in found] == [0, 452, 852]
    assert [error.position for error in bad] == [400]


def test_unknown_reasons_are_kept() -> None:
    request = bytearray(REQUESTS[0])
    request[8] = 77
    (event,), bad = decode(bytes(request))
    assert not bad
    assert to_json(event)["reason_name"] == "UNKNOWN_77"
    assert (event.payload, event.details) == (None, {})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from(["auto", "raw", "page", "jsonl"]))
def test_any_bytes_give_events_or_errors(data: bytes, form: str) -> None:
    for event in decode(data, form)[0]:
        assert text(event)
        json.dumps(to_json(event))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from([*REQUESTS, b"\x07\0\0\0", b"\xff" * 8, b"\x01"]), max_size=30
    )
)
def test_any_mixture_is_read_to_its_end(parts: list[bytes]) -> None:
    found, _ = decode(b"".join(parts), "raw")
    assert len(found) <= len(parts)


def value_at(record: Any, path: str) -> int:
    for name in path.split("."):
        record = getattr(record, "in_" if name == "in" else name)
    assert isinstance(record, int)
    return record


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_agrees_with_the_generated_classes(version: int) -> None:
    module = interface(version)
    dice = random.Random(version)
    size = ctypes.sizeof(module.vm_event_st)
    for reason in range(18):
        request = bytearray(dice.randbytes(size))
        request[:4] = version.to_bytes(4, "little")
        request[8:12] = reason.to_bytes(4, "little")
        (event,), bad = decode(bytes(request))
        record = module.vm_event_st.from_buffer(request)
        assert not bad
        assert (event.payload is None) == (record.payload is None)
        for leaf, value in {**event.head, **event.details, **event.registers}.items():
            assert value == value_at(record, leaf.path), leaf.path


def test_the_command(tmp_path: Path) -> None:
    recording = tmp_path / "requests.bin"
    recording.write_bytes(b"".join(REQUESTS) + b"\x63\0\0\0")
    result = xenbind("decode", recording)
    assert result.returncode == 1
    assert result.stdout.count("#") == 8
    assert result.stderr.startswith(
        f"xenbind: error: {recording}: byte 3200: no request of a known version"
    )
    shown = xenbind("decode", recording, "--json", "--skip-bad")
    assert [json.loads(line)["version"] for line in shown.stdout.splitlines()] == [
        7
    ] * 8
    assert xenbind("decode", tmp_path / "none").stderr.startswith(
        "xenbind: error: cannot read"
    )
    assert xenbind("decode", recording, "--format", "arrow").returncode == 2


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_table_has_a_column_for_each_number(form: str, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    import pyarrow
    from pyarrow import parquet

    target = tmp_path / "table"
    shown = xenbind("decode", DATA, "--format", form, "--output", target)
    assert shown.stdout == f"{target}: 8 events\n"
    if form == "arrow":
        table = pyarrow.ipc.open_file(target).read_all()
    else:
        table = parquet.read_table(target)
    assert table["u.write_ctrlreg.new_value"].to_pylist() == [
        *(None, 8, None, None, None, 32, None, None)
    ]
    rips = [registers[0] for _, _, registers in REAL]
    assert table["data.regs.x86.rip"].to_pylist() == rips
