"""`make bindings` on a fresh clone: whom it asks what before it makes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import PROJECT, require

OLD = """\
#!/bin/sh
[ "$1" = --version ] && echo Python 3.9.2
exit $((1 - $(test "$1" = --version && echo 1 || echo 0)))
"""
# Notes what it is asked for; venv makes what a real one would have made.
NEW = """\
#!/bin/sh
echo "$@" >>log
[ "$2" = venv ] && mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/pip
exit 0
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    require(shutil.which("make") is not None, "make")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    for name, text in (("old", OLD), ("new", NEW)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(clone: Path, target: str, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", target, f"PYTHON={python}"],
        cwd=clone,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "is_called"), [("./old", "Python 3.9.2"), ("nonesuch", "")]
)
def test_a_python_that_is_too_old_is_told_before_anything_is_made(
    python: str, is_called: str, clone: Path
) -> None:
    result = make(clone, "bindings", python)
    assert result.returncode == 2
    assert (
        f"xenbind needs Python 3.11 or later; {python} is {is_called}" in result.stderr
    )
    assert "make bindings PYTHON=python3.12" in result.stderr
    assert not (clone / ".venv").exists()


def test_what_an_old_python_left_is_made_anew(clone: Path) -> None:
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/pyvenv.cfg").touch()
    shutil.copy(clone / "old", clone / ".venv/bin/python")
    assert make(clone, ".venv/xenbind", "./new").returncode == 0
    assert "-m venv --clear .venv" in (clone / "log").read_text()


def test_bindings_need_no_more_than_xenbind(clone: Path) -> None:
    assert make(clone, ".venv/xenbind", "./new").returncode == 0
    assert "-e .\n" in (clone / "log").read_text()
    assert "[test]" not in (clone / "log").read_text()
    assert make(clone, ".venv/ready", "./new").returncode == 0
    log = (clone / "log").read_text()
    assert "[test]" in log
    assert log.count("-m venv") == 1  # one that is whole is kept


def test_it_ends_with_how_to_call_xenbind(clone: Path) -> None:
    assert make(clone, ".venv/xenbind", "./new").returncode == 0
    shutil.copy(clone / "new", clone / ".venv/bin/xenbind")
    last = make(clone, "bindings", "./new").stdout.splitlines()[-1]
    assert ".venv/bin/xenbind" in last
    assert ". .venv/bin/activate" in last
