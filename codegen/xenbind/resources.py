"""Find xenbind's own files: beside its modules in a wheel, above them in a checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from xenbind.errors import SystemFailure

# Folders that are inside the package in a wheel, and beside the sources in a checkout. Compiled
# templates are in a wheel alone, be it an editable one.
_FOLDERS = ("compiled", "generated", "headers", "runtime", "templates")


def package() -> Path:
    """Give the folder of xenbind's own modules."""
    return Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Give the folder `templates`, `runtime` or `headers` that came with this xenbind."""
    found = find(name)
    if found is None:
        raise SystemFailure(
            f"xenbind's own folder '{name}' is missing beside {package()}",
            "reinstall xenbind, or run it from a whole checkout",
        )
    return found


def own_files() -> dict[str, Path]:
    """Give all files that decide what xenbind makes of a header, by name, in sorted order.

    These are its modules, and what is copied or rendered into the output.  The names are
    the same wherever xenbind runs from: `xenbind/cli.py`, `templates/abi.md.jinja`.
    """
    found = {
        f"xenbind/{name}": path
        for name, path in files(package())
        if path.suffix in (".py", ".h") and name.partition("/")[0] not in _FOLDERS
    }
    for outer in ("runtime", "templates"):
        if root := find(outer):
            found |= {f"{outer}/{name}": path for name, path in files(root)}
    return dict(sorted(found.items()))


def find(name: str) -> Path | None:
    """Give one of xenbind's own folders, None if it is not there."""
    for parent in (package(), package().parents[1]):
        if (parent / name).is_dir():
            return parent / name
    return None


def files(root: Path) -> Iterator[tuple[str, Path]]:
    """Give the files in a folder by relative name, but for Python's caches."""
    waiting = [""]
    while waiting:  # as `rglob` does, in a fraction of the time
        inner = waiting.pop()
        with os.scandir(root / inner) as entries:
            for entry in entries:
                name = f"{inner}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif not name.endswith(".pyc") and entry.is_file():
                    yield name, Path(entry.path)
