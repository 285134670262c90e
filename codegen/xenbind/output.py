"""The output folder: the rendered files on disk, all of them or none.

Takes a mapping of path to text; writes it.  A new tree is built beside the old one and
takes its place in one step, so that whoever looks, and whatever goes wrong, finds the old
tree or the new one and never a mixture.  Files that did not change are not written.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import manifest
from .errors import OutputError

# What tools leave behind in a tree; none of it is carried over.
_LITTER = frozenset(["__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"])


def changes(out: Path, files: Mapping[str, str]) -> list[str]:
    """The paths whose content on disk is not `files`', sorted, with those to be removed."""
    old = manifest.load(out)
    removed = set(old.outputs if old else ()) - set(files)
    return sorted(
        [path for path, text in files.items() if _read(out / path) != text]
        + [path for path in removed if (out / path).exists()]
    )


def write(out: Path, files: Mapping[str, str]) -> list[str]:
    """Make the output folder hold `files`; gives the paths that changed.

    Files of other people's in it stay.  Raises `OutputError`, with the folder as it was,
    where it cannot be written or is not an output folder.
    """
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _lock(out.parent):
            if out.is_dir() and any(out.iterdir()) and manifest.load(out) is None:
                raise OutputError(
                    f"{out} is not empty, and xenbind did not write it",
                    "name an empty or new folder with --out",
                )
            changed = changes(out, files)
            if changed:
                _replace(out, files)
            return changed
    except OSError as error:
        raise OutputError(
            f"cannot write {out}: {error.strerror or error}",
            "make room or get permission there, or name another folder with --out;"
            " nothing was changed",
        ) from error


@contextmanager
def _lock(parent: Path) -> Iterator[None]:
    """One run at a time for the folders below `parent`; the kernel releases it on death."""
    handle = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(out: Path, files: Mapping[str, str]) -> None:
    stage = out.with_name(f".{out.name}.new")
    shutil.rmtree(stage, ignore_errors=True)  # of a run that was killed
    try:
        for path, text in files.items():
            target = stage / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if _read(out / path) == text:
                _carry(out / path, target)
            else:
                _write_synced(target, text)
        old = manifest.load(out)
        for path in _others(out, set(old.outputs if old else ()) | set(files)):
            target = stage / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _carry(out / path, target)
        if out.is_dir():
            _exchange(stage, out)
        else:
            stage.rename(out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _others(out: Path, known: set[str]) -> Iterator[str]:
    """Files in the old tree that are nobody's litter and not xenbind's."""
    for folder, folders, names in os.walk(out):
        folders[:] = sorted(name for name in folders if name not in _LITTER)
        for name in sorted(names):
            path = (Path(folder) / name).relative_to(out).as_posix()
            if path not in known:
                yield path


def _carry(source: Path, target: Path) -> None:
    """The same file in the new tree: a second name for it where the file system can."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _exchange(first: Path, second: Path) -> None:
    """Swap two folders in one step (renameat2(2)); where there is none, in two."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        names = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
        if renameat2(*names, _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(code, os.strerror(code), str(second))
    aside = first.with_name(f"{first.name}.old")
    second.rename(aside)
    first.rename(second)
    shutil.rmtree(aside)
