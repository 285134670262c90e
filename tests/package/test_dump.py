"""What `dump` shows of a record: each byte once, at its offset, and what the members hold."""

from __future__ import annotations

import ctypes
import importlib
import io
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from golden_files import check_golden
from recordings import REQUESTS
from support import PROJECT, require, tree, xenbind
from xen_vm_event import VERSIONS, interface, v7

GOLDEN = PROJECT / "tests" / "golden" / "dump"
COLOUR = re.compile(r"\x1b\[\d+m")
FOREIGN = ("bpf", "videodev2")
HEADER = """\
struct bits { unsigned low : 3; unsigned : 2; int high : 7; unsigned char next; };
struct gaps { char first; int second; char third; };
struct tight { char c; uint64_t wide; short odd : 5; } __attribute__((packed));
struct flexible { unsigned short count; unsigned char items[]; };
struct nothing { };
struct choice { int kind; union { struct { short a, b; }; int whole; }; };
union what { struct { short a, b, c; }; long whole; struct { char d, e; }; };
union late { int whole; struct { unsigned : 4, high : 4; unsigned char next; }; };
struct own { int dump; struct gaps gaps[2]; int in; };
"""


def package(folder: Path, spec: Path) -> ModuleType:
    """The module of a header that a spec tells of."""
    made = xenbind("generate", "--spec", spec, "--out", folder / "out")
    assert made.returncode == 0, made.stderr
    (init,) = (folder / "out").glob("*/v0.py")
    sys.path.insert(0, str(folder / "out"))
    try:
        return importlib.import_module(f"{init.parent.name}.v0")
    finally:
        sys.path.remove(str(folder / "out"))


