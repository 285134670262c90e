"""Change an output folder in one step: a new tree takes the place of the old one.

Takes the folder and a `Change`.  The new tree is built beside it, of new files and of second
names (hard links) for all files that stay, other people's too.  Then the kernel exchanges the
two: whoever looks, and whenever the process is killed, finds the old tree or the new one.

    .generated.xenbind-new/tree     the new tree, after the exchange the old one
    .generated.xenbind-new/record   which files are xenbind's, and which folder is the old one

Files are the same files afterwards, but folders are new ones of the same name, mode, owner and
time.  So `Unswappable` is raised where that will not do: for a mount point, where a file cannot
have a second name, where nothing can be made beside the folder, or where the user stands in it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
from pathlib import Path

from xenbind.commands.generate.change import (
    Change,
    keep_owner,
    remove_emptied,
    sync,
    write,
)

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class Unswappable(Exception):
    """The folder cannot be replaced as a whole; its files can be, one by one."""


class Swap:
    """The tree beside an output folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._beside = out.parent / f".{out.name}.xenbind-new"
        self._tree = self._beside / "tree"
        self._record = self._beside / "record"

    def stage(self, change: Change) -> None:
        """Build the new tree, on the disk.  Raises `Unswappable` or `OSError`."""
        old = self._out.stat() if self._out.is_dir() else None
        if old and _stands_in(self._out):
            raise Unswappable  # the shell would be left in a folder that is gone
        try:
            self._beside.mkdir()
        except OSError as error:
            if old and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise Unswappable from None
            raise
        record = {"ours": sorted(change.ours), "old": old.st_ino if old else None}
        self._record.write_text(json.dumps(record), encoding="utf-8")
        if old:
            self._carry(change)
        targets = {self._tree / path: path for path in change.written}
        folders = {self._tree, *(target.parent for target in targets)}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for target, path in targets.items():
            write(target, change.written[path], self._out / path)
        # A journaling file system has all other folders on the disk before the exchange.
        sync(*targets, *folders)
        if old:
            remove_emptied(self._tree, change.removed)
            self._keep_folders(change)

    def commit(self) -> None:
        """Put the new tree in the folder's place.  Raises `Unswappable` or `OSError`."""
        if self._out.is_dir():
            _exchange(self._tree, self._out)
        else:
            self._tree.rename(self._out)
        sync(self._out.parent)

    def discard(self) -> None:
        """Remove what is beside the folder: the old tree, or a new one that is not to be."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            is_old = self._tree.stat().st_ino == record["old"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            is_old = False
        if self._beside.is_symlink():
            return  # not of xenbind's making, nor is what is behind it
        if self._tree.is_dir() and not self._tree.is_symlink():
            self._clear(self._tree, frozenset(record["ours"]) if is_old else None)
        if self._beside.is_dir():
            shutil.rmtree(self._beside)

    def _carry(self, change: Change) -> None:
        """Give every file that stays a second name in the new tree."""
        gone = set(change.paths)
        for folder, folders, names in os.walk(self._out, onerror=_refuse):
            inner = Path(folder).relative_to(self._out)
            (self._tree / inner).mkdir()
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in (*names, *links):
                if (inner / name).as_posix() not in gone:
                    _link(self._out / inner / name, self._tree / inner / name)
            folders[:] = [name for name in folders if name not in links]

    def _keep_folders(self, change: Change) -> None:
        """Give the new folders what the old ones have; a time where nothing in them changed."""
        touched = {(self._out / path).parent for path in change.paths}
        for folder, _, _ in os.walk(self._tree, topdown=False):
            new = Path(folder)
            old = self._out / new.relative_to(self._tree)
            if not old.is_dir():
                continue
            before = old.stat()
            keep_owner(new, before)
            if new.stat().st_uid != before.st_uid:
                raise Unswappable
            shutil.copystat(old, new)
            if old in touched:
                os.utime(new)

    def _clear(self, folder: Path, ours: frozenset[str] | None) -> None:
        """Remove a tree; of the old one (`ours`), take over what came to it meanwhile."""
        folder.chmod(0o700)  # one that nobody may write to has to be emptied too
        for path in list(folder.iterdir()):
            inner = path.relative_to(self._tree)
            if path.is_dir() and not path.is_symlink():
                self._clear(path, ours)
            elif (
                ours is None or inner.as_posix() in ours or self._is_known(path, inner)
            ):
                path.unlink()
            else:
                (self._out / inner).parent.mkdir(parents=True, exist_ok=True)
                path.replace(self._out / inner)
        folder.rmdir()

    def _is_known(self, path: Path, inner: Path) -> bool:
        """Tell whether the folder has the same file."""
        try:
            return os.path.samestat(path.lstat(), (self._out / inner).lstat())
        except FileNotFoundError:
            return False


def _stands_in(folder: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(folder)
    except FileNotFoundError:  # it was removed
        return False


def _refuse(error: OSError) -> None:
    """What cannot be read cannot be carried over."""
    raise Unswappable from error


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        raise Unswappable from error


def _exchange(first: Path, second: Path) -> None:
    """Swap two folders, if the kernel and the file system know how to (renameat2(2))."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise Unswappable
    names = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    if renameat2(*names, _RENAME_EXCHANGE) == 0:
        return
    code = ctypes.get_errno()
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        raise OSError(code, os.strerror(code), str(second))
    raise Unswappable
