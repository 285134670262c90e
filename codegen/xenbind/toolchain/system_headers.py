"""Ask a compiler for its C library: which folders it searches for headers by itself.

Takes a compiler's command; gives the folders, or none where it has no C library for its
target: a cross compiler that was installed alone.  `pipeline` then has xenbind's few
declarations stand for those headers.
"""

from __future__ import annotations

import re
from pathlib import Path

from xenbind.toolchain.first_question import start_asking

_LISTED = re.compile(r"^#include <\.\.\.>.*?$(.*?)^End of search list", re.M | re.S)


def system_folders(command: tuple[str, ...]) -> tuple[Path, ...]:
    """Give the folders that a compiler searches, in its order; none without a C library.

    Raises `CompilerError` if there is no such program.
    """
    finished = start_asking(command)()
    failed = finished.status or finished.exceeded
    return () if failed else listed_folders(finished.messages)


def listed_folders(messages: bytes) -> tuple[Path, ...]:
    """Give the folders that a compiler says, asked with -v, that it searches for `<x.h>`."""
    listed = _LISTED.search(messages.decode("utf-8", "surrogateescape"))
    lines = listed[1].splitlines() if listed else ()
    return tuple(Path(line.strip()) for line in lines if line.strip())
