"""docs/tutorial.md, followed from its first line to its last, with the package installed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from documents import commands, is_said, text_of
from installed import built, installed, without_pythons_own
from support import PROJECT

TEXT = text_of(PROJECT / "docs" / "tutorial.md")
# What is done to be ready, once for each reader: the tests' own way stands for it.
READY = [
    *("make bindings", ". .venv/bin/activate"),
    *("pip install ./generated pytest", "mkdir ../first && cd ../first"),
]


class Step(NamedTuple):
    """A file to be written, or commands to be called."""

    file: str
    content: str
    console: str


def steps() -> Iterator[Step]:
    pattern = r"`(\w+\.py)`[^`\n]*:\n\n```python\n(.*?)^```$|^(```console\n.*?^```$)"
    for found in re.finditer(pattern, TEXT, re.MULTILINE | re.DOTALL):
        yield Step(*(part or "" for part in found.groups()))


def test_every_block_is_a_step() -> None:
    assert len(list(steps())) == TEXT.count("\n```\n")


def test_it_begins_as_the_makefile_has_it() -> None:
    first = next(steps()).console
    assert [command for command, _ in commands(first)] == READY
    dry = ["make", "--dry-run", "bindings"]
    would = subprocess.run(dry, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ".venv/bin/xenbind generate\n.venv/bin/xenbind verify\n" in would.stdout
    (last,) = re.findall(r"^Call xenbind as .*$", first, re.MULTILINE)
    assert f"echo '{last}'\n" in would.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell's, in which the package was installed."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = built(PROJECT / "generated", folder)
    assert wheel.name.startswith("xen_vm_event-")
    python = installed(wheel, folder / "venv")
    # The command is the tests' own; pytest is to see the package.
    for command, its_python in (("xenbind", sys.executable), ("pytest", python)):
        script = python.parent / command
        script.write_text(f'#!/bin/sh\nexec {its_python} -m {command} "$@"\n')
        script.chmod(0o755)
    shell = without_pythons_own()
    return shell | {"PATH": f"{python.parent}:{shell['PATH']}"}


def test_who_follows_it_sees_what_it_shows(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for file, content, console in list(steps())[1:]:
        if file:
            (tmp_path / file).write_text(content)
        for command, shown in commands(console):
            result = subprocess.run(
                ["sh", "-c", f"{command} 2>&1"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert is_said(shown, result.stdout), f"{command}\n{result.stdout}"
