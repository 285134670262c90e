"""What docs/trees.md says of trees, and docs/xen-public.md of Xen's headers."""

from __future__ import annotations

import doctest
import platform
import re
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
    (command,) = re.findall(r"^\$ xenbind (generate .*)", TEXT, re.MULTILINE)
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
    table = (PROJECT / "docs" / "xen-public.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([\w./-]+\.h) \| (\d+) \| (\d+) \|", table, re.MULTILINE)
    readme = (xens / "xen" / "README.md").read_text(encoding="utf-8")
    made = re.findall(
        r"^\| ([\w./-]+\.h) \| \S+ \| (\d+) \| (\d+) \|", readme, re.MULTILINE
    )
    assert told == made
