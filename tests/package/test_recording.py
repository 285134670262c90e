"""What a monitor records, byte for byte as the format says, on a Xen that is played here."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import select
import signal
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT
from xen_vm_event import UnknownVersion, interface_for_xen, v3, v7
from xen_vm_event.monitor import (
    Monitor,
    MonitorError,
    Recording,
    Xen,
    recorded_requests,
)
from xen_vm_event.monitor.guest import ALL_CAPABILITIES, Guest
from xen_vm_event.testing import PlayedXen, played

CPUID, WRITE = v7.VmEventReason.CPUID, v7.VmEventReason.WRITE_CTRLREG
PAUSED = v7.VmEventFlag.VCPU_PAUSED
SIZE = ctypes.sizeof(v7.vm_event_st)


def request(reason: int, vcpu: int = 0) -> Any:
    made: Any = v7.vm_event_st(version=7, reason=reason, vcpu_id=vcpu, flags=PAUSED)
    made.data.regs.x86.rip = 0x1000
    if reason == CPUID:
        made.payload.insn_length = 2
    return made


def monitored(xen: PlayedXen, recording: Any, *rounds: list[Any]) -> None:
    xen.guests[1].rounds = list(rounds)
    with Monitor(1, ["cpuid"], recording=recording) as monitor:
        monitor.run()


# A record: its kind, how many waited, its number, its time and its body.
Record = tuple[int, int, int, int, bytes]


def sessions(data: bytes) -> Iterator[tuple[dict[str, Any], list[Record]]]:
    """What a file holds, by the words of the format alone."""
    at = 0
    while at < len(data):
        magic, form, length = struct.unpack_from("<8sII", data, at)
        assert (magic, form) == (b"\x89XENREC\n", 1)
        at += 16
        head = json.loads(data[at : at + length])
        at += length
        found: list[Record] = []
        while at < len(data) and data[at : at + 8] != magic:
            size, *fields = struct.unpack_from("<IHHQQ", data, at)
            found.append((*fields, data[at + 24 : at + size]))
            at += size
        assert at <= len(data)
        yield head, found


def test_a_recording_says_whose_and_when_it_is(xen: PlayedXen, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    monitored(xen, tmp_path / "rec", [request(CPUID)])
    ((head, _),) = sessions((tmp_path / "rec").read_bytes())
    started = datetime.fromisoformat(head.pop("started"))
    assert abs((started - before).total_seconds()) < 60
    assert len(head.pop("session")) == 16
    arch = "arm" if os.uname().machine == "aarch64" else "x86"
    assert head == {
        **{"release": "4.20", "version": 7, "domain": 1, "arch": arch},
        **{"request_size": SIZE, "part": 0},
    }


@pytest.mark.parametrize(
    ("architecture", "arch"), [("x86_64", "x86"), ("arm64", "arm")]
)
def test_a_session_has_the_architecture_of_its_guest(
    architecture: str, arch: str, tmp_path: Path
) -> None:
    with (
        played("4.20", architecture=architecture),
        Monitor(1, ["guest_request"], recording=tmp_path / "rec"),
    ):
        pass
    ((head, _),) = sessions((tmp_path / "rec").read_bytes())
    assert head["arch"] == arch


def test_a_guest_of_which_nobody_tells_has_the_architecture_of_the_machine(
    xen: PlayedXen,
) -> None:
    xen.capabilities = ALL_CAPABILITIES
    with Xen() as own:
        assert Guest(own, 1, v7).arch is None


def test_another_architecture_is_none(tmp_path: Path) -> None:
    with (
        Recording(tmp_path / "rec") as recording,
        pytest.raises(ValueError, match=r"^arch='riscv': one of x86, arm$"),
    ):
        recording.begin(v7, domain=1, arch="riscv")
    assert (tmp_path / "rec").read_bytes() == b""


def test_requests_and_answers_are_recorded_in_their_order(
    xen: PlayedXen, tmp_path: Path
) -> None:
    came = [request(WRITE), request(CPUID, vcpu=1), request(WRITE, vcpu=2)]
    monitored(xen, tmp_path / "rec", came[:2], came[2:])
    ((_, found),) = sessions((tmp_path / "rec").read_bytes())
    assert [record[:3] for record in found] == [
        *((1, 2, 0), (2, 0, 0), (1, 1, 1), (3, 0, 1), (1, 1, 2), (2, 0, 2))
    ]
    bodies = [record[4] for record in found]
    assert bodies[0::2] == [bytes(one) for one in came]
    answers = xen.guests[1].answers
    assert bodies[1] == bodies[5] == struct.pack("<I", PAUSED)
    assert bodies[3] == bytes(answers[1]) != bytes(came[1])  # CPUID is emulated
    times = [record[3] for record in found]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 60 * 10**9


def test_an_answer_says_which_request_it_answers(
    xen: PlayedXen, tmp_path: Path
) -> None:
    xen.guests[1].rounds = [[request(WRITE, vcpu) for vcpu in range(3)]]
    with Monitor(1, ["cpuid"], recording=tmp_path / "rec") as monitor:
        taken = []
        for one in monitor.pending() if monitor._wait() else ():
            monitor.postpone(one)
            taken.append(one)
        monitor.answer(taken[2])
        monitor.answer(taken[0], flags=v7.VmEventFlag.DENY)
    ((_, found),) = sessions((tmp_path / "rec").read_bytes())
    assert [record[0:3:2] for record in found] == [
        *((1, 0), (1, 1), (1, 2), (2, 2), (2, 0)),
        (2, 1),  # by leaving
    ]
    assert found[4][4] == struct.pack("<I", PAUSED | v7.VmEventFlag.DENY)


def test_what_comes_while_a_monitor_leaves_is_recorded(
    xen: PlayedXen, tmp_path: Path
) -> None:
    guest = xen.guests[1]
    guest.rounds = [[request(WRITE)], [request(WRITE, vcpu=5)]]
    with Monitor(1, ["cpuid"], recording=tmp_path / "rec") as monitor:
        for _ in monitor:
            guest.send()
            break
    ((_, found),) = sessions((tmp_path / "rec").read_bytes())
    assert sorted(record[0:3:2] for record in found) == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_a_handler_that_fails_leaves_a_whole_recording(
    xen: PlayedXen, tmp_path: Path
) -> None:
    def fail(_: Any) -> int:
        raise ZeroDivisionError

    xen.guests[1].rounds = [[request(CPUID)]]
    with (
        pytest.raises(ZeroDivisionError),
        Monitor(1, ["cpuid"], {"CPUID": fail}, recording=tmp_path / "rec") as monitor,
    ):
        monitor.run()
    ((_, found),) = sessions((tmp_path / "rec").read_bytes())
    assert [record[0] for record in found] == [1, 3]


def test_a_file_is_appended_to(xen: PlayedXen, tmp_path: Path) -> None:
    path = tmp_path / "rec"
    for _ in range(3):
        monitored(xen, path, [request(WRITE)])
        xen.guests[1].alive = True
    found = list(sessions(path.read_bytes()))
    assert [len(records) for _, records in found] == [2, 2, 2]
    assert len({head["session"] for head, _ in found}) == 3


@pytest.mark.parametrize("cut", [1, 4, 27, 28, 29, 200, 28 + SIZE + 24, 28 + SIZE + 30])
def test_a_torn_record_is_taken_away_by_the_next_session(
    cut: int, xen: PlayedXen, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE), request(WRITE)])
    ((_, whole),) = sessions(path.read_bytes())
    os.truncate(path, path.stat().st_size - cut)
    xen.guests[1].alive = True
    monitored(xen, path, [request(WRITE)])
    (_, first), (_, second) = sessions(path.read_bytes())
    lengths = [24 + len(record[4]) for record in reversed(whole)]
    lost = next(n for n in range(1, 4) if cut <= sum(lengths[:n]))
    assert (first, len(second)) == (whole[:-lost], 2)


def test_a_torn_head_is_taken_away_too(xen: PlayedXen, tmp_path: Path) -> None:
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE)])
    data = path.read_bytes()
    for size in (3, 8, 15, 16, 50):
        path.write_bytes(data + data[:size])
        xen.guests[1].alive = True
        monitored(xen, path, [request(WRITE)])
        assert [len(records) for _, records in sessions(path.read_bytes())] == [2, 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"important", "is no recording: name another file"),
        (b"\x89XENREC\n\2\0\0\0\0\0\0\0", "has the format 2, not 1"),
        (
            b"\x89XENREC\n\1\0\0\0\2\0\0\0{}",
            "is damaged at byte 0",
        ),
        (
            b"\x89XENREC\n\1\0\0\0\1\0\0\0{",
            "is damaged at byte 0",
        ),
        *(
            (
                b"\x89XENREC\n\1\0\0\0" + struct.pack("<I", len(text)) + text,
                "is damaged at",
            )
            for text in (
                b"[]",
                b"9" * 9999,
                b'{"release": 4.20, "version": 7, "request_size": 400}',
                b'{"release": [], "version": 7, "request_size": 400}',
                b'{"release": null, "version": "7", "request_size": 400}',
                b'{"release": "4.20", "version": 7, "request_size": "400"}',
            )
        ),
    ],
)
def test_another_file_is_left_as_it_is(
    data: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    path.write_bytes(data)
    with pytest.raises(MonitorError, match=message):
        Recording(path)
    with pytest.raises(MonitorError, match=message):
        list(recorded_requests(path))
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        *(
            (size, kind)
            for size in (0, 23, 25, 5000, 0xFFFF_FFFF)
            for kind in (1, 2, 3)
        ),
        *((size, 77) for size in (0, 23, (1 << 20) + 25, 0xFFFF_FFFF)),
    ],
)
def test_a_damaged_size_costs_nothing_that_is_behind_it(
    size: int, kind: int, xen: PlayedXen, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE) for _ in range(5)])
    data = path.read_bytes()
    second = data.index(b"}") + 1 + 24 + SIZE
    damaged = data[:second] + struct.pack("<IH", size, kind) + data[second + 6 :]
    path.write_bytes(damaged)
    with pytest.raises(MonitorError, match=f"rec is damaged at byte {second}"):
        Recording(path)
    assert path.read_bytes() == damaged
    requests = recorded_requests(path)
    assert bytes(next(requests)) == bytes(request(WRITE))
    with pytest.raises(MonitorError, match=f"rec is damaged at byte {second}"):
        next(requests)


@pytest.mark.parametrize("size", [100_000, 1 << 20])
def test_a_record_of_an_unknown_kind_that_is_not_whole_costs_nothing(
    size: int, xen: PlayedXen, tmp_path: Path
) -> None:
    """Of an unknown kind any size may be right; but no such one is left torn by a monitor."""
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE) for _ in range(5)])
    data = path.read_bytes()
    second = data.index(b"}") + 1 + 24 + SIZE
    damaged = data[:second] + struct.pack("<IH", size, 77) + data[second + 6 :]
    path.write_bytes(damaged)
    with pytest.raises(MonitorError, match=f"rec is damaged at byte {second}"):
        Recording(path)
    assert path.read_bytes() == damaged


def test_requests_of_another_size_than_their_release_has(tmp_path: Path) -> None:
    text = b'{"release": "4.20", "version": 7, "request_size": 8}'
    head = struct.pack("<8sII", b"\x89XENREC\n", 1, len(text)) + text
    path = tmp_path / "rec"
    path.write_bytes(head + struct.pack("<IHHQQ", 32, 1, 0, 0, 0) + bytes(8))
    with pytest.raises(
        MonitorError, match=f"is damaged before byte .* have {SIZE} bytes, and not 8"
    ):
        list(recorded_requests(path))


HEAD_LENGTH = range(12, 16)  # where a head has it: a longer one seems to be cut short


def test_one_damaged_byte_or_a_cut_is_told_or_costs_requests_alone(
    xen: PlayedXen, tmp_path: Path
) -> None:
    """Each byte of its heads and of its first answer, and some of its beginnings."""
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE), request(CPUID)])
    data = path.read_bytes()
    first = data.index(b"}") + 1
    behind = first + 24 + SIZE
    whole = list(map(bytes, recorded_requests(path)))
    ends = data.index(whole[1]) + SIZE
    for place in (*range(first + 24 + 16), *range(behind, behind + 24 + 4)):
        for bit in (1, 128):
            damaged = bytearray(data)
            damaged[place] ^= bit
            path.write_bytes(damaged)
            try:  # the damage, or the request behind it
                left = list(map(bytes, recorded_requests(path)))
                assert left[-1:] == whole[-1:] or place in HEAD_LENGTH, place
            except (MonitorError, UnknownVersion) as error:
                assert "rec" in str(error) or "no bindings" in str(error)
    for end in range(1, len(data), 3):
        path.write_bytes(data[:end])
        left = list(map(bytes, recorded_requests(path)))
        assert left == whole[: len(left)]
        assert len(left) == (end >= behind) + (end >= ends)


def test_a_damaged_length_of_a_head_costs_nothing(
    xen: PlayedXen, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    monitored(xen, path, [request(WRITE)])
    data = path.read_bytes()
    damaged = data + data[:12] + struct.pack("<I", (1 << 20) + 1) + data[16:]
    path.write_bytes(damaged)
    with pytest.raises(MonitorError, match=f"rec is damaged at byte {len(data)}"):
        Recording(path)
    assert path.read_bytes() == damaged


def test_a_file_has_one_writer(xen: PlayedXen, tmp_path: Path) -> None:
    path = tmp_path / "rec"
    with (
        Recording(path),
        pytest.raises(MonitorError, match=f"^{path} is recorded in already: "),
        Monitor(1, ["cpuid"], recording=path),
    ):
        pass
    assert xen.calls == [("xc_interface_close",)]  # it never attached


def test_a_recording_has_one_session_at_a_time(xen: PlayedXen, tmp_path: Path) -> None:
    for number in (1, 2):
        xen.guests[number].rounds = [[request(WRITE)]]
    with Recording(tmp_path / "rec") as recording:
        with Monitor(1, ["cpuid"], recording=recording) as first:
            with (
                pytest.raises(MonitorError, match="has a session already: give each"),
                Monitor(2, ["cpuid"], recording=recording),
            ):
                pass
            first.run()
        with Monitor(2, ["cpuid"], recording=recording) as second:
            second.run()
        with pytest.raises(MonitorError, match=r"has no session: call begin\(\) first"):
            recording.request(request(WRITE))
    found = list(sessions((tmp_path / "rec").read_bytes()))
    assert [head["domain"] for head, _ in found] == [1, 2]
    assert [[record[0:3:2] for record in records] for _, records in found] == [
        [(1, 0), (2, 0)]
    ] * 2


def test_no_file_is_begun_between_two_sessions(tmp_path: Path) -> None:
    with Recording(tmp_path / "guest.rec", limit=1) as recording:
        recording.begin(v7, domain=1)
        recording.end()
        recording.flush()
    assert [path.name for path in tmp_path.iterdir()] == ["guest.rec"]
    ((head, _),) = sessions((tmp_path / "guest.rec").read_bytes())
    assert head["part"] == 0


def test_a_request_of_another_version_is_recorded_as_it_is(
    xen: PlayedXen, tmp_path: Path
) -> None:
    path, other = tmp_path / "rec", request(WRITE, vcpu=9)
    other.version = 6
    with pytest.raises(MonitorError, match="speaks vm_event version 6, not 7"):
        monitored(xen, path, [request(WRITE), other])
    assert len(xen.guests[1].answers) == 2
    ((_, found),) = sessions(path.read_bytes())
    assert [record[0:3:2] for record in found] == [(1, 0), (2, 0), (4, 1), (2, 1)]
    assert found[2][-1] == bytes(other)
    Recording(path).close()  # is not damaged by it
    assert [bytes(one) for one in recorded_requests(path)] == [bytes(request(WRITE))]


def of_version_3(path: Path) -> Any:
    """Record a request of version 3 that its own module took, as docs/monitor-ring.md has it."""
    page = bytearray(4096)
    front, back = v3.FrontRing(page, start=0), v3.BackRing(page, start=0)
    front.send(v3.vm_event_st(version=3, reason=CPUID, vcpu_id=1))
    front.push_requests()
    with Recording(path) as recording:
        recording.begin(v7, domain=5, release="4.20")
        recording.request(request(WRITE))
        (taken,) = back.requests()
        recording.request(taken)
        taken.data.regs.x86.rip = 0x2000
        back.respond(taken)
        recording.answer(taken)
        recording.request(request(WRITE, vcpu=2))
    return taken


def test_a_request_of_another_version_has_the_size_of_that(tmp_path: Path) -> None:
    path = tmp_path / "rec"
    of_version_3(path)
    ((_, found),) = sessions(path.read_bytes())
    size = ctypes.sizeof(v3.vm_event_st)
    assert [(record[0], len(record[4])) for record in found] == [
        *((1, SIZE), (4, size), (3, size), (1, SIZE))
    ]
    whole = path.read_bytes()
    Recording(path).close()
    assert path.read_bytes() == whole
    assert [one.vcpu_id for one in recorded_requests(path)] == [0, 2]


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("left", [6, 24, 27, 28, 300])
def test_one_that_is_cut_short_is_taken_away(
    left: int, kind: int, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    of_version_3(path)
    whole = path.read_bytes()
    size = 24 + ctypes.sizeof(v3.vm_event_st)
    start = whole.index(struct.pack("<IH", size, kind))
    path.write_bytes(whole[: start + left])
    Recording(path).close()
    assert path.read_bytes() == whole[:start]


@pytest.mark.parametrize(
    ("size", "version"), [(340, 3), (5000, 3), (5000, 7), (5000, 99)]
)
def test_a_damaged_size_of_one_costs_nothing(
    size: int, version: int, tmp_path: Path
) -> None:
    path = tmp_path / "rec"
    of_version_3(path)
    whole = path.read_bytes()
    own = struct.pack("<IH", 24 + ctypes.sizeof(v3.vm_event_st), 4)
    start = whole.index(own)
    damaged = bytearray(whole)
    struct.pack_into("<I", damaged, start, size)
    struct.pack_into("<I", damaged, start + 24, version)
    path.write_bytes(damaged)
    with pytest.raises(MonitorError, match=f"damaged at byte {start}$"):
        Recording(path)
    assert path.read_bytes() == damaged


def test_a_session_goes_on_in_the_next_file(xen: PlayedXen, tmp_path: Path) -> None:
    (tmp_path / "guest.2.rec").write_bytes(b"kept")
    with Recording(tmp_path / "guest.rec", limit=1000) as recording:
        monitored(xen, recording, *[[request(WRITE)] for _ in range(8)])
    parts = [tmp_path / f"guest.{part}rec" for part in ("", "1.", "3.", "4.")]
    found = [list(sessions(path.read_bytes())) for path in parts if path.exists()]
    heads = [head for ((head, _),) in found]
    assert [head.pop("part") for head in heads] == [0, 1, 3, 4][: len(heads)]
    assert len(heads) >= 3 and all(head == heads[0] for head in heads)
    records = [record for ((_, each),) in found for record in each]
    assert [record[0:3:2] for record in records] == [
        (kind, number) for number in range(8) for kind in (1, 2)
    ]
    assert (tmp_path / "guest.2.rec").read_bytes() == b"kept"


def test_a_request_and_its_answer_are_in_one_file(tmp_path: Path) -> None:
    """But for one that waits until there is as much again as a file should have."""
    first, second = request(WRITE), request(WRITE)
    with Recording(tmp_path / "guest.rec", limit=500) as recording:
        recording.begin(v7, domain=1)
        recording.request(first)
        recording.flush()  # more than 500 bytes, less than 1000
        recording.answer(first)
        recording.flush()
        recording.request(second)
        recording.flush()
        recording.request(first)
        recording.flush()
        recording.answer(second)
    parts = [tmp_path / f"guest.{part}rec" for part in ("", "1.", "2.")]
    found = [list(sessions(path.read_bytes())) for path in parts]
    assert [[record[0:3:2] for record in records] for ((_, records),) in found] == [
        *([(1, 0), (2, 0)], [(1, 1), (1, 2)], [(2, 1)])
    ]


def test_a_recording_goes_to_any_binary_file(xen: PlayedXen) -> None:
    class Slow(io.RawIOBase):
        """Takes a hundred bytes at a time, as a pipe may."""

        data = b""

        def write(self, data: Any) -> int:
            self.data += bytes(data[:100])
            return min(100, len(data))

    slow, memory = Slow(), io.BytesIO()
    for number, file in enumerate((slow, memory), 1):
        xen.guests[number].rounds = [[request(WRITE)]]
        with Monitor(number, ["cpuid"], recording=Recording(file)) as monitor:
            monitor.run()
    for data in (slow.data, memory.getvalue()):
        ((_, found),) = sessions(data)
        assert [record[0] for record in found] == [1, 2]
    with pytest.raises(ValueError, match="only a recording with a path"):
        Recording(memory, limit=1)


def test_a_pipe_that_takes_no_more_loses_nothing() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0) as pipe:
        recording = Recording(pipe)
        recording.begin(v7, domain=1)
        for number in range(500):
            recording.request(request(WRITE, vcpu=number))
        with pytest.raises(
            BlockingIOError, match="takes no more now: let its file block"
        ):
            recording.flush()
        data = os.read(reading, 1 << 20)
        while len(data) < 500 * (24 + SIZE):
            with contextlib.suppress(BlockingIOError):
                recording.flush()
            data += os.read(reading, 1 << 20)
    ((_, found),) = sessions(data)
    assert [record[2] for record in found] == list(range(500))


def test_a_pipe_with_a_buffer_that_takes_no_more_loses_nothing_and_doubles_nothing() -> (
    None
):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=5000) as pipe:
        recording = Recording(pipe)
        recording.begin(v7, domain=1)
        for number in range(500):
            recording.request(request(WRITE, vcpu=number))
        with pytest.raises(BlockingIOError, match="let its file block"):
            recording.flush()
        data = os.read(reading, 1 << 20)
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                recording.flush()
            with contextlib.suppress(BlockingIOError):
                pipe.flush()
            if select.select([reading], [], [], 0)[0]:
                data += os.read(reading, 1 << 20)
    ((_, found),) = sessions(data)
    assert [record[2] for record in found] == list(range(500))


def test_a_full_disk_stops_the_monitor_and_not_the_guest(xen: PlayedXen) -> None:
    class Full(io.RawIOBase):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    xen.guests[1].rounds = [[request(WRITE)], [request(WRITE)]]
    with (
        pytest.raises(OSError, match="No space left"),
        Monitor(1, ["cpuid"], recording=Recording(Full())) as monitor,
    ):
        monitor.run()
    assert len(xen.guests[1].answers) == 1
    assert xen.calls[-2:] == [("xc_monitor_disable", 1), ("xc_interface_close",)]


KILLED = """\
    import os, signal, sys
    from xen_vm_event import interface_for_xen, v7
    from xen_vm_event.monitor import Recording
    recording = Recording(sys.argv[1])
    recording.begin(v7, domain=3, release="4.20")
    for number in range(100):
        request = v7.vm_event_st(version=7, vcpu_id=number)
        recording.request(request)
        recording.answer(request)
        if number == 70:
            os.kill(os.getpid(), signal.SIGKILL)
        recording.flush()
