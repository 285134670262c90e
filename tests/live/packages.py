"""Fetch Debian's packages for an architecture, which need not be the host's.

Takes Debian's name of the architecture; gives the package files of Xen, its tools, a kernel,
Python and all they depend on, which image.py unpacks.  apt resolves the names, with a
configuration and a state of its own that knows of no installed package, so that no root
is needed and nothing on the host changes.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

# The rest follows from what these depend on, so that no version is named.
WANTED = (
    "xen-system-{arch}",
    "linux-image-{arch}",
    "busybox-static",
    "python3",
    "libatomic1",
)

_DAY = 24 * 60 * 60

_CONFIGURATION = """\
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Retries "3";
Acquire::Languages "none";
Dir::State "{folder}/state";
Dir::State::status "{folder}/installed";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "{folder}/packages";
"""


def cache_folder() -> Path:
    """Where packages are kept: $XENBIND_CACHE, or xenbind/ where programs keep such things."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("XENBIND_CACHE") or default / "xenbind")


def fetch(arch: str) -> list[Path]:
    """Download what is not there yet; the package files, sorted by name.

    Raises RuntimeError with apt's words if a package is not to be had.
    """
    folder = (cache_folder() / arch).resolve()
    for part in ("state/lists/partial", "cache", "packages/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "installed").touch()
    (folder / "apt.conf").write_text(
        _CONFIGURATION.format(arch=arch, folder=folder), encoding="utf-8"
    )
    stamp = folder / "updated"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > _DAY:
        _apt_get(folder, "update")
        stamp.touch()
    try:
        return _install(folder, [name.format(arch=arch) for name in WANTED])
    except RuntimeError:
        stamp.unlink()  # the lists may be what is wrong
        raise


def _install(folder: Path, names: list[str]) -> list[Path]:
    """Download packages with all that they depend on, as if nothing were installed."""
    install = ("install", "--yes", "--quiet=2", *names)
    # Every package of the answer, also those that were downloaded before.
    listing = _apt_get(
        folder, *install, "--print-uris", "--option", "Dir::Cache::archives=/nowhere"
    )
    _apt_get(folder, *install, "--download-only")
    return sorted(
        folder / "packages" / line.split()[1]
        for line in listing.splitlines()
        if line.startswith("'")
    )


def _apt_get(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["apt-get", *arguments],
        env={**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"apt-get {arguments[0]} failed:\n{result.stderr}")
    return result.stdout
