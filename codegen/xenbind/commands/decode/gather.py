"""Gather the numbers of many requests, each place's on end, as columns want them.

Takes `Run`s of one version; gives numpy arrays for `table`.  It goes through a thousand requests
at a time, which the CPU's cache holds, and takes every number out of them: going through all of
them for each number anew takes twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xenbind.commands.decode.events import Leaf, Shape
from xenbind.commands.decode.stream import Run

_PIECE = 1 << 10  # requests

_Place = tuple[str, int]  # a number's kind, as numpy has it, and its offset


class Numbers:
    """The numbers of some requests.  Of a member that none of the reasons selects there are none.

    `reasons` are the reasons' numbers, None where requests have no union.
    """

    def __init__(self, numpy: Any, shape: Shape, runs: Sequence[Run]) -> None:
        self._numpy = numpy
        self._shape = shape
        self._size = runs[0].size
        self.count = sum(map(len, runs))
        self._usual = {_place(leaf) for leaf in (*shape.head, *shape.registers)}
        self._tag: _Place | None = None
        if shape.details:  # the reason, which a leaf may have as a signed number
            tag = shape.tag
            self._tag = f"<u{tag.stop - tag.start}", tag.start
            self._usual.add(self._tag)
        self._found: dict[_Place, Any] = {}
        start = 0
        for piece in _pieces(runs):
            start = self._take(piece, start)

    @property
    def reasons(self) -> Any:
        return None if self._tag is None else self._found[self._tag]

    def of(self, leaf: Leaf) -> Any:
        """Give a leaf's number in each request."""
        numbers = self._found[_place(leaf)]
        if leaf.bits is None:
            return numbers
        lowest, width = leaf.bits
        # Shifted up to the top first: shifting down then brings the sign along.
        above = 8 * leaf.size - lowest - width
        return numbers << above >> above + lowest

    def _take(self, piece: bytes, start: int) -> int:
        """Take the numbers out of requests that begin with number `start`; gives where they end."""
        numpy, size = self._numpy, self._size
        count = len(piece) // size
        places = set(self._usual)
        if self._tag is not None:
            kind, offset = self._tag
            there = numpy.unique(numpy.ndarray(count, kind, piece, offset, (size,)))
            for member in {self._shape.selected.get(one) for one in there.tolist()}:
                if member is not None:
                    places |= {_place(leaf) for leaf in self._shape.details[member]}
        for place in places:
            column = self._found.get(place)
            if column is None:
                column = self._found[place] = numpy.zeros(self.count, place[0])
            kind, offset = place
            numbers = numpy.ndarray(count, kind, piece, offset, (size,))
            column[start : start + count] = numbers
        return start + count


def _place(leaf: Leaf) -> _Place:
    return f"<{'i' if leaf.signed else 'u'}{leaf.size}", leaf.offset


def _pieces(runs: Iterable[Run]) -> Iterator[bytes]:
    parts: list[bytes] = []
    count = 0
    for run in runs:
        parts.append(run.data)
        count += len(run)
        if count >= _PIECE:
            yield b"".join(parts)
            parts, count = [], 0
    if parts:
        yield b"".join(parts)
