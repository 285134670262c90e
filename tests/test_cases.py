"""Small headers distilled from what other generators got wrong, as C has them.

Each folder of tests/cases holds a header and a spec.  A line of its `probes.txt` is a key, a
C expression and a Python expression; `expected.json` is what gcc says of each on x86_64: a
number, or for a key after `S` a text in hexadecimal, after `B` the bytes of a record with all
bits of a member set, after `D` a floating number.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, own_tests, require, xenbind

CASES = PROJECT / "tests" / "cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())
# What a package cannot have is left out, and told.
LEFT_OUT = {
    "24-build-date": ["BUILT_ON", "LOCATION", "ROW", "SERIAL"],
    "42-opaque-handle": ["handle_t"],
    "43-void-typedef": ["nothing"],
    "49-va-list": ["va_list"],
    "59-paren-string": ["AS_POINTER"],
    "71-macro-of-incomplete-type": ["CMD_TABLE"],
}


def options(case: str, out: Path) -> tuple[str | Path, ...]:
    return (
        "--spec",
        CASES / case / "spec.toml",
        "--include",
        CASES / case,
        "--out",
        out,
    )


@pytest.mark.parametrize("case", NAMES)
def test_the_bindings_are_what_c_has(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exhaustive: bool
) -> None:
    out = tmp_path / "out"
    made = xenbind("generate", *options(case, out), CC="gcc")
    assert made.returncode == 0, made.stderr
    told = [line.split(": note: ")[1].split()[0] for line in made.stderr.splitlines()]
    assert told == LEFT_OUT.get(case, [])

    for compiler in ("gcc", "clang") if exhaustive else ("gcc",):
        require(shutil.which(compiler) is not None, compiler)
        verified = xenbind("verify", *options(case, out), CC=compiler)
        assert verified.returncode == 0, verified.stdout

    monkeypatch.syspath_prepend(str(out))
    spec = tomllib.loads((CASES / case / "spec.toml").read_text())
    module = importlib.import_module(spec["interface"]["package"]).interface(0)
    expected = json.loads((CASES / case / "expected.json").read_text())
    for line in (CASES / case / "probes.txt").read_text().splitlines():
        kind, key, python = probe(line)
        if key not in LEFT_OUT.get(case, ()):
            assert said(module, kind, python) == expected[key], key


@pytest.mark.parametrize(
    "case",
    ["44-char-arrays", "50-anonymous-tag-alignment", "39-over-aligned-typedef-bits"],
)
def test_the_package_s_own_tests_pass(case: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert xenbind("generate", *options(case, out), CC="gcc").returncode == 0
    done = own_tests(out)
    assert done.returncode == 0, done.stdout


def probe(line: str) -> tuple[str, str, str]:
    """The kind of a probe, empty for a number, its key, and what is asked in Python."""
    key, _, python = line.split(" | ")
    kind, _, name = key.rpartition(" ")
    return kind, name, python.strip()


def said(module: Any, kind: str, python: str) -> object:
    """What the package answers."""
    names = {"v": module, "sizeof": ctypes.sizeof, "ctypes": ctypes, **vars(module)}
    if kind == "B":
        (record,) = (r for r in records(module) if python in vars(r))
        made = record()
        setattr(made, python, -1)
        return bytes(made).hex()
    found = eval(python, names)
    if kind == "S":
        return (found if isinstance(found, bytes) else str(found).encode()).hex()
    return found


def records(module: Any) -> list[Any]:
    return [item for item in vars(module).values() if hasattr(item, "_c_name_")]
