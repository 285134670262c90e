"""Gather the numbers of many requests, each place's on end, as columns want them.

Takes `Run`s of one version, one after the other; gives numpy arrays for `table`.  It goes through
a thousand requests at a time, as they come, while the CPU's cache holds them, and takes every
number out of them: going through all of them for each number anew takes twice as long.
"""

from __future__ import annotations

from typing import Any

from xenbind.commands.decode.events import Leaf, Shape
from xenbind.commands.decode.stream import Run

_PIECE = 1 << 10  # requests

_Place = tuple[str, int]  # a number's kind, as numpy has it, and its offset


class Numbers:
    """The numbers of some requests.  Of a member that none of the reasons selects there are none.

    Arrays that are given last until `clear`, which begins with other requests anew: the next
    ones are put into the same memory.
    """

    def __init__(self, numpy: Any, shape: Shape, room: int) -> None:
        self._numpy = numpy
        self._shape = shape
        self._size = shape.record.size
        self._usual = {_place(leaf) for leaf in (*shape.head, *shape.registers)}
        self._tag: _Place | None = None
        if shape.details:  # the reason, which a leaf may have as a signed number
            tag = shape.tag
            self._tag = f"<u{tag.stop - tag.start}", tag.start
            self._usual.add(self._tag)
        self._room = room
        self._found = {place: numpy.empty(room, place[0]) for place in self._usual}
        self._parts: list[bytes] = []
        self._taken = 0  # of `count`, those that are in the columns
        self.count = 0

    def take(self, run: Run) -> None:
        """Take the numbers out of a run's requests."""
        self._parts.append(run.data)
        self.count += len(run)
        if self.count - self._taken >= _PIECE:
            self._take_parts()

    def clear(self) -> None:
        """Forget the requests."""
        self.count = self._taken = 0
        self._parts = []
        # What no reason selected is zero in the others: these begin with zeros each time.
        for place in self._found.keys() - self._usual:
            del self._found[place]

    @property
    def reasons(self) -> Any:
        """The reasons' numbers, None where requests have no union."""
        return None if self._tag is None else self._all(self._tag)

    def of(self, leaf: Leaf) -> Any:
        """Give a leaf's number in each request."""
        numbers = self._all(_place(leaf))
        if leaf.bits is None:
            return numbers
        lowest, width = leaf.bits
        # Shifted up to the top first: shifting down then brings the sign along.
        above = 8 * leaf.size - lowest - width
        return numbers << above >> above + lowest

    def _all(self, place: _Place) -> Any:
        if self._parts:
            self._take_parts()
        return self._found[place][: self.count]

    def _take_parts(self) -> None:
        numpy, size = self._numpy, self._size
        piece = b"".join(self._parts)
        self._parts = []
        start, end = self._taken, self.count
        if end > self._room:
            self._enlarge(2 * end)
        for place in self._usual | self._selected(piece):
            kind, offset = place
            column = self._found.get(place)
            if column is None:
                column = self._found[place] = numpy.zeros(self._room, kind)
            numbers = numpy.ndarray(end - start, kind, piece, offset, (size,))
            column[start:end] = numbers
        self._taken = end

    def _selected(self, piece: bytes) -> set[_Place]:
        """Give the places of the union's members that the reasons in some requests select."""
        if self._tag is None:
            return set()
        kind, offset = self._tag
        count = len(piece) // self._size
        reasons = self._numpy.ndarray(count, kind, piece, offset, (self._size,))
        selected, details = self._shape.selected, self._shape.details
        there = set(reasons.tolist()) & selected.keys()
        members = {selected[reason] for reason in there}
        return {_place(leaf) for member in members for leaf in details[member]}

    def _enlarge(self, room: int) -> None:
        for place, old in self._found.items():
            column = self._found[place] = self._numpy.zeros(room, place[0])
            column[: self._taken] = old[: self._taken]
        self._room = room


def _place(leaf: Leaf) -> _Place:
    return f"<{'i' if leaf.signed else 'u'}{leaf.size}", leaf.offset
