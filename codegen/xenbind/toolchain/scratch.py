"""A folder for files of the moment, that does not outlive the command.

with scratch() as folder:
    (folder / "v7.c").write_text(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from xenbind.interruption import Held, UndoneIfEnded


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder; it is removed behind the block, or when a signal ends the process."""
    with ExitStack() as opened:
        with Held():
            folder = TemporaryDirectory(prefix="xenbind-")
            opened.enter_context(UndoneIfEnded(folder.cleanup))
        yield Path(opened.enter_context(folder))
