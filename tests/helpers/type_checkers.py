"""Type checkers as users have them: as strict as they can be, on a folder of programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support import PROJECT

Checker = Callable[[Path], set[str]]


def with_package(folder: Path) -> Path:
    """Put the generated package into a folder, and give that."""
    shutil.copytree(
        PROJECT / "generated" / "xen_vm_event",
        folder / "xen_vm_event",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return folder


def pyright(folder: Path) -> set[str]:
    """The lines of a folder's files in which pyright finds something."""
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    command = ["-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    ran = subprocess.run(
        [sys.executable, *command, "-p", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(ran.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(folder.rglob("*.py")))
    return {
        f"{Path(found['file']).relative_to(folder)}:{found['range']['start']['line'] + 1}"
        for found in report["generalDiagnostics"]
    }


def mypy(folder: Path) -> set[str]:
    """The lines of a folder's files in which mypy finds something."""
    # One for each kind of folder: two runs of mypy do not share a cache.
    cache = PROJECT / ".mypy_cache" / folder.name
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return set(re.findall(r"^(.+?:\d+): error", ran.stdout, re.MULTILINE))
