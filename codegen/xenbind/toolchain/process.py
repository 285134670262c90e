"""Run a process within limits of time, memory and output.

Takes a command; gives its exit status, output and messages.  `compiler` runs the C
compiler so: a header of a few lines can make it expand a macro to more than the machine
holds, and one that hangs must not hang xenbind.

    Bounded(["gcc", "--version"]).finish().status  ->  0
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import IO

from xenbind.interruption import Held, UndoneIfEnded
from xenbind.plain import Struct

# A read of Xen's largest public header takes a tenth of a second and 30 MB.
SECONDS = 60
MEMORY = 2 << 30
OUTPUT = 32 << 20

_PR_SET_PDEATHSIG = 1


class Finished(Struct, frozen=True):
    """How a process ended: a negative status is the signal that ended it.

    `exceeded` says which limit it did not keep, empty if it kept them.
    """

    status: int
    output: bytes
    messages: bytes
    exceeded: str


class Bounded:
    """A process that has been started; `finish` waits for it.

    What it writes goes to files, so that any number of them can run at once unwatched.  It is
    the first of a process group, which ends with it, and when a signal ends xenbind.
    """

    def __init__(
        self,
        command: Sequence[str],
        text: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: int | None = None,
    ) -> None:
        """Start it with `text` as standard input, for `seconds`, or `SECONDS` at most.

        Raises `OSError` if it cannot be run.
        """
        self._seconds = seconds or SECONDS
        with ExitStack() as opened:
            self._output = opened.enter_context(tempfile.TemporaryFile())
            self._messages = opened.enter_context(tempfile.TemporaryFile())
            standard_input = opened.enter_context(tempfile.TemporaryFile())
            standard_input.write((text or "").encode("utf-8", errors="surrogateescape"))
            standard_input.seek(0)
            with Held():  # until its group is known
                self._process = subprocess.Popen(
                    _limited(command),
                    stdin=standard_input,
                    stdout=self._output,
                    stderr=self._messages,
                    env=environment,
                    process_group=0,
                )
                opened.enter_context(UndoneIfEnded(self._kill))
            self._opened = opened.pop_all()
        self._end = time.monotonic() + self._seconds

    def finish(self) -> Finished:
        """Wait for the end, or bring it about when the time is up."""
        exceeded = ""
        with self._opened:
            if not self._ends_in_time():
                exceeded = f"took more than {self._seconds} seconds"
            self._kill()
            self._process.wait()
            output, messages = _content(self._output), _content(self._messages)
        if max(len(output), len(messages)) >= OUTPUT:
            exceeded = f"wrote more than {OUTPUT >> 20} MB"
        return Finished(self._process.returncode, output, messages, exceeded)

    def _ends_in_time(self) -> bool:
        """Sleep until it ends or the time is up.

        `Popen.wait` with a time looks at growing intervals, up to 50 ms too late.
        """
        left = max(0.0, self._end - time.monotonic())
        if sys.platform == "linux":
            with suppress(OSError):  # of a kernel older than pidfds
                handle = os.pidfd_open(self._process.pid)
                try:
                    return bool(select.select([handle], [], [], left)[0])
                finally:
                    os.close(handle)
        try:
            self._process.wait(left)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _kill(self) -> None:
        """End what is left of its group, which has its number until it is waited for."""
        if self._process.returncode is None:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when `parent`, which started it, is gone."""
    if sys.platform == "linux":
        import ctypes  # which small headers do not need

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # gone already
        os._exit(1)


def _limited(command: Sequence[str]) -> list[str]:
    """Give what runs a command within its limits.  Raises `OSError` if it cannot be run.

    A shell limits itself before it becomes the command: Python would have to copy its process for
    that, which takes as long as a compiler does for a small header.  Where the system allows
    less, that is the limit.
    """
    if shutil.which(command[0]) is None:
        is_there = os.sep in command[0] and Path(command[0]).exists()
        number = errno.EACCES if is_there else errno.ENOENT
        raise OSError(number, os.strerror(number), command[0])
    limiting = f"""\
[ $PPID = {os.getpid()} ] || exit 1  # who started it is gone already
ulimit -S -v {MEMORY >> 10} 2>/dev/null
ulimit -S -t {SECONDS} 2>/dev/null
ulimit -S -f {OUTPUT >> 9} 2>/dev/null
exec "$@"
"""
    return [*_ending_with_parent(), "/bin/sh", "-c", limiting, "sh", *command]


@cache
def _ending_with_parent() -> tuple[str, ...]:
    """Give what has the kernel end a command with the process that starts it, as far as it can.

    That is util-linux's program; BusyBox's of the same name cannot.
    """
    program = shutil.which("setpriv")
    if program is None or Path(program).resolve().name != "setpriv":
        return ()
    return (program, "--pdeathsig", "KILL")
