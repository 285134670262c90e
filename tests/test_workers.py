"""Work in other processes: what a function gives or raises there is given or raised here."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest
from xenbind.errors import (
    CompilerError,
    SourceError,
    SourceErrors,
    SystemFailure,
    UsageError,
    XenbindError,
    describe,
)
from xenbind.source import Coord
from xenbind.workers import Workers, result

ONE = SourceError(Coord("a.h", 1, 2), "it is wrong", "mend it", is_of_python=True)
OTHER = SourceError(Coord("b.h", 3, 4), "and this", "mend that", of_line=False)
ERRORS = [ONE, OTHER, SourceErrors([ONE, OTHER]), UsageError("a", "b")]


def raised(error: XenbindError) -> None:
    raise error


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_are_those_of_each_call() -> None:
    with Workers() as workers:
        futures = [workers.submit(pow, 2, n) for n in range(9)]
        assert [result(each) for each in futures] == [2**n for n in range(9)]
        assert result(workers.submit(os.getpid)) != os.getpid()


@pytest.mark.parametrize("error", [*ERRORS, CompilerError("a", "b")], ids=repr)
def test_an_error_arrives_as_it_was_raised(error: XenbindError) -> None:
    with Workers() as workers, pytest.raises(type(error)) as caught:
        result(workers.submit(raised, error))
    assert type(caught.value) is type(error)
    assert describe(caught.value) == describe(error)
    assert caught.value.status == error.status
    if isinstance(error, SourceError):
        assert isinstance(caught.value, SourceError)
        assert len(caught.value.each) == len(error.each)
        assert caught.value.is_of_python is error.is_of_python


def test_a_process_that_dies_is_told() -> None:
    with Workers() as workers:
        with pytest.raises(SystemFailure, match="had started died"):
            result(workers.submit(killed))
        with pytest.raises(SystemFailure, match="had started died"):
            workers.submit(pow, 2, 2)


# --- beside this process ------------------------------------------------------------------


def test_a_copy_knows_what_this_process_does_and_gives_its_result_once() -> None:
    calls: list[int] = []

    def note() -> tuple[int, list[int]]:
        calls.append(os.getpid())
        return os.getpid(), calls

    with Workers(1) as workers:
        calls.append(0)
        noted = workers.beside(note)
        pid, seen = noted()
        assert noted() == (pid, seen)
    assert pid != os.getpid()
    assert (seen, calls) == ([0, pid], [0])


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_of_a_copy_is_raised_here(error: XenbindError) -> None:
    with Workers(1) as workers, pytest.raises(type(error)) as caught:
        workers.beside(lambda: raised(error))()
    assert describe(caught.value) == describe(error)


def test_a_copy_that_dies_is_told() -> None:
    with Workers(1) as workers, pytest.raises(SystemFailure, match="had started died"):
        workers.beside(killed)()


def test_a_copy_that_nobody_waits_for_ends_with_the_workers() -> None:
    with Workers(1) as workers:
        workers.beside(lambda: time.sleep(60))
        (copy,) = workers._copies
        assert copy.is_alive()
    assert not copy.is_alive()


def test_processes_begin_at_once_or_with_the_first_work() -> None:
    with Workers(1):
        assert len(multiprocessing.active_children()) == 1
    with Workers(1, at_once=False) as workers:
        assert not multiprocessing.active_children()
        assert result(workers.submit(abs, -1)) == 1
        assert len(multiprocessing.active_children()) == 1
