"""`decode --hex`: each event's bytes as the generated package's `dump` shows them."""

from __future__ import annotations

import ctypes
import random
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from golden_files import check_golden
from recordings import REQUESTS
from support import PROJECT, SPEC, xenbind
from terminal import on_terminal
from xen_vm_event import VERSIONS, interface, v7
from xenbind import pipeline, spec
from xenbind.commands.decode.bytes_text import BytesText
from xenbind.commands.decode.events import ARCHES, Event, Shapes
from xenbind.commands.decode.stream import Run
from xenbind.ir.interface import Interface

DATA = PROJECT / "tests" / "data" / "requests-v7.jsonl"
GOLDEN = PROJECT / "tests" / "golden" / "decode"
COLOUR = re.compile(r"\x1b\[\d+m")
ROW = re.compile(r" {4}([0-9a-f]{4} [| ](?:\x1b\[\d+m)?[0-9a-f]{2}\b.*)")
ENTRY = re.compile(r" {4}([0-9a-f.]+) +(\d+(?: bits?)?)  (\S+)")


@cache
def versions() -> dict[int, Interface]:
    loaded = spec.load(SPEC)
    return {v.number: pipeline.read(loaded, v, ("gcc",)) for v in loaded.versions}


def event(octets: bytes, version: int, arch: str) -> Event:
    run = Run.on_end(0, 0, octets, len(octets), versions()[version])
    (found,) = Shapes(arch).of(run).events(run)
    return found


def rows(text: str) -> list[str]:
    return [row[1] for row in map(ROW.fullmatch, text.splitlines()) if row]


def legend(text: str) -> list[tuple[str, ...]]:
    lines = COLOUR.sub("", text).splitlines()
    return [found.groups() for found in map(ENTRY.fullmatch, lines) if found]


def dumped(record: Any, arch: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """The rows of bytes that the package shows, and the legend's places, sizes and members."""
    octets, _, below = record.dump(f"data.regs.{arch}", colour=True).partition("\n\n")
    lines = COLOUR.sub("", below).splitlines()[1:]
    entries = [re.split(r" {2,}", line)[:3] for line in lines]
    return octets.splitlines(), [
        tuple(entry) for entry in entries if entry[1:] and entry[2:] != ["-"]
    ]


@pytest.mark.parametrize("number", VERSIONS)
def test_bytes_and_legend_are_those_of_the_package_s_records(number: int) -> None:
    chosen = random.Random(number)
    module = interface(number)
    registers = module.vm_event_st().data.regs
    arches = [arch for arch in ARCHES if hasattr(registers, arch)]
    for reason in (*module.VmEventReason, 999):
        for arch in arches:
            octets = chosen.randbytes(ctypes.sizeof(module.vm_event_st))
            record = module.vm_event_st.from_buffer_copy(octets)
            record.version, record.reason = number, reason
            told = BytesText(None, True)(event(bytes(record), number, arch))
            assert (rows(told), legend(told)) == dumped(record, arch)


def test_a_member_has_its_place_told_once() -> None:
    tell = BytesText(None, False)
    first, again, other = (REQUESTS[0], REQUESTS[0], REQUESTS[1])
    everything = legend(tell(event(first, 7, "x86")))
    assert ("00d0", "8", "data.regs.x86.rip") in everything
    assert legend(tell(event(again, 7, "x86"))) == []
    assert {
        path.split(".")[0] for _, _, path in legend(tell(event(other, 7, "x86")))
    } == {"u"}


def test_a_member_has_one_colour_in_all_events() -> None:
    tell = BytesText(None, True)
    for octets in REQUESTS:
        shown = "\n".join(rows(tell(event(octets, 7, "x86"))))
        (row,) = (line for line in shown.splitlines() if line.startswith("00d0"))
        assert re.findall(r"\x1b\[(\d+)m", row)[0] == str(
            (36, 32, 33, 35, 34, 31, 39)[0xD0 % 7]
        )


def test_what_is_printed_into_a_pipe() -> None:
    result = xenbind("decode", "--hex", DATA)
    assert (result.returncode, result.stderr) == (0, "")
    check_golden(GOLDEN / "hex.txt", result.stdout)
    words = xenbind("decode", DATA).stdout
    shown = [
        line
        for line in result.stdout.splitlines()
        if not (
            ROW.fullmatch(line) or ENTRY.fullmatch(line) or line.endswith("  member")
        )
    ]
    assert shown == words.splitlines()


def test_what_is_printed_on_a_terminal() -> None:
    arguments = ("decode", "--hex", "--reason", "cpuid", DATA)
    shown = on_terminal(*arguments, columns=120)
    check_golden(GOLDEN / "hex-coloured.txt", shown)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        plain = on_terminal(*arguments, columns=120, environment={name: value})
        assert plain == COLOUR.sub("", shown)


def test_records_of_a_type_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "pair.h").write_text(
        "struct in { unsigned a : 4, : 8, b : 12; char c[3]; };\n"
        "struct pair { char first; struct in in[2]; struct in last;\n"
        "              union { short x[2]; struct { char low, high; }; }; };\n"
        "union late { int whole; struct { unsigned : 4, high : 4; char next; }; };\n"
    )
    (tmp_path / "pair.toml").write_text(
        '[interface]\nname = "pair"\nheader = "pair.h"\npackage = "pair"\ninclude = ["."]\n'
    )
    (tmp_path / "pairs").write_bytes(bytes(range(32)))
    options = ("--spec", "pair.toml", "--record", "pair")
    result = xenbind("decode", "pairs", "--hex", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert rows(result.stdout)[0].startswith("0000 |00|01 02 03|04 05 06")
    paths = [path for _, _, path in legend(result.stdout)]
    assert paths[:5] == ["first", "in", "last.a", "last.b", "last.c"]
    options = ("--spec", "pair.toml", "--record", "late")
    result = xenbind("decode", "pairs", "--hex", *options, cwd=tmp_path)
    assert [path for _, _, path in legend(result.stdout)] == ["whole"]


def test_a_record_of_many_elements_is_told_in_seconds(tmp_path: Path) -> None:
    """At the square of their number it would be minutes."""
    count = 60_000
    (tmp_path / "many.h").write_text(f"struct many {{ char each[{count}]; }};\n")
    (tmp_path / "many.toml").write_text(
        '[interface]\nname = "many"\nheader = "many.h"\npackage = "many"\ninclude = ["."]\n'
    )
    (tmp_path / "record").write_bytes(bytes(count))
    begun = time.monotonic()
    options = ("--spec", "many.toml", "--record", "many")
    result = xenbind("decode", "record", "--hex", *options, cwd=tmp_path)
    assert time.monotonic() - begun < 30
    assert f"each[{count - 1}]=0" in result.stdout
    assert len(rows(result.stdout)) == count / 16


def test_hexadecimal_numbers_in_json_are_as_they_were() -> None:
    line = xenbind("decode", "--hex", "--json", DATA).stdout.splitlines()[0]
    assert "\n" not in line and '"0x' in line
    assert v7.vm_event_st.from_buffer_copy(REQUESTS[0]).data.regs.x86.rip == 0x100001
