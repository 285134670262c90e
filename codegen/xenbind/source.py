"""Read header files as written, for what preprocessing loses.

Takes paths; gives lines for error messages, columns for coordinates, and the raw text
that `comments` reads.  Bytes that are not UTF-8 become U+FFFD: headers of any encoding
can be read, and their code is ASCII.

What the compiler calls a header may be anything: a device without end, a pipe that nobody
writes to, 50 MB that a program wrote.  Only regular files of a size that people write
are read, and only the first part of a line that no person wrote.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from xenbind.plain import Struct


class Coord(Struct, frozen=True, order=True):
    """A place in a source file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# Xen's largest public header has 50 KB, and lines of 120 characters.
LARGEST = 16 << 20
_LONGEST_LINE = 2000
IDENTIFIER = re.compile(r"[\w$]+")  # or a number; gcc and clang allow the dollar
# What C reserves for compilers begins so (C11 7.1.3); a word may have it further on, too.
RESERVED = re.compile(r"__\w+")


_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|//.*")


def without_comments(line: str) -> str:
    """Give a line with blanks in place of its comments, every column as it was."""
    if "/" not in line:
        return line
    return _COMMENT.sub(lambda comment: " " * len(comment[0]), line)


_COMMENT_OF_LINES = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def without_any_comments(text: str) -> str:
    """Give a text of any number of lines with a blank in place of each comment."""
    return _COMMENT_OF_LINES.sub(" ", text)


def with_blank_comments(text: str) -> str:
    """Give a text of as many lines with blanks in place of comments."""
    return _COMMENT_OF_LINES.sub(lambda found: " " + "\n" * found[0].count("\n"), text)


def code_of(text: str) -> str:
    """Give a text with a blank in place of each comment and of each line that is spliced."""
    return without_any_comments(text.replace("\\\n", " "))


def is_readable(path: Path) -> bool:
    """Tell whether a path is a regular file that is not too large to read."""
    return path.is_file() and path.stat().st_size <= LARGEST


def _last_mention(code: str, name: str) -> int | None:
    """Find where code mentions an identifier last: to look at all words would take longer."""
    end = len(code)
    while name and (start := code.rfind(name, 0, end)) >= 0:
        end = start + len(name)
        if not IDENTIFIER.search(code[start - 1 : start] + code[end : end + 1]):
            return start
        end -= 1
    return None


class Sources:
    """The header files read so far, each once, by the path that the compiler knows."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}

    def text(self, file: str) -> str:
        """Give the whole file; empty where there is none, as for the compiler's own macros."""
        if file not in self._texts:
            data = b""
            with suppress(OSError, ValueError):  # ValueError: a NUL in the name
                if is_readable(Path(file)):
                    data = Path(file).read_bytes()
            self._texts[file] = data.decode("utf-8", errors="replace")
        return self._texts[file]

    def line(self, file: str, number: int) -> str:
        """Give a line, or its first part, without its end; empty where there is no such line."""
        if file not in self._lines:
            self._lines[file] = self.text(file).split("\n")
        lines = self._lines[file]
        if not 0 < number <= len(lines):
            return ""
        return lines[number - 1][:_LONGEST_LINE].rstrip("\r")

    def locate(self, file: str, number: int, name: str) -> Coord:
        """Find the place of an identifier on a line, or of the line's first character.

        A declared name follows its type, so its last mention outside of comments counts:
        in `struct paging paging;` the second.
        """
        line = self.line(file, number)
        column = _last_mention(without_comments(line), name)
        if column is None:
            column = len(line) - len(line.lstrip())
        return Coord(file, number, column + 1)

    def mentions(self, coord: Coord, name: str) -> bool:
        """Tell whether the line names the identifier; what a macro expands to does not."""
        line = self.line(coord.file, coord.line)
        return name in line and name in IDENTIFIER.findall(line)
