"""Wheels, and virtual environments that have them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def built(source: Path, folder: Path) -> Path:
    """The wheel of a project, built with what is installed."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder)]
    subprocess.run([*command, *options, str(source)], check=True)
    (made,) = folder.glob("*.whl")
    return made


def installed(wheel: Path, folder: Path, alone: bool = False) -> Path:
    """The Python of a new virtual environment that has the wheel in it.

    Unless that is `alone`, what the tests run with is there too, but not the wheel's project.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    if not alone:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--no-index"]
    subprocess.run([*command, *options, str(wheel)], check=True)
    return python


def without_pythons_own() -> dict[str, str]:
    """The environment, but for what it has Python do."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
