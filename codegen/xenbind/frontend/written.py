"""Find where what the parser read stands in the header as written.

Takes a place in the preprocessed text, whose lines are the header's but whose columns are
not: the preprocessor closes up blanks and expands macros.  Gives the place of the same word
in the header, or of the macro that it comes from.  `parse` and `lowering` ask for errors.

    char  room[SIZE];    read as    char room[sizeof(_Atomic int)];
    column 18, `_Atomic`    ->    column 12, and the macro SIZE
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from xenbind.frontend.directives import Macro
from xenbind.plain import Struct
from xenbind.source import Coord, Sources, without_comments


class Origin(Struct, frozen=True):
    """Where a word stands as written, and the macro that it comes from, if there is one."""

    coord: Coord
    macro: Macro | None = None

    def told(self, message: str) -> str:
        """Give what is wrong with a word, with the macro that one does not see there."""
        if self.macro is None:
            return message
        return f"{message}, in the macro {self.macro.name} ({self.macro.coord})"


_LONGEST = 2000  # characters of a line, to find their words: macros make millions
_MARKER = re.compile(r'# (\d+) "(.*)"')
_WORD = re.compile(r'[\w$]+|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\S')


class Written:
    """A header as written, beside the preprocessed text and the macros of it."""

    def __init__(
        self, text: str, macros: Mapping[str, Macro], sources: Sources
    ) -> None:
        self.text = text
        self.sources = sources
        self._macros = macros

    def origin(self, coord: Coord) -> Origin:
        """Find where a place of the preprocessed text is written."""
        line = without_comments(self.sources.line(coord.file, coord.line))
        written = list(_WORD.finditer(line))
        for text in self._lines.get((coord.file, coord.line), ()):
            read = list(_WORD.finditer(text[:_LONGEST]))
            starts = [word.start() for word in read]
            if coord.column - 1 in starts and written:
                word, macro = self._counterpart(
                    written, read, starts.index(coord.column - 1)
                )
                return Origin(Coord(coord.file, coord.line, word.start() + 1), macro)
        return Origin(Coord(coord.file, coord.line, min(coord.column, len(line) + 1)))

    def _counterpart(
        self, written: list[re.Match[str]], read: list[re.Match[str]], index: int
    ) -> tuple[re.Match[str], Macro | None]:
        """Find the same word as one that was read, or the macro that it comes from.

        That is the first in place of which other words were read, else the last before them,
        among those in whose expansion the word is.
        """
        words = [word[0] for word in written]
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(None, words, [word[0] for word in read], False)
        kind, start, end, first, _ = next(
            part for part in matcher.get_opcodes() if part[3] <= index < part[4]
        )
        if kind == "equal":
            return written[start + index - first], None
        for word in (*written[start:end], *reversed(written[:start])):
            if word[0] in self._macros and self._holds(word[0], read[index][0]):
                return word, self._macros[word[0]]
        return written[min(start, len(written) - 1)], None

    def _holds(self, macro: str, word: str) -> bool:
        """Tell whether a word is in a macro's body, or in that of one that it uses."""
        seen, waiting = {macro}, [macro]
        while waiting:
            words = set(_WORD.findall(self._macros[waiting.pop()].body))
            if word in words:
                return True
            waiting += words & self._macros.keys() - seen
            seen |= words
        return False

    @cached_property
    def _lines(self) -> dict[tuple[str, int], list[str]]:
        """What the preprocessor printed for each line: several where a macro is called."""
        lines: dict[tuple[str, int], list[str]] = {}
        file, line = "", 0
        for text in self.text.split("\n"):
            if marker := _MARKER.match(text):
                file, line = marker[2], int(marker[1])
                continue
            if text:
                lines.setdefault((file, line), []).append(text)
            line += 1
        return lines
