"""The digest of the generator: what `check` goes by when xenbind itself has changed.

It is one and the same for the same xenbind wherever that is, and another one after any change
to a module or to what goes into the output.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from installed import built, installed, without_pythons_own
from support import PROJECT
from xenbind import resources
from xenbind.provenance.manifest import generator_digest
from xenbind.resources import own_files

PACKAGE = PROJECT / "codegen" / "xenbind"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of xenbind's files, which the digest is of."""
    for name in ("codegen", "templates", "runtime"):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, tmp_path / name)
    package = tmp_path / "codegen" / "xenbind"
    monkeypatch.setattr(resources, "package", lambda: package)
    return tmp_path


def test_it_does_not_depend_on_the_path(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = generator_digest()
    monkeypatch.undo()
    assert copied == generator_digest()


def test_every_module_and_every_file_of_the_output_counts(checkout: Path) -> None:
    counted = set(own_files().values())
    folders = [checkout / name for name in ("templates", "runtime")]
    wanted = {
        path
        for path in (path for folder in folders for path in folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    } | set((checkout / "codegen").rglob("*.py"))
    assert len(wanted) > 100
    assert counted >= wanted


@pytest.mark.parametrize(
    "changed",
    [
        "codegen/xenbind/__init__.py",
        "codegen/xenbind/cli.py",
        "codegen/xenbind/ir/abi.py",
        "codegen/xenbind/provenance/manifest.py",
        "codegen/xenbind/toolchain/__init__.py",
        "templates/abi.md.jinja",
        "templates/package/version.py.jinja",
        "templates/reference/version.c.jinja",
        "templates/pyproject.toml.jinja",
    ],
)
def test_one_byte_changes_it(checkout: Path, changed: str) -> None:
    before = generator_digest()
    content = (checkout / changed).read_bytes()
    (checkout / changed).write_bytes(content + b"\n")
    assert generator_digest() != before


def test_a_new_name_changes_it(checkout: Path) -> None:
    before = generator_digest()
    templates = checkout / "templates"
    (templates / "abi.md.jinja").rename(templates / "abj.md.jinja")
    assert generator_digest() != before


def test_what_python_keeps_beside_its_modules_does_not_change_it(
    checkout: Path,
) -> None:
    before = generator_digest()
    for folder in ("codegen/xenbind", "codegen/xenbind/ir", "templates"):
        cache = checkout / folder / "__pycache__"
        cache.mkdir(exist_ok=True)
        (cache / "members.cpython-399.pyc").write_bytes(b"odd")
        (checkout / folder / "members.pyc").write_bytes(b"odd")
    assert generator_digest() == before


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(PROJECT, tmp_path_factory.mktemp("wheel"))


def output(python: Path, *arguments: str, cwd: Path) -> str:
    """What the xenbind of a virtual environment prints."""
    return subprocess.run(
        [python, *arguments],
        cwd=cwd,
        env=without_pythons_own(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.exhaustive
def test_it_is_the_same_from_the_checkout_and_from_installed_wheels(
    wheel: Path, tmp_path: Path
) -> None:
    code = (
        "from xenbind.provenance.manifest import generator_digest\n"
        "from xenbind.resources import package\n"
        "print(package(), generator_digest())"
    )
    for name in ("one", "other"):
        python = installed(wheel, tmp_path / name)
        output(python, "-m", "xenbind", "generate", cwd=tmp_path)  # leaves __pycache__
        place, digest = output(python, "-c", code, cwd=tmp_path).split()
        assert Path(place).is_relative_to(tmp_path / name)
        assert list(Path(place).rglob("__pycache__"))
        assert digest == generator_digest()
        # What one xenbind made is current to the other.
        checked = output(python, "-m", "xenbind", "check", cwd=PROJECT)
        assert checked == "generated is current\n"
