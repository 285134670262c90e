"""Show the bytes of a record by member: in hexadecimal, coloured, with a legend.

`records` imports this when a record is first dumped.  Before the first byte of each member
stands a `|`, which tells them apart where there is no colour.  Bit-fields that share a byte
share its colour.  Bytes of no member are dim, as are those that a union's member leaves.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from .annotations import Member, typing
from .documentation import types
from .places import Place, declaring, place_of
from .printing import is_padding, value

# pyright: reportPrivateUsage=false

_ROW = 16
_RECORDS = (ctypes.Structure, ctypes.Union)
# As terminals count them: cyan, green, yellow, magenta, blue, red, and what is usual. A member's
# place chooses, so that it has its colour whatever a union before it holds; neighbours share
# one only where their sizes are multiples of 7.
_COLOURS = (36, 32, 33, 35, 34, 31, 39)
_DIM = 2
# Colours a text as the member that begins at a byte; None is no member.
_Paint = Callable[[str, int | None], str]
_HEADINGS = ("at", "size", "member", "type", "value")


def dump(record: typing.Any, opened: Sequence[str], colour: bool | None) -> str:
    """Do what the record's method of this name does."""
    # A copy, so that the values are those of the bytes whoever else writes to them; and of
    # the class that declares the members, which that of a ring's request only leads to.
    cls: typing.Any = declaring(record.__class__)
    record = cls.from_buffer_copy(record)
    walk = _Walk(opened)
    leaves = sorted(walk.leaves(record), key=_Leaf.first_bit)
    walk.check(cls)
    octets = bytes(record)
    owners = _owners(leaves, len(octets))
    paint = _coloured if (_wanted() if colour is None else colour) else _plain
    rows = "".join(f"{row}\n" for row in _rows(octets, owners, paint))
    below = "\n".join([*_legend(leaves, owners, paint), *walk.notes])
    return f"{rows}\n{below}" if rows else below


