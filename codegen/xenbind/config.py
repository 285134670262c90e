"""Read where a project keeps its bindings, so that no command has to be told.

Takes the folder that a command runs in; gives what `xenbind.toml`, or `[tool.xenbind]` in
`pyproject.toml`, says there or in a folder above, up to the root of a git repository.
`options` takes from it what the command line does not say.

    [tool.xenbind]
    spec = "bindings/blkif.toml"
    include = "third_party/xen"
    out = "bindings/generated"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenbind.errors import SourceError, SystemFailure, XenbindError
from xenbind.spec.places import KeyPath
from xenbind.spec.places import find as find_places

_KEYS = ("spec", "include", "out")


@dataclass(frozen=True, slots=True)
class Config:
    """What a project says of its bindings, in paths as they are named from here.

    `folder` is the one of the file: what lies beneath it moves with it.
    """

    folder: Path
    spec: Path | None = None
    include: Path | None = None
    out: Path | None = None


def find(start: Path) -> Config | None:
    """Give the configuration that holds in a folder, None if there is none.

    Raises `SystemFailure` for a file that cannot be read, `XenbindError` for one that is no
    TOML, and `SourceError` for one that says something else than the paths `spec`, `include`
    and `out`.
    """
    for folder in (start, *start.parents):
        for path, heading, table in _tables(folder):
            return _config(path, heading, table)
        if (folder / ".git").exists():
            break
    return None


def _tables(folder: Path) -> Iterator[tuple[Path, KeyPath, Any]]:
    """Give the files of a folder that configure xenbind, where in them, and what they say."""
    if (path := folder / "xenbind.toml").is_file():
        yield path, (), _load(path)
    # Most pyproject.toml are none of ours: one that is not TOML is for others to refuse.
    path = folder / "pyproject.toml"
    if path.is_file() and b"xenbind" in path.read_bytes():
        tool = _load(path).get("tool", {})
        if isinstance(tool, dict) and "xenbind" in tool:
            yield path, ("tool", "xenbind"), tool["xenbind"]


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SystemFailure(
            f"cannot read {path}: {error.strerror}",
            "get permission to read it, or run this in another folder",
        ) from error
    except (ValueError, RecursionError) as error:
        raise XenbindError(
            f"cannot read {path}: {error}", "see https://toml.io for the syntax"
        ) from None


def _config(path: Path, heading: KeyPath, table: Any) -> Config:
    if not isinstance(table, dict):
        raise _error(path, heading, "'xenbind' must be a table", "write [tool.xenbind]")
    for key, value in table.items():
        if key not in _KEYS:
            known = f"use one of {', '.join(_KEYS)}"
            raise _error(path, (*heading, key), f"unknown key: '{key}'", known)
        if not isinstance(value, str) or not value or "\0" in value:
            advice = f'write {key} = "folder"'
            raise _error(path, (*heading, key), f"'{key}' must be a path", advice)
    # As a user would write them, so that messages stay short.
    folder = Path(os.path.relpath(path.parent))
    return Config(folder, **{key: folder / value for key, value in table.items()})


def _error(path: Path, keys: KeyPath, message: str, advice: str) -> SourceError:
    text = path.read_bytes().decode("utf-8")
    return SourceError(find_places(str(path), text).of(*keys), message, advice)
