"""Decoding what a monitor records: times, answers, choices, counts, and tables of many guests."""

from __future__ import annotations

import csv
import ctypes
import io
import json
import os
import re
import struct
import subprocess
import sys
import tracemalloc
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import REQUESTS, STARTED, STEP, played, record, taken
from support import PROJECT, SPEC, require, xenbind
from xen_vm_event import v3, v4, v6, v7
from xen_vm_event.monitor import MonitorError, Recording, recorded_requests
from xenbind import pipeline, spec
from xenbind.commands.decode import session_head, session_records, table
from xenbind.commands.decode.choice import since
from xenbind.commands.decode.events import Event, Shapes
from xenbind.commands.decode.json_text import JsonText
from xenbind.commands.decode.recording import Form, read
from xenbind.commands.decode.statistics import Latencies, Statistics
from xenbind.commands.decode.stream import DecodeError, Torn
from xenbind.commands.decode.text import text
from xenbind.errors import UsageError
from xenbind.ir.interface import Interface

GOLDEN = PROJECT / "tests" / "golden" / "decode"
HEADER = 24  # bytes of a record before its body


@cache
def version(number: int) -> Interface | None:
    loaded = spec.load(SPEC)
    found = next((v for v in loaded.versions if v.number == number), None)
    return pipeline.read(loaded, found, ("gcc",)) if found else None


def decode(
    data: bytes, arch: str | None = None
) -> tuple[list[Event], list[DecodeError]]:
    bad: list[DecodeError] = []
    shapes = Shapes(arch)
    runs = read(io.BytesIO(data), "test", version, Form.AUTO, bad.append)
    return [event for run in runs for event in shapes.of(run).events(run)], bad


def recorded(path: Path, **options: Any) -> bytes:
    record(path, **options)
    return path.read_bytes()


@pytest.fixture
def rec(tmp_path: Path) -> Path:
    record(tmp_path / "guest.rec")
    return tmp_path / "guest.rec"


def lines(*arguments: str | Path) -> list[dict[str, Any]]:
    result = xenbind("decode", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- what a recording says ---------------------------------------------------------------


def test_requests_come_with_their_times_and_answers(rec: Path) -> None:
    found, bad = decode(rec.read_bytes())
    assert not bad
    assert [event.index for event in found] == list(range(8))
    assert [event.values[3] for event in found] == [0, 1] * 4
    notes = [event.note for event in found if event.note]
    cpuid = [4, 6]
    latencies = [30_000 if n in cpuid else 10_000 for n in range(7)]
    assert [note.latency for note in notes] == [*latencies, None]
    times = [(n + 1) * STEP + sum(latencies[:n]) for n in range(8)]
    assert [note.time for note in notes] == times
    session = found[0].session
    assert session is not None
    assert (session.domain, session.release, session.arch) == (1, "4.20", _arch())


def _arch() -> str:
    return "arm" if os.uname().machine == "aarch64" else "x86"


def test_the_words_for_a_recording(rec: Path) -> None:
    x86 = ("--arch", "x86")
    check_golden(GOLDEN / "recording.txt", xenbind("decode", rec, *x86).stdout)
    check_golden(
        GOLDEN / "recording.jsonl", xenbind("decode", rec, "--json", *x86).stdout
    )
    check_golden(
        GOLDEN / "recording.csv", xenbind("decode", rec, "--format", "csv", *x86).stdout
    )
    check_golden(GOLDEN / "statistics.txt", xenbind("decode", rec, "--stats").stdout)


def test_answers_out_of_turn_find_their_requests(tmp_path: Path) -> None:
    with played(STARTED, 1) as clock, Recording(tmp_path / "rec") as written:
        written.begin(v7, 1)
        kept = [taken(number) for number in range(5)]
        for request in kept:
            written.request(request)
        for number in (3, 0, 4, 2):
            clock.now += 1000 * (number + 1)
            kept[number].flags = number
            written.answer(kept[number])
    found, _ = decode((tmp_path / "rec").read_bytes())
    notes = [event.note for event in found if event.note]
    assert [note.answer for note in notes] == [0, None, 2, 3, 4]
    assert [note.answered for note in notes] == [5000, None, 13000, 4000, 10000]


def test_one_that_is_never_answered_holds_up_no_more_than_a_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_records, "_PATIENCE", 3)
    with played(STARTED, 1), Recording(tmp_path / "rec") as written:
        written.begin(v7, 1)
        for number in range(10):
            request = taken(number)
            written.request(request)
            if number:
                written.answer(request)
    with (tmp_path / "rec").open("rb") as file:
        source = Trickle(file.read())
        runs = read(source, "test", version, Form.AUTO, print)  # type: ignore[arg-type]
        first = next(runs)
        assert first.notes and first.notes[0].answer is None
        assert source.left  # it was given before all was read
        assert sum(len(run) for run in runs) + len(first) == 10


