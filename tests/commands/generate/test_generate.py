"""`xenbind generate` and `check`: the same bytes everywhere, and nothing written in vain."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from support import (
    INSTALLED,
    NEWEST,
    NEWEST_HEADERS,
    PROJECT,
    SPEC,
    TINY,
    project_of,
    require,
    tree,
    xenbind,
    xenbind_anew,
)

INTERFACES = SPEC.read_text().count("[[version]]")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_generated_is_what_the_headers_make_of_it(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "headers", project / "headers")
    assert xenbind("generate", cwd=project).returncode == 0
    kept = content(PROJECT / "generated")
    litter = [path for path in kept if path not in content(project / "generated")]
    assert [path for path in litter if not path.startswith(".")] == []
    assert content(project / "generated") == {
        path: data for path, data in kept.items() if path not in litter
    }


def test_folder_hash_seed_and_locale_do_not_matter(tmp_path: Path) -> None:
    first = project_of(tmp_path / "a", NEWEST_HEADERS.name)
    second = project_of(tmp_path / "b" / "c", NEWEST_HEADERS.name)
    xenbind_anew("generate", cwd=first, PYTHONHASHSEED="1", LC_ALL="C")
    xenbind_anew(
        *("generate", "--spec", second / "headers" / "vm_event.toml"),
        *("--out", second / "generated"),
        cwd=tmp_path,
        PYTHONHASHSEED="2",
        LC_ALL="C.UTF-8",
        LANGUAGE="de",
    )
    assert content(first / "generated") == content(second / "generated") != {}


def test_check_says_current_then_stale(tmp_path: Path) -> None:
    project = project_of(tmp_path, "4.6", NEWEST_HEADERS.name)
    xenbind("generate", cwd=project)
    assert xenbind("check", cwd=project).stdout == "generated is current\n"

    header = project / "headers" / "4.6" / "vm_event.h"
    text = header.read_text()
    header.write_text(text.replace("uint64_t gla;", "uint32_t gla;"))
    result = xenbind("check", cwd=project)
    assert result.returncode == 1
    assert "stale: generated/xen_vm_event/v1.py\n" in result.stdout
    assert "\n-    gla: uint64_t = ZERO\n" in result.stdout
    assert "\n+    gla: uint32_t = ZERO\n" in result.stdout
    assert result.stderr.endswith("stale files: run `xenbind generate`\n")

    answer = json.loads(xenbind("check", "--json", cwd=project).stdout)
    assert answer["current"] is False
    assert "xen_vm_event/v1.py" in [file["path"] for file in answer["stale"]]


def test_check_finds_an_edit_a_lost_file_and_a_new_header(tmp_path: Path) -> None:
    project = project_of(tmp_path, "4.6", NEWEST_HEADERS.name)
    xenbind("generate", cwd=project)
    module = project / "generated" / "xen_vm_event" / "v1.py"
    text = module.read_text()

    module.write_text(text + "edited = True\n")
    assert "-edited = True" in xenbind("check", cwd=project).stdout
    module.unlink()
    assert (
        "missing: generated/xen_vm_event/v1.py" in xenbind("check", cwd=project).stdout
    )
    module.write_text(text)
    assert xenbind("check", cwd=project).returncode == 0
    # It comes before the shared ring.h on the search path of version 1 alone.
    shadow = project / "headers" / "4.6" / "io" / "ring.h"
    shadow.parent.mkdir()
    ring = (project / "headers" / "io" / "ring.h").read_text()
    shadow.write_text(ring.replace("unsigned int nr_ents", "unsigned long nr_ents"))
    assert "stale: generated/xen_vm_event/v1.py" in xenbind("check", cwd=project).stdout


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    folder = tree(tmp_path / "headers")
    arguments = ("generate", "--include", folder, "--out", tmp_path / "out")
    xenbind(*arguments)
    before = {path: path.stat() for path in sorted((tmp_path / "out").rglob("*"))}
    assert xenbind(*arguments).stdout.endswith("files, none changed\n")
    after = {path: path.stat() for path in sorted((tmp_path / "out").rglob("*"))}
    assert [(s.st_ino, s.st_mtime_ns) for s in before.values()] == [
        (s.st_ino, s.st_mtime_ns) for s in after.values()
    ]


def test_unchanged_files_and_those_of_others_stay(tmp_path: Path) -> None:
    folder = tree(tmp_path / "headers")
    out = tmp_path / "out"
    xenbind("generate", "--include", folder, "--out", out)
    (out / "notes.txt").write_text("mine")
    untouched = (out / "xen_vm_event" / "runtime" / "records.py").stat()
    tree(folder, TINY + "struct more { uint64_t third; };\n")
    assert xenbind("generate", "--include", folder, "--out", out).returncode == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert "third: uint64_t" in (out / "xen_vm_event" / "v1.py").read_text()
    now = (out / "xen_vm_event" / "runtime" / "records.py").stat()
    assert (now.st_ino, now.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["headers", "out"]


def test_a_version_that_is_gone_goes_from_the_package(tmp_path: Path) -> None:
    project = project_of(tmp_path, "4.6", NEWEST_HEADERS.name)
    xenbind("generate", cwd=project)
    spec = project / "headers" / "vm_event.toml"
    # The older one has none of the members that are named for the newer.
    text = re.sub(r"\[payload\.members\]\n(.+ = .+\n)+", "", spec.read_text())
    spec.write_text(text[: text.rindex("[[version]]")])
    assert xenbind("generate", cwd=project).returncode == 0
    assert not (project / "generated" / "xen_vm_event" / f"v{NEWEST}.py").exists()
    assert not (project / "generated" / "reference" / f"v{NEWEST}.c").exists()


def test_xenbinds_own_headers_serve_outside_a_checkout(tmp_path: Path) -> None:
    assert xenbind("generate", "--out", "bindings", cwd=tmp_path).returncode == 0
    result = xenbind("verify", "--out", "bindings", cwd=tmp_path)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) > INTERFACES
    assert all(line.endswith(" 0 mismatches") for line in lines)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_installed_headers(compiler: str, tmp_path: Path) -> None:
    require((INSTALLED / "vm_event.h").exists(), "libxen-dev")
    require(shutil.which(compiler) is not None, compiler)
    arguments = ("--include", INSTALLED, "--out", tmp_path / "out", "--cc", compiler)
    assert "vm_event version 7: " in xenbind("generate", *arguments).stdout
    assert xenbind("check", *arguments).returncode == 0
    result = xenbind("verify", *arguments)
    assert result.returncode == 0
    assert " 0 mismatches\n" in result.stdout


def test_both_compilers_make_the_same_of_the_headers(tmp_path: Path) -> None:
    require(shutil.which("clang") is not None, "clang")
    spec = project_of(tmp_path, NEWEST_HEADERS.name) / "headers" / "vm_event.toml"
    for compiler in ("gcc", "clang"):
        xenbind(
            "generate", "--spec", spec, "--out", tmp_path / compiler, "--cc", compiler
        )
    by_gcc, by_clang = (content(tmp_path / name) for name in ("gcc", "clang"))
    # What each compiler is may be asked by a header, and is kept to know when that changes.
    manifests = [json.loads(each.pop("manifest.json")) for each in (by_gcc, by_clang)]
    for manifest in manifests:
        del manifest["surroundings"]
    assert by_gcc == by_clang != {}
    assert manifests[0] == manifests[1]


def test_a_folder_keeps_its_source(tmp_path: Path) -> None:
    project = project_of(tmp_path, "4.6", NEWEST_HEADERS.name)
    assert xenbind("generate", cwd=project).returncode == 0
    before = content(project / "generated")
    result = xenbind("generate", "--include", tree(project / "other"), cwd=project)
    assert result.returncode == 1
    assert "generated was made from the headers of a spec, not from" in result.stderr
    assert content(project / "generated") == before


def test_check_knows_the_tree_that_a_folder_was_made_from(tmp_path: Path) -> None:
    folder = tree(tmp_path / "headers")
    xenbind("generate", "--include", folder, "--out", tmp_path / "out")
    assert xenbind("check", "--out", tmp_path / "out").returncode == 0
    tree(folder, TINY + "struct more { uint64_t third; };\n")
    result = xenbind("check", "--out", tmp_path / "out")
    assert result.stderr.endswith(f"run `xenbind generate --out {tmp_path}/out`\n")
