"""A loop sleeps in the read of an event, and wakes whatever comes or does not."""

from __future__ import annotations

import ctypes
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from xen_vm_event import v7
from xen_vm_event.monitor import channel, loop, silence
from xen_vm_event.monitor.answers import REASON
from xen_vm_event.monitor.signals import Signals

GUEST, OWN, FAR = 70, 81, 82  # ports


class Device:
    """Event channels as Linux has them, and a guest that is at their other end.

    A port is masked from its event until it is written back, which a thread takes as the kernel
    does.  The guest sends as many of its requests as `burst` when all were answered, and shuts
    down after the last, of which no event tells.
    """

    def __init__(self) -> None:
        self.page = ctypes.create_string_buffer(4096)
        self.file, self._far = socket.socketpair()
        self._lock = threading.RLock()
        self._pending, self._masked = set[int](), set[int]()
        self._kernel = threading.Thread(target=self._unmask)
        self._kernel.start()
        self.front: Any = None
        self.left, self.burst = 0, 1
        self.silences = 0
        self.at_silence: Callable[[], None] = lambda: None

    # --- the kernel -----------------------------------------------------------------

    def event(self, port: int) -> None:
        with self._lock:
            self._pending.add(port)
            self._deliver(port)

    def _deliver(self, port: int) -> None:
        if port in self._pending and port not in self._masked:
            self._pending.discard(port)
            self._masked.add(port)
            self._far.send(port.to_bytes(4, "little"))

    def _unmask(self) -> None:
        while octets := self._far.recv(4):
            with self._lock:
                port = int.from_bytes(octets, "little")
                self._masked.discard(port)
                self._deliver(port)

    def close(self) -> None:
        self.file.shutdown(socket.SHUT_RDWR)
        self._kernel.join()
        self.file.close()
        self._far.close()

    # --- libxenevtchn ---------------------------------------------------------------

    def xenevtchn_open(self, *_: object) -> Any:
        return object()

    def xenevtchn_close(self, *_: object) -> None:
        pass

    def xenevtchn_fd(self, *_: object) -> int:
        return self.file.fileno()

    def xenevtchn_bind_unbound_port(self, *_: object) -> int:
        return OWN

    def xenevtchn_bind_interdomain(self, _: object, domain: int, port: int) -> int:
        return FAR if port == OWN else GUEST

    def xenevtchn_notify(self, _: object, port: int) -> None:
        assert port == FAR
        with self._lock:
            self.silences += 1
            self.event(OWN)
            self.at_silence()

    # --- the guest ------------------------------------------------------------------

    def enable(self, _: object, domain: int, port: Any, undo: ExitStack) -> int:
        port.value = GUEST
        return ctypes.addressof(self.page)

    def ioctl(self, *_: object) -> None:
        """Have the guest look at its answers, and go on when it has all."""
        for _response in self.front.responses():
            pass
        if self.front.req_prod_pvt == self.front.rsp_cons:
            self.go_on()

    def go_on(self) -> None:
        burst = min(self.burst, self.left)
        for _ in range(burst):
            self.front.send(v7.vm_event_st(version=7))
        self.left -= burst
        if burst:
            self.front.push_requests()
            self.event(GUEST)

    def is_alive(self, _: int) -> bool:
        return self.left > 0 or self.front.req_prod_pvt != self.front.rsp_cons


class Sleeper(loop.Loop):
    """A loop alone, of a guest at a device; it calls what is `idly`."""

    def __init__(self, device: Device) -> None:
        super().__init__(1, Signals(), self.idle)
        self.idly: Callable[[], object] = lambda: None
        self.idled = 0
        nothing: Any = SimpleNamespace(after=False, instead=False)
        xen: Any = SimpleNamespace(is_alive=device.is_alive)
        self.xen, self.vm_event = xen, v7
        self.stepping = self._emulated = nothing
        self._channel = channel.Channel(xen, 1, device.enable)
        page = self._channel.page
        self.ring = v7.BackRing(page, 0, self._channel.own_barriers())
        self.ring.keep_cells(REASON)
        self.ring.sring.shared_ring_init()
        device.front = v7.FrontRing(page)
        self._attached = True

    def idle(self) -> None:
        self.idled += 1
        self.idly()

    def close(self) -> None:
        self._attached = False
        self.ring.detach()
        self._channel.close()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    made = Device()
    monkeypatch.setattr(channel, "libxenevtchn", made)
    monkeypatch.setattr(silence, "libxenevtchn", made)
    monkeypatch.setattr(channel, "ioctl", made.ioctl)
    monkeypatch.setattr(channel, "unmap", lambda _: None)
    monkeypatch.setattr(loop, "_LOOKING_AFTER", 30)
    monkeypatch.setattr(loop, "_IDLE", 20)
    yield made
    made.close()


