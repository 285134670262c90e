"""The exceptions that xenbind raises on purpose, how one reads on a terminal, and exit status.

Every stage raises one of these; the command line catches `XenbindError`, prints
`describe(error)` and exits with its `status`.  Anything else that escapes is a bug.

A stage that can go on after an error keeps it in `Faults`, and raises all of them at its end.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import zip_longest

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

    def __reduce__(self) -> tuple[object, ...]:
        # An error may come from another process; as it is, Python would make it of its text.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class UsageError(XenbindError):
    """An option, or a variable that stands for one, says what cannot be."""

    status = Status.USAGE


class SourceError(XenbindError):
    """A header or spec that cannot be used, with the place in it.

    `of_line` is False for an error of the whole file, told at its first line.  With
    `is_of_python`, what it is about is right in C, and has no counterpart in Python.
    """

    def __init__(
        self,
        coord: Coord,
        message: str,
        advice: str,
        of_line: bool = True,
        is_of_python: bool = False,
    ) -> None:
        super().__init__(message, advice)
        self.coord = coord
        self.of_line = of_line
        self.is_of_python = is_of_python

    @property
    def each(self) -> tuple[SourceError, ...]:
        """The errors that this one is made of: of a `SourceErrors` several."""
        return (self,)

    def moved(self, to: Callable[[Coord], Coord]) -> SourceError:
        """Give the same error with another place."""
        return SourceError(
            to(self.coord),
            self.message,
            self.advice,
            self.of_line,
            self.is_of_python,
        )


class SourceErrors(SourceError):
    """Several errors in headers, in order of place; for whoever wants one it is the first."""

    def __init__(self, errors: Iterable[SourceError]) -> None:
        self._each = tuple(errors)
        first = self._each[0]
        of_python = all(error.is_of_python for error in self._each)
        super().__init__(
            first.coord, first.message, first.advice, first.of_line, of_python
        )

    @property
    def each(self) -> tuple[SourceError, ...]:
        return self._each

    def moved(self, to: Callable[[Coord], Coord]) -> SourceError:
        return SourceErrors(error.moved(to) for error in self._each)


class Faults:
    """The errors of a stage so far: what it can do without is passed over, and told at its end.

    faults = Faults()
    for node in declarations:
        with faults.kept():
            lower(node)
    faults.refuse()
    """

    def __init__(self) -> None:
        self._found: dict[tuple[Coord, str], SourceError] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep an error that is raised inside, and go on behind it."""
        try:
            yield
        except SourceError as error:
            self.add(error)

    def add(self, error: SourceError) -> None:
        """Keep an error; what is wrong at one place is told once."""
        for one in error.each:
            self._found.setdefault((one.coord, one.message), one)

    def refuse(self) -> None:
        """Raise what was found, if anything was: one error, or `SourceErrors`."""
        found = sorted(self._found.values(), key=lambda error: error.coord)
        if len(found) == 1:
            raise found[0]
        if found:
            raise SourceErrors(found)


def refuse_all(errors: Iterable[SourceError]) -> None:
    """Raise what is given as `Faults` does; nothing if there is none."""
    faults = Faults()
    for error in errors:
        faults.add(error)
    faults.refuse()


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


_MOST_TOLD = 20


def describe(error: XenbindError) -> str:
    """Say an error as a person reads it: place and message, line with caret, advice.

    Of several, the first twenty, and an advice that they share once.  A header's control
    characters do not reach the terminal.
    """
    return "\n".join(map(printable, _lines(error)))


def _lines(error: XenbindError) -> Iterator[str]:
    if not isinstance(error, SourceError):
        yield f"xenbind: error: {error.message}"
        yield f"  help: {error.advice}"
        return
    sources = Sources()
    told = error.each[:_MOST_TOLD]
    for one, following in zip_longest(told, told[1:]):
        yield from _lines_of_one(one, sources)
        if following is None or following.advice != one.advice:
            yield f"  help: {one.advice}"
    if more := len(error.each) - len(told):
        yield f"and {more} more"


def _lines_of_one(error: SourceError, sources: Sources) -> Iterator[str]:
    yield f"{error.coord}: error: {error.message}"
    source = sources.line(error.coord.file, error.coord.line)
    if error.of_line and source.strip():
        # A tab takes one column in the coordinate but several on the terminal.
        before = source[: error.coord.column - 1]
        indent = "".join("\t" if char == "\t" else " " for char in before)
        yield f"  {source.rstrip()}"
        yield f"  {indent}^"
