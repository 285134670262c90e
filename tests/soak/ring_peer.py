"""The other side of a ring in a process of its own, and what the two processes share.

`Shared` is a page and two eventfds; `Peer` runs `ring_peer.c` on them.  As a program this
module is a Python side whose page somebody else scribbles on:

    python ring_peer.py ROLE FD SECONDS
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import mmap
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from support import PROJECT, headers_of, require
from xen_vm_event import OtherVersion, RingOverflow, v7

LIMIT = 600  # seconds after which a process is stopped, where no test is first

PAGE_SIZE = 4096
ENOUGH = 20  # requests taken from a page that is scribbled on, and overflows found
U32 = 0xFFFF_FFFF
REQ_PROD, REQ_EVENT, RSP_PROD, RSP_EVENT = range(4)  # the page's 32-bit words
STOP, DONE = 16, 17  # the two bytes of pvt_pad that ring_peer.c speaks of


class LostWakeUp(AssertionError):
    """A side slept on though the other one had published."""


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise TimeoutError out of whatever still runs after so many seconds."""

    def expired(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Shared:
    """A page that two processes map, and an eventfd for each of them to be woken by.

    Both sides begin at the index `start`.
    """

    def __init__(self, start: int = 0) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, PAGE_SIZE)
        self.page = mmap.mmap(self.fd, PAGE_SIZE)
        self.bell, self.peer_bell = os.eventfd(0), os.eventfd(0)
        self.start = start
        with memoryview(self.page) as octets, octets.cast("I") as words:
            words[0] = words[2] = start
            words[1] = words[3] = (start + 1) & U32

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A test that has failed may leave a ring behind that still has the page.
        with contextlib.suppress(*[BufferError] if kind else []):
            self.page.close()
        for fd in (self.fd, self.bell, self.peer_bell):
            os.close(fd)


def compile_peer(folder: Path) -> Path:
    """Compile `ring_peer.c` with the macros of headers/io/ring.h."""
    require(shutil.which("gcc") is not None, "gcc")
    program, headers = folder / "ring_peer", PROJECT / "headers"
    command = [
        *("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"),
        *("-D__XEN_TOOLS__", "-iquote", str(headers_of(7)), "-iquote", str(headers)),
        *(str(PROJECT / "tests" / "soak" / "ring_peer.c"), "-o", str(program)),
    ]
    subprocess.run(command, check=True)
    return program


class Process:
    """A program at the other side of a page; it ends with the `with` block at the latest."""

    def __init__(self, shared: Shared, *command: str | Path | int) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            pass_fds=[shared.fd, shared.bell, shared.peer_bell],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.idle_turns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def idle(self) -> None:
        """Let it run, for there is nothing to do here; fail if it has."""
        self.idle_turns += 1
        if not self.idle_turns % 64:
            time.sleep(20e-6)
        if not self.idle_turns % 4096 and self.process.poll():
            self.report()

    def report(self) -> dict[str, int]:
        """What it counted, once it has ended by itself."""
        out, err = self.process.communicate(timeout=LIMIT)
        code = self.process.returncode
        if code:
            error = LostWakeUp if code == 3 else AssertionError
            raise error(f"the other side ended with {code}: {err}")
        words = (word.split("=") for word in out.split())
        return {name: int(number) for name, number in words}


class Peer(Process):
    """`ring_peer.c` as the role's side of a page; its top says what the roles do.

    It polls, or sleeps and is to be woken.  A wake-up is lost if none comes for `patience`
    seconds though the other side has published; so many `losses` are one too many.
    """

    def __init__(
        self,
        program: Path,
        role: str,
        shared: Shared,
        *,
        count: int = 0,
        sleeping: bool = False,
        patience: float = 5,
        losses: int = 1,
    ) -> None:
        self.shared = shared
        self.patience, self.allowed_losses = int(1000 * patience), losses
        self.sleeps = self.lost = 0
        self.bell = select.poll()
        self.bell.register(shared.bell, select.POLLIN)
        bells = (shared.peer_bell, shared.bell) if sleeping else (-1, -1)
        limits, seed = (LIMIT, self.patience, losses), 1
        super().__init__(
            shared,
            *(program, role, shared.fd, *bells, shared.start, count, seed, *limits),
        )

    def wake(self) -> None:
        os.eventfd_write(self.shared.peer_bell, 1)

    def sleep(self, published: Callable[[], int]) -> None:
        """Wait to be woken, as it must come to pass if the peer has published something."""
        self.sleeps += 1
        while not self.bell.poll(self.patience):
            if self.process.poll():
                self.report()
            # It may be between publishing and waking: it gets the time once more.
            if not published() or self.bell.poll(self.patience):
                continue
            self.lost += 1
            if self.lost == self.allowed_losses:
                raise LostWakeUp(f"in sleep {self.sleeps}")
            return
        os.eventfd_read(self.shared.bell)


