"""Read a TOML file so that what is wrong in it can be told at its place.

Takes a path; gives a `TomlFile`: what the file says, and where each key stands.  `reader`
makes a spec of it, `config` a project's configuration.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from xenbind.errors import SourceError, SystemFailure, XenbindError
from xenbind.plain import Struct
from xenbind.source import Coord
from xenbind.spec.places import KeyPath, Places, find

_LARGEST = 256 << 10  # bytes; xenbind's own spec has 2 KB


class TomlFile(Struct, frozen=True):
    """The tables of a file, and the places of their keys."""

    path: Path
    data: dict[str, Any]
    places: Places

    def error(self, keys: KeyPath, message: str, advice: str) -> SourceError:
        """Give the error of a key or entry, or of the table that lacks it."""
        return SourceError(self.places.of(*keys), message, advice)


def load(path: Path, what: str, instead: str) -> TomlFile:
    """Read a file; `what` names its kind in the error if it cannot be, `instead` is advice.

    Raises `SourceError` where it is not TOML, `XenbindError` for what is no text of such a
    size, and `SystemFailure` where the file cannot be read at all.
    """
    said = f"cannot read the {what} {path}"
    try:
        data = _octets(path)
    except (OSError, ValueError) as error:  # ValueError: also for a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise SystemFailure(f"{said}: {reason}", instead) from error
    if len(data) > _LARGEST:
        reason = f"it is larger than {_LARGEST >> 10} KB"
        raise XenbindError(f"{said}: {reason}", instead)
    try:
        # Not by `open`, to which a lone CR were the end of a line.
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise XenbindError(f"{said}: it is not UTF-8", instead) from None
    places = find(str(path), text)
    try:
        return TomlFile(path, tomllib.loads(text), places)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = map(int, place.groups()) if place else (_last(text), 1)
        raise SourceError(
            Coord(str(path), line, column),
            str(error).partition(" (at ")[0],
            "see https://toml.io for the syntax",
        ) from None


def _octets(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        return file.read(_LARGEST + 1)


def _last(text: str) -> int:
    """Give the number of the last line."""
    return len(text.splitlines())
