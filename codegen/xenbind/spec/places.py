"""Find where each key and each entry of a list stands in a TOML text: tomllib does not tell.

Takes a text of any kind; gives `Places`.  `toml_file` keeps them for errors.  It
follows TOML's grammar as far as that tells where a key or value ends, and leaves it to
tomllib whether the text is TOML: at the first thing that is none it stops.

    [[version]]
    number = 7               ->  ("version", 0, "number")       at 2:1
    releases = ["4.15"]      ->  ("version", 0, "releases", 0)  at 3:13
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress

from xenbind.errors import SourceError
from xenbind.plain import Struct
from xenbind.source import Coord

# How a value is reached: keys of tables, and indexes of lists and arrays of tables.
KeyPath = tuple[str | int, ...]

# tomllib takes time and stack for each level, and digits without end; a spec has neither.
_DEEPEST = 32
_LONGEST = 100


class Places(Struct, frozen=True):
    """Where the keys of a file are, and the entries of its lists, as offsets in its text."""

    file: str
    text: str
    offsets: Mapping[KeyPath, int]

    def of(self, *path: str | int) -> Coord:
        """Give the place of a key or an entry, or else of the table or list that lacks it."""
        while path and path not in self.offsets:
            path = path[:-1]
        return coord(self.file, self.text, self.offsets.get(path, 0))


def coord(file: str, text: str, offset: int) -> Coord:
    """Give the line and column of an offset."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Coord(file, text.count("\n", 0, offset) + 1, offset - line_start + 1)


def find(file: str, text: str) -> Places:
    """Find the places in a text.

    Raises `SourceError` at a value that is nested too deep, or a number that is too long,
    for tomllib to read in good time.
    """
    walk = _Walk(file, text)
    with suppress(_NoTomlError):  # tomllib says where and why
        walk.statements()
    return Places(file, text, walk.offsets)


class _NoTomlError(Exception):
    """The text goes on in a way that TOML does not."""


# Possessive, for no other reading is worth a try.
_SPACE = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_STRING = re.compile(
    r"""
      "{3} (?: [^"\\] | \\. | "{1,2}(?!") )*+ "{3,5}
    | '{3} (?: [^']         | '{1,2}(?!') )*+ '{3,5}
    | "    (?: [^"\\\n] | \\[^\n] )*+ "
    | '    [^'\n]*+ '
    """,
    re.VERBOSE | re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]++")
_BARE_VALUE = re.compile(r"[^,\]}#\n]++")  # a number, a date, a truth value
_HEADING = re.compile(r"\[\[?")


class _Walk:
    """One way through a text; `at` is how far it got."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.at = 0
        self.offsets: dict[KeyPath, int] = {}
        self.entries: dict[KeyPath, int] = {}  # of arrays of tables, so far

    def statements(self) -> None:
        table: KeyPath = ()
        self.take(_SPACE)
        while self.at < len(self.text):
            if heading := self.take(_HEADING):
                table = self.heading(is_entry=heading == "[[")
            else:
                self.pair(table)
            self.take(_SPACE)

    def heading(self, is_entry: bool) -> KeyPath:
        """Walk over a heading behind its first bracket; give the path of what is below it."""
        *outer, (last, offset) = keys = self.keys()
        path: KeyPath = ()
        for part, start in outer:
            path = (*path, part)
            self.offsets.setdefault(path, start)
            if path in self.entries:
                path = (*path, self.entries[path] - 1)
        path = (*path, last)
        if is_entry:
            self.offsets.setdefault(path, offset)
            index = self.entries.get(path, 0)
            self.entries[path] = index + 1
            path = (*path, index)
        self.offsets[path] = keys[0][1]
        self.expect("]]" if is_entry else "]")
        return path

    def pair(self, table: KeyPath) -> None:
        """Walk over a key and its value."""
        path = table
        for part, start in self.keys():
            path = (*path, part)
            self.offsets.setdefault(path, start)
        self.expect("=")
        self.take(_SPACE)
        self.value(path)

    def keys(self) -> list[tuple[str, int]]:
        """Walk over a dotted key; give its parts and where they are."""
        parts: list[tuple[str, int]] = []
        while not parts or self.text.startswith(".", self.at):
            self.at += bool(parts)
            self.take(_SPACE)
            start = self.at
            self.check_depth(len(parts), start)
            if quoted := self.take(_STRING):
                parts.append((_unquoted(quoted), start))
            elif bare := self.take(_BARE_KEY):
                parts.append((bare, start))
            else:
                raise _NoTomlError
            self.take(_SPACE)
        return parts

    def value(self, path: KeyPath) -> None:
        self.check_depth(len(path), self.at)
        start = self.at
        if self.text.startswith("[", start):
            self.sequence(path)
        elif self.text.startswith("{", start):
            self.inline_table(path)
        elif not self.take(_STRING):
            bare = self.take(_BARE_VALUE)
            if not bare:
                raise _NoTomlError
            if len(bare.strip()) > _LONGEST:
                raise self.error(
                    start,
                    f"a value without quotes has more than {_LONGEST} characters",
                    "put text in quotes; no number in a spec is so long",
                )

    def sequence(self, path: KeyPath) -> None:
        self.at += 1
        self.take(_SPACE)
        index = 0
        while not self.text.startswith("]", self.at):
            self.offsets[(*path, index)] = self.at
            self.value((*path, index))
            self.separator("]")
            index += 1
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self.take(_SPACE)
        while not self.text.startswith("}", self.at):
            self.pair(path)
            self.separator("}")
        self.at += 1

    def separator(self, end: str) -> None:
        """Walk over a comma, which only the last entry needs not have."""
        self.take(_SPACE)
        if not self.text.startswith(end, self.at):
            self.expect(",")
            self.take(_SPACE)

    def take(self, pattern: re.Pattern[str]) -> str:
        """Walk over what a pattern matches here, if it does; give it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def expect(self, word: str) -> None:
        if not self.text.startswith(word, self.at):
            raise _NoTomlError
        self.at += len(word)

    def check_depth(self, depth: int, offset: int) -> None:
        if depth > _DEEPEST:
            raise self.error(
                offset,
                f"nested more than {_DEEPEST} levels deep",
                "nothing in a spec is deeper than a key of [payload.members]",
            )

    def error(self, offset: int, message: str, advice: str) -> SourceError:
        return SourceError(coord(self.file, self.text, offset), message, advice)


def _unquoted(key: str) -> str:
    """Give what a quoted key says."""
    if "\\" not in key:
        return key[1:-1]
    try:
        (said,) = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        raise _NoTomlError from None
    return said
