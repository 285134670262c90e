"""End a command that a signal interrupts: nothing half done, one line, the right exit status.

A Python exception raised wherever a signal comes would be lost in callbacks, or leave behind
a process that nobody knows of.  So none is raised: the handler itself undoes what is under way
and ends the process.  What must not be cut in two is done while `Held`; what must not be left
behind is told to `UndoneIfEnded`.  The state is the process's, as signals are.

This is the first module to be imported, and a signal that comes before is Python's to answer:
so it imports as little as can be.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # importing `typing` takes longer than all of this module
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
    from types import FrameType
else:  # the built-in half of `signal`, without the enums that the other makes of its numbers
    import _signal

_NAMES: dict[int, str] = {
    _signal.SIGINT: "SIGINT",
    _signal.SIGTERM: "SIGTERM",
    _signal.SIGHUP: "SIGHUP",
}


class _Process:
    """What this process has to undo, and whether it may be ended now."""

    def __init__(self) -> None:
        self.undo: list[Callable[[], object]] = []
        self.holds = 0
        self.came: int | None = None
        self.pid = 0


_process = _Process()


def end_on_signals() -> None:
    """From here on, a signal ends the process as this module says.

    Signals that are ignored stay so: `nohup`, and Ctrl-C for a shell's background jobs.
    """
    _process.pid = os.getpid()
    for number in _NAMES:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, _handle)


def finish() -> None:
    """At the end of all work: undo what an error cut short, and heed no signal any more."""
    for number in _NAMES:
        _signal.signal(number, _signal.SIG_IGN)
    _undo()


def _undo() -> None:
    for done in reversed(_process.undo):
        try:
            done()
        except OSError:
            continue  # the next run tidies up


class Held:
    """A context that puts a signal off until its block is done."""

    def __enter__(self) -> None:
        _process.holds += 1

    def __exit__(self, *error: object) -> None:
        _process.holds -= 1
        if _process.came is not None and not _process.holds:
            _end(_process.came)


class UndoneIfEnded:
    """A context that has `undo` called if a signal ends the process at any point of its block."""

    def __init__(self, undo: Callable[[], object]) -> None:
        self._undo = undo

    def __enter__(self) -> None:
        _process.undo.append(self._undo)

    def __exit__(self, *error: object) -> None:
        _process.undo.remove(self._undo)


def _handle(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _process.pid:  # a forked process that is not yet what it will be
        os._exit(128 + number)
    if _process.holds:
        _process.came = number
    else:
        _end(number)


def _end(number: int) -> None:
    finish()
    try:
        os.write(
            2, f"xenbind: ended by {_NAMES[number]}; nothing is half done\n".encode()
        )
    finally:
        os._exit(128 + number)
