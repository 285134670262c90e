"""A user's session with a package: no warning, and everything as C has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from session_package import SESSION, make_session_package


def test_a_session(tmp_path: Path) -> None:
    package = make_session_package(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-W", "error", SESSION / "session.py"],
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "all as C has it\n"
