"""Fetch Debian's packages for an architecture and a suite, which need not be the host's.

Takes Debian's names of both and of the packages; gives the package files, which `unpack`
lays out as they would be installed.  apt resolves the names, with a configuration and a
state of its own that knows of no installed package, so that no root is needed and nothing on
the host changes.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

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
_OTHER_SOURCES = """\
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/nowhere";
"""


def cache_folder() -> Path:
    """Where packages are kept: $XENBIND_CACHE, or xenbind/ where programs keep such things."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("XENBIND_CACHE") or default / "xenbind")


def suite_folder(arch: str, suite: str = "") -> Path:
    """Where what is of an architecture and a suite is kept."""
    return cache_folder() / (f"{arch}-{suite}" if suite else arch)


def host_architecture() -> str:
    """What Debian calls this machine."""
    shown = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()


def fetch(arch: str, names: Sequence[str], suite: str = "") -> list[Path]:
    """Download packages and all that they depend on, as if nothing were installed.

    Gives the package files, sorted by name, of `suite`, which is this machine's own if it is
    not named. Raises RuntimeError with apt's words if a package is not to be had.
    """
    install = ("install", "--yes", "--quiet=2", *names)
    # Every package of the answer, also those that were downloaded before.
    listing = ("--print-uris", "--option", "Dir::Cache::archives=/nowhere")
    return _download(arch, suite, (*install, *listing), (*install, "--download-only"))


def fetch_alone(arch: str, names: Sequence[str], suite: str = "") -> list[Path]:
    """Like `fetch`, without what the packages depend on."""
    download = ("download", "--quiet=2", *names)
    return _download(arch, suite, (*download, "--print-uris"), download)


def unpack(package: Path, root: Path) -> None:
    """Unlike dpkg-deb's own extraction, this goes through the links in root."""
    files = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE, check=True
    ).stdout
    subprocess.run(
        ["tar", "--extract", "--keep-directory-symlink", "--no-same-owner"],
        cwd=root,
        input=files,
        check=True,
    )


def empty_root(root: Path) -> None:
    """Make the links that every Debian system has at its root."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")


def _download(
    arch: str, suite: str, listing: tuple[str, ...], download: tuple[str, ...]
) -> list[Path]:
    """Carry out apt's command, and give the files that the listing names."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        folder = _updated(arch, suite)
        packages = folder / "packages"
        try:
            listed = _apt_get(folder, *listing)
            _apt_get(folder, *download, directory=packages)
        except RuntimeError:
            (folder / "updated").unlink()  # the lists may be what is wrong
            raise
    return sorted(
        packages / line.split()[1]
        for line in listed.splitlines()
        if line.startswith("'")
    )


def _updated(arch: str, suite: str) -> Path:
    """The folder of a suite's configuration, lists and packages; the lists are of today."""
    folder = suite_folder(arch, suite).resolve()
    for part in ("state/lists/partial", "cache", "packages/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "installed").touch()
    configuration = _CONFIGURATION
    if suite:
        configuration += _OTHER_SOURCES
        (folder / "sources.list").write_text(
            f"deb {_mirror(arch)} {suite} main\n", encoding="utf-8"
        )
    (folder / "apt.conf").write_text(
        configuration.format(arch=arch, folder=folder), encoding="utf-8"
    )
    stamp = folder / "updated"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > _DAY:
        _apt_get(folder, "update")
        stamp.touch()
    return folder


def _mirror(arch: str) -> str:
    """Where this machine has Debian from."""
    of_debian = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
    found = _apt_get(
        _updated(arch, ""), "indextargets", "--format", "$(REPO_URI)", *of_debian
    )
    if not found:
        raise RuntimeError("apt's sources do not name Debian")
    return found.split()[0]


def _apt_get(folder: Path, *arguments: str, directory: Path | None = None) -> str:
    """Run apt with a folder's configuration; `download` leaves what it fetches in `directory`."""
    result = subprocess.run(
        ["apt-get", *arguments],
        cwd=directory or folder,
        env={**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"apt-get {arguments[0]} failed:\n{result.stderr}")
    return result.stdout
