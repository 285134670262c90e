"""A folder without the interface's header: where the header is instead, as people mean it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support import SPEC, tree
from xenbind import header_tree, spec
from xenbind.errors import SourceError, SystemFailure, XenbindError

# The project's spec, in a folder where there is none for a library.
ALONE = re.sub(r"libraries = \[[^]]*\]\n", "", SPEC.read_text())


def refusal(folder: Path, header: str = "") -> XenbindError:
    """What is said of a folder as a foreign header tree."""
    loaded = spec.load(SPEC)
    if header:
        text = ALONE.replace('"vm_event.h"', f'"{header}"')
        (folder.parent / "spec.toml").write_text(text)
        loaded = spec.load(folder.parent / "spec.toml")
    foreign = loaded.for_tree(folder)
    with pytest.raises(XenbindError) as caught:
        header_tree.require(foreign, foreign.versions[0])
    return caught.value


@pytest.mark.parametrize(
    ("named", "where"),
    [
        ("", "xen/include/public"),
        ("xen", "xen/include/public"),
        ("xen/include", "xen/include/public"),
    ],
)
def test_the_root_of_a_checkout_of_xen(named: str, where: str, tmp_path: Path) -> None:
    for folder in ("include/public", "include/xen", "arch/x86/include/asm"):
        tree(tmp_path / "xen" / folder)
    error = refusal(tmp_path / named)
    assert isinstance(error, SourceError)
    assert error.message == "no such header"
    assert error.advice == f"name the folder that has it: {tmp_path / where}"


@pytest.mark.parametrize(
    "where", ["xen", "include/xen", "local/include/xen", "a/b/c/d"]
)
def test_any_folder_not_far_below(where: str, tmp_path: Path) -> None:
    tree(tmp_path / where)
    tree(tmp_path / ".hidden")
    error = refusal(tmp_path)
    assert error.advice == f"name the folder that has it: {tmp_path / where}"


def test_several_folders(tmp_path: Path) -> None:
    for name in ("4.18", "4.17"):
        tree(tmp_path / name)
    expected = (
        f"name the folder that has it: {tmp_path / '4.17'} or {tmp_path / '4.18'}"
    )
    assert refusal(tmp_path).advice == expected


def test_a_header_that_is_in_a_folder_of_the_tree(tmp_path: Path) -> None:
    folder = tmp_path / "xen"
    tree(folder / "include" / "public" / "io")
    tree(folder / "io-not")
    error = refusal(folder, "io/vm_event.h")
    assert error.advice == f"name the folder that has it: {folder / 'include/public'}"


def test_the_header_itself(tmp_path: Path) -> None:
    error = refusal(tree(tmp_path / "headers") / "vm_event.h")
    assert isinstance(error, SystemFailure)
    assert error.advice == f"name the folder that has it: {tmp_path / 'headers'}"


def test_a_folder_that_a_spec_names(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(ALONE)
    tree(tmp_path / "4.14" / "include")
    loaded = spec.load(tmp_path / "spec.toml")
    for version in loaded.versions:
        with pytest.raises(SourceError) as caught:
            header_tree.require(loaded, version)
        error = caught.value
        assert error.coord.file == str(tmp_path / "spec.toml")
        if version.releases == ("4.14",):
            assert error.message == f"{tmp_path}/4.14 has no vm_event.h"
            found = f"name the folder that has it: {tmp_path}/4.14/include"
            assert error.advice == found
        else:
            assert error.message.startswith("there is no folder ")
            assert "beside the spec" in error.advice


def test_it_is_not_looked_for_without_end(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    tree(tmp_path / "1/2/3/4/5")
    assert "--include" in refusal(tmp_path).advice


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte", "no/where"])
def test_what_can_be_no_folder(name: str, tmp_path: Path) -> None:
    error = refusal(tmp_path / name)
    assert isinstance(error, SystemFailure)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    folder = tree(tmp_path / "closed")
    folder.chmod(0)
    error = refusal(folder)
    folder.chmod(0o700)
    assert isinstance(error, SystemFailure)
