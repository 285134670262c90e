"""What a user is told about bad input: one folder of tests/errors for each rule.

A folder holds a header tree, and perhaps its own spec.toml; the file `expected` holds
what `xenbind generate` prints.  What is wrong with a spec alone needs no header of its own:
`shared` has a tree for the folders whose names begin with `spec`, and one for `ring`.
Every error ends with exit status 1 and leaves the output folder as it was.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from golden_files import check_golden
from support import PROJECT, SPEC, TINY, tree, xenbind

ERRORS = PROJECT / "tests" / "errors"
SHARED = "shared"
CASES = sorted(path.name for path in ERRORS.iterdir() if path.is_dir())
CASES.remove(SHARED)
# Of which everything can be generated, soon.
TINY_TREE = ("--include", ERRORS / SHARED / "spec")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def headers_of(case: str) -> str:
    shared = f"{SHARED}/{case.partition('_')[0]}"
    own = {path.name for path in (ERRORS / case).iterdir()} - {"expected", "spec.toml"}
    return case if own or not (ERRORS / shared).exists() else shared


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package generated from good input."""
    folder = tmp_path_factory.mktemp("good")
    out = folder / "generated"
    made = xenbind("generate", "--include", tree(folder / "headers"), "--out", out)
    assert made.returncode == 0
    return out


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_told_at_its_place(case: str, good: Path, tmp_path: Path) -> None:
    out = tmp_path / "generated"
    shutil.copytree(good, out)
    before = files(out)

    own_spec = ERRORS / case / "spec.toml"
    spec = f"{case}/spec.toml" if own_spec.exists() else str(SPEC)
    result = xenbind(
        "generate",
        "--spec",
        spec,
        "--include",
        headers_of(case),
        "--out",
        out,
        cwd=ERRORS,
        CC="gcc",
    )

    assert result.returncode == 1
    assert result.stdout == ""
    assert files(out) == before
    check_golden(ERRORS / case / "expected", result.stderr)


def test_no_compiler(tmp_path: Path) -> None:
    result = xenbind("generate", "--out", tmp_path / "out", CC="no-such-compiler")
    assert result.returncode == 3
    assert result.stderr == (
        "xenbind: error: cannot run the C compiler 'no-such-compiler': "
        "No such file or directory\n"
        "  help: install gcc or clang, or name one with --cc or the variable CC\n"
    )
    assert not (tmp_path / "out").exists()


def test_no_compiler_on_the_path(tmp_path: Path) -> None:
    result = xenbind("generate", "--out", tmp_path / "out", PATH="", CC="")
    assert result.returncode == 3
    assert "no C compiler found" in result.stderr


def test_compiler_that_fails_without_a_reason(tmp_path: Path) -> None:
    result = xenbind("generate", "--out", tmp_path / "out", CC="false")
    assert result.returncode == 3
    assert "false is no C compiler that works: exit status 1" in result.stderr


def test_output_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = xenbind("generate", *TINY_TREE, "--out", tmp_path / "file" / "out")
    assert result.returncode == 3
    assert result.stderr.startswith(
        f"xenbind: error: cannot write {tmp_path}/file/out: "
    )
    assert "  help: " in result.stderr
    assert files(tmp_path) == {"file": b"in the way"}


def test_output_folder_of_somebody_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    result = xenbind("generate", *TINY_TREE, "--out", out)
    assert result.returncode == 1
    assert "is not empty, and xenbind did not write it" in result.stderr
    assert files(out) == {"thesis.txt": b"years of work"}


def test_manifest_that_is_damaged(tmp_path: Path) -> None:
    out = tmp_path / "out"
    xenbind("generate", "--include", tree(tmp_path / "good", TINY), "--out", out)
    (out / "manifest.json").write_text("{")
    for command in ("check", "generate"):
        result = xenbind(command, "--out", out)
        assert result.returncode == 1
        assert f"cannot read {out}/manifest.json" in result.stderr


def test_wrong_usage_has_exit_status_2() -> None:
    result = xenbind("generate", "--no-such-option")
    assert result.returncode == 2
    assert "No such option" in result.stderr
