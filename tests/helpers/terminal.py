"""The command as a person at a terminal sees it: what it prints there, of a width."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from support import PROJECT


def on_terminal(
    *arguments: str | Path,
    columns: int = 80,
    cwd: Path = PROJECT,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run xenbind with a terminal as standard output and error; gives all that it prints."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    outer = {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}  # of whoever runs the tests
    inherited = {key: text for key, text in os.environ.items() if key not in outer}
    with subprocess.Popen(
        [sys.executable, "-m", "xenbind", *map(str, arguments)],
        cwd=cwd,
        env={**inherited, "TERM": "xterm", **environment},
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        printed = b""
        try:
            while part := os.read(ours, 1 << 16):
                printed += part
        except OSError:  # Linux tells so that the other side is closed
            pass
        os.close(ours)
    return printed.decode().replace("\r\n", "\n")
