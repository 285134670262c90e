"""Find the folder for what one run can spare the next: templates compiled, texts formatted.

`templates` and `formatted` keep things there.  All of it can be made again, so that nothing is
lost with the folder, and no error is told of it.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path


def folder() -> Path | None:
    """Give `xenbind` in the user's cache folder, made if need be (XDG Base Directory).

    None where it cannot be written, or another user could: what is in it is executed.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(OSError, RuntimeError):  # RuntimeError: nobody knows the home
        found = (base if base.is_absolute() else Path.home() / ".cache") / "xenbind"
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = found.stat()
        is_ours = status.st_uid == os.geteuid()
        others = stat.S_IWGRP | stat.S_IWOTH
        if is_ours and not status.st_mode & others and os.access(found, os.W_OK):
            return found
    return None


def black_version() -> str:
    """Give black's version; empty where there is none.

    The name of its metadata's folder tells.  `importlib.metadata` would take as long as all
    the rest of `check`.
    """
    for path in map(Path, sys.path):
        for found in path.glob("black-*.dist-info"):
            return found.name.removesuffix(".dist-info").partition("-")[2]
    return ""
