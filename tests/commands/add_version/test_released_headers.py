"""add-version on the headers that Debian's libxen-dev installs, as a release of the next version.

The project is a copy of this one, in a repository of its own: what the command leaves is one
commit of new headers, the spec, the package and its facts, and passes the tests of both.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import packages
import pytest
from support import (
    INSTALLED,
    NEWEST,
    NEXT_RELEASE,
    PROJECT,
    own_tests,
    require,
    xenbind,
)

NEXT = NEWEST + 1
COPIED = ("headers", "generated", "tests/data/facts", "tests/helpers")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    run = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    without = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        shutil.copytree(PROJECT / name, folder / name, ignore=without)
    (folder / "tests" / "package").mkdir()
    for name in ("pyproject.toml", "tests/package/test_facts.py"):
        shutil.copyfile(PROJECT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "before")
    return folder


def installed(folder: Path) -> Path:
    """The headers of this machine's libxen-dev."""
    require(INSTALLED.is_dir(), "libxen-dev")
    return INSTALLED


def of_debian_13(folder: Path) -> Path:
    """The headers of Debian 13's libxen-dev, fetched."""
    fetched = packages.fetch("amd64", ["libxen-dev"], "trixie")
    [package] = [path for path in fetched if path.name.startswith("libxen-dev_")]
    packages.unpack(package, folder)
    return folder / "usr" / "include" / "xen"


@pytest.mark.exhaustive
@pytest.mark.parametrize("headers", [installed, of_debian_13])
def test_a_release_comes_in_by_one_command_and_one_commit(
    headers: Callable[[Path], Path], project: Path, tmp_path: Path
) -> None:
    (tmp_path / "debian").mkdir()
    shutil.copytree(headers(tmp_path / "debian"), tmp_path / "new")
    header = tmp_path / "new" / "vm_event.h"
    number = re.compile(r"(VM_EVENT_INTERFACE_VERSION) 0x\d+")
    header.write_text(number.sub(rf"\1 0x{NEXT:08x}", header.read_text()))

    arguments = ("add-version", "../new", "--release", NEXT_RELEASE)
    result = xenbind(*arguments, cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    facts = f"tests/data/facts/xen-{NEXT_RELEASE}.json"
    assert result.stdout.startswith(
        f"version {NEXT}: headers/{NEXT_RELEASE}/vm_event.h, headers/vm_event.toml,"
        f" {facts}\n"
    )
    assert f"\nx86_64 version {NEXT}: " in result.stdout

    changed = git(project, "status", "--porcelain", "--untracked-files=all")
    names = {line[3:] for line in changed.splitlines()}
    assert {
        name
        for name in names
        if not name.startswith((f"headers/{NEXT_RELEASE}/", "generated/"))
    } == {"headers/vm_event.toml", facts}
    assert f"headers/{NEXT_RELEASE}/vm_event.h" in names
    assert f"generated/xen_vm_event/v{NEXT}.py" in names

    assert xenbind("check", cwd=project).returncode == 0
    printed = xenbind("facts", NEXT_RELEASE, cwd=project).stdout
    assert printed == (project / facts).read_text()
    own = own_tests(project / "generated")
    assert own.returncode == 0, own.stdout
    held = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/package/test_facts.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert held.returncode == 0, held.stdout
