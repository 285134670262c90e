"""What docs/trees.md says of trees, and docs/xen-public.md of Xen's headers."""

from __future__ import annotations

import doctest
import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require, xenbind
from xenbind.spec import load

TEXT = (PROJECT / "docs" / "trees.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def xens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the commands of the document were run."""
    require(INSTALLED.is_dir(), "libxen-dev")
    folder = tmp_path_factory.mktemp("trees")
    (folder / "examples").symlink_to(PROJECT / "examples")
    commands = re.findall(r"^\$ xenbind (generate .*)", TEXT, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        made = xenbind(*command.split(), cwd=folder)
        assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.skipif(platform.machine() != "x86_64", reason="it tells of x86_64")
def test_the_program_does_what_is_shown(
    xens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(xens / "xen")
    test = doctest.DocTestParser().get_doctest(TEXT, {}, "trees.md", "", 0)
    assert len(test.examples) > 8
    try:
        assert doctest.DocTestRunner().run(test).failed == 0
    finally:
        for name in [name for name in sys.modules if name.startswith("xen_public")]:
            del sys.modules[name]


def test_the_spec_is_one(tmp_path: Path) -> None:
    (said,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    spec = tmp_path / "spec.toml"
    spec.write_text(said)
    tree = load(spec).tree
    assert tree is not None
    assert tree.without == tuple(tomllib.loads(said)["interface"]["without"])


def test_the_table_lists_every_header_of_the_package(xens: Path) -> None:
    """What each has is as told in the release that is told; Debian's updates have more."""
    table = (PROJECT / "docs" / "xen-public.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([\w./-]+\.h) \| (\d+) \| (\d+) \|", table, re.MULTILINE)
    readme = (xens / "xen" / "README.md").read_text(encoding="utf-8")
    made = re.findall(
        r"^\| ([\w./-]+\.h) \| \S+ \| (\d+) \| (\d+) \|", readme, re.MULTILINE
    )
    assert [name for name, *_ in told] == [name for name, *_ in made]
    release = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", "libxen-dev"],
        capture_output=True,
        text=True,
    ).stdout
    if f"libxen-dev {release}\n" in table:
        assert told == made


def list_domains(
    xens: Path, count: int, change: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the example of domains where there are so many, by libxencall's like in C.

    `change` is done to its package before.
    """
    source, library = PROJECT / "tests/data/xencall.c", xens / "libxencall.so.1"
    compile_c: list[str | Path] = [
        "gcc",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        source,
        "-o",
        library,
    ]
    subprocess.run(compile_c, check=True)
    folders = [xens / "xen", xens / "xencall", PROJECT / "examples"]
    program = f"{change}\nimport sys, domains\nsys.exit(domains.main())"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "DOMAINS": str(count),
            "LD_LIBRARY_PATH": str(xens),
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_list_of_domains_is_as_shown(xens: Path) -> None:
    """With more states than are shown: a crash, and an end."""
    listed = list_domains(xens, 5)
    assert (listed.returncode, listed.stderr) == (0, "")
    lines = listed.stdout.splitlines()
    assert "\n".join(lines[:3]) in TEXT
    assert lines[3:] == [
        "    6    256     3  --p---     411.5",
        "    9    128     4  ---sc-     308.6",
        "   12     64     5  ---s-d     246.9",
    ]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 130])
def test_every_domain_is_listed_once(xens: Path, count: int) -> None:
    """However many fit into one call."""
    lines = list_domains(xens, count).stdout.splitlines()
    assert [int(line.split()[0]) for line in lines[1:]] == list(range(0, 3 * count, 3))


def test_headers_of_another_xen_are_an_error_in_words(xens: Path) -> None:
    change = "from xen_public import sysctl; sysctl.XEN_SYSCTL_INTERFACE_VERSION = 0x16"
    listed = list_domains(xens, 5, change)
    assert (listed.returncode, listed.stdout) == (1, "")
    assert listed.stderr in TEXT


def test_type_checkers_know_what_the_list_calls(xens: Path) -> None:
    folders = [xens / "xen", xens / "xencall"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", PROJECT / "examples/domains.py"],
        cwd=xens,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
