"""The exceptions that xenbind raises on purpose, how one reads on a terminal, and exit status.

Every stage raises one of these; the command line catches `XenbindError`, prints
`describe(error)` and exits with its `status`.  Anything else that escapes is a bug.
"""

from __future__ import annotations

from enum import IntEnum

from xenbind.source import Coord, Sources
from xenbind.words import printable


class Status(IntEnum):
    """How a command ends, for those who call it."""

    FINE = 0
    FINDING = 1  # it has found something, or its input is wrong
    USAGE = 2  # its arguments are wrong
    NOT_RUN = 3  # a compiler, a file or the system did not let it do its work


class XenbindError(Exception):
    """Something the user can put right: what is wrong, and what to do about it."""

    status = Status.FINDING

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(XenbindError):
    """An option, or a variable that stands for one, says what cannot be."""

    status = Status.USAGE


class SourceError(XenbindError):
    """A header or spec that cannot be used, with the place in it.

    `of_line` is False for an error of the whole file, told at its first line.
    """

    def __init__(
        self, coord: Coord, message: str, advice: str, of_line: bool = True
    ) -> None:
        super().__init__(message, advice)
        self.coord = coord
        self.of_line = of_line


class SystemFailure(XenbindError):
    """A file cannot be read or written, or something that xenbind needs is missing or died.

    Such files are those that the command line or a configuration names.  What a spec or a
    header names and is not there is an error in that: a `SourceError`, at its place.
    """

    status = Status.NOT_RUN


class CompilerError(SystemFailure):
    """The C compiler is missing, or failed for a reason that no header line explains."""


class OutputError(XenbindError):
    """The output folder holds something that is not ours, or no package that works."""


def describe(error: XenbindError) -> str:
    """Say an error as a person reads it: place and message, line with caret, advice.

    A header's control characters do not reach the terminal.
    """
    return "\n".join(map(printable, _lines(error)))


def _lines(error: XenbindError) -> list[str]:
    if not isinstance(error, SourceError):
        return [f"xenbind: error: {error.message}", f"  help: {error.advice}"]
    lines = [f"{error.coord}: error: {error.message}"]
    source = Sources().line(error.coord.file, error.coord.line)
    if error.of_line and source.strip():
        # A tab takes one column in the coordinate but several on the terminal.
        before = source[: error.coord.column - 1]
        indent = "".join("\t" if char == "\t" else " " for char in before)
        lines += [f"  {source.rstrip()}", f"  {indent}^"]
    lines.append(f"  help: {error.advice}")
    return lines
