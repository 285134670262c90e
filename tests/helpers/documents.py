"""The project's documents, and what they show: programs, sessions, commands with their output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support import PROJECT

README = PROJECT / "README.md"
PAGES = sorted((PROJECT / "docs").glob("**/*.md"))


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def program(text: str, begins: str) -> str:
    """The one block of Python whose first lines are these."""
    [found] = [b for b in blocks(text, "python") if b.startswith(begins + "\n")]
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of its console blocks, each with what is shown below it."""
    return [
        (command, shown)
        for block in blocks(text, "console")
        for command, shown in re.findall(
            r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE
        )
    ]


def is_said(shown: str, said: str) -> bool:
    """Whether a command said what is shown; what stands for `...` may be anything.

    What is left out so grows with each version.
    """
    pattern = ".*".join(map(re.escape, shown.split("...")))
    return re.fullmatch(pattern, said, re.DOTALL) is not None


def in_a_new_shell(
    command: str, cwd: Path = PROJECT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a line as a reader would, who has called the line that each document begins with."""
    for document in (README, PROJECT / "docs" / "index.md"):
        assert "\n    . .venv/bin/activate\n" in text_of(document)
    start = Path(sys.prefix) / "bin" / "activate"
    first = f". {start} && " if start.exists() else ""
    home = {name: os.environ.get(name, "/") for name in ("PATH", "HOME")}
    return subprocess.run(
        ["sh", "-c", first + command],
        cwd=cwd,
        env=home | environment,
        capture_output=True,
        text=True,
        check=False,
    )