@pytest.fixture
def sleeper(device: Device) -> Iterator[Sleeper]:
    made = Sleeper(device)
    yield made
    device.front.detach()
    made.close()


def all_of(sleeper: Sleeper, body: Callable[[], object] = lambda: None) -> int:
    """Give how many requests a loop has until it sees that its guest is gone."""
    taken = list[Any]()

    def go_through() -> None:
        for request in sleeper:
            taken.append(request.vcpu_id)
            body()

    thread = threading.Thread(target=go_through, daemon=True)
    thread.start()
    thread.join(2)
    assert not thread.is_alive(), "it sleeps for ever"
    return len(taken)


def test_a_loop_sees_the_end_that_no_event_tells_of(
    device: Device, sleeper: Sleeper
) -> None:
    device.left = 200
    device.go_on()
    assert all_of(sleeper) == 200
    assert sleeper.idled >= 1


def test_a_request_may_come_with_silence(device: Device, sleeper: Sleeper) -> None:
    device.left = 3
    device.at_silence = device.go_on
    sleeper._more = True  # it looks, and sleeps at once
    assert all_of(sleeper) == 3


def test_a_body_may_take_long(device: Device, sleeper: Sleeper) -> None:
    device.left = 3
    device.go_on()
    assert all_of(sleeper, lambda: time.sleep(0.07)) == 3
    assert sleeper.idled == 1  # at the end: the guest was never silent


def test_a_loop_is_told_after_one_that_idle_has_ended(
    device: Device, sleeper: Sleeper
) -> None:
    device.left = 1
    sleeper.idly = lambda: 1 // 0
    sleeper._more = True
    with pytest.raises(ZeroDivisionError):
        next(iter(sleeper))
    sleeper.idly = lambda: None
    device.go_on()
    assert all_of(sleeper) == 1


def test_what_is_raised_when_an_event_was_taken_loses_no_request(
    device: Device, sleeper: Sleeper
) -> None:
    sleep = sleeper._channel.sleep
    device.left = 2

    def interrupted() -> None:
        device.go_on()
        sleep()
        sleeper._channel.sleep = sleep
        raise KeyboardInterrupt

    sleeper._channel.sleep = interrupted
    sleeper._more = True
    with pytest.raises(KeyboardInterrupt):
        next(iter(sleeper))
    assert all_of(sleeper) == 2


def test_the_rest_of_a_loop_that_idle_breaks_off_is_not_waited_for(
    device: Device, sleeper: Sleeper
) -> None:
    device.left = device.burst = 3
    silences = list[int]()

    def idly() -> None:
        if device.left:
            device.go_on()
            for _ in sleeper.pending():
                break

    sleeper.idly = idly
    sleeper._more = True
    assert all_of(sleeper, lambda: silences.append(device.silences)) == 2
    assert silences == [1, 1]


def test_a_thread_that_cannot_start_is_tried_again(
    device: Device, sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.left = 1
    device.go_on()
    with monkeypatch.context() as patched:

        def start(_: object) -> None:
            raise RuntimeError("can't start new thread")

        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start"):
            next(iter(sleeper))
    assert all_of(sleeper) == 1


def test_loops_may_nest(device: Device, sleeper: Sleeper) -> None:
    device.left = 4
    device.go_on()

    def within() -> None:
        for _ in sleeper:
            break

    assert all_of(sleeper, within) >= 2
    assert device.left == 0
