"""Draw a struct's bytes to scale as SVG, for a document: eight in a row, bits in their places.

Takes a `RecordView`; gives the text of a picture.  Members that share bytes, as a union's do,
are below each other.  The colours are those of `xenbind atlas`, for light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenbind.backend.templates import Templates
from xenbind.commands.show.view import RecordView
from xenbind.ir.parts import Kind, Part
from xenbind.plain import Struct, replace
from xenbind.words import count

_ROW_BITS = 64
_BIT = 10  # units of a bit
_LINE = 34
_TOP = 60  # what the heading takes
_LETTER = 7.3  # units, of the font that the template names
_MOST_ROWS = 4  # of one member; of a longer one the middle is left out


class Box(Struct, frozen=True):
    """A piece of a row, in the picture's units; `name` and `type` are what it has room for."""

    x: int
    width: int
    form: str
    name: str
    type: str
    title: str


class Line(Struct, frozen=True):
    """Boxes beside each other; `offset` is that of the first byte, empty if told above."""

    y: int
    offset: str
    boxes: tuple[Box, ...]


def svg(view: RecordView) -> str:
    """Draw a record; nested ones in place where the view has their parts."""
    lines = tuple(_lines(list(_leaves(view.parts))))
    return Templates().text(
        "struct.svg.jinja",
        {
            "name": view.name,
            "size": f"{count(view.record.size, 'byte')}, aligned to {view.record.alignment}",
            "lines": lines,
            "height": _TOP + _LINE * len(lines) + 8,
            "line": _LINE,
            "bit": _BIT,
        },
    )


def _leaves(parts: Sequence[Part], within: str = "") -> Iterator[tuple[str, Part]]:
    """Give the parts that are drawn, each with its path: of a record in place its own.

    Of an array of records these are those of the first item, and one part for all others.
    """
    for part in parts:
        path = f"{within}{part.name}" if part.name else ""  # what lies between
        if not part.parts:
            yield path, part
            continue
        end = max(inner.offset + inner.size for inner in part.parts)
        others = part.offset + part.size - end
        if others <= 0:
            yield from _leaves(part.parts, f"{path}.")
            continue
        yield from _leaves(part.parts, f"{path}{'[0]' * part.type.count('[')}.")
        more = others // (end - part.offset)
        words = f"{count(more, 'item')} more"
        yield path, replace(part, offset=end, size=others, type=words, parts=())


class _Piece(Struct, frozen=True):
    """Bits of a part in one row, `start` up to `end` from the row's first."""

    row: int
    start: int
    end: int
    is_first: bool
    left_out: int  # rows that it stands for, 0 for its own alone


def _pieces(part: Part) -> Iterator[_Piece]:
    low, high = part.bits or (0, 8 * part.size - 1)
    start, end = 8 * part.offset + low, 8 * part.offset + high + 1
    if start == end:  # an array without a length
        return
    first, last = start // _ROW_BITS, (end - 1) // _ROW_BITS
    is_long = last - first >= _MOST_ROWS
    for row in (first, first + 1, last) if is_long else range(first, last + 1):
        yield _Piece(
            row=row,
            start=max(start - row * _ROW_BITS, 0),
            end=min(end - row * _ROW_BITS, _ROW_BITS),
            is_first=row == first,
            left_out=last - first - 1 if is_long and row == first + 1 else 0,
        )


def _lines(leaves: Sequence[tuple[str, Part]]) -> Iterator[Line]:
    """Lay pieces into rows, and into lines below each other where they share bits."""
    rows: dict[int, list[list[tuple[_Piece, Box]]]] = {}
    for path, part in leaves:
        for piece in _pieces(part):
            lanes = rows.setdefault(piece.row, [])
            free = next((lane for lane in lanes if _is_free(lane, piece)), None)
            if free is None:
                lanes.append(free := [])
            free.append((piece, _box(path, part, piece)))
    y = _TOP
    for row, lanes in sorted(rows.items()):
        for number, lane in enumerate(lanes):
            offset = "" if number else str(row * _ROW_BITS // 8)
            yield Line(y, offset, tuple(box for _, box in lane))
            y += _LINE


def _is_free(lane: Sequence[tuple[_Piece, Box]], piece: _Piece) -> bool:
    return all(
        other.end <= piece.start or piece.end <= other.start for other, _ in lane
    )


def _box(path: str, part: Part, piece: _Piece) -> Box:
    width = (piece.end - piece.start) * _BIT
    title = f"{path or part.kind.value}: {part.type or count(part.size, 'byte')}"
    name = path or part.kind.value
    if piece.left_out:
        name = f"⋮ {count(piece.left_out * _ROW_BITS // 8, 'byte')}"
    elif not piece.is_first:
        name = ""
    room = int((width - 12) / _LETTER)
    rest = room - len(name) - 2
    has_type = piece.is_first and part.kind is Kind.MEMBER and len(part.type) <= rest
    return Box(
        x=piece.start * _BIT,
        width=width,
        form=part.form or part.kind.value,
        name=name if len(name) <= room else f"{name[: room - 1]}…" if room > 1 else "",
        type=part.type if has_type else "",
        title=title,
    )
