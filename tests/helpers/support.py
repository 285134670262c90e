"""What several tests need: the project's paths, its command, and header trees to feed it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from forked import run_module

PROJECT = Path(__file__).resolve().parents[2]
SPEC = PROJECT / "headers" / "vm_event.toml"
INSTALLED = Path("/usr/include/xen")
# The newest interface of the spec: its version number, the folder of its header, and the
# release after the last that speaks it.
_VERSIONS = tomllib.loads(SPEC.read_text())["version"]
_NEWEST = _VERSIONS[-1]
NEWEST: int = _NEWEST["number"]
NEWEST_HEADERS = SPEC.parent / _NEWEST["directory"]
_MAJOR, _MINOR = _NEWEST["releases"][-1].split(".")
NEXT_RELEASE = f"{_MAJOR}.{int(_MINOR) + 1}"


def headers_of(number: int) -> Path:
    """The folder of the newest header with a version number."""
    speaking = [v["directory"] for v in _VERSIONS if v["number"] == number]
    return SPEC.parent / str(speaking[-1])


# The least that a header tree must hold to be generated from.
TINY = """\
#define VM_EVENT_INTERFACE_VERSION 1
struct pair {
    uint32_t first;
    uint64_t second;
};
"""


def xenbind(
    *arguments: str | Path, cwd: Path = PROJECT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, which has its modules already."""
    return run_module("xenbind", [*map(str, arguments)], cwd, environment)


def xenbind_anew(
    *arguments: str | Path, cwd: Path = PROJECT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, for what is about how its process begins."""
    return subprocess.run(
        [sys.executable, "-m", "xenbind", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def own_tests(out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests that are generated with a package, with nothing but pytest and numpy."""
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    return run_module(
        "pytest", ["-q", "-p", "no:cacheprovider", "tests"], out, environment
    )


def tree(folder: Path, header: str = TINY, **others: str) -> Path:
    """A header tree with vm_event.h and other headers by name, without their `.h`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"vm_event": header, **others}.items():
        (folder / f"{name}.h").write_text(text)
    return folder


def project_of(folder: Path, *folders: str) -> Path:
    """A folder with the project's headers and nothing else, in its spec these folders' alone.

    It has none of the libraries, for the sake of time.
    """
    shutil.copytree(PROJECT / "headers", folder / "headers")
    spec = folder / "headers" / "vm_event.toml"
    entry = re.compile(r'\[\[version\]\]\n.*\ndirectory = "(.*)"\n(?:.+\n)*\n?')
    spec.write_text(
        entry.sub(
            lambda found: found[0] if found[1] in folders else "",
            re.sub(r"libraries = \[[^]]*\]\n", "", spec.read_text()),
        )
    )
    return folder


def known_facts() -> list[dict[str, Any]]:
    """What a C compiler said of Xen's own headers, by the first release that has each."""
    found = [
        json.loads(path.read_text())
        for path in (PROJECT / "tests" / "data" / "facts").glob("xen-*.json")
    ]
    return sorted(found, key=lambda facts: series(facts["releases"][0]))


def series(release: str) -> tuple[int, ...]:
    """A release as numbers, which have an order."""
    return tuple(map(int, release.split(".")))


def require(present: bool, what: str) -> None:
    """Skip a test on a machine that lacks something; in CI that is a failure."""
    if not present:
        if os.environ.get("CI"):
            pytest.fail(f"{what} is missing, and CI must have it")
        pytest.skip(f"{what} is not installed")