@contextlib.contextmanager
def on_a_cpu_each(peer: Peer) -> Iterator[None]:
    """Have the peer and this process really run at once, where there are two CPUs.

    The scheduler likes to put two that wake each other on the same one.
    """
    before = os.sched_getaffinity(0)
    here, *others = sorted(before)
    if others:
        os.sched_setaffinity(peer.process.pid, others)
        os.sched_setaffinity(0, [here])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Consumer(Process):
    """This module as the role's side of a page, for so many seconds."""

    def __init__(self, role: str, shared: Shared, seconds: float) -> None:
        super().__init__(
            shared, sys.executable, __file__, role, shared.fd, str(seconds)
        )


def guarded(fd: int) -> ctypes.Array[ctypes.c_char]:
    """The page of a file, mapped between two pages that may not be touched."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        ctypes.c_long,
    ]
    no_access, fixed = 0, 0x10  # PROT_NONE, MAP_FIXED
    anonymous = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    both = mmap.PROT_READ | mmap.PROT_WRITE
    base: int = libc.mmap(None, 3 * PAGE_SIZE, no_access, anonymous, -1, 0)
    page = base + PAGE_SIZE
    if libc.mmap(page, PAGE_SIZE, both, mmap.MAP_SHARED | fixed, fd, 0) != page:
        raise OSError(ctypes.get_errno(), "cannot map the page")
    return (ctypes.c_char * PAGE_SIZE).from_address(page)


class Consumption:
    """What a side does while its page is scribbled on, and what it counted.

    Nothing but RingOverflow and OtherVersion may come of it; after one, the page is
    attached to anew.
    """

    def __init__(self, fd: int, seconds: float) -> None:
        self.page = guarded(fd)
        self.end = time.monotonic() + seconds
        self.taken = self.overflows = 0
        self.slowest = 0.0
        self.any_version = itertools.cycle([True, False])

    def goes_on(self) -> bool:
        """Until time is up, and enough has happened on however slow a machine."""
        return time.monotonic() < self.end or min(self.taken, self.overflows) <= ENOUGH

    def run(self, once: Callable[[], None]) -> None:
        while self.goes_on():
            try:
                once()
            except RingOverflow as overflow:
                assert 0 <= overflow.theirs <= U32
                assert 0 <= overflow.ours <= U32
                self.overflows += 1
            except OtherVersion as other:
                assert 0 <= other.theirs <= U32
                assert other.ours == 7

    def each(self, items: Iterator[Any]) -> Iterator[Any]:
        """The items that the ring gives out until time is up, each step with its time."""
        while True:
            before = time.monotonic()
            item = next(items, None)
            self.slowest = max(self.slowest, time.monotonic() - before)
            if item is None or not self.goes_on():
                return
            self.taken += 1
            yield item

    def whole(self) -> None:
        """Take whole requests, answer some at once and others later."""
        with v7.BackRing(self.page) as ring:
            while self.goes_on():
                requests = ring.requests(any_version=next(self.any_version))
                for request in self.each(requests):
                    octets = bytes(request)
                    assert repr(request)
                    assert bytes(request) == octets
                    if request.vcpu_id % 4:
                        ring.respond(request, flags=request.flags ^ 1)
                for request in reversed(ring.unanswered()):
                    ring.respond(request)
                ring.push_responses_and_check_notify()

    def select(self) -> None:
        """Take chosen members."""
        with v7.BackRing(self.page) as ring:
            paths = (
                "flags",
                "u.mem_access.gfn",
                "u.cpuid.leaf",
                "data.regs.x86.gs_sel",
            )
            selection = ring.select(*paths, any_version=next(self.any_version))
            while self.goes_on():
                for flags, gfn, leaf, selector in self.each(iter(selection)):
                    assert flags <= U32 and leaf <= U32 and selector < 1 << 16
                    assert gfn < 1 << 64
                    selection.respond(flags=flags ^ 1)
                ring.push_responses_and_check_notify()

    def front(self) -> None:
        """Send requests and take responses."""
        request = v7.vm_event_st()
        with v7.FrontRing(self.page) as ring:
            while self.goes_on():
                while not ring.ring_full():
                    ring.send(request)
                ring.push_requests_and_check_notify()
                for response in self.each(ring.responses()):
                    octets = bytes(response)
                    assert repr(response)
                    assert bytes(response) == octets

    def beyond(self) -> None:
        """Touch the byte behind the page."""
        ctypes.string_at(ctypes.addressof(self.page) + PAGE_SIZE, 1)


def main(role: str, fd: str, seconds: str) -> None:
    gc.freeze()  # a detach collects garbage, and should not look through pytest for it
    consumption = Consumption(int(fd), float(seconds))
    consumption.run(getattr(consumption, role))
    print(
        f"taken={consumption.taken} overflows={consumption.overflows}"
        f" slowest_ms={consumption.slowest * 1000:.0f}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
