"""Run a process within limits of time, memory and output.

Takes a command; gives its exit status, output and messages.  `compiler` runs the C
compiler so: a header of a few lines can make it expand a macro to more than the machine
holds, and one that hangs must not hang xenbind.

    Bounded(["gcc", "--version"]).finish().status  ->  0
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

# A read of Xen's largest public header takes a tenth of a second and 30 MB.
SECONDS = 60
MEMORY = 2 << 30
OUTPUT = 32 << 20

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended: a negative status is the signal that ended it.

    `exceeded` says which limit it did not keep, empty if it kept them.
    """

    status: int
    output: bytes
    messages: bytes
    exceeded: str


class Bounded:
    """A process that has been started; `finish` waits for it.

    What it writes goes to files, so that any number of them can run at once unwatched.
    """

    def __init__(self, command: Sequence[str], text: str | None = None) -> None:
        """Start it with `text` as standard input.  Raises `OSError` if it cannot be run."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115
        with tempfile.TemporaryFile() as standard_input:
            standard_input.write((text or "").encode("utf-8", errors="surrogateescape"))
            standard_input.seek(0)
            self._process = subprocess.Popen(
                command,
                stdin=standard_input,
                stdout=self._output,
                stderr=self._messages,
                env={**os.environ, "LC_ALL": "C"},
                preexec_fn=_limit,
                process_group=0,  # so that what it starts can be ended with it
            )
        self._end = time.monotonic() + SECONDS

    def finish(self) -> Finished:
        """Wait for the end, or bring it about when the time is up."""
        exceeded = ""
        try:
            self._sleep_until_end()
            self._process.wait(self._seconds_left())
        except subprocess.TimeoutExpired:
            exceeded = f"took more than {SECONDS} seconds"
        finally:
            self._kill()
        with self._output, self._messages:
            output, messages = _content(self._output), _content(self._messages)
        if max(len(output), len(messages)) >= OUTPUT:
            exceeded = f"wrote more than {OUTPUT >> 20} MB"
        return Finished(self._process.returncode, output, messages, exceeded)

    def _seconds_left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _sleep_until_end(self) -> None:
        """Sleep until it ends or the time is up.

        `Popen.wait` with a time looks at growing intervals, up to 50 ms too late.
        """
        if sys.platform == "linux":
            with suppress(OSError):  # of a kernel older than pidfds
                handle = os.pidfd_open(self._process.pid)
                try:
                    select.select([handle], [], [], self._seconds_left())
                finally:
                    os.close(handle)

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel end this process when the one that started it is gone.

    Given that one's id, end at once if it is gone already.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def _limit() -> None:
    """Limit the new process, from inside it, before it becomes the command."""
    end_with_parent()
    for which, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT),
    ):
        _, hard = resource.getrlimit(which)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (limit, hard))
