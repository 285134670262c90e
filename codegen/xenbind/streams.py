"""Standard input, output and error as a command may find them: closed, full, or ASCII alone.

The command line opens them before its work and finishes its output behind it, so that no
command has to think of them.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from typing import Any, BinaryIO, TextIO


class ReaderGone(Exception):
    """Nobody reads what is written.  No `OSError`, which click would answer in its own way."""


def open_streams() -> None:
    """Make the three streams such that their use can fail by an `OSError` with their name alone.

    One that is closed stays so for who uses it, but no file that is opened gets its number.
    Characters that the encoding of a terminal has not are escaped.
    """
    _stand_in(0, os.O_WRONLY)
    _stand_in(1, os.O_RDONLY)
    _stand_in(2, os.O_RDWR)  # to whom could it be told?
    # Python makes no stream for a closed number.
    sys.stdin = sys.stdin or TextIOWrapper(BufferedReader(FileIO(0, closefd=False)))
    sys.stdout = _Words(1, "standard output", sys.stdout)
    sys.stderr = _Words(2, "standard error", sys.stderr)


def finish_output() -> OSError | ReaderGone | None:
    """Write what the streams still hold; gives the error of a standard output that cannot be."""
    failure: OSError | ReaderGone | None = None
    for number, stream in ((2, sys.stderr), (1, sys.stdout)):
        failure = None
        try:
            stream.flush()
        except (OSError, ReaderGone) as error:
            failure = error
            # Python, ending, would try once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return failure


def terminal_width() -> int | None:
    """Give the columns of the terminal that standard output is, None where it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _stand_in(number: int, access: int) -> None:
    """Give a closed file number to a file that cannot be used the way that it should be."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, access)  # the lowest number that is free: this one
        os.set_inheritable(opened, True)


class _Words(TextIOWrapper):
    """A stream for words in place of Python's own."""

    def __init__(self, number: int, name: str, own: TextIO | None) -> None:
        if own:
            with suppress(OSError):
                own.flush()
        super().__init__(
            BufferedWriter(_Named(number, name)),
            encoding=own.encoding if own else "utf-8",
            errors="backslashreplace",
            line_buffering=number == 2 or os.isatty(number),
        )

    @property
    def buffer(self) -> BinaryIO:
        """Refused: click takes it where the encoding is ASCII, and writes UTF-8."""
        raise AttributeError("words go through the encoding")

    def write(self, words: str | bytes) -> int:
        return super().write(words.decode() if isinstance(words, bytes) else words)


class _Named(FileIO):
    """An open file whose errors have its name."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(number, "wb", closefd=False)
        self._name = name

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            error.filename = self._name
            raise
