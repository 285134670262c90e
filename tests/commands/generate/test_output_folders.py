"""What else is in an output folder stays as it is: whose it is decides the manifest alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import TINY, require, tree, xenbind
from xenbind.commands.generate import output

MORE = TINY + "struct more { uint64_t third; };\n"
MODULE = "xen_vm_event/v1.py"


def generate(folder: Path, header: str) -> subprocess.CompletedProcess[str]:
    headers = tree(folder / "headers", header)
    return xenbind("generate", "--include", headers, "--out", folder / "out")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert generate(folder, TINY).returncode == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A package of TINY in out/, and headers of which it will be another."""
    shutil.copytree(made / "out", tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(str(made), str(tmp_path)))
    return tmp_path


def entries(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every entry: its mode, its file's number unless it is a folder, and its content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        content: object = None
        if path.is_symlink():
            content = path.readlink()
        elif path.is_file():
            content = path.read_bytes()
        number = None if stat.S_ISDIR(info.st_mode) else info.st_ino
        found[path.relative_to(folder).as_posix()] = (info.st_mode, number, content)
    return found


def theirs(out: Path) -> None:
    """All kinds of things that people have in a folder."""
    (out / "empty" / "er").mkdir(parents=True)
    (out / "secret").mkdir(mode=0o700)
    (out / "secret" / "key").write_bytes(b"\0\xff")
    (out / "secret" / "key").chmod(0o400)
    (out / "xen_vm_event" / "__pycache__").mkdir()
    (out / "xen_vm_event" / "__pycache__" / "mine.pyc").write_bytes(b"mine")
    (out / "xen_vm_event" / "extra.py").write_text("mine = 1\n")
    (out / "link").symlink_to("secret")
    (out / "dangling").symlink_to("nowhere")
    os.link(out / "secret" / "key", out / "second name")
    os.mkfifo(out / "pipe")
    subprocess.run(["git", "init", "--quiet", out], check=True)


def test_all_else_in_the_folder_stays(project: Path) -> None:
    out = project / "out"
    theirs(out)
    (out / MODULE).chmod(0o640)
    (out / "tests").chmod(0o750)
    before = entries(out)
    assert generate(project, MORE).returncode == 0
    after = entries(out)
    changed = {name for name in after if after[name] != before.get(name)}
    assert MODULE in changed
    assert changed <= set(
        json.loads((out / "manifest.json").read_text())["outputs"]
    ) | {"manifest.json"}
    assert {name: entry[0] for name, entry in after.items()} == {
        name: entry[0] for name, entry in before.items()
    }
    assert sorted(path.name for path in project.iterdir()) == ["headers", "out"]


def link_to_copy(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


IN_THE_WAY: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a link in place of a file": (
        "abi.md",
        link_to_copy,
        "is a link, where a file of the package goes",
    ),
    "a link in place of a folder": (
        "xen_vm_event",
        link_to_copy,
        "is a link, where a folder of the package goes",
    ),
    "a folder": (
        "abi.md",
        folder_instead,
        "is a folder, where a file of the package goes",
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_is_in_the_way_is_told_and_stays(case: str, project: Path) -> None:
    name, put, message = IN_THE_WAY[case]
    put(project / "out" / name)
    before = entries(project)
    refused = generate(project, MORE)
    tree(project / "headers", TINY)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"xenbind: error: {project}/out/{name} {message}\n" in refused.stderr
    assert "  help: move it away, or name another folder" in refused.stderr
    assert {n: e for n, e in entries(project).items() if "headers" not in n} == before


def test_a_file_that_no_manifest_names_is_in_the_way(project: Path) -> None:
    """As one of a version that is new."""
    out = project / "out"
    (out / "xen_vm_event" / "v2.py").write_text("mine = 1\n")
    before = entries(out)
    refused = generate(project, MORE.replace("VERSION 1", "VERSION 2"))
    assert refused.returncode == 1
    assert "v2.py is a file that xenbind did not write" in refused.stderr
    assert entries(out) == before


def test_what_the_manifest_names_no_more_is_removed(project: Path) -> None:
    out = project / "out"
    (out / "reference" / "notes").write_text("mine")
    assert generate(project, MORE.replace("VERSION 1", "VERSION 2")).returncode == 0
    assert not (out / MODULE).exists()
    assert sorted(path.name for path in (out / "reference").iterdir()) == [
        "notes",
        "v2.c",
    ]


def test_a_manifest_names_nothing_outside(project: Path) -> None:
    manifest = project / "out" / "manifest.json"
    content = json.loads(manifest.read_text())
    (project / "thesis").write_text("years of work")
    content["outputs"] |= {"../thesis": "", str(project / "thesis"): ""}
    manifest.write_text(json.dumps(content))
    assert generate(project, MORE).returncode == 0
    assert (project / "thesis").read_text() == "years of work"


def test_a_new_repository_becomes_an_output_folder(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "out"], check=True)
    before = entries(tmp_path / "out")
    assert generate(tmp_path, TINY).returncode == 0
    assert entries(tmp_path / "out").items() >= before.items()


def test_the_shell_stays_in_its_folder(project: Path) -> None:
    """A folder that was swapped would be another one than the one where it stands."""
    out = project / "out"
    theirs(out)
    before = (out.stat().st_ino, entries(out)["secret/key"])
    headers = tree(project / "headers", MORE)
    result = xenbind("generate", "--include", headers, "--out", ".", cwd=out)
    assert result.returncode == 0, result.stderr
    assert "class more" in (out / MODULE).read_text()
    assert (out.stat().st_ino, entries(out)["secret/key"]) == before
    assert not (out / ".xenbind-new").exists()


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_a_mount_point(kind: str, project: Path) -> None:
    """In a mount namespace of its own, as a container has."""
    may = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    require(may.returncode == 0, "unshare")
    out, kept = project / "out", project / "kept"
    tree(project / "headers", MORE)
    how = {
        "bind": f"mount --bind {kept} {out}",
        "tmpfs": f"mount -t tmpfs xenbind {out} && cp -r {kept}/. {out}",
    }
    script = (
        f"set -e; cp -r {out} {kept}; {how[kind]}; touch {out}/mine;"
        f" {sys.executable} -m xenbind generate"
        f" --include {project}/headers --out {out} && ls -A {out}"
    )
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-8:] == [
        *(
            "abi.md",
            "interfaces",
            "manifest.json",
            "mine",
            "pyproject.toml",
            "reference",
        ),
        *("tests", "xen_vm_event"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax"),
        ("raise SystemExit\n", "it says nothing"),
        ("import os; os._exit(0)\n", "it says nothing"),
    ],
)
def test_a_package_that_cannot_be_imported_is_replaced(
    text: str, reason: str, project: Path
) -> None:
    (project / "out" / MODULE).write_text(text)
    result = generate(project, MORE)
    assert result.returncode == 0
    assert result.stderr.splitlines() == [
        "version 1: the ABI is not compared with the old package's: cannot import"
        f" xen_vm_event.v1 from {project}/out: {reason}"
    ]
    assert "class more" in (project / "out" / MODULE).read_text()


