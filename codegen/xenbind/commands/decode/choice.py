"""Choose events: by their reason, their vCPU, and when they came.

Takes `Run`s; gives those of their requests that were asked for, as `Run`s.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timezone

from xenbind.commands.decode.events import Leaf, Shape, Shapes
from xenbind.commands.decode.stream import Run
from xenbind.errors import UsageError, XenbindError
from xenbind.plain import Struct

_SECOND = 10**9
_UNITS = {"ms": _SECOND // 1000, "s": _SECOND, "m": 60 * _SECOND}
_UNITS |= {"h": 3600 * _SECOND, "d": 86400 * _SECOND}
_SPAN = re.compile(r"([+-])((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


class Since(Struct, frozen=True):
    """A moment: `behind` nanoseconds after a session's start, or else one of the wall clock's."""

    behind: int | None
    absolute: int

    def within(self, started: int) -> int:
        """Give the moment as nanoseconds since a session's start."""
        return self.absolute - started if self.behind is None else self.behind


def since(text: str) -> Since:
    """Read a time: `+90s` behind the start, `-10m` before now, or ISO 8601; local without a zone.

    Raises `UsageError` for anything else.
    """
    try:
        if found := _SPAN.fullmatch(text):
            parts = _PART.findall(found[2])
            span = round(sum(float(number) * _UNITS[unit] for number, unit in parts))
            behind = found[1] == "+"
            return Since(span, 0) if behind else Since(None, time.time_ns() - span)
        moment = datetime.fromisoformat(text).astimezone(timezone.utc)  # noqa: UP017
    except (ValueError, OverflowError):  # too far away is no time either
        raise UsageError(
            f"--since: '{text}' is no time",
            "write +1h30m (behind the start), -10m (before now) or 2026-03-01T12:00:00Z",
        ) from None
    return Since(None, round(moment.timestamp() * 1_000_000) * 1000)


class Choice(Struct, frozen=True):
    """What was asked for; empty for everything.

    `all_reasons` gives the reasons of all versions, whichever are met.
    """

    reasons: Sequence[str]
    vcpus: Sequence[int]
    since: Since | None
    all_reasons: Callable[[], Collection[str]]

    def of(self, runs: Iterable[Run], shapes: Shapes) -> Iterator[Run]:
        """Give the requests that were asked for, as they come.

        Raises `XenbindError` for a reason that no version has, or a time where none is known.
        """
        if not (self.reasons or self.vcpus or self.since):
            yield from runs
            return
        numbers: dict[int, set[int]] = {}
        for run in runs:
            shape = shapes.of(run)
            if self.reasons and shape.version not in numbers:
                numbers[shape.version] = self._numbers(shape)
            wanted = self._places(run, shape, numbers.get(shape.version, set()))
            if len(wanted) == len(run):
                yield run
            elif wanted:
                yield run.only(wanted)

    def _places(self, run: Run, shape: Shape, reasons: set[int]) -> Sequence[int]:
        places: Sequence[int] = range(len(run))
        if self.reasons:
            numbers = _numbers(run, _leaf(shape, "reason"))
            places = [place for place in places if numbers[place] in reasons]
        if self.vcpus:
            numbers = _numbers(run, _leaf(shape, "vcpu_id"))
            places = [place for place in places if numbers[place] in self.vcpus]
        if self.since:
            if run.session is None or run.notes is None:
                raise XenbindError(
                    "the input has no times, which --since asks for",
                    "record with monitor.Recording, or leave --since out",
                )
            first = self.since.within(run.session.started)
            places = [place for place in places if run.notes[place].time >= first]
        return places

    def _numbers(self, shape: Shape) -> set[int]:
        """Give the reasons' numbers in a version, which may lack some of them."""
        names = _leaf(shape, "reason").names
        found = {} if names is None else names.values
        lacking = [name for name in self.reasons if name.upper() not in found]
        if lacking:
            known = self.all_reasons()
            for name in lacking:
                if name.upper() not in known:
                    raise XenbindError(
                        f"no version has a reason '{name}'",
                        f"name one of {', '.join(known)}",
                    )
        return {found[name.upper()] for name in self.reasons if name.upper() in found}


def _leaf(shape: Shape, path: str) -> Leaf:
    leaf = shape.leaf(path)
    if leaf is None:
        option = "--reason" if path == "reason" else "--vcpu"
        raise XenbindError(
            f"the records have no member {path}, which {option} asks for",
            f"leave {option} out",
        )
    return leaf


def _numbers(run: Run, leaf: Leaf) -> list[int]:
    data = run.data
    return [leaf.read(data, start) for start in range(0, len(data), run.size)]
