"""The text of header files as written, for what preprocessing loses.

Takes paths; gives lines for error messages, columns for coordinates, and the raw text
that `comments` reads.  Bytes that are not UTF-8 become U+FFFD: headers of any encoding
can be read, and their code is ASCII.
"""

from __future__ import annotations

import re
from pathlib import Path

from .ir import Coord


class Sources:
    """The header files read so far, each once, by the path that the compiler knows."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}

    def text(self, file: str) -> str:
        """The whole file; empty where there is none, as for the compiler's own macros."""
        if file not in self._texts:
            try:
                data = Path(file).read_bytes()
            except OSError:
                data = b""
            self._texts[file] = data.decode("utf-8", errors="replace")
        return self._texts[file]

    def line(self, file: str, number: int) -> str:
        """One line without its end, empty where the file has no such line."""
        if file not in self._lines:
            self._lines[file] = self.text(file).split("\n")
        lines = self._lines[file]
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""

    def locate(self, file: str, number: int, name: str) -> Coord:
        """The place of an identifier on a line, or of the line's first character.

        A declared name follows its type, so its last mention before a comment counts:
        in `struct paging paging;` the second.
        """
        line = self.line(file, number)
        code = re.split(r"/[/*]", line)[0]
        found = [
            match.start() for match in re.finditer(rf"\b{re.escape(name)}\b", code)
        ]
        column = found[-1] if found else len(line) - len(line.lstrip())
        return Coord(file, number, column + 1)

    def mentions(self, coord: Coord, name: str) -> bool:
        """Whether the line names the identifier; what a macro expands to does not."""
        return (
            re.search(rf"\b{re.escape(name)}\b", self.line(coord.file, coord.line))
            is not None
        )