@pytest.fixture(scope="module")
def py(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("dump")
    tree(folder, HEADER)
    (folder / "spec.toml").write_text(
        '[interface]\nname = "dumped"\npackage = "dumped_package"\n'
        'header = "vm_event.h"\ninclude = ["."]\nneeds = ["stdint.h"]\n'
    )
    return package(folder, folder / "spec.toml")


@pytest.fixture(scope="module", params=FOREIGN)
def foreign(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ModuleType:
    header = Path("/usr/include/linux") / f"{request.param}.h"
    require(header.exists(), str(header))
    folder = tmp_path_factory.mktemp(request.param)
    spec = folder / "spec.toml"
    begun = xenbind("init", header, "--out", spec)
    assert begun.returncode == 0, begun.stderr
    return package(folder, spec)


def rows(text: str) -> tuple[list[str], list[str], list[str]]:
    """The rows of bytes, the legend without its headings, and the notes below."""
    octets, _, below = text.rpartition("\n\n")
    _, *lines = below.splitlines()
    notes = [line for line in lines if re.search(r" is shown as \S+, may be ", line)]
    return octets.splitlines(), [one for one in lines if one not in notes], notes


def shown_bytes(text: str) -> bytes:
    found = b""
    for row in rows(text)[0]:
        place, cells = row.split(" ", 1)
        assert int(place, 16) == len(found)
        assert re.fullmatch(r"([| ][0-9a-f]{2}){1,16}", cells)
        found += bytes.fromhex(cells.replace("|", " "))
    return found


def legend(text: str) -> list[list[str]]:
    """Place, size, member, type and value of each line."""
    return [re.split(r" {2,}", line, maxsplit=4) for line in rows(text)[1]]


def value_at(record: Any, path: str) -> Any:
    for step in path.split("."):
        (member,) = (one for one in record._members_ if one.c_name == step)
        record = getattr(record, member.name)
    return record


def records_of(module: ModuleType) -> Iterator[Any]:
    for item in vars(module).values():
        if hasattr(item, "_members_") and item.__module__ == module.__name__:
            yield item


def check(record: Any) -> None:
    """Hold what is shown of a record against its bytes, its members and its size."""
    text = record.dump(colour=False)
    assert shown_bytes(text) == bytes(record)
    covered = bytearray(len(bytes(record)))
    for place, size, path, *said in legend(text):
        start, _, bit = place.partition(".")
        if bit:
            bits = int(size.split()[0])
            first = 8 * int(start, 16) + int(bit)
            covered[first // 8 : -(-(first + bits) // 8)] = b"\1" * (
                -(-(first + bits) // 8) - first // 8
            )
        else:
            end = int(start, 16) + int(size)
            if path == "-":
                assert not any(covered[int(start, 16) : end])
            covered[int(start, 16) : end] = b"\1" * int(size)
        if path == "-":
            assert said == ["no member"]
            continue
        value = value_at(record, path)
        if isinstance(value, int) and re.fullmatch(r"-?[0-9]+|0x[0-9a-f]+", said[1]):
            assert int(said[1], 0) == value, path
        elif not isinstance(value, int | ctypes.Union):
            shown = said[1] if len(said) > 1 else ""
            assert shown, path
    assert all(covered)


def test_a_real_request() -> None:
    record = v7.vm_event_st.from_buffer_copy(REQUESTS[0])
    check_golden(GOLDEN / "request.txt", record.dump(colour=False) + "\n")
    check_golden(GOLDEN / "request-coloured.txt", record.dump(colour=True) + "\n")


def test_colour_adds_nothing_but_colour() -> None:
    for octets in REQUESTS:
        record = v7.vm_event_st.from_buffer_copy(octets)
        coloured = record.dump(colour=True)
        assert COLOUR.sub("", coloured) == record.dump(colour=False)
        assert len(COLOUR.findall(coloured)) >= 2 * len(octets)


@pytest.mark.parametrize("number", VERSIONS)
def test_every_byte_is_there_once_and_every_value_is_the_member_s(number: int) -> None:
    chosen = random.Random(number)
    module = interface(number)
    for cls in records_of(module):
        for _ in range(3):
            check(cls.from_buffer_copy(chosen.randbytes(ctypes.sizeof(cls))))
    for reason in module.VmEventReason:
        octets = chosen.randbytes(ctypes.sizeof(module.vm_event_st))
        request = module.vm_event_st.from_buffer_copy(octets)
        request.reason = reason
        check(request)


def test_foreign_records(foreign: ModuleType) -> None:
    chosen = random.Random(1)
    found = list(records_of(foreign))
    assert len(found) > 50
    for cls in found:
        check(cls())
        check(cls.from_buffer_copy(chosen.randbytes(ctypes.sizeof(cls))))


def test_tiny_records(py: ModuleType) -> None:
    chosen = random.Random(2)
    for cls in records_of(py):
        for _ in range(20):
            check(cls.from_buffer_copy(chosen.randbytes(ctypes.sizeof(cls))))
    assert (
        py.nothing().dump(colour=False).split() == "at size member type value".split()
    )


def test_bit_fields_are_told_by_their_bits(py: ModuleType) -> None:
    text = py.bits(low=5, high=-3, next=7).dump(colour=False)
    assert rows(text)[0] == ["0000 |a5 0f|07|00"]
    assert legend(text)[:3] == [
        ["0000.0", "3 bits", "low", "unsigned int", "5"],
        ["0000.5", "7 bits", "high", "int", "-3"],
        ["0002", "1", "next", "unsigned char", "7"],
    ]


def test_holes_and_padding_are_no_member_s(py: ModuleType) -> None:
    record = py.gaps.from_buffer_copy(bytes(range(12)))
    text = record.dump(colour=False)
    assert rows(text)[0] == ["0000 |00|01 02 03|04 05 06 07|08|09 0a 0b"]
    assert [line[:3] for line in legend(text)] == [
        ["0000", "1", "first"],
        ["0001", "3", "-"],
        ["0004", "4", "second"],
        ["0008", "1", "third"],
        ["0009", "3", "-"],
    ]
    assert "|\x1b[2m01\x1b[0m" in record.dump(colour=True)


def test_the_member_that_the_reason_selects_is_opened() -> None:
    request = v7.vm_event_st(version=7, reason=v7.VM_EVENT_REASON_CPUID)
    request.u.cpuid.leaf = 0x1234
    text = request.dump(colour=False)
    assert ["001c", "4", "u.cpuid.leaf", "uint32_t", "4660"] in legend(text)
    assert not any("mem_access" in line for line in text.splitlines())
    request.reason = v7.VM_EVENT_REASON_GUEST_REQUEST
    assert ["0018", "32", "u", "vm_event_st_u", "vm_event_st_u()"] in legend(
        request.dump(colour=False)
    )


def test_another_member_of_a_union_is_shown_when_asked_for() -> None:
    request = v7.vm_event_st(version=7, reason=v7.VM_EVENT_REASON_CPUID)
    text = request.dump(colour=False)
    assert rows(text)[2] == [
        "data is shown as regs, may be emul",
        "data.regs is shown as x86, may be arm",
    ]
    text = request.dump("data.regs.arm", "u.singlestep", colour=False)
    paths = [line[2] for line in legend(text)]
    assert {"data.regs.arm.pc", "u.singlestep.gfn"} <= set(paths)
    assert rows(text)[2] == []
    with pytest.raises(ValueError, match=r"no union's member 'data\.regs\.mips'"):
        request.dump("data.regs.mips")


def test_what_a_union_has_without_a_name_goes_together(py: ModuleType) -> None:
    text = py.what().dump(colour=False)
    assert [line[2] for line in legend(text)] == ["a", "b", "c", "-"]
    assert rows(text)[2] == ["the union is shown as a, may be whole, d"]
    assert [line[2] for line in legend(py.what().dump("e", colour=False))] == list(
        "de-"
    )


def test_what_overlaps_in_a_union_is_not_shown_together(py: ModuleType) -> None:
    """Also where a struct without a name begins with bits of no name."""
    text = py.late(whole=-1).dump(colour=False)
    assert [line[2] for line in legend(text)] == ["whole"]
    assert rows(text)[2] == ["the union is shown as whole, may be high"]
    shown = legend(py.late().dump("next", colour=False))
    assert [line[2] for line in shown] == ["high", "next", "-"]


def test_a_member_called_dump_is_renamed_as_one_called_copy_is(py: ModuleType) -> None:
    record = py.own(dump_=3, in_=4)
    found = legend(record.dump(colour=False))
    assert ["0000", "4", "dump", "int", "3"] in found
    assert ["001c", "4", "in", "int", "4"] in found
    (gaps,) = (line for line in found if line[2] == "gaps")
    assert gaps[:2] == ["0004", "24"] and gaps[3] == "gaps[2]"


def test_a_ring_s_request_is_dumped_as_any() -> None:
    page = bytearray(4096)
    sent = v7.vm_event_st.from_buffer_copy(REQUESTS[0])
    with v7.FrontRing(page) as front:
        front.send(sent)
        front.push_requests_and_check_notify()
    request = next(v7.BackRing(page).requests())
    assert request.dump(colour=False) == sent.dump(colour=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    record = v7.vm_event_cpuid()
    plain, coloured = record.dump(colour=False), record.dump(colour=True)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert record.dump() == plain
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert record.dump() == coloured
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as within:
            within.setenv(name, value)
            assert record.dump() == plain
            assert record.dump(colour=True) == coloured
    monkeypatch.setattr(sys, "stdout", None)
    assert record.dump() == plain