class _Leaf:
    """A member that is shown as one, with its type and its value as they are printed."""

    __slots__ = ("place", "type", "value")

    def __init__(self, place: Place, ctype: str, shown: str) -> None:
        self.place = place
        self.type = ctype
        self.value = shown

    def first_bit(self) -> int:
        return _first_bit(self.place)

    def bytes(self) -> range:
        first = self.first_bit()
        end = first + _bits(self.place)
        return range(first // 8, -(-end // 8))


class _Walk:
    """Finds the members of a record at every depth, of each union what it is.

    `notes` name the unions of which nothing tells the member in use.
    """

    def __init__(self, opened: Sequence[str]) -> None:
        self._opened = opened
        self._met: set[str] = set()
        self.notes: list[str] = []

    def leaves(
        self, record: typing.Any, base: int = 0, path: str = "", chosen: str = ""
    ) -> Iterator[_Leaf]:
        """Give the members of a record that is at `path`, `base` bytes in.

        `chosen` is the member of a union that is known to be in use.
        """
        cls: typing.Any = record.__class__
        tag, union, payloads = cls._payload_
        members: Sequence[Member] = cls._members_
        if members and issubclass(cls, ctypes.Union):
            if tag and not union:
                chosen = payloads.get(getattr(record, tag), "")
            members = self._of_union(_alternatives(cls), path, chosen)
        spelled = types(cls)
        for member in members:
            if is_padding(member):
                continue
            place = place_of(cls, member, base, path)
            inner = f"{place.path}."
            selected, is_known = "", True
            if member.name == union:
                selected = payloads.get(getattr(record, tag), "")
                is_known = bool(selected) or self._opens(inner)
            if member.bits is None and issubclass(member.type, _RECORDS) and is_known:
                inside = getattr(record, member.name)
                yield from self.leaves(inside, place.offset, inner, selected)
            else:
                ctype = spelled.get(member.name, member.type.__name__)
                yield _Leaf(place, ctype, value(record, member))

    def check(self, cls: type) -> None:
        """Raise ValueError for a path that was to be opened, and was not met."""
        for path in self._opened:
            if path not in self._met:
                raise ValueError(f"{cls.__name__} has no union's member '{path}' there")

    def _opens(self, inner: str) -> bool:
        return any(path.startswith(inner) for path in self._opened)

    def _of_union(
        self, alternatives: Sequence[Sequence[Member]], path: str, chosen: str
    ) -> Sequence[Member]:
        """Choose what was asked for, else what is in use, else what is declared first."""
        for members in alternatives:
            for member in members:
                place = f"{path}{member.c_name}"
                if place in self._opened or self._opens(f"{place}."):
                    self._met.add(place)
                    return members
        for members in alternatives:
            if any(member.name == chosen for member in members):
                return members
        first, *others = (members[0].c_name for members in alternatives)
        if others:
            name = path.rstrip(".") or "the union"
            self.notes.append(f"{name} is shown as {first}, may be {', '.join(others)}")
        return alternatives[0]


def _alternatives(union: typing.Any) -> list[list[Member]]:
    """Give what a union may be: a member, or those of a struct that has no name in it."""
    found: list[list[Member]] = []
    end = 0
    for member in union._members_:
        place = place_of(union, member, 0, "")
        first = _first_bit(place)
        # What overlaps the one before is no neighbour of it in a struct.
        if not found or not first or first < end:
            found.append([])
        found[-1].append(member)
        end = first + _bits(place)
    return found


def _first_bit(place: Place) -> int:
    return 8 * place.offset if place.bit_offset is None else place.bit_offset


def _bits(place: Place) -> int:
    return 8 * place.size if place.bit_width is None else place.bit_width


def _owners(leaves: Iterable[_Leaf], size: int) -> list[int | None]:
    """Tell for each byte where the member begins that it belongs to; None for no member."""
    owners: list[int | None] = [None] * size
    for leaf in leaves:
        places = leaf.bytes()
        # A bit-field may begin in a byte that another one has.
        begins = owners[places[0]] if places else None
        for place in places:
            if owners[place] is None:
                owners[place] = places[0] if begins is None else begins
    return owners


def _rows(octets: bytes, owners: Sequence[int | None], paint: _Paint) -> Iterator[str]:
    for start in range(0, len(octets), _ROW):
        row = f"{start:04x} "
        for place in range(start, min(start + _ROW, len(octets))):
            owner = owners[place]
            begins = place == 0 or owners[place - 1] != owner
            row += ("|" if begins else " ") + paint(f"{octets[place]:02x}", owner)
        yield row


def _legend(
    leaves: Iterable[_Leaf], owners: Sequence[int | None], paint: _Paint
) -> Iterator[str]:
    """Tell of each member, and of bytes of none, in the order of their places."""
    entries: list[tuple[int, list[str], int | None]] = []
    for leaf in leaves:
        bit, width, places = leaf.first_bit(), leaf.place.bit_width, leaf.bytes()
        at, size = f"{bit // 8:04x}", str(leaf.place.size)
        if width is not None:
            at, size = f"{at}.{bit % 8}", f"{width} bit{'s' * (width > 1)}"
        said = [at, size, leaf.place.path, leaf.type, leaf.value]
        entries.append((bit, said, owners[places[0]] if places else None))
    for owner, run in groupby(range(len(owners)), owners.__getitem__):
        if owner is None:
            first, *others = run
            size = str(1 + len(others))
            entries.append(
                (8 * first, [f"{first:04x}", size, "-", "no member", ""], None)
            )
    entries.sort(key=lambda entry: entry[0])
    columns = zip(_HEADINGS, *(said for _, said, _ in entries), strict=True)
    widths = [max(map(len, column)) for column in columns]
    yield _line(_HEADINGS, widths, _HEADINGS[2])
    for _, said, owner in entries:
        yield _line(said, widths, paint(said[2], owner))


def _line(said: Sequence[str], widths: Sequence[int], shown: str) -> str:
    """Write a row of the legend, with the member's name as it is `shown`."""
    at, size, _, ctype, text = said
    room = [width - len(word) for width, word in zip(widths, said, strict=True)]
    line = f"{at}{' ' * room[0]}  {' ' * room[1]}{size}  {shown}{' ' * room[2]}"
    return f"{line}  {ctype}{' ' * room[3]}  {text}".rstrip()


def _plain(text: str, owner: int | None) -> str:
    return text


def _coloured(text: str, owner: int | None) -> str:
    code = _DIM if owner is None else _COLOURS[owner % len(_COLOURS)]
    return f"\x1b[{code}m{text}\x1b[0m"


def _wanted() -> bool:
    """Tell whether there is colour: on a terminal, unless the environment forbids it."""
    forbidden = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not forbidden and sys.stdout is not None and sys.stdout.isatty()
