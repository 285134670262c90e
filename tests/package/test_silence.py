"""A monitor that sleeps in the read of an event is told when none comes."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from xen_vm_event.monitor import silence

MOMENT = 0.02  # seconds
PORT = 81


class Channels:
    """Event channels as libxenevtchn has them: an event is its port in the reader's file."""

    def __init__(self) -> None:
        self.file, self.far = socket.socketpair()
        self.written = list[bytes]()

    def xenevtchn_open(self, *_: object) -> str:
        return "sender"

    def xenevtchn_close(self, handle: str) -> None:
        assert handle == "sender"
        self.written.append(b"closed")

    def xenevtchn_fd(self, handle: str) -> int:
        assert handle == "reader"
        return self.file.fileno()

    def xenevtchn_bind_unbound_port(self, handle: str, domain: int) -> int:
        assert (handle, domain) == ("reader", 0x7FF0)
        return PORT

    def xenevtchn_bind_interdomain(self, handle: str, domain: int, port: int) -> int:
        assert (handle, domain, port) == ("sender", 0x7FF0, PORT)
        return PORT + 1

    def xenevtchn_notify(self, handle: str, port: int) -> None:
        """The port was given back before, or else it would be masked."""
        assert (handle, port) == ("sender", PORT + 1)
        assert self.far.recv(4) == PORT.to_bytes(4, "little")
        self.far.send(PORT.to_bytes(4, "little"))


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channels]:
    made = Channels()
    monkeypatch.setattr(silence, "libxenevtchn", made)
    made.file.settimeout(10)
    yield made
    made.file.close()
    made.far.close()


def took(channels: Channels, seconds: float) -> bytes:
    """What is read within a time, nothing if nothing comes."""
    channels.file.settimeout(seconds)
    try:
        return channels.file.recv(4)
    except TimeoutError:
        return b""


def test_it_is_told_once_of_each_sleep(channels: Channels) -> None:
    ring: Any = SimpleNamespace(req_cons=0)
    before = threading.active_count()
    with ExitStack() as undo:
        told = silence.Silence("reader", undo)
        told.watch(ring, MOMENT)
        told.watch(ring, MOMENT)  # of a loop within
        assert threading.active_count() == before + 1
        for _ in range(2):
            told.is_awaited = True
            assert took(channels, 10) == told.port == PORT.to_bytes(4, "little")
            assert took(channels, 5 * MOMENT) == b""
    assert threading.active_count() == before
    assert channels.written == [b"closed"]


def test_nothing_is_told_while_requests_come(channels: Channels) -> None:
    ring: Any = SimpleNamespace(req_cons=0)
    with ExitStack() as undo:
        told = silence.Silence("reader", undo)
        told.watch(ring, 10 * MOMENT)
        told.is_awaited = True
        for _ in range(40):
            ring.req_cons += 1
            assert took(channels, MOMENT) == b""
        assert took(channels, 10) == told.port


def test_nothing_is_told_when_nobody_sleeps(channels: Channels) -> None:
    ring: Any = SimpleNamespace(req_cons=0)
    with ExitStack() as undo:
        told = silence.Silence("reader", undo)
        told.watch(ring, MOMENT)
        assert took(channels, 10 * MOMENT) == b""


def test_it_is_told_again_what_could_not_be_told(
    channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring: Any = SimpleNamespace(req_cons=0)
    failures = [OSError()]
    notify = channels.xenevtchn_notify

    def fails_once(*given: Any) -> None:
        if failures:
            assert channels.far.recv(4) == PORT.to_bytes(4, "little")
            raise failures.pop()
        notify(*given)

    monkeypatch.setattr(channels, "xenevtchn_notify", fails_once)
    with ExitStack() as undo:
        told = silence.Silence("reader", undo)
        told.watch(ring, MOMENT)
        told.is_awaited = True
        assert took(channels, 10) == told.port


def test_a_signal_comes_to_the_thread_that_sleeps(channels: Channels) -> None:
    ring: Any = SimpleNamespace(req_cons=0)
    with ExitStack() as undo:
        told = silence.Silence("reader", undo)
        told.watch(ring, 10.0)
        thread = told._thread
        assert thread is not None
        status = Path(f"/proc/self/task/{thread.native_id}/status")
        blocked, deadline = 0, time.monotonic() + 10
        while not blocked and time.monotonic() < deadline:
            mask = status.read_text().partition("SigBlk:")[2].split()[0]
            blocked = int(mask, 16) >> signal.SIGINT - 1 & 1
        assert blocked
