"""Write the output folder: the rendered files on disk, all of them or none.

Takes a mapping of path to text from `build`; writes it.  A new tree is built beside the old one and
takes its place in one step, so that whoever looks, and whatever goes wrong, finds the old
tree or the new one and never a mixture.  Files that did not change are not written.

Three folders stand beside each other: `generated`, the new tree `.generated.xenbind-new`,
and `.generated.xenbind-old` where the two cannot be swapped in one step.  What a killed
run left of the last two is put right by the next one.
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

from xenbind.commands.generate import manifest
from xenbind.errors import OutputError

# What tools leave behind in a tree; none of it is carried over.
_LITTER = frozenset(["__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"])


def changes(out: Path, files: Mapping[str, str]) -> list[str]:
    """Give the paths whose content on disk is not `files`', sorted, with those to be removed."""
    old = manifest.load(out)
    removed = set(old.outputs if old else ()) - set(files)
    return sorted(
        [path for path, text in files.items() if _read(out / path) != text]
        + [path for path in removed if (out / path).exists()]
    )


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Let one run at a time have an output folder, from looking at it to writing it.

    The kernel releases it when the process ends, however it ends.  Raises `OutputError`
    where the folder cannot be.
    """
    with _told(out):
        parent = out.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(parent, os.O_RDONLY)
    try:
        with _told(out):
            fcntl.flock(handle, fcntl.LOCK_EX)
            _recover(_Places(out))
        yield
    finally:
        os.close(handle)


def write(out: Path, files: Mapping[str, str]) -> list[str]:
    """Make the output folder hold `files`; gives the paths that changed.

    To be called with the `lock`.  Files of other people's in the folder stay.  Raises
    `OutputError`, with the folder as it was, where it cannot be written or is not an
    output folder.
    """
    with _told(out):
        places = _Places(out)
        out = places.out
        if out.is_dir() and any(out.iterdir()) and manifest.load(out) is None:
            raise OutputError(
                f"{out} is not empty, and xenbind did not write it",
                "name an empty or new folder with --out",
            )
        changed = changes(out, files)
        if changed:
            _replace(places, files)
        return changed


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Raise what the file system refuses as an error to the user."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot write {out}: {reason}",
            "make room or get permission there, or name another folder with --out;"
            " nothing was changed",
        ) from error


class _Places:
    """The output folder, behind any symbolic link, and the two beside it."""

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        self.new = self.out.with_name(f".{self.out.name}.xenbind-new")
        self.old = self.out.with_name(f".{self.out.name}.xenbind-old")


def _recover(places: _Places) -> None:
    """Put right what a killed run left behind."""
    if places.old.is_dir() and not places.out.exists():
        places.old.rename(places.out)
    for left in (places.new, places.old):
        if left.is_dir():
            shutil.rmtree(left)


def _replace(places: _Places, files: Mapping[str, str]) -> None:
    out, new = places.out, places.new
    try:
        new.mkdir()
        for path, text in files.items():
            target = new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if _read(out / path) == text:
                _carry(out / path, target)
            else:
                _write_synced(target, text)
        if out.is_dir():
            _carry_others(out, new, files)
        for folder, _, _ in _walk(new):
            _sync(Path(folder))
        if out.is_dir():
            new.chmod(out.stat().st_mode & 0o7777)
            _swap(places)
        else:
            new.rename(out)
        _sync(out.parent)
    finally:
        for left in (places.new, places.old):
            shutil.rmtree(left, ignore_errors=True)


def _carry_others(out: Path, new: Path, files: Mapping[str, str]) -> None:
    """Take over what is not xenbind's, neither now nor before."""
    old = manifest.load(out)
    for path in _others(out, set(old.outputs if old else ()) | set(files)):
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _carry(out / path, target)


def _others(out: Path, known: set[str]) -> Iterator[str]:
    """Give files and links in the old tree that are nobody's litter and not xenbind's."""
    for folder, folders, names in _walk(out):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in _LITTER)
        for name in sorted(names + links):
            path = (Path(folder) / name).relative_to(out).as_posix()
            if path not in known:
                yield path


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk as `os.walk` does, but what cannot be read is an error, and not left out."""

    def refuse(error: OSError) -> None:
        raise error

    return os.walk(folder, onerror=refuse)


def _carry(source: Path, target: Path) -> None:
    """Put the same file into the new tree: a second name for it where the file system can."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Have a folder's entries on the disk before what comes next."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _swap(places: _Places) -> None:
    """Put the new tree in the old one's place: in one step (renameat2(2)), or else in two."""
    if _exchange(places.new, places.out):
        return
    places.out.rename(places.old)
    try:
        places.new.rename(places.out)
    except OSError:
        places.old.rename(places.out)
        raise


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders, if the kernel and the file system know how to."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    if renameat2(*names, _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), str(second))
