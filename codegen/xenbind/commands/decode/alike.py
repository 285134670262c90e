"""Refuse events that do not fit in one table: for `table`, and for CSV.

Takes `Run`s and gives them on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xenbind.commands.decode.events import Shape, Shapes
from xenbind.commands.decode.stream import Run
from xenbind.errors import XenbindError


def alike(runs: Iterable[Run], shapes: Shapes) -> Iterator[Run]:
    """Give runs on, but for those of another version than their session's, which no table holds.

    Raises `XenbindError` for a second version, registers of a second CPU, or another kind of
    input.
    """
    first: tuple[Shape, bool] | None = None
    for run in runs:
        if run.is_other:
            continue
        shape, is_recorded = shapes.of(run), run.session is not None
        first = first or (shape, is_recorded)
        if problem := _problem(shape, is_recorded, *first):
            raise XenbindError(
                f"event {run.indices[0]} {problem}",
                "write one table for each version, CPU and kind of input",
            )
        yield run


def _problem(
    shape: Shape, is_recorded: bool, first: Shape, was_recorded: bool
) -> str | None:
    if shape.version != first.version:
        return (
            f"is of version {shape.version}, those before it of version {first.version}"
        )
    if shape is not first:
        return "has the registers of another CPU than those before it"
    if is_recorded != was_recorded:
        with_or_without = ("with", "without") if is_recorded else ("without", "with")
        return "was recorded {} times, those before it {}".format(*with_or_without)
    return None
