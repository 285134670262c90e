"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
a `Formatter` starts its processes before the headers are read.

The templates write what black wants already, which spares it most of its work.  Files
that hold nothing of the headers are no templates, and are not formatted again.
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
# Characters that black takes about 50 ms for; what is longer is shared out.
_SHARE = 10_000


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
        self._parts: dict[str, list[Future[str]]] = {}
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
            for path in sorted(texts, key=lambda path: len(texts[path]), reverse=True):
                self._parts[path] = [
                    self._pool.submit(_format, part) for part in _parts(texts[path])
                ]
        except BrokenProcessPool:
            raise _died() from None

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `SystemFailure` if a process died of it."""
        try:
            return {
                path: "\n\n".join(part.result() for part in parts)
                for path, parts in self._parts.items()
            }
        except BrokenProcessPool:
            raise _died() from None


def _died() -> SystemFailure:
    return SystemFailure(
        "a process that formats the output with black died",
        f"see that `{sys.executable} -m black --version` works",
    )


def _parts(text: str) -> list[str]:
    """A module in parts of some length, cut between definitions, two blank lines apart."""
    parts = [""]
    for block in re.split(r"(?<=\n)\n\n(?=@|class |def )", text):
        if len(parts[-1]) > _SHARE:
            parts.append("")
        parts[-1] += f"\n\n{block}" if parts[-1] else block
    return parts


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
