"""The package of tests/package/session/, which its session.py needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support import PROJECT

SESSION = PROJECT / "tests" / "package" / "session"


def make_session_package(
    folder: Path,
    python: str = sys.executable,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Have xenbind, run by `python`, write the package below `folder`; where it is."""
    headers, package = folder / "headers", folder / "package"
    (headers / "io").mkdir(parents=True)
    shutil.copy(PROJECT / "headers/io/ring.h", headers / "io")
    shutil.copy(SESSION / "session.h", headers)
    subprocess.run(
        [
            *(python, "-m", "xenbind", "generate", "--spec", SESSION / "session.toml"),
            *("--include", headers, "--out", package),
        ],
        env=environment,
        check=True,
    )
    return package
