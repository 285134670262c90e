"""Which C library a header is read with, and where its includes are looked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support import require, xenbind
from xenbind import pipeline, spec
from xenbind.toolchain.system_headers import system_folders

SPEC = '[interface]\nname = "one"\npackage = "of_one"\nheader = "one.h"\n'


def write(folder: Path, **headers: str) -> Path:
    for name, text in headers.items():
        path = folder / f"{name.replace('__', '/')}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def spec_of(folder: Path, more: str = "") -> Path:
    path = folder / "spec.toml"
    path.write_text(SPEC + more)
    return path


def compiler_of(folder: Path, more: str, command: str) -> str | None:
    """The folder of declarations that stand for the C library's, if they do."""
    loaded = spec.load(spec_of(folder, more)).for_tree(folder)
    libc = pipeline.compiler_for(loaded, loaded.versions[0], (command,)).libc
    return None if libc is None else libc.name


def test_a_compiler_tells_where_it_looks(tmp_path: Path) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    folders = system_folders(("gcc",))
    assert any((folder / "stdint.h").is_file() for folder in folders)
    assert all(folder.is_absolute() for folder in folders)


def test_the_compiler_s_own_c_library_is_read_unless_the_spec_says_otherwise(
    tmp_path: Path,
) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    assert compiler_of(tmp_path, "", "gcc") is None
    assert compiler_of(tmp_path, 'libc = "system"\n', "gcc") is None
    assert compiler_of(tmp_path, 'libc = "own"\n', "gcc") == "libc"


def test_a_compiler_without_a_c_library_has_xenbind_s_own(tmp_path: Path) -> None:
    cross = "aarch64-linux-gnu-gcc"
    require(shutil.which(cross) is not None, cross)
    if system_folders((cross,)):
        pytest.skip("this cross compiler has a C library")
    assert compiler_of(tmp_path, "", cross) == "libc"


def test_headers_are_looked_for_in_every_tree(tmp_path: Path) -> None:
    """In quotes or angle brackets; the header itself may be in any of the trees."""
    others = write(tmp_path / "others", shared__base="typedef short base_t;\n")
    more = write(tmp_path / "more", plain="typedef char plain_t;\n")
    tree = write(
        tmp_path / "tree",
        one='#include <shared/base.h>\n#include "plain.h"\n#include <stdint.h>\n'
        "struct one { base_t first; plain_t second; uint_least16_t third; };\n",
    )
    options = ["--spec", str(spec_of(tmp_path, 'include = ["more"]\n'))]
    options += ["--include", str(others), "--include", str(tree)]
    options += ["--out", str(tmp_path / "out"), "--cc", "gcc"]
    made = xenbind("generate", *options)
    assert (made.returncode, made.stderr) == (0, "")
    held = xenbind("verify", *options)
    assert held.returncode == 0, held.stdout
    assert xenbind("check", *options).returncode == 0
    assert more.is_dir()


def test_the_trees_are_found_again_from_the_output(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "a", one='#include "two.h"\nstruct one { two_t first; };\n')
    write(tmp_path / "b", two="typedef int two_t;\n")
    named = ["--spec", str(spec_of(tmp_path)), "--out", str(tmp_path / "out")]
    trees = ["--include", str(tmp_path / "a"), "--include", str(tmp_path / "b")]
    assert xenbind("generate", *named, *trees, CC="gcc").returncode == 0
    said = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (said["include"], said["further"]) == ("../a", ["../b"])
    assert xenbind("check", *named, CC="gcc").returncode == 0
    (tmp_path / "b" / "two.h").write_text("typedef long two_t;\n")
    assert xenbind("check", *named, CC="gcc").returncode == 1


def test_system_headers_are_no_part_of_a_package(tmp_path: Path) -> None:
    """Neither their declarations nor copies of them, wherever the tree is."""
    tree = write(
        tmp_path / "elsewhere",
        one="#include <stdint.h>\n#include <stdio.h>\nstruct one { uint8_t first; };\n",
    )
    out = tmp_path / "project" / "out"
    (tmp_path / "project" / ".git").mkdir(parents=True)
    options = [
        "--spec",
        str(spec_of(tmp_path)),
        "--include",
        str(tree),
        "--out",
        str(out),
    ]
    made = xenbind("generate", *options, CC="gcc")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("one version 0: 1 structs and unions, 0 constants")
    copies = [path.name for path in (out / "reference").rglob("*.h")]
    assert copies == ["one.h"]


def test_a_header_of_the_system_can_be_read_from_where_it_is(tmp_path: Path) -> None:
    folders = system_folders(("gcc",))
    tree = next((f for f in folders if (f / "linux/if_link.h").is_file()), None)
    require(tree is not None, "linux-libc-dev")
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.replace("one.h", "linux/if_link.h"))
    options = [
        "--spec",
        str(path),
        "--include",
        str(tree),
        "--out",
        str(tmp_path / "out"),
    ]
    made = xenbind("generate", *options, CC="gcc")
    assert (made.returncode, made.stderr) == (0, "")
    held = xenbind("verify", *options, CC="gcc")
    assert held.returncode == 0, held.stdout
