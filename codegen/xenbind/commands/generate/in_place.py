"""Change an output folder file by file, where it cannot be swapped for a new one.

Takes the folder and a `Change`.  The new contents and the old ones are put into a folder inside
it, `.xenbind-new`, and then a journal, which says that all is there.  From then on the change
is finished, by this run or, if it is killed, by the next one; an error takes all of it back.

It takes about a millisecond in which a reader may find some files old and some new, and a
process that is killed in it leaves that until the next run.  The manifest comes last.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from xenbind.commands.generate.change import (
    Change,
    is_within,
    remove_emptied,
    sync,
    write,
)


class InPlace:
    """A change of an output folder, on its way."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._inside = out / ".xenbind-new"
        self._journal = self._inside / "journal"

    def stage(self, change: Change) -> None:
        """Put the new contents and the old ones on the disk, and then the journal."""
        self._inside.mkdir()
        written = {
            self._new(number): path
            for number, path in enumerate(change.paths)
            if path in change.written
        }
        for new, path in written.items():
            write(new, change.written[path], self._out / path)
        sync(*written)
        for number, path in enumerate(change.paths):
            if (self._out / path).exists():
                shutil.copy2(self._out / path, self._old(number))
        journal = {"paths": change.paths, "removed": change.removed}
        draft = self._inside / "draft"
        write(draft, json.dumps(journal), draft)
        sync(draft, self._inside)
        draft.rename(self._journal)
        sync(self._inside)

    def commit(self) -> None:
        """Do what the journal says, all of it or nothing."""
        try:
            self._go_on()
        except OSError:
            self._take_back()
            raise

    def discard(self) -> None:
        """Remove what is inside the folder, behind a change or before it."""
        if self._inside.is_dir() and not self._inside.is_symlink():
            self._journal.unlink(missing_ok=True)
            shutil.rmtree(self._inside)

    def recover(self) -> None:
        """Finish a change that a killed run has begun, and forget one that it has not."""
        if self._journal.is_file() and not self._inside.is_symlink():
            # What is no journal of xenbind's is forgotten.
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                self._go_on()
        self.discard()

    def _go_on(self) -> None:
        journal = json.loads(self._journal.read_text(encoding="utf-8"))
        for number, path in enumerate(map(str, journal["paths"])):
            target = self._out / path
            if not is_within(self._out, path):
                continue  # somebody planted it
            if path in journal["removed"]:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # done before the run was killed
                    self._new(number).rename(target)
        remove_emptied(self._out, tuple(journal["removed"]))
        for folder in {(self._out / path).parent for path in journal["paths"]}:
            if folder.is_dir():
                sync(folder)

    def _take_back(self) -> None:
        journal = json.loads(self._journal.read_text(encoding="utf-8"))
        self._journal.unlink()
        for number, path in enumerate(journal["paths"]):
            target = self._out / path
            if self._old(number).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                self._old(number).replace(target)
            else:
                target.unlink(missing_ok=True)
        remove_emptied(self._out, tuple(journal["paths"]))

    def _new(self, number: int) -> Path:
        return self._inside / f"{number}.new"

    def _old(self, number: int) -> Path:
        return self._inside / f"{number}.old"
