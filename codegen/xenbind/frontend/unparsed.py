"""Parse a header without those of its declarations that cannot be parsed.

Takes the text that the parser has refused; gives what is left of it, with where the parser
stopped in each of the others, so that all that is wrong with a header is told in one run.
`parse` calls it.

    int a b;
    struct s { int a; };    ->    NotParsed at `b`, and the declaration of struct s
    int c d;                      NotParsed at `d`
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from pycparser import c_ast

from xenbind.frontend import gnu_c
from xenbind.frontend.cut import NAME, blank, declarations, declared
from xenbind.frontend.directives import MARKER, quoted
from xenbind.plain import Struct

# Characters that are parsed again, in all: a second or two.
_MOST_AGAIN = 1 << 20
_MARKED_LINE = re.compile(r"# (\d+) ")


class Rest(Struct, frozen=True):
    """What can be parsed of a text, as text and as a tree, and `faults` for what cannot.

    `lost` are the names of what is not there for that reason; what mentions one has no fault
    of its own.  Where it would take too long to find all faults, there is no tree.
    """

    text: str
    tree: c_ast.FileAST | None
    faults: tuple[gnu_c.NotParsed, ...]
    lost: frozenset[str]


def parse_rest(text: str) -> Rest:
    """Parse a text, again and again without the declaration at which the parser stopped."""
    pieces = list(declarations(text))
    starts = [0, *accumulate(map(len, pieces))]
    lines = _lines(text)
    faults: list[gnu_c.NotParsed] = []
    lost: frozenset[str] = frozenset()
    left = _MOST_AGAIN
    while True:
        rest = "".join(pieces)
        try:
            return Rest(rest, gnu_c.parse(rest), tuple(faults), lost)
        except gnu_c.NotParsed as fault:
            stopped = fault
        left -= len(rest)
        coord = stopped.coord
        start = lines.get((quoted(coord.file), coord.line), len(text))
        index = bisect_right(starts, start + coord.column - 1) - 1
        code = MARKER.sub("", pieces[index]) if index < len(pieces) else ""
        is_known = not code.strip()  # no piece, or one that is blank already
        if is_known or lost.isdisjoint(NAME.findall(code)):
            faults.append(stopped)
        if is_known or left < 0:
            return Rest(rest, None, tuple(faults), lost)
        lost |= declared(code)
        pieces[index] = blank(pieces[index])


def _lines(text: str) -> dict[tuple[str, int], int]:
    """Find where in a text each line of a file begins, by the file as `quoted` and its number."""
    lines: dict[tuple[str, int], int] = {}
    file, number, start = "", 1, 0
    for line in text.split("\n"):
        marker = MARKER.fullmatch(line) if line.startswith("# ") else None
        marked = _MARKED_LINE.match(line)
        if marker and marked:
            file, number = marker[1], int(marked[1])
        else:
            lines.setdefault((file, number), start)
            number += 1
        start += len(line) + 1
    return lines
