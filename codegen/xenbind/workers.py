"""Do independent parts of a run beside each other, in processes that are kept for it.

Takes functions and what they are called with; gives futures of their results, or of the
`XenbindError` that they raise.  `generate` has the versions of a spec read so, and
`formatting` what is rendered.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from xenbind.errors import SystemFailure
from xenbind.toolchain.process import end_with_parent

# Imported where a process is needed: small headers need none.
if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

# By how much what is done beside this process gives way to it, for which all else waits.
NICENESS = 5

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Beside(Protocol):
    """Has something made, beside what else is done or when it is waited for."""

    def __call__(self, function: Callable[[], Result], /) -> Callable[[], Result]: ...


class Workers:
    """Processes that wait for work.

    A context manager: the processes end with it, or with the process that made them.  A third
    made no run faster.  They begin at once, before any thread does whose locks they would have, or
    else with the first work.  They give way to others by their `niceness`.
    """

    def __init__(
        self, processes: int = 2, at_once: bool = True, niceness: int = 0
    ) -> None:
        self.processes = processes
        self._at_once = at_once
        self._niceness = niceness

    def __enter__(self) -> Workers:
        self._pool: ProcessPoolExecutor | None = None
        self._copies: list[BaseProcess] = []
        for _ in range(self.processes * self._at_once):
            self.submit(str)  # the pool starts no process before it needs one
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for copy in self._copies:
            copy.kill()
            copy.join()
        if self._pool is not None:
            # Waited for: Python, ending, would wake a thread of the pool that is just closing.
            self._pool.shutdown(cancel_futures=True)

    def submit(
        self,
        function: Callable[Given, Result],
        *arguments: Given.args,
        **named: Given.kwargs,
    ) -> Future[Result]:
        """Have a function called.  Raises `SystemFailure` if a process has died."""
        from concurrent.futures.process import BrokenProcessPool

        if self._pool is None:
            self._pool = _pool(self.processes, self._niceness)
        try:
            return self._pool.submit(function, *arguments, **named)
        except BrokenProcessPool:
            raise _died() from None

    def beside(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Have a function called in a copy of this process, and give what waits for its result.

        The copy knows all that this process does, so that nothing needs to be sent there.
        Waiting raises what the function raises, or `SystemFailure` if the copy died; where
        processes cannot be copied it is waiting that calls the function.  A copy may have things
        done beside it in turn: the system ends those with it.
        """
        if sys.platform != "linux":
            return cache(function)
        import multiprocessing

        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        copy = context.Process(target=_call, args=(function, theirs, os.getpid()))
        copy.start()
        theirs.close()
        self._copies.append(copy)
        return cache(partial(_received, ours))


def _pool(processes: int, niceness: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked process has half of what black imports already.
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    given = (os.getpid(), niceness)
    return ProcessPoolExecutor(processes, context, _prepare, given)


def _call(function: Callable[[], object], sink: Connection, parent: int) -> None:
    """Send what a function gives, or the error that it raises: a fault of ours as well."""
    _prepare(parent, NICENESS)
    try:
        sink.send((function(), None))
    except Exception as error:
        sink.send((None, error))


def _received(source: Connection) -> Any:
    try:
        with source:
            given, error = source.recv()
    except (EOFError, OSError):  # before it had sent anything, or all of it
        raise _died() from None
    if error is not None:
        raise error
    return given


def result(future: Future[Result]) -> Result:
    """Wait for what a function gives.  Raises what it raises, `SystemFailure` if it died."""
    from concurrent.futures.process import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool:
        raise _died() from None


def _died() -> SystemFailure:
    return SystemFailure(
        "a process that xenbind had started died",
        f"see that there is memory left, and that `{sys.executable} -m black --version` works",
    )


def _prepare(parent: int, niceness: int = 0) -> None:
    """Make a process ready, before its first work."""
    end_with_parent(parent)
    os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's to answer
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
