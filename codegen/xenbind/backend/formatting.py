"""Formatting: rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
a `Formatter` starts its processes before the headers are read.

The templates write what black wants already, which spares it most of its work. Files
that hold nothing of the headers are no templates, and are not formatted again.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import TracebackType

from xenbind.errors import XenbindError

# Each imports black for itself; a third made no run faster.
_PROCESSES = 2


class Formatter:
    """Processes that import black while the caller has other things to do.

    A context manager: the processes end with it, or with the process that made them.
    """

    def __enter__(self) -> Formatter:
        # A forked process has half of what black imports already.
        if sys.platform == "linux":
            context = multiprocessing.get_context("fork")
        else:
            context = multiprocessing.get_context("spawn")
        self._connections: list[Connection] = []
        self._processes = []
        for _ in range(_PROCESSES):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, ours), daemon=True)
            process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not waited for: they have nothing left to do, and Python joins them as it ends.
        for process, connection in zip(self._processes, self._connections, strict=True):
            process.kill()
            connection.close()

    def start(self, texts: Mapping[str, str]) -> None:
        """Begin to format Python sources by path; `result` waits for them.

        Raises `XenbindError` if a process has died.
        """
        try:
            for connection, share in zip(
                self._connections, _shares(texts), strict=True
            ):
                connection.send(share)
        except ConnectionError:
            raise _died() from None

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `XenbindError` if a process died of it."""
        formatted: dict[str, str] = {}
        try:
            for connection in self._connections:
                formatted |= connection.recv()
        except (EOFError, ConnectionError):
            raise _died() from None
        return formatted


def _died() -> XenbindError:
    return XenbindError(
        "a process that formats the output with black died",
        f"see that `{sys.executable} -m black --version` works",
    )


def _shares(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """The texts in parts of about the same length, one for each process."""
    shares: list[dict[str, str]] = [{} for _ in range(_PROCESSES)]
    for path in sorted(texts, key=lambda path: len(texts[path]), reverse=True):
        lightest = min(shares, key=lambda share: sum(map(len, share.values())))
        lightest[path] = texts[path]
    return shares


def _serve(connection: Connection, other_end: Connection) -> None:
    """What each process does: black applied to what comes, until the caller is gone."""
    other_end.close()  # else the end of the caller would not be noticed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's to answer
    from black import Mode, format_str

    try:
        while True:
            texts = connection.recv()
            connection.send(
                {path: format_str(text, mode=Mode()) for path, text in texts.items()}
            )
    except (EOFError, ConnectionError):
        return