class Trickle(io.RawIOBase):
    """A stream that gives a hundred bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def read(self, size: int = -1) -> bytes:
        data, self.left = self.left[:100], self.left[100:]
        return data


@pytest.fixture
def rotated(tmp_path: Path) -> list[Path]:
    """Files of one session: 0 is answered in the next one, 1 in the last, 2 never."""
    with (
        played(STARTED, 1) as clock,
        Recording(tmp_path / "rec", limit=500) as written,
    ):
        written.begin(v7, 1)
        kept = [taken(number) for number in range(4)]
        for request in kept[:3]:
            written.request(request)
        written.flush()  # so many wait that another file begins
        clock.now += 1000
        written.answer(kept[0])
        written.request(kept[3])
        written.request(taken(4))
        written.flush()
        written.answer(kept[3])
        kept[1].data.regs.x86.rip += 2
        written.answer(kept[1])
    return [tmp_path / name for name in ("rec", "rec.1", "rec.2")]


def answered(told: list[dict[str, Any]]) -> dict[int, bool]:
    return {one["index"]: one["answer"] is not None for one in told}


def test_an_answer_in_the_next_file_finds_its_request(rotated: list[Path]) -> None:
    told = lines(*rotated)
    assert answered(told) == {0: True, 1: True, 2: False, 3: True, 4: False}
    assert list(answered(told)) == sorted(answered(told))
    assert told[0]["answer"]["latency"] == 1000


def test_so_does_one_in_a_file_that_was_put_together(rotated: list[Path]) -> None:
    found, bad = decode(b"".join(path.read_bytes() for path in rotated))
    assert not bad
    has_answer = [event.note and event.note.answer is not None for event in found]
    assert has_answer == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([0], {0: False, 1: False, 2: False}),
        ([1, 0], {0: True, 1: False, 2: False, 3: False, 4: False}),
        ([2, 1, 0], {0: True, 1: True, 2: False, 3: True, 4: False}),
        ([0, 2], {0: False, 1: True, 2: False}),
    ],
)
def test_files_that_are_lacking_or_in_another_order(
    order: list[int], expected: dict[int, bool], rotated: list[Path]
) -> None:
    assert answered(lines(*(rotated[number] for number in order))) == expected


def test_what_is_not_answered_comes_before_the_next_session_and_the_next_file(
    rotated: list[Path], rec: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    record(other, domain=9, session=9)
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    for between in (other, tmp_path / "raw"):
        told = lines(rotated[0], between)
        assert [one["index"] for one in told[:3]] == [0, 1, 2]
        assert not any(answered(told[:3]).values())
        assert told[3:]


@pytest.mark.parametrize("is_one_file", [False, True])
def test_a_file_of_a_table_has_the_answers_of_the_next_one(
    is_one_file: bool, rotated: list[Path], tmp_path: Path
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    from pyarrow import dataset

    if is_one_file:
        together = b"".join(path.read_bytes() for path in rotated)
        rotated[0].write_bytes(together)
        del rotated[1:]
    options = ("--format", "parquet", "--out", tmp_path / "events")
    result = xenbind("decode", *rotated, *options)
    assert result.returncode == 0, result.stderr
    files = sorted(path.name[-10:] for path in (tmp_path / "events").rglob("*.parquet"))
    assert files == ["-0.parquet", "-1.parquet"]
    table = dataset.dataset(tmp_path / "events").to_table(columns=["number", "latency"])
    assert {row["number"]: row["latency"] is not None for row in table.to_pylist()} == {
        0: True,
        1: True,
        2: False,
        3: True,
        4: False,
    }


def emulated(answer: Any) -> None:
    answer.flags |= v7.VmEventFlag.EMULATE | v7.VmEventFlag.SET_EMUL_READ_DATA
    answer.data.emul.read.size = 4
    ctypes.memmove(answer.data.emul.read.data, b"fake", 4)


def code(answer: Any) -> None:
    answer.flags |= v7.VmEventFlag.EMULATE | v7.VmEventFlag.SET_EMUL_INSN_DATA
    ctypes.memmove(answer.data.emul.insn.data, bytes(range(16)), 16)


def step(answer: Any) -> None:
    answer.flags |= v7.VmEventFlag.FAST_SINGLESTEP
    answer.u.fast_singlestep.p2midx = 1


def step_at_once(answer: Any) -> None:
    """The view's number is what the page's was: the answer has no other bytes."""
    answer.flags |= v7.VmEventFlag.FAST_SINGLESTEP


@pytest.mark.parametrize(
    ("fill", "word", "changed"),
    [
        (emulated, "emul.read=66616b65", {"data.emul.read": "66616b65"}),
        (
            code,
            f"emul.insn={bytes(range(16)).hex()}",
            {"data.emul.insn": bytes(range(16)).hex()},
        ),
        (step, "fast_singlestep.p2midx=1", {"u.fast_singlestep.p2midx": 1}),
        (step_at_once, "fast_singlestep.p2midx=5", {"u.fast_singlestep.p2midx": 5}),
    ],
)
def test_an_answers_flags_say_what_it_has_instead_of_the_requests(
    fill: Any, word: str, changed: dict[str, object], tmp_path: Path
) -> None:
    request = v7.vm_event_st(version=7, reason=v7.VmEventReason.MEM_ACCESS, flags=1)
    request.u.mem_access.gfn = 5
    request.data.regs.x86.rax = 0x1111
    with Recording(tmp_path / "rec") as recording:
        recording.begin(v7, domain=1)
        recording.request(request)
        fill(request)
        recording.answer(request)
    (event,), _ = decode((tmp_path / "rec").read_bytes(), arch="x86")
    answer = text(event).splitlines()[-1]
    assert answer.split(" flags=")[1].split(" ")[1:] == [word]
    assert json.loads(JsonText()(event))["answer"]["changed"] == changed


def test_sessions_follow_each_other_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rec"
    for domain in (1, 2, 3):
        record(path, domain=domain, count=domain, session=domain)
    found, bad = decode(path.read_bytes())
    assert not bad
    domains = [event.session and event.session.domain for event in found]
    assert domains == [1, 2, 2, 3, 3, 3]


def test_a_kind_of_record_that_is_not_known_is_passed_over(rec: Path) -> None:
    data = rec.read_bytes()
    start = data.index(b"}") + 1
    other = struct.pack("<IHHQQ", HEADER + 9, 77, 0, 0, 0) + bytes(9)
    assert len(decode(data[:start] + other + data[start:] + other)[0]) == 8


def of_version(module: Any, number: int | None = None) -> Any:
    """A request of a version as a ring of version 7 gives it out."""
    own = module.VM_EVENT_INTERFACE_VERSION if number is None else number
    request = module.vm_event_st(version=own, vcpu_id=own)
    octets = bytes(request).ljust(len(bytes(v7.vm_event_st())), b"\xff")
    return v7.vm_event_st.from_buffer_copy(octets)


def test_requests_of_other_versions_are_read_by_those(tmp_path: Path) -> None:
    whole, flags, unknown = of_version(v6), of_version(v4), of_version(v7, number=99)
    with Recording(tmp_path / "rec") as recording:
        recording.begin(v7, domain=1)
        for request in (whole, unknown, flags):
            recording.request(request)
        whole.altp2m_idx = 3
        flags.flags = 1
        for request in (whole, unknown, flags):
            recording.answer(request)
        recording.request(of_version(v7))
    found, bad = decode((tmp_path / "rec").read_bytes())
    assert not bad
    assert [event.index for event in found] == [0, 2, 3]  # 1 cannot be read
    assert [(event.values[0], event.values[3]) for event in found] == [
        *((6, 6), (4, 4), (7, 7))
    ]
    answers = [event.note.answer for event in found if event.note]
    assert answers == [bytes(whole)[: len(bytes(v6.vm_event_st()))], 1, None]


def own_version_3(path: Path) -> tuple[bytes, bytes, int]:
    """A recording whose second request is of version 3, taken by that version's module.

    Gives the file's bytes, that answer's bytes, and where that request's record begins.
    """
    request = v3.vm_event_st(version=3, vcpu_id=3)
    with Recording(path) as recording:
        recording.begin(v7, domain=1)
        recording.request(of_version(v7))
        recording.request(request)
        request.data.regs.x86.rip = 0x2000
        recording.answer(request)
        recording.request(of_version(v7))
    whole = path.read_bytes()
    size = len(bytes(request))
    start = whole.index(struct.pack("<IH", HEADER + size, 4))
    return whole, bytes(request), start


def test_a_request_that_its_own_versions_module_took_is_read(tmp_path: Path) -> None:
    whole, answer, _ = own_version_3(tmp_path / "rec")
    found, bad = decode(whole)
    assert not bad
    assert [(event.index, event.values[0]) for event in found] == [
        *((0, 7), (1, 3), (2, 7))
    ]
    assert [event.note.answer for event in found if event.note] == [None, answer, None]


@pytest.mark.parametrize("left", [6, 24, 27, 28, 300])
def test_one_that_is_cut_short_is_torn(left: int, tmp_path: Path) -> None:
    whole, _, start = own_version_3(tmp_path / "rec")
    found, (error,) = decode(whole[: start + left])
    assert len(found) == 1
    assert isinstance(error, Torn)
    assert error.position == start


@pytest.mark.parametrize(
    ("size", "version", "said"),
    [
        (340, 3, "a request of another version of 316 bytes"),
        (5000, 3, "a request of another version of 4976 bytes"),
        (5000, 99, "may be too many"),
    ],
)
def test_a_damaged_size_of_one_is_told(
    size: int, version: int, said: str, tmp_path: Path
) -> None:
    whole, _, start = own_version_3(tmp_path / "rec")
    damaged = bytearray(whole)
    struct.pack_into("<I", damaged, start, size)
    struct.pack_into("<I", damaged, start + HEADER, version)
    found, (error,) = decode(bytes(damaged))
    assert len(found) == 1
    assert not isinstance(error, Torn)
    assert (error.position, said in error.message) == (start, True)


@pytest.mark.parametrize("way", ["--output", "--out"])
def test_no_table_has_requests_of_other_versions(tmp_path: Path, way: str) -> None:
    with Recording(tmp_path / "rec") as recording:
        recording.begin(v7, domain=1)
        for module in (v7, v6, v7, v6, v7):
            recording.request(of_version(module))
    table = tmp_path / "table"
    told = xenbind("decode", tmp_path / "rec", "--format", "parquet", way, table)
    assert told.returncode == 0, told.stderr
    pyarrow = pytest.importorskip("pyarrow.parquet")
    found = pyarrow.read_table(table).column("version").to_pylist()
    assert found == [7, 7, 7]
    printed = xenbind("decode", tmp_path / "rec", "--format", "csv").stdout
    assert len(printed.splitlines()) == 1 + 3


def test_one_of_another_version_that_is_cut_short_is_passed_over(
    tmp_path: Path,
) -> None:
    request = v6.vm_event_st.from_buffer_copy(bytes(v7.vm_event_st(version=7))[:384])
    with Recording(tmp_path / "rec") as recording:
        recording.begin(v6, domain=1)
        recording.request(request)
        recording.request(v6.vm_event_st(version=6))
    found, bad = decode((tmp_path / "rec").read_bytes())
    assert not bad
    assert [event.index for event in found] == [1]


# --- what is not whole ---------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(1, 425, 53))
def test_a_torn_record_is_told_and_the_rest_is_read(
    cut: int, rec: Path, tmp_path: Path
) -> None:
    data = rec.read_bytes()[:-cut]
    found, bad = decode(data)
    left = HEADER + 400 - cut
    if left:
        (torn,) = bad
        assert isinstance(torn, Torn)
        assert torn.message == (
            f"test: byte {len(data) - left}: the recording ends {left} bytes into a"
            " record, which is left out"
        )
    assert [event.index for event in found] == list(range(7))
    (tmp_path / "torn").write_bytes(data)
    result = xenbind("decode", tmp_path / "torn", "--json")
    assert (result.returncode, result.stdout.count("\n")) == (0, 7)
    assert ("which is left out" in result.stderr) == bool(left)


@pytest.mark.parametrize("size", [1, 7, 8, 15, 16, 100])
def test_a_torn_head_is_told(size: int, rec: Path) -> None:
    data = rec.read_bytes()
    found, bad = decode(data + data[:size])
    assert len(found) == 8
    assert [type(error) for error in bad] == [Torn]
    assert bad[0].position == len(data)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 77])
def test_what_is_torn_and_what_is_damaged_is_so_to_the_recorder_too(
    kind: int, rec: Path
) -> None:
    """Who records takes away what is torn; of an unknown kind it may be whole records."""
    data = rec.read_bytes()
    size = HEADER + {2: 4}.get(kind, 400)
    rec.write_bytes(data + struct.pack("<IH", size, kind))
    found, (error,) = decode(rec.read_bytes())
    assert len(found) == 8
    assert error.position == len(data)
    if kind <= 4:
        assert isinstance(error, Torn)
        assert len(list(recorded_requests(rec))) == 8
        Recording(rec).close()
        assert rec.read_bytes() == data
    else:
        assert "ends within a record of an unknown kind" in error.message
        for use in (Recording, lambda path: list(recorded_requests(path))):
            with pytest.raises(MonitorError, match=f"damaged at byte {len(data)}$"):
                use(rec)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_end_and_any_damage_gives_events_or_errors(data: st.DataObject) -> None:
    whole = _whole()
    cut = data.draw(st.integers(8, len(whole)))
    damaged = bytearray(whole[:cut])
    for place in (
        data.draw(st.lists(st.integers(8, cut - 1), max_size=3)) if cut > 8 else ()
    ):
        damaged[place] = data.draw(st.integers(0, 255))
    found, _ = decode(bytes(damaged), arch="x86")
    for event in found:
        assert event.note is not None
        assert text(event) and json.loads(JsonText()(event))


@cache
def _whole() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return recorded(Path(folder, "rec"), count=3) + recorded(
            Path(folder, "other"), count=2, session=2
        )


def _damaged(data: bytes, at: int, number: int) -> bytes:
    return data[:at] + struct.pack("<I", number) + data[at + 4 :]


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (5, "a request of -19 bytes, not 400"),
        (2**31, "a request of 2147483624 bytes, not 400"),
        (HEADER + 399, "a request of 399 bytes, not 400"),
        (HEADER + 50_000, "a request of 50000 bytes, not 400"),  # more than there are
    ],
)
def test_damage_is_told_and_the_next_session_is_read(
    number: int, problem: str, rec: Path, tmp_path: Path
) -> None:
    data = rec.read_bytes()
    start = data.index(b"}") + 1
    second = start + (HEADER + 400) + (HEADER + 4)
    behind = recorded(tmp_path / "other", domain=9, session=9)
    found, bad = decode(_damaged(data, second, number) + behind)
    assert [error.message for error in bad] == [f"test: byte {second}: {problem}"]
    assert bad[0].skipped == len(data) - second
    assert [event.session and event.session.domain for event in found] == [1] + [9] * 8


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            b"\n\1\0\0\0",
            b"\n\2\0\0\0",
            "the recording has the format 2, and this xenbind reads 1",
        ),
        (b'"domain"', b'"dom\xff"', "the session's head cannot be read: it is no JSON"),
        (
            b'"domain"',
            b'"romain"',
            "the session's head cannot be read: it has no domain",
        ),
        (
            b'"domain": 1',
            b'"domain":-1',
            "the session's head cannot be read: domain is -1, and no number of 32 bits",
        ),
        (
            b'"domain": 1',
            b'"domain":""',
            'the session\'s head cannot be read: domain is "", and no number of 32 bits',
        ),
        (
            b'"part": 0',
            b'"part":.1',
            "the session's head cannot be read: it is no JSON",
        ),
        (
            b'"release": "4.20"',
            b'"release": [4, 2]',
            "the session's head cannot be read: release is [4, 2], and no text",
        ),
        (
            b'"arch": "',
            b'"hcra": "',
            "the session's head cannot be read: it has no arch",
        ),
        (
            b"2026-03",
            b"1926-03",
            'the session\'s head cannot be read: started is "1926-03-01T12:00:00.000000Z",'
            " which is not in this age",
        ),
        (
            b"00.000000Z",
            b"00.000000 ",
            'the session\'s head cannot be read: started is "2026-03-01T12:00:00.000000 ",'
            " and no time with a zone",
        ),
        (
            b'"request_size": 400',
            b'"request_size": 4e2',
            "the session's head cannot be read: request_size is 400.0, and no number",
        ),
        (
            b"0000000000000001",
            b"../../../../../x",
            'the session\'s head cannot be read: no session is called "../../../../../x"',
        ),
    ],
)
def test_a_head_that_cannot_be_read(
    old: bytes, new: bytes, problem: str, rec: Path
) -> None:
    _, bad = decode(rec.read_bytes().replace(old, new.ljust(len(old))))
    assert bad[0].message.startswith(f"test: byte 0: {problem}")


@pytest.mark.parametrize("text", [b"[]", b"7", b"null", b"{", b"[" * 9999, b"9" * 9999])
def test_a_head_that_is_no_object(text: bytes) -> None:
    """Of any kind and depth: what is said is a line."""
    _, bad = decode(session_head.MAGIC + struct.pack("<II", 1, len(text)) + text)
    assert re.fullmatch(
        r"test: byte 0: the session's head cannot be read: it is no JSON( object)?",
        bad[0].message,
    )


def test_the_length_of_a_head_that_cannot_be(rec: Path) -> None:
    _, bad = decode(_damaged(rec.read_bytes(), 12, (1 << 20) + 1))
    said = "test: byte 0: the session's head is 1048577 bytes long"
    assert [error.message for error in bad] == [said]


def test_one_damaged_byte_or_a_cut_is_told_or_costs_requests_alone() -> None:
    """Each byte of a small recording with each bit turned over, and each of its beginnings."""
    whole = _whole()
    first = whole.index(b"}") + 1 + HEADER + 400 + HEADER + 4  # a head and a request
    kinds = (DecodeError, Torn)
    for place in range(first):
        for bit in (1, 16, 128):
            damaged = bytearray(whole[: first + HEADER + 400 + HEADER + 4])
            damaged[place] ^= bit
            found, bad = decode(bytes(damaged), arch="x86")
            assert len(found) <= 2
            for error in bad:
                assert type(error) in kinds and not WORDS_OF_PYTHON.search(str(error))
            for event in found:
                assert text(event) and json.loads(JsonText()(event))
    for end in range(8, first):
        found, bad = decode(whole[:end])
        assert len(found) <= 1 and all(type(error) is Torn for error in bad)


WORDS_OF_PYTHON = re.compile(r"Error\b|Traceback|\bNone\b|object at 0x|<class|codec")


def test_a_time_that_cannot_be(rec: Path) -> None:
    data = rec.read_bytes()
    start = data.index(b"}") + 1
    _, bad = decode(_damaged(data, start + HEADER - 4, 2**31))
    assert bad[0].message.startswith(
        f"test: byte {start}: no record begins here: its time"
    )


def test_a_request_of_a_version_that_is_not_known(rec: Path) -> None:
    data = rec.read_bytes()
    start = data.index(b"}") + 1
    _, bad = decode(_damaged(data, start + HEADER, 99))
    assert bad[0].message == (
        f"test: byte {start}: no request begins here: version 99 is unknown"
    )


def test_memory_stays_bounded(tmp_path: Path) -> None:
    data = recorded(tmp_path / "rec", count=4000)
    assert len(data) > 1 << 20
    tracemalloc.start()
    try:
        shapes = Shapes()
        with (tmp_path / "rec").open("rb") as file:
            runs = read(file, "test", version, Form.AUTO, print)
            assert sum(1 for run in runs for _ in shapes.of(run).events(run)) == 4000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


# --- choosing -------------------------------------------------------------------------------


def test_events_of_some_reasons(rec: Path) -> None:
    told = lines(rec, "--reason", "cpuid", "--reason", "MOV_TO_MSR")
    assert [one["index"] for one in told] == [3, 4, 6, 7]
    assert {one["reason_name"] for one in told} == {"CPUID", "MOV_TO_MSR"}


def test_events_of_some_vcpus(rec: Path) -> None:
    assert [one["index"] for one in lines(rec, "--vcpu", "1")] == [1, 3, 5, 7]
    assert len(lines(rec, "--vcpu", "1", "--vcpu", "0")) == 8
    assert [
        one["index"] for one in lines(rec, "--vcpu", "1", "--reason", "cpuid")
    ] == []


@pytest.mark.parametrize(
    ("time", "first"),
    [
        ("+1s", 3),
        ("+1.25s", 4),
        ("+0m1s400ms", 5),
        ("-1d", 8),
        ("-20000d", 0),
        ("2026-03-01T12:00:01Z", 3),
        ("2026-03-01T13:00:01.3+01:00", 5),
        ("2026-03-02", 8),
    ],
)
def test_events_since_a_time(time: str, first: int, rec: Path) -> None:
    assert [one["index"] for one in lines(rec, "--since", time)] == [*range(first, 8)]


@pytest.mark.parametrize(
    "time",
    [
        *("", "5", "+5", "1h", "+1x", "yesterday", "+-1s", "+" + 400 * "9" + "d"),
        *("-" + 400 * "9" + "d", "0001-01-01T00:00:00+23:59"),
    ],
)
def test_what_is_no_time(time: str) -> None:
    with pytest.raises(UsageError, match=r"--since: '.*' is no time"):
        since(time)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--since", "", "--since: '' is no time"),
        ("--vcpu", "-1", "-1 is not in the range 0<=x<=4294967295"),
        ("--vcpu", "4294967296", "4294967296 is not in the range"),
        ("--vcpu", "one", "'one' is not a valid integer"),
    ],
)
def test_what_cannot_be_chosen(rec: Path, option: str, value: str, said: str) -> None:
    result = xenbind("decode", rec, option, value)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_choices_hold_for_what_has_no_times_too(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    told = lines(tmp_path / "raw", "--reason", "CPUID")
    assert [(one["index"], one["position"]) for one in told] == [(4, 1600), (6, 2400)]
    result = xenbind("decode", tmp_path / "raw", "--since", "+1s")
    assert (result.returncode, result.stdout) == (1, "")
    assert "the input has no times, which --since asks for" in result.stderr


def test_a_reason_that_no_version_has(rec: Path) -> None:
    result = xenbind("decode", rec, "--reason", "cpu")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no version has a reason 'cpu'" in result.stderr
    assert "CPUID" in result.stderr


def test_a_reason_that_another_version_has(tmp_path: Path) -> None:
    """VMEXIT came with version 7; a request of version 1 is none."""
    old = struct.pack("<IIII", 1, 1, 1, 0).ljust(312, b"\0")
    (tmp_path / "raw").write_bytes(old * 2)
    assert lines(tmp_path / "raw", "--reason", "vmexit") == []


# --- numbers that others read ----------------------------------------------------------------


def test_numbers_of_64_bits_are_strings_for_readers_that_round(rec: Path) -> None:
    plain, told = lines(rec), lines(rec, "--hex")
    rip = [one["registers"]["rip"] for one in told]
    assert [int(each, 16) for each in rip] == [one["registers"]["rip"] for one in plain]
    assert rip[6] == "0xffffffff8107e59f"
    assert told[6]["answer"]["changed"] == {"data.regs.x86.rip": "0xffffffff8107e5a1"}
    # What a reader that has doubles alone makes of it.
    doubles = json.loads(json.dumps(told), parse_int=lambda text: int(float(text)))
    assert doubles == told
    rounded = json.loads(json.dumps(plain), parse_int=lambda text: int(float(text)))
    assert rounded != plain


def test_csv_has_what_json_has(rec: Path, tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    result = xenbind("decode", rec, "--format", "csv", "--output", target)
    assert result.stdout == f"{target}: 8 events\n"
    shown = xenbind("decode", rec, "--format", "csv").stdout
    assert shown == target.read_text()
    rows = list(csv.DictReader(io.StringIO(shown)))
    for row, one in zip(rows, lines(rec), strict=True):
        assert row["reason_name"] == one["reason_name"]
        assert row["time"] == one["time"]
        assert int(row["data.regs.x86.rip"]) == one["registers"]["rip"]
        details = {
            key.rpartition(f".{one['payload']}.")[2]: value
            for key, value in row.items()
            if key.startswith("u.") and value
        }
        assert details == {key: str(value) for key, value in one["details"].items()}
        answer = one["answer"] or dict.fromkeys(("latency", "flags", "flags_name"), "")
        assert row["latency"] == str(answer["latency"])
        assert row["answer_flags_name"] == answer["flags_name"]


def test_csv_has_the_columns_of_a_table(rec: Path, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    parquet = import_module("pyarrow.parquet")
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    for source in (rec, tmp_path / "raw"):
        target = tmp_path / "table"
        xenbind("decode", source, "--format", "parquet", "--output", target)
        rows = list(
            csv.DictReader(
                xenbind("decode", source, "--format", "csv").stdout.splitlines()
            )
        )
        table = parquet.read_table(target)
        assert list(rows[0]) == table.schema.names
        for column in {"session", "number", "answer"} & set(rows[0]):
            values = table[column].to_pylist()
            assert [row[column] for row in rows] == [cell(value) for value in values]


def cell(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return "" if value is None else str(value)


def test_registers_of_two_cpus_make_no_table(rec: Path, tmp_path: Path) -> None:
    other = {"x86": b"arm", "arm": b"x86"}[_arch()]
    data = rec.read_bytes().replace(b"%s" % _arch().encode(), other)
    record(tmp_path / "plain", session=2)
    (tmp_path / "other").write_bytes(data)
    result = xenbind(
        "decode", tmp_path / "plain", tmp_path / "other", "--format", "csv"
    )
    assert result.returncode == 1
    assert "event 0 has the registers of another CPU" in result.stderr


def test_csv_of_two_versions_is_refused(tmp_path: Path) -> None:
    old = struct.pack("<IIII", 1, 1, 1, 0).ljust(312, b"\0")
    (tmp_path / "raw").write_bytes(REQUESTS[0] + old)
    target = tmp_path / "table.csv"
    result = xenbind("decode", tmp_path / "raw", "--format", "csv", "--output", target)
    assert result.returncode == 1
    assert "event 1 is of version 1" in result.stderr
    assert not target.exists()


def test_parquet_has_ranges_of_what_queries_name_and_words_as_strings(
    rec: Path, tmp_path: Path
) -> None:
    """With the ranges a query leaves row groups out; those of registers would leave out none."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    xenbind("decode", rec, "--format", "parquet", "--output", tmp_path / "table")
    file = parquet.ParquetFile(tmp_path / "table")
    group = file.metadata.row_group(0)
    columns = [group.column(each) for each in range(group.num_columns)]
    with_ranges = [each.path_in_schema for each in columns if each.is_stats_set]
    assert with_ranges == ["position", "reason", "vcpu_id", "number", "time"]
    for name in ("reason_name", "session", "answer_flags_name"):
        assert file.schema_arrow.field(name).type == pyarrow.string()


