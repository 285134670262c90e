"""Write the output folder: the rendered files on disk, all of them or none.

Takes a mapping of path to text from `build`; writes it.  `change` says which files that means,
and sees that other people's are none of them.  `swap` puts a new tree in the old one's place in
one step, so that whoever looks, and whatever goes wrong, finds the old tree or the new one and
never a mixture; where a folder cannot be swapped, `in_place` replaces its files one by one, all
of them or, once the next run is there, none or all.  Files that did not change are not written.
What a killed run left behind is put right by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xenbind.commands.generate import change as changing
from xenbind.commands.generate.in_place import InPlace
from xenbind.commands.generate.swap import Swap, Unswappable
from xenbind.errors import SystemFailure
from xenbind.interruption import Held, UndoneIfEnded

# The folder of `add-version`, beside that of the headers.
ADDING = ".xenbind-adding"


def changes(out: Path, files: Mapping[str, str]) -> list[str]:
    """Give the paths whose content on disk is not `files`', sorted, with those to be removed."""
    return changing.find(out, files).paths


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Let one run at a time have an output folder, from looking at it to writing it.

    The kernel releases it when the process ends, however it ends.  Raises `SystemFailure`
    where the folder cannot be.
    """
    with _told(out):
        parent = out.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(parent, os.O_RDONLY)
    try:
        with _told(out):
            fcntl.flock(handle, fcntl.LOCK_EX)
            _forget(parent / ADDING)
            Swap(out.resolve()).discard()
            InPlace(out.resolve()).recover()
        yield
    finally:
        os.close(handle)


def write(out: Path, files: Mapping[str, str]) -> list[str]:
    """Make the output folder hold `files`; gives the paths that changed.

    To be called with the `lock`.  Raises `SystemFailure` where it cannot be written and
    `OutputError` where something of other people's is in the way, with the folder as it was.
    """
    with Replacement(out, files) as replacement:
        if replacement.changed:
            replacement.commit()
        return replacement.changed


class Replacement:
    """New files for an output folder, on the disk, which `commit` puts in place.

    A context manager, to be entered with the `lock`: without `commit` all is as it was.
    Raises as `write` does, when it is made and from `commit`.
    """

    def __init__(self, out: Path, files: Mapping[str, str]) -> None:
        self._out = out.resolve()
        self._change = changing.find(self._out, files)
        self._swap = Swap(self._out)
        self._can_swap = True
        self._ended = UndoneIfEnded(self._swap.discard)

    @property
    def changed(self) -> list[str]:
        """The paths of the files to write and to remove."""
        return self._change.paths

    def __enter__(self) -> Replacement:
        self._ended.__enter__()
        try:
            if self.changed:
                with _told(self._out):
                    self._swap.stage(self._change)
        except Unswappable:
            self._can_swap = False
        except BaseException:
            self.__exit__()
            raise
        return self

    def commit(self) -> None:
        """Put the files in place; a signal that comes meanwhile waits."""
        with _told(self._out), Held():
            if self._can_swap:
                try:
                    self._swap.commit()
                    return
                except Unswappable:
                    self._swap.discard()
            self._commit_in_place()

    def _commit_in_place(self) -> None:
        files = InPlace(self._out)
        try:
            files.stage(self._change)
            files.commit()
        finally:
            files.discard()

    def __exit__(self, *error: object) -> None:
        try:
            self._swap.discard()
        except OSError:
            pass  # the next run tidies up
        finally:
            self._ended.__exit__()


def _forget(left: Path) -> None:
    """Remove a folder that a killed run left behind."""
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Raise what the file system refuses as an error to the user."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise SystemFailure(
            f"cannot write {out}: {reason}",
            "make room or get permission there, or name another folder with --out;"
            " nothing was changed",
        ) from error
