"""The other side of a ring in a process of its own, and what the two processes share.

`Shared` is a page and two eventfds; `Peer` runs `ring_peer.c` on them. As a program, this
module is the consumer of a page that somebody else scribbles on; see `consume`.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from support import PROJECT, require

# The full numbers take minutes; what is run by default finds the same, less often.
LONG = bool(os.environ.get("XENBIND_LONG") or os.environ.get("CI"))
SECONDS = 600 if LONG else 90  # after which a process or a test is stopped

PAGE_SIZE = 4096
U32 = 0xFFFF_FFFF
STOP, DONE = 16, 17  # where the two bytes of pvt_pad are that ring_peer.c speaks of


class LostWakeUp(AssertionError):
    """A side slept on though the other had published."""


def build(folder: Path) -> Path:
    """Compile `ring_peer.c` with the macros of headers/io/ring.h."""
    require(shutil.which("gcc") is not None, "gcc")
    program = folder / "ring_peer"
    headers = PROJECT / "headers"
    command = [
        *("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"),
        *("-D__XEN_TOOLS__", "-iquote", str(headers / "v7"), "-iquote", str(headers)),
        *(str(PROJECT / "tests" / "ring_peer.c"), "-o", str(program)),
    ]
    subprocess.run(command, check=True)
    return program


@contextlib.contextmanager
def limited(seconds: int = SECONDS) -> Iterator[None]:
    """Raise TimeoutError from whatever is running after so many seconds."""

    def expired(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Shared:
    """A page that two processes map, and an eventfd for each to be woken by.

    `start` is the index that both sides begin with.
    """

    def __init__(self, start: int = 0) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, PAGE_SIZE)
        self.page = mmap.mmap(self.fd, PAGE_SIZE)
        self.bell, self.peer_bell = os.eventfd(0), os.eventfd(0)
        self.start = start
        with memoryview(self.page).cast("I") as words:
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
        # A test that fails leaves a ring behind, which still has the page.
        with (
            contextlib.nullcontext()
            if kind is None
            else contextlib.suppress(BufferError)
        ):
            self.page.close()
        for fd in (self.fd, self.bell, self.peer_bell):
            os.close(fd)


class Peer:
    """`ring_peer.c`, running; it ends with the `with` block at the latest."""

    def __init__(
        self,
        program: Path,
        role: str,
        shared: Shared,
        count: int = 0,
        sleeping: bool = False,
        patience: float = 5,
        losses: int = 1,
        seed: int = 1,
    ) -> None:
        bells = (shared.peer_bell, shared.bell) if sleeping else (-1, -1)
        numbers = [shared.fd, *bells, shared.start, count, seed, SECONDS]
        numbers += [int(1000 * patience), losses]
        self.process = subprocess.Popen(
            [program, role, *map(str, numbers)],
            pass_fds=[fd for fd in (shared.fd, *bells) if fd >= 0],
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

    def check(self) -> None:
        """Fail with what the process said if it has failed."""
        if self.process.poll():
            pytest_fail(self.process)

    def idle(self) -> None:
        """Let the process run, for there is nothing to do here."""
        os.sched_yield()
        self.idle_turns += 1
        if not self.idle_turns % 1024:
            self.check()

    def report(self) -> dict[str, int]:
        """What it saw, once it has ended by itself."""
        out, err = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, err
        words = (word.split("=") for word in out.split())
        return {name: int(number) for name, number in words}


def pytest_fail(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate()
    error = LostWakeUp if process.returncode == 3 else AssertionError
    raise error(f"ring_peer ended with {process.returncode}: {err}")