def test_pandas_keeps_every_bit(rec: Path, tmp_path: Path) -> None:
    require(find_spec("pandas") is not None, "pandas")
    pandas = import_module("pandas")
    target = tmp_path / "table"
    for form, load in (
        ("parquet", pandas.read_parquet),
        ("arrow", pandas.read_feather),
    ):
        xenbind("decode", rec, "--format", form, "--output", target)
        frame = load(target)
        column = frame["u.mov_to_msr.new_value"]
        assert str(column.dtype) == "UInt64"
        assert column.dropna().tolist() == [8, 0xFFFF_FFFF_81C0_0080]
        assert frame["latency"].isna().tolist() == [False] * 7 + [True]
    shown = xenbind("decode", rec, "--json", "--hex").stdout
    frame = pandas.read_json(io.StringIO(shown), lines=True)
    rip = frame["registers"].map(lambda registers: int(registers["rip"], 16))
    assert rip[6] == 0xFFFF_FFFF_8107_E59F


# --- counting ---------------------------------------------------------------------------------


def stats(*arguments: str | Path) -> dict[str, Any]:
    result = xenbind("decode", "--stats", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    said: dict[str, Any] = json.loads(result.stdout)
    return said


def test_events_are_counted(rec: Path) -> None:
    said = stats(rec)
    assert said["events"] == 8
    assert said["vcpus"] == {"0": 4, "1": 4}
    alike = {"least": 10_000, "median": 10_000, "p99": 10_000, "most": 10_000}
    assert said["reasons"]["WRITE_CTRLREG"] == {"events": 2, "latency": alike}
    assert said["reasons"]["CPUID"]["latency"]["median"] == 30_000
    assert said["reasons"]["MOV_TO_MSR"] == {"events": 2, "latency": alike}
    domain = said["domains"]["1"]
    assert domain["seconds"] == pytest.approx(7 * STEP / 1e9, abs=1e-3)
    assert domain["per_second"] == pytest.approx(8 / domain["seconds"], abs=0.1)
    assert (domain["busiest_second"], domain["unanswered"]) == (4, 1)


def test_what_is_chosen_is_counted(rec: Path) -> None:
    assert stats(rec, "--reason", "cpuid")["events"] == 2


def test_no_recording_is_counted_twice(rec: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(rec.read_bytes())
    for twice in (rec, tmp_path / "copy"):
        result = xenbind("decode", rec, twice, "--stats")
        assert (result.returncode, result.stdout) == (1, "")
        assert "the session 0000000000000001 is in the input twice" in result.stderr


@pytest.mark.parametrize("limit", [500, 1500, 4000])
def test_a_session_in_parts_is_counted_as_a_whole(limit: int, tmp_path: Path) -> None:
    """In whichever order the files are named: a shell has guest.1.rec before guest.rec."""
    for name, most in (("guest.rec", limit), ("whole", None)):
        with played(STARTED, 1) as clock, Recording(tmp_path / name, most) as written:
            written.begin(v7, 1)
            for number in range(30):
                clock.now += STEP // 2 if number % 7 else 2 * STEP
                request = taken(number)
                written.request(request)
                written.answer(request)
                written.flush()
    parts = sorted(tmp_path.glob("*.rec"))
    assert parts[0].name == "guest.1.rec" and parts[-1].name == "guest.rec"
    whole = stats(tmp_path / "whole")
    assert whole["domains"]["1"]["seconds"] > 4
    assert stats(*parts) == stats(*reversed(parts)) == whole


def test_asking_twice_changes_no_count(rec: Path) -> None:
    statistics = Statistics(Shapes())
    runs = list(read(rec.open("rb"), "test", version, Form.AUTO, print))
    for run in runs:
        statistics.add(run)
        first = statistics.text(), statistics.said()
        assert (statistics.text(), statistics.said()) == first
    assert statistics.said()["domains"] == stats(rec)["domains"]


def test_how_full_the_ring_was_is_counted(tmp_path: Path) -> None:
    with played(STARTED, 1) as clock, Recording(tmp_path / "rec") as written:
        written.begin(v7, 1)
        page = bytearray(4096)
        front, back = v7.FrontRing(page, start=0), v7.BackRing(page, start=0)
        for many in (1, 3):
            for number in range(many):
                front.send(taken(number))
            front.push_requests()
            for request in back.requests():
                clock.now += 1000
                written.request(request)
                back.respond(request)
                written.answer(request)
            back.push_responses()
            list(front.responses())
    assert stats(tmp_path / "rec")["domains"]["1"]["waiting"] == {
        "1": 2,
        "2": 1,
        "3": 1,
    }
    shown = xenbind("decode", "--stats", tmp_path / "rec").stdout
    assert shown.endswith("when one was taken: 1: 50 %, 2: 25 %, 3: 25 %\n")


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200))
def test_a_share_of_latencies_is_right_to_an_eighth(latencies: list[int]) -> None:
    found = Latencies()
    for latency in latencies:
        found.add(latency)
    ordered = sorted(latencies)
    said = found.said()
    assert (said["least"], said["most"]) == (ordered[0], ordered[-1])
    for name, share in (("median", 0.5), ("p99", 0.99)):
        exact = ordered[max(-(-len(ordered) * round(100 * share) // 100) - 1, 0)]
        assert exact <= said[name] <= exact * 1.125 + 1


def test_what_has_no_times_is_counted_too(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    said = stats(tmp_path / "raw")
    assert (said["events"], said["reasons"]["CPUID"]["events"]) == (8, 2)
    assert said["domains"] == {}
    assert "µs" not in xenbind("decode", "--stats", tmp_path / "raw").stdout


# --- tables -------------------------------------------------------------------------------------


def arrow_table(path: Path) -> Any:
    require(find_spec("pyarrow") is not None, "pyarrow")
    from pyarrow import parquet

    return parquet.ParquetFile(path).read()


def test_a_table_has_times_and_answers(rec: Path, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    target = tmp_path / "table"
    xenbind("decode", rec, "--format", "parquet", "--output", target)
    rows = arrow_table(target).to_pylist()
    assert [row["domain"] for row in rows] == [1] * 8
    for row, one in zip(rows, lines(rec), strict=True):
        answer = one["answer"] or {}
        assert row["time"].isoformat().startswith(one["time"][:26])
        assert row["latency"] == answer.get("latency")
        assert row["answer_flags"] == answer.get("flags")
        assert row["answer_flags_name"] == answer.get("flags_name")
        assert row["number"] == one["index"]
        assert (row["answer"] is not None) == bool(answer.get("changed"))
        assert row["reason_name"] == one["reason_name"]


def query(sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    return duckdb.connect().execute(sql).fetchall()


def test_many_recordings_become_a_folder_that_duckdb_reads(tmp_path: Path) -> None:
    require(find_spec("duckdb") is not None, "duckdb")
    from pyarrow import dataset

    record(tmp_path / "one.rec", domain=1, count=16)
    # Over midnight, two of them before it.
    almost = "2026-03-01T23:59:59Z"
    record(tmp_path / "two.rec", 2, started=almost, session=2, step=300_000_000)
    out = tmp_path / "events"
    names = [tmp_path / "one.rec", tmp_path / "two.rec"]
    result = xenbind("decode", *names, "--format", "parquet", "--out", out)
    assert result.stdout == f"{out}: 24 events in 3 files\n"
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert found == [
        "domain=1/date=2026-03-01/0000000000000001-0.parquet",
        "domain=2/date=2026-03-01/0000000000000002-0.parquet",
        "domain=2/date=2026-03-02/0000000000000002-0.parquet",
    ]
    by_reason = f"""
        SELECT domain, reason_name, count(*), max(latency)
        FROM '{out}/**/*.parquet' GROUP BY ALL ORDER BY ALL
    """
    told = query(by_reason)
    assert (1, "CPUID", 4, 30_000) in told
    assert (2, "WRITE_CTRLREG", 2, 10_000) in told
    assert sum(count for _, _, count, _ in told) == 24
    days = query(
        f"SELECT date::text, count(*) FROM '{out}/**/*.parquet' WHERE domain = 2"
        " GROUP BY ALL ORDER BY ALL"
    )
    assert days == [("2026-03-01", 3), ("2026-03-02", 5)]
    largest = query(f"SELECT max(\"data.regs.x86.rip\") FROM '{out}/**/*.parquet'")
    assert largest == [(0xFFFF_FFFF_8107_E914,)]
    read_by_pyarrow = dataset.dataset(out, partitioning="hive").to_table()
    assert read_by_pyarrow.num_rows == 24

    # Again: the same files, not the same events twice.
    xenbind("decode", *names, "--format", "parquet", "--out", out)
    again = query(f"SELECT count(*) FROM '{out}/**/*.parquet'")
    assert again == [(24,)]


def test_a_folder_is_for_recordings_each_once(rec: Path, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    out = tmp_path / "events"
    as_folder = ("--format", "parquet", "--out", out)
    for files, message in (
        ([tmp_path / "raw"], "the input has no domain and no times"),
        ([rec, rec], "the session 0000000000000001 is in the input twice"),
    ):
        result = xenbind("decode", *files, *as_folder)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(f"xenbind: error: {message}")
    (tmp_path / "file").touch()
    result = xenbind(
        "decode", rec, "--format", "parquet", "--out", tmp_path / "file" / "x"
    )
    assert result.returncode == 3
    assert "cannot make" in result.stderr


def test_a_folder_of_a_damaged_recording_has_no_half_file(
    rec: Path, tmp_path: Path
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    data = rec.read_bytes()
    start = data.index(b"}") + 1
    rec.write_bytes(_damaged(data, start + (HEADER + 400) + (HEADER + 4), 5))
    out = tmp_path / "events"
    result = xenbind("decode", rec, "--format", "parquet", "--out", out)
    assert (result.returncode, result.stdout) == (1, "")
    assert [path for path in out.rglob("*") if path.is_file()] == []


def test_recorded_and_other_events_make_no_table(rec: Path, tmp_path: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    (tmp_path / "raw").write_bytes(b"".join(REQUESTS))
    target = tmp_path / "table"
    for form in ("csv", "parquet"):
        result = xenbind(
            "decode", rec, tmp_path / "raw", "--format", form, "--output", target
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert (
            "write one table for each version, CPU and kind of input" in result.stderr
        )
        assert not target.exists()


def test_batches_of_a_recording(rec: Path, tmp_path: Path, monkeypatch: Any) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    monkeypatch.setattr(table, "_BATCH", 3)
    runs = read(io.BytesIO(rec.read_bytes()), "test", version, Form.AUTO, print)
    assert (
        table.write(
            (run.only([n]) for run in runs for n in range(len(run))),
            Shapes(),
            tmp_path / "t",
            "parquet",
        )
        == 8
    )
    assert arrow_table(tmp_path / "t")["number"].to_pylist() == list(range(8))


# --- records without a ring ---------------------------------------------------------------------

SAMPLES = """\
enum colour { RED, GREEN };
struct sample {
    uint64_t at;
    int16_t delta[2];
    enum colour colour;
    struct { uint8_t low : 4; uint8_t high : 4; } half;
};
"""
SAMPLES_SPEC = """\
[interface]
name = "samples"
header = "samples.h"
package = "samples"
include = ["."]
"""


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    (tmp_path / "samples.h").write_text("#include <stdint.h>\n" + SAMPLES)
    (tmp_path / "samples.toml").write_text(SAMPLES_SPEC)
    data = [struct.pack("<QhhIB7x", 2**63 + n, -n, n, n % 2, 0x21) for n in range(5)]
    (tmp_path / "samples.bin").write_bytes(b"".join(data))
    return tmp_path


def test_records_of_an_interface_without_a_ring(samples: Path) -> None:
    options = ("--spec", samples / "samples.toml", "--record", "sample")
    told = lines(samples / "samples.bin", *options)
    assert [one["delta[0]"] for one in told] == [0, -1, -2, -3, -4]
    assert told[3] == {
        **{"index": 3, "position": 72, "at": 2**63 + 3, "delta[0]": -3, "delta[1]": 3},
        **{"colour": 1, "colour_name": "GREEN", "half.low": 1, "half.high": 2},
        "record": struct.pack("<QhhIB7x", 2**63 + 3, -3, 3, 1, 0x21).hex(),
    }
    shown = xenbind("decode", samples / "samples.bin", *options).stdout
    assert shown.splitlines()[1] == (
        "#1 at byte 24: at=0x8000000000000001 delta[0]=-1 delta[1]=1 colour=GREEN"
        " half.low=1 half.high=2"
    )


def test_of_a_records_union_only_what_its_tag_selects_is_told(tmp_path: Path) -> None:
    (tmp_path / "event.h").write_text(
        "#include <stdint.h>\nenum kind { KIND_KEY, KIND_MOVE, KIND_RAW };\n"
        "struct event { uint16_t kind; uint16_t number;\n"
        "    union { struct { int8_t code, pressed; } key; int32_t move[2]; uint64_t raw; } u;\n"
        "};\n"
    )
    (tmp_path / "event.toml").write_text(
        SAMPLES_SPEC.replace("samples", "event")
        + '[payload]\nrecord = "struct event"\n'
        'tag = "kind"\nunion = "u"\nprefix = "KIND_"\n'
    )
    data = [struct.pack("<HH4x8s", kind, 7, bytes(range(1, 9))) for kind in range(4)]
    (tmp_path / "events").write_bytes(b"".join(data))
    options = ("--spec", tmp_path / "event.toml", "--record", "event")
    told = lines(tmp_path / "events", *options)
    selected = [{key for key in one if key.startswith("u.")} for one in told]
    assert selected == [
        *({"u.key.code", "u.key.pressed"}, {"u.move[0]", "u.move[1]"}, {"u.raw"}),
        set(),
    ]
    assert told[1]["u.move[1]"] == 0x08070605
    shown = xenbind("decode", tmp_path / "events", *options).stdout.splitlines()
    assert shown[1] == (
        "#1 at byte 16: kind=1 number=7 u.move[0]=0x4030201 u.move[1]=0x8070605"
    )


def test_many_records_are_counted_through(samples: Path) -> None:
    options = ("--spec", samples / "samples.toml", "--record", "sample")
    (samples / "many").write_bytes((samples / "samples.bin").read_bytes() * 2000)
    told = lines(samples / "many", *options)
    assert [one["index"] for one in told] == list(range(10_000))
    assert told[-1]["position"] == 24 * 9999


def test_records_as_tables(samples: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    options = ("--spec", samples / "samples.toml", "--record", "struct sample")
    target = samples / "table"
    xenbind(
        "decode",
        samples / "samples.bin",
        *options,
        "--format",
        "parquet",
        "--output",
        target,
    )
    assert arrow_table(target)["delta[1]"].to_pylist() == [0, 1, 2, 3, 4]


def test_records_that_are_none(samples: Path) -> None:
    options = ("--spec", samples / "samples.toml", "--record")
    result = xenbind("decode", samples / "samples.bin", *options, "simple")
    assert (result.returncode, result.stdout) == (1, "")
    assert "has no struct or union 'simple'" in result.stderr
    assert "such as sample" in result.stderr
    (samples / "cut").write_bytes(bytes(50))
    result = xenbind("decode", samples / "cut", *options, "sample")
    assert result.returncode == 1
    assert "byte 48: the input ends 2 bytes into a struct sample of 24" in result.stderr
    result = xenbind("decode", samples / "cut", *options, "sample", "--reason", "x")
    assert "the records have no member reason, which --reason asks for" in result.stderr


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--format parquet", "--format parquet needs --output or --out"),
        ("--output x", "--output goes together with --format"),
        ("--out x --format csv", "--out goes together with --format parquet"),
        ("--out x --output y --format parquet", "name one"),
        ("--format parquet --output -", "--format parquet needs a file"),
        ("--format csv --json", "--format and --json are two different outputs"),
        ("--format csv --stats", "--format and --stats are two different outputs"),
        ("--hex --stats --json", "--hex changes nothing that --stats gives"),
        (
            "--hex --format arrow --output x",
            "--hex changes nothing that --format arrow gives",
        ),
        ("--since tomorrow", "--since: 'tomorrow' is no time"),
    ],
)
def test_options_that_do_not_go_together(
    options: str, message: str, rec: Path, tmp_path: Path
) -> None:
    result = xenbind("decode", rec, *options.split(), cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["guest.rec"]


@pytest.mark.parametrize("name", ["guest.rec", "./guest.rec", "soft", "hard"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_no_input_is_overwritten(
    form: str, name: str, rec: Path, tmp_path: Path
) -> None:
    (tmp_path / "soft").symlink_to(rec)
    (tmp_path / "hard").hardlink_to(rec)
    record(tmp_path / "other.rec", session=2)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    way = ("--format", form, "--output", name)
    result = xenbind("decode", "other.rec", rec, *way, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"--output {Path(name)} is one of the inputs" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_standard_input_is_not_overwritten_either(rec: Path, tmp_path: Path) -> None:
    before = rec.read_bytes()
    command = [sys.executable, "-m", "xenbind", "decode", "-", "--format", "csv"]
    with rec.open("rb") as file:
        result = subprocess.run(
            [*command, "--output", rec], stdin=file, capture_output=True, text=True
        )
    assert result.returncode == 2
    assert "is one of the inputs" in result.stderr
    assert rec.read_bytes() == before


def test_standard_input_is_read_once(rec: Path) -> None:
    result = xenbind("decode", "-", rec, "-")
    assert (result.returncode, result.stdout) == (2, "")
    assert "- is there twice, and standard input can be read only once" in result.stderr


def test_csv_to_standard_output_makes_no_file(rec: Path, tmp_path: Path) -> None:
    way = ("--format", "csv")
    result = xenbind("decode", rec, *way, "--output", "-", cwd=tmp_path)
    assert result.stdout == xenbind("decode", rec, *way).stdout
    assert [path.name for path in tmp_path.iterdir()] == ["guest.rec"]


def test_a_recording_is_followed_while_it_is_written(tmp_path: Path) -> None:
    data = recorded(tmp_path / "whole", count=3)
    command = [sys.executable, "-m", "xenbind", "decode", "-", "--json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(data[:-500])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["index"] == 0
        process.stdin.write(data[-500:])
        process.stdin.close()
        rest = process.stdout.read().splitlines()
    assert [json.loads(line)["index"] for line in rest] == [1, 2]


def test_progress_is_told_on_a_terminal_alone(
    rec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    monkeypatch.setattr("xenbind.commands.decode.progress._EVERY", 0)
    monkeypatch.setattr(sys, "stderr", told := Terminal())
    from xenbind.commands.decode.progress import Progress, wanted

    assert wanted(prints_events=False)
    with rec.open("rb") as file:
        progress = Progress(file, "guest.rec")
        half = rec.stat().st_size // 2
        progress.read1(half)
        assert (
            told.getvalue() == "\r\x1b[Kguest.rec: 49 % of 0 MB"
            or "50 %" in told.getvalue()
        )
        progress.close()
    assert told.getvalue().endswith("\r\x1b[K")
    target = tmp_path / "table"
    result = xenbind("decode", rec, "--format", "parquet", "--output", target)
    assert result.stderr == ""
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert not wanted(prints_events=True)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not wanted(prints_events=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
