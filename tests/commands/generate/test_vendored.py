"""Bindings committed into another repository: cloned and moved, they are as they were."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PROJECT, TINY, own_tests, tree, xenbind

SPEC = """\
[interface]
name = "tiny"
package = "tiny"
header = "vm_event.h"
version_macro = "VM_EVENT_INTERFACE_VERSION"
needs = ["stdint.h"]
"""
CONFIG = """\
[tool.xenbind]
spec = "bindings/tiny.toml"
include = "third_party/xen"
out = "bindings/generated"
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with headers of others, a spec of its own, and what was generated."""
    folder = tmp_path / "repository"
    tree(folder / "third_party" / "xen")
    (folder / "bindings").mkdir()
    (folder / "bindings" / "tiny.toml").write_text(SPEC)
    (folder / "pyproject.toml").write_text(CONFIG)
    made = xenbind("generate", cwd=folder)
    assert made.returncode == 0, made.stderr
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "bindings")
    return folder


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Path:
    """A clone at another depth, beside which there is no original any more."""
    folder = tmp_path / "some" / "where" / "else"
    git(tmp_path, "clone", "--quiet", str(repository), str(folder))
    repository.rename(tmp_path / "gone")
    return folder


def test_no_output_names_a_folder_of_this_machine(repository: Path) -> None:
    for path in (repository / "bindings" / "generated").rglob("*"):
        if path.is_file():
            assert str(repository.parent).encode() not in path.read_bytes(), path


def test_a_clone_is_current_and_right(clone: Path) -> None:
    within = clone / "third_party"  # the configuration holds in every folder below
    assert xenbind("check", cwd=clone).stdout == "bindings/generated is current\n"
    assert xenbind("check", cwd=within).returncode == 0
    assert " 0 mismatches\n" in xenbind("verify", cwd=clone).stdout
    assert own_tests(clone / "bindings" / "generated").returncode == 0


def test_a_copy_without_git_is_current(clone: Path, tmp_path: Path) -> None:
    shutil.copytree(clone, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    assert xenbind("check", cwd=tmp_path / "copy").returncode == 0


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edited(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return edited


@pytest.mark.parametrize(
    "change",
    [
        edit("third_party/xen/vm_event.h", "#define", "/* New. */\n#define"),
        edit("third_party/xen/vm_event.h", "uint64_t", "uint32_t"),
        edit("bindings/tiny.toml", "[interface]", '[interface]\ndefines = ["MORE"]'),
        edit("bindings/tiny.toml", 'name = "tiny"', 'name = "small"'),
        edit("bindings/generated/tiny/v1.py", "class", "class "),
    ],
    ids=["comment", "member", "define", "name", "output"],
)
def test_an_edit_makes_it_stale(change: Callable[[Path], None], clone: Path) -> None:
    change(clone)
    assert xenbind("check", cwd=clone).returncode == 1


def test_what_means_the_same_is_not_stale(clone: Path) -> None:
    edit("bindings/tiny.toml", "[interface]", "# Ours.\n[interface]")(clone)
    assert xenbind("check", cwd=clone).returncode == 0


def test_what_headers_ask_for_counts(tmp_path: Path) -> None:
    asking = TINY + (
        "#ifdef EXTRA\nstruct extra { uint64_t more; };\n#endif\n"
        '#if __has_include("more.h")\n#include "more.h"\n#endif\n'
    )
    folder = tree(tmp_path / "headers", asking)
    arguments = ("--include", folder, "--out", tmp_path / "out")
    assert xenbind("generate", *arguments).returncode == 0
    assert xenbind("check", *arguments).returncode == 0
    assert xenbind("check", *arguments, "--cc", "gcc -DEXTRA").returncode == 1
    assert xenbind("check", *arguments, "--cc", "gcc -DOTHER").returncode == 0
    (folder / "more.h").write_text("struct found { uint64_t it; };\n")
    assert xenbind("check", *arguments).returncode == 1


def test_headers_from_outside_go_along(tmp_path: Path) -> None:
    folder = tree(tmp_path / "elsewhere" / "headers")
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet")
    arguments = ("--include", folder, "--out", "bindings")
    assert xenbind("generate", *arguments, cwd=project).returncode == 0
    assert xenbind("check", *arguments, cwd=project).returncode == 0
    result = xenbind("check", "--out", "bindings", cwd=project)
    assert result.returncode == 1
    assert "made from a header tree outside of its project" in result.stderr
    folder.rename(tmp_path / "gone")
    assert own_tests(project / "bindings").returncode == 0


def test_an_output_beneath_the_spec_does_not_make_itself_stale(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "tiny.toml").write_text(SPEC)
    arguments = ("--spec", "tiny.toml", "--include", ".", "--out", "made")
    assert xenbind("generate", *arguments, cwd=tmp_path).returncode == 0
    assert xenbind("check", *arguments, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "config", ["outt = 'x'", "out = 3", "out = ''", 'out = "x\\u0000"']
)
def test_a_configuration_that_says_something_else(config: str, tmp_path: Path) -> None:
    (tmp_path / "xenbind.toml").write_text(config)
    result = xenbind("check", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{tmp_path}/xenbind.toml:1:1: error: ")


def test_the_keys_of_a_configuration_are_told(tmp_path: Path) -> None:
    (tmp_path / "xenbind.toml").write_text("fact = 'x'")
    told = xenbind("check", cwd=tmp_path).stderr
    assert "error: unknown key: 'fact'\n" in told
    assert told.endswith("  help: use one of spec, include, out, facts\n")


def test_stat_names_what_is_stale(repository: Path) -> None:
    (repository / "bindings" / "generated" / "tiny" / "v1.py").write_text("x = 1\n")
    result = xenbind("check", "--stat", cwd=repository)
    assert result.stdout == "stale: bindings/generated/tiny/v1.py\n"


@pytest.mark.exhaustive
def test_the_action_s_steps_tell_right_from_wrong(clone: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    steps = re.findall(r"^ +run: (.+)$", (PROJECT / "action.yml").read_text(), re.M)
    assert len(steps) == 3

    def status(step: str) -> int:
        return subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=clone,
            env={
                **os.environ,
                "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
                "GITHUB_ACTION_PATH": str(PROJECT),
                "TARGET": "x86_64",
            },
            check=False,
        ).returncode

    assert [status(step) for step in steps] == [0, 0, 0]
    edit("third_party/xen/vm_event.h", "uint64_t", "uint32_t")(clone)
    assert [status(step) for step in steps[1:]] == [1, 1]


@pytest.mark.exhaustive
def test_the_hook_tells_right_from_wrong(clone: Path, tmp_path: Path) -> None:
    def status() -> int:
        command = [sys.executable, "-m", "pre_commit", "try-repo", str(PROJECT)]
        return subprocess.run(
            [*command, "xenbind-check", "--all-files"],
            cwd=clone,
            env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache")},
            check=False,
        ).returncode

    assert status() == 0
    edit("third_party/xen/vm_event.h", "uint64_t", "uint32_t")(clone)
    assert status() == 1


def test_a_wrong_key_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.xenbind]\nout = "o"\n  spec = 3\n')
    told = xenbind("check", cwd=tmp_path).stderr
    assert told.startswith(
        f"{tmp_path}/pyproject.toml:3:3: error: 'spec' must be a path"
    )
