"""What the benchmarks share: where things are, and what machine the numbers are of."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
# What an installed tool runs as: with its bytecode cached.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Failed(Exception):
    """A contestant that cannot take part, and why."""


def tool(name: str) -> str:
    """A command of this environment, else of the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else name


def print_machine(distributions: Sequence[str]) -> None:
    """The date, the machine, and the versions of what takes part."""
    today = datetime.date.today().isoformat()
    print(f"{today}, {processor()}, {os.cpu_count()} cores, {platform.system()}")
    print(
        f"Python {platform.python_version()}",
        *filter(None, map(version, distributions)),
    )


def version(distribution: str) -> str:
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return ""


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return next(names, platform.machine())
