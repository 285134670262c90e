"""What is to become of an output folder, and whose its files are.

Takes the folder, what its manifest names, and the new files; gives a `Change`, which `swap` or
`in_place` carries out.  Only files that the manifest names are replaced or removed.  All else
is other people's, and where something of theirs is in the way nothing is done at all.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath

from xenbind.errors import OutputError
from xenbind.plain import Struct
from xenbind.provenance import manifest

# What a folder may hold before it is one of xenbind's: a new repository.
_WELCOME = frozenset([".git", ".gitattributes", ".gitignore"])
# Files and folders that wait for the disk; with twice as many it was no faster.
_AT_A_TIME = 8


class Change(Struct, frozen=True):
    """The texts of the files to write, and the files to remove, by path in the folder.

    `ours` are all paths that are xenbind's, before or after.
    """

    written: Mapping[str, str]
    removed: tuple[str, ...]
    ours: frozenset[str]

    @property
    def paths(self) -> list[str]:
        return sorted([*self.written, *self.removed])


def find(out: Path, files: Mapping[str, str]) -> Change:
    """Find what to change for the folder to hold `files`, and what its manifest named no more.

    Raises `OutputError` for a folder that is not xenbind's, and for other people's files in
    the way.
    """
    old = manifest.load(out)
    if old is None and out.is_dir():
        others = sorted({path.name for path in out.iterdir()} - _WELCOME)
        if others:
            raise OutputError(
                f"{out} is not empty, and xenbind did not write it",
                f"name an empty or new folder with --out; there is {others[0]}",
            )
    before = {*old.outputs, manifest.NAME} if old else set()
    written = {path: text for path, text in files.items() if _read(out / path) != text}
    for path in written:
        _refuse_obstacle(out, path, path in before)
    removed = [
        path
        for path in sorted(before - set(files))
        if is_within(out, path) and _is_plain(out / path)
    ]
    return Change(written, tuple(removed), frozenset(before | set(files)))


def is_within(out: Path, path: str) -> bool:
    """Tell whether a path that was read from the folder, where anybody may write, stays in it."""
    inside = not path.startswith("/") and ".." not in PurePosixPath(path).parts
    return inside and not any((out / name).is_symlink() for name in _folders(path))


def remove_emptied(root: Path, removed: tuple[str, ...]) -> None:
    """Remove the folders that hold nothing any more now that these files are gone."""
    for path in removed:
        for folder in PurePosixPath(path).parents[:-1]:
            with suppress(OSError):  # it holds something
                (root / folder).rmdir()


def write(path: Path, text: str, like: Path) -> None:
    """Write a new file; mode and owner are those of `like`, if it exists."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    with suppress(FileNotFoundError):
        keep_owner(path, like.stat())


def keep_owner(path: Path, old: os.stat_result) -> None:
    """Give a new file or folder the owner, if xenbind may, and the mode of the old one."""
    new = path.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with suppress(PermissionError):
            os.chown(path, old.st_uid, old.st_gid)
    path.chmod(stat.S_IMODE(old.st_mode))


def sync(*paths: Path) -> None:
    """Have files, and folders' entries, on the disk before what comes next.

    Several at a time: a file system writes its journal once for all who wait for it; one after
    another, the files of a package wait longer than it takes to make them.  Raises what the
    first one raises.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        for _ in threads.map(_sync, paths):
            pass


def _sync(path: Path) -> None:
    with suppress(PermissionError):  # the mode of the old file, which nobody may read
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError):
        return None


def _refuse_obstacle(out: Path, path: str, is_ours: bool) -> None:
    for folder in (out / name for name in _folders(path)):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise _in_the_way(folder, "a folder")
    target = out / path
    if os.path.lexists(target) and not (is_ours and _is_plain(target)):
        raise _in_the_way(target, "a file")


def _in_the_way(path: Path, wanted: str) -> OutputError:
    if path.is_symlink():
        kind = "a link"
    else:
        kind = "a folder" if path.is_dir() else "a file that xenbind did not write"
    return OutputError(
        f"{path} is {kind}, where {wanted} of the package goes",
        "move it away, or name another folder with --out; nothing was changed",
    )


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _folders(path: str) -> Iterator[str]:
    """Give the folders on the way to a file, outermost first."""
    return (str(folder) for folder in reversed(PurePosixPath(path).parents[:-1]))
