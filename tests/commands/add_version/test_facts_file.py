"""add-version and the facts of a new header: with the version, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import TINY, tree, xenbind
from xenbind.commands.add_version.facts_file import FactsFile

SPEC = """\
[interface]
name = "vm_event"
package = "xen_vm_event"
header = "vm_event.h"
version_macro = "VM_EVENT_INTERFACE_VERSION"
needs = ["stdint.h"]

[[version]]
number = 1
directory = "v1"
releases = ["4.6"]
"""
SECOND = TINY.replace("VERSION 1", "VERSION 2")
RELEASES = ("--release", "4.7", "--release", "4.8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that keeps facts, and beside it a tree of the next version."""
    folder = tmp_path / "project"
    tree(folder / "headers" / "v1")
    (folder / "headers" / "vm_event.toml").write_text(SPEC)
    (folder / "xenbind.toml").write_text('facts = "tests/facts"\n')
    tree(tmp_path / "new", SECOND)
    assert xenbind("generate", cwd=folder).returncode == 0
    return folder


def state(project: Path) -> dict[str, bytes]:
    """Every file of a project; empty folders have a name that ends in a slash."""
    found = {}
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = b""
    return found


def refused(project: Path, *arguments: str, status: int = 1) -> str:
    """What is said of a run that changes nothing, and says that it made nothing."""
    before = state(project)
    result = xenbind("add-version", "../new", *arguments, cwd=project)
    assert (result.returncode, result.stdout) == (status, "")
    assert state(project) == before
    return result.stderr


def test_the_facts_come_with_the_version(project: Path) -> None:
    before = state(project)
    result = xenbind("add-version", "../new", *RELEASES, cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    first, *_, last = result.stdout.splitlines()
    assert first == (
        "version 2: headers/4.7/vm_event.h, headers/vm_event.toml,"
        " tests/facts/xen-4.7.json"
    )
    assert last == "what is left: look at the change, and commit it"

    after = state(project)
    outside = {name for name in after if not name.startswith("generated/")}
    assert outside - before.keys() == {
        "headers/4.7/vm_event.h",
        "tests/facts/xen-4.7.json",
    }
    facts = json.loads(after["tests/facts/xen-4.7.json"])
    assert facts["interface_version"] == 2
    assert facts["releases"] == ["4.7", "4.8"]
    assert facts["types"]["struct pair"]["size"] == 16
    printed = xenbind("facts", "4.7", cwd=project).stdout
    assert printed.encode() == after["tests/facts/xen-4.7.json"]


def test_without_a_release_they_are_called_after_the_version(project: Path) -> None:
    result = xenbind("add-version", "../new", cwd=project)
    assert result.returncode == 0
    assert (project / "tests" / "facts" / "vm_event-v2.json").is_file()


def test_a_project_that_names_no_folder_gets_none(project: Path) -> None:
    (project / "xenbind.toml").unlink()
    result = xenbind("add-version", "../new", *RELEASES, cwd=project)
    assert result.stdout.startswith(
        "version 2: headers/4.7/vm_event.h, headers/vm_event.toml\n"
    )
    assert not (project / "tests").exists()


def test_the_folder_is_the_configured_spec_s(project: Path) -> None:
    spec = ("--spec", "headers/vm_event.toml")
    assert xenbind("add-version", "../new", *spec, cwd=project).returncode == 0
    assert not (project / "tests").exists()


def test_a_file_of_others_stays(project: Path) -> None:
    tree(project / "tests" / "facts")
    (project / "tests" / "facts" / "xen-4.7.json").write_text("mine")
    assert refused(project, *RELEASES) == (
        "xenbind: error: cannot make tests/facts/xen-4.7.json: File exists\n"
        "  help: move what is there away first\n"
    )


def test_a_file_that_says_the_same_may_be_there(project: Path) -> None:
    facts = ("facts", "../new", *RELEASES, "--output", "tests/facts/xen-4.7.json")
    (project / "tests" / "facts").mkdir(parents=True)
    assert xenbind(*facts, cwd=project).returncode == 0
    result = xenbind("add-version", "../new", *RELEASES, cwd=project)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_folder_that_cannot_be_made_leaves_all_as_it_was(project: Path) -> None:
    (project / "tests").write_text("no folder")
    assert refused(project, *RELEASES, status=3) == (
        "xenbind: error: cannot write tests/facts/xen-4.7.json: Not a directory\n"
        "  help: make room or get permission there, or name another folder under 'facts' in"
        " the configuration; nothing was changed\n"
    )


@pytest.mark.parametrize("folders", ["", "tests", "tests/facts"])
def test_what_fails_behind_it_takes_the_file_back(folders: str, tmp_path: Path) -> None:
    (tmp_path / folders).mkdir(parents=True, exist_ok=True)
    stage = tmp_path / "stage"
    stage.write_text("facts")
    before = state(tmp_path)
    del before["stage"]
    file = FactsFile(tmp_path / "tests" / "facts" / "xen-4.7.json", stage)
    with pytest.raises(KeyError), file.placed():
        assert file.path.read_text() == "facts"
        raise KeyError
    assert state(tmp_path) == before


def test_the_folder_is_not_the_package_s(project: Path) -> None:
    (project / "xenbind.toml").write_text('facts = "generated/facts"\n')
    assert refused(project, *RELEASES) == (
        "xenbind: error: the folder for facts, generated/facts, is in that of the package,"
        " generated\n"
        "  help: name another one under 'facts' in the configuration\n"
    )
