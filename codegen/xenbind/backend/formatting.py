"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
a `Formatter` starts its processes before the headers are read.

The templates write what black wants already, which spares it most of its work.  Modules are
cut between definitions, and what several versions have alike is formatted once.  Files that hold
nothing of the headers are no templates, and are not formatted again.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType

from xenbind.errors import SystemFailure
from xenbind.toolchain.process import end_with_parent

# Each imports black for itself; a third made no run faster.
_PROCESSES = 2
# Where a definition begins, two blank lines below what is before it: black formats what is on
# both sides as if the other were not there.
_CUT = re.compile(r"(?<=\n)\n\n(?=@|class |def )")


class Formatter:
    """Processes that import black while the caller has other things to do.

    A context manager: the processes end with it, or with the process that made them.
    """

    def __enter__(self) -> Formatter:
        # A forked process has half of what black imports already.
        method = "fork" if sys.platform == "linux" else "spawn"
        self._pool = ProcessPoolExecutor(
            _PROCESSES,
            multiprocessing.get_context(method),
            _prepare,
            (os.getpid(),),
        )
        self._blocks: dict[str, list[str]] = {}
        self._formatted: dict[str, Future[str]] = {}
        for _ in range(_PROCESSES):
            self._pool.submit(str)  # the pool starts no process before it needs one
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Waited for: Python, ending, would wake a thread of the pool that is just closing.
        self._pool.shutdown(cancel_futures=True)

    def start(self, texts: Mapping[str, str]) -> None:
        """Begin to format Python sources by path; `result` waits for them.

        Raises `SystemFailure` if a process has died.
        """
        try:
            for path, text in texts.items():
                self._blocks[path] = _CUT.split(text)
            blocks = {block for blocks in self._blocks.values() for block in blocks}
            for block in sorted(blocks, key=len, reverse=True):
                self._formatted[block] = self._pool.submit(_format, block)
        except BrokenProcessPool:
            raise _died() from None

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `SystemFailure` if a process died of it."""
        try:
            return {
                path: "\n\n".join(self._formatted[block].result() for block in blocks)
                for path, blocks in self._blocks.items()
            }
        except BrokenProcessPool:
            raise _died() from None


def _died() -> SystemFailure:
    return SystemFailure(
        "a process that formats the output with black died",
        f"see that `{sys.executable} -m black --version` works",
    )


def _prepare(parent: int) -> None:
    """Make a process ready, before its first text."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's to answer
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    import black  # noqa: F401


def _format(text: str) -> str:
    # Imported here, not by the caller: it takes 50 ms, and holds the interpreter's lock.
    from black import Mode, format_str

    return format_str(text, mode=Mode())