"""


def test_what_was_flushed_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "rec"
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
        cwd=PROJECT / "generated",
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    ((_, found),) = sessions(path.read_bytes())
    assert [record[2] for record in found if record[0] == 1] == list(range(70))
    Recording(path).close()  # nobody holds it any more


def test_an_event_takes_little_time_and_room(tmp_path: Path) -> None:
    count, least = 2000, 1.0
    for _ in range(5):
        with Recording(tmp_path / "rec") as recording:
            recording.begin(v7, domain=3)
            made = request(WRITE)
            before = time.process_time()
            for _ in range(count):
                recording.request(made)
                recording.answer(made)
            least = min(least, (time.process_time() - before) / count)
    assert least < 50e-6
    assert (tmp_path / "rec").stat().st_size < 5 * count * (SIZE + 60)


# --- read again -------------------------------------------------------------------------


def test_the_requests_of_all_sessions_are_read_again(
    xen: PlayedXen, tmp_path: Path
) -> None:
    path = tmp_path / "guest.rec"
    given = [request(CPUID), request(WRITE, vcpu=1)]
    monitored(xen, path, given)
    xen.guests[1].alive = True
    monitored(xen, path, given[:1])
    read = list(recorded_requests(path))
    assert [bytes(each) for each in read] == [
        bytes(each) for each in (*given, given[0])
    ]
    assert type(read[0]) is interface_for_xen("4.20").vm_event_st
    path.write_bytes(path.read_bytes()[:-1])
    assert len(list(recorded_requests(path))) == 3  # only the last answer is cut short
    path.write_bytes(path.read_bytes()[: path.read_bytes().rindex(bytes(given[0])) + 9])
    assert len(list(recorded_requests(path))) == 2


@pytest.mark.parametrize("size", [1, 8, 15, 16, 40])
def test_a_head_that_is_cut_short_has_no_requests(
    size: int, xen: PlayedXen, tmp_path: Path
) -> None:
    path = tmp_path / "guest.rec"
    monitored(xen, path, [request(CPUID)])
    data = path.read_bytes()
    path.write_bytes(data + data[:size])
    assert len(list(recorded_requests(path))) == 1


def test_what_is_no_recording_has_no_requests(tmp_path: Path) -> None:
    path = tmp_path / "guest.raw"
    path.write_bytes(bytes(request(CPUID)))
    with pytest.raises(MonitorError, match=r"guest\.raw is no recording"):
        list(recorded_requests(path))


def test_a_recording_of_a_xen_that_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "rec"
    with Recording(path) as recording:
        recording.begin(v7, 1, "4.23")
    with pytest.raises(MonitorError, match=f"^{path}: no bindings .* of Xen 4\\.23: "):
        list(recorded_requests(path))


# --- what is no recording ---------------------------------------------------------------


def test_what_is_told_when_a_recording_is_made(tmp_path: Path) -> None:
    make: Any = Recording  # of any type, since nothing checks those of a user's program
    path = tmp_path / "rec"
    path.touch()
    closed = io.BytesIO()
    closed.close()
    with path.open("w") as text, path.open("rb") as read_only:
        for given, error, message in [
            (7, TypeError, "7 is no file: give a path, or"),
            (text, TypeError, "is open for text: open it in mode 'wb'"),
            (closed, ValueError, "is closed: open it"),
            (read_only, ValueError, "is open for reading: open it in mode 'wb'"),
        ]:
            with pytest.raises(error, match=message):
                make(given)
    for limit, error in [("x", TypeError), (0, ValueError), (-1, ValueError)]:
        with pytest.raises(error, match="limit="):
            make(tmp_path / "limited", limit=limit)
    assert not (tmp_path / "limited").exists()


@pytest.mark.parametrize("domain", [1 << 40, -1])
def test_a_session_of_no_domain(tmp_path: Path, domain: int) -> None:
    with (
        Recording(tmp_path / "rec") as recording,
        pytest.raises(ValueError, match=f"^no domain has the number {domain}; "),
    ):
        recording.begin(v7, domain)
