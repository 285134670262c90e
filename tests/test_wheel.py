"""The wheels: an installed xenbind generates by itself, and so does what it generates."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT


def wheel(source: Path, folder: Path) -> Path:
    """Build a wheel with what is installed, and unpack it as pip would."""
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = [
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--target",
        str(target),
    ]
    subprocess.run([*command, *options, str(source)], check=True)
    return target


def python(site: Path, *arguments: str, cwd: Path) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(PROJECT, tmp_path_factory.mktemp("wheel"))


def test_an_installed_xenbind_carries_its_headers_and_templates(
    site: Path, tmp_path: Path
) -> None:
    where = python(site, "-c", "import xenbind; print(xenbind.__file__)", cwd=tmp_path)
    assert Path(where.strip()) == site / "xenbind" / "__init__.py"
    python(site, "-m", "xenbind", "generate", cwd=tmp_path)
    shown = python(site, "-m", "xenbind", "verify", cwd=tmp_path)
    assert shown.count(" 0 mismatches\n") == 7 + 1  # and in all
    checked = python(site, "-m", "xenbind", "check", cwd=PROJECT)
    assert checked == "generated is current\n"


def test_the_generated_package_installs_alone(tmp_path: Path) -> None:
    installed = wheel(PROJECT / "generated", tmp_path)
    assert (installed / "xen_vm_event" / "py.typed").is_file()
    code = "from xen_vm_event import interface; print(interface(7).VM_EVENT_INTERFACE_VERSION)"
    assert python(installed, "-c", code, cwd=tmp_path) == "7\n"
