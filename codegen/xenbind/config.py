"""Read where a project keeps its bindings, so that no command has to be told.

Takes the folder that a command runs in; gives what `xenbind.toml`, or `[tool.xenbind]` in
`pyproject.toml`, says there or in a folder above, up to the root of a git repository.
`options` takes from it what the command line does not say.

    [tool.xenbind]
    spec = "bindings/blkif.toml"
    include = "third_party/xen"
    out = "bindings/generated"
    facts = "tests/facts"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xenbind.plain import Struct
from xenbind.spec import toml_file
from xenbind.spec.places import KeyPath
from xenbind.spec.toml_file import TomlFile

_KEYS = ("spec", "include", "out", "facts")


class Config(Struct, frozen=True):
    """What a project says of its bindings, in paths as they are named from here.

    `folder` is the one of the file: what lies beneath it moves with it.  `facts` is where
    `add-version` puts what the compiler says of a header.
    """

    folder: Path
    spec: Path | None = None
    include: Path | None = None
    out: Path | None = None
    facts: Path | None = None


def find(start: Path) -> Config | None:
    """Give the configuration that holds in a folder, None if there is none.

    Raises as `toml_file.load` does, and `SourceError` for a file that says something else than
    the paths `spec`, `include`, `out` and `facts`.
    """
    for folder in (start, *start.parents):
        for file, heading, table in _tables(folder):
            return _config(file, heading, table)
        if (folder / ".git").exists():
            break
    return None


def _tables(folder: Path) -> Iterator[tuple[TomlFile, KeyPath, Any]]:
    """Give the files of a folder that configure xenbind, where in them, and what they say."""
    if (path := folder / "xenbind.toml").is_file():
        file = _load(path)
        yield file, (), file.data
    # Most pyproject.toml are none of ours: one that is not TOML is for others to refuse.
    path = folder / "pyproject.toml"
    if path.is_file() and b"xenbind" in path.read_bytes():
        file = _load(path)
        tool = file.data.get("tool", {})
        if isinstance(tool, dict) and "xenbind" in tool:
            yield file, ("tool", "xenbind"), tool["xenbind"]


def _load(path: Path) -> TomlFile:
    return toml_file.load(path, "configuration", "mend or remove it")


def _config(file: TomlFile, heading: KeyPath, table: Any) -> Config:
    if not isinstance(table, dict):
        message = "'xenbind' must be a table"
        raise file.error(heading, message, "write [tool.xenbind]")
    for key, value in table.items():
        if key not in _KEYS:
            known = f"use one of {', '.join(_KEYS)}"
            raise file.error((*heading, key), f"unknown key: '{key}'", known)
        if not isinstance(value, str) or not value or "\0" in value:
            advice = f'write {key} = "folder"'
            raise file.error((*heading, key), f"'{key}' must be a path", advice)
    # As a user would write them, so that messages stay short.
    folder = Path(os.path.relpath(file.path.parent))
    return Config(folder, **{key: folder / value for key, value in table.items()})