def test_what_a_package_prints_is_no_answer(project: Path) -> None:
    init = project / "out" / "xen_vm_event" / "__init__.py"
    init.write_text(init.read_text() + "\nprint('{')\n")
    headers = tree(project / "headers", TINY)
    result = xenbind(
        *("verify", "--json", "--include", headers, "--out", project / "out")
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)[0]["mismatches"] == []


def test_a_planted_journal_leads_nowhere(project: Path) -> None:
    """Who sends a repository with an output folder does not write outside of it."""
    inside = project / "out" / ".xenbind-new"
    inside.mkdir()
    (inside / "0.new").write_text("planted")
    (inside / "journal").write_text('{"paths": ["../thesis"], "removed": []}')
    (project / "thesis").write_text("years of work")
    assert generate(project, MORE).returncode == 0
    assert (project / "thesis").read_text() == "years of work"
    assert not inside.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", '{"paths": 1}', '{"paths": [[]]}', "[" * 5000 + "]" * 5000],
)
def test_a_journal_that_is_none(text: str, project: Path) -> None:
    for folder in (project / "out" / ".xenbind-new", project / ".out.xenbind-new"):
        (folder / "tree").mkdir(parents=True)
        for name in ("journal", "record"):
            (folder / name).write_text(text)
    with output.lock(project / "out"):
        pass
    assert sorted(path.name for path in project.iterdir()) == ["out"]
    assert not (project / "out" / ".xenbind-new").exists()


def test_a_planted_link_is_not_followed(project: Path) -> None:
    kept = project / "kept" / "tree"
    kept.mkdir(parents=True)
    (kept / "thesis").write_text("years of work")
    (project / ".out.xenbind-new").symlink_to(project / "kept")
    generate(project, MORE)
    assert (kept / "thesis").read_text() == "years of work"


def test_the_package_of_another_spec_is_kept(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.h").write_text(f"struct {name} {{ int a; }};\n")
        assert xenbind("init", f"{name}.h", cwd=tmp_path).returncode == 0
    assert xenbind("generate", "--spec", "one.toml", cwd=tmp_path).returncode == 0
    refused = xenbind("generate", "--spec", "two.toml", cwd=tmp_path)
    assert refused.returncode == 1
    assert "generated has the package one, not two" in refused.stderr
    assert (tmp_path / "generated" / "one" / "__init__.py").exists()
