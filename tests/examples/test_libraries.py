"""The functions of Xen's installed libraries, from specs in examples/libraries.

Each function of a header is in the package with the header's prototype and the library's
symbol, or is left out for a reason; a library compiled from the header finds each call right.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROJECT, own_tests, require, xenbind

INCLUDE = Path("/usr/include")
SPECS = PROJECT / "examples" / "libraries"
# How many functions the header of Xen 4.17 has that the library has, too.
FUNCTIONS = {
    "libxl": 746,
    "xencall": 15,
    "xenctrl": 324,
    "xendevicemodel": 26,
    "xenevtchn": 12,
    "xenforeignmemory": 9,
    "xengnttab": 20,
    "xenguest": 80,
    "xenhypfs": 6,
    "xenstat": 50,
    "xenstore": 32,
    "xentoolcore": 1,
    "xentoollog": 7,
}


def test_every_spec_is_tried() -> None:
    assert sorted(FUNCTIONS) == sorted(path.stem for path in SPECS.glob("*.toml"))


def options_of(name: str, out: Path) -> tuple[str | Path, ...]:
    """The options of a spec; one of a header of its own says itself where others are."""
    is_own = (SPECS / f"{name}_headers.h").is_file()
    include = () if is_own else ("--include", INCLUDE)
    return ("--spec", SPECS / f"{name}.toml", *include, "--out", out)


@pytest.fixture(autouse=True)
def needs_headers() -> None:
    require((INCLUDE / "xenctrl.h").is_file(), "libxen-dev")


@pytest.mark.parametrize(
    "name",
    [
        (
            each
            if each == "xenevtchn"
            else pytest.param(each, marks=pytest.mark.exhaustive)
        )
        for each in FUNCTIONS
    ],
)
def test_a_library(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = options_of(name, out)
    made = xenbind("generate", *options)
    functions = "1 function" if FUNCTIONS[name] == 1 else f"{FUNCTIONS[name]} functions"
    assert f" {functions}\n" in made.stdout, made.stderr

    verified = xenbind("verify", "--json", *options)
    (report,) = json.loads(verified.stdout)
    assert report["mismatches"] == []
    assert report["functions"] == FUNCTIONS[name]
    library = {"libxl": "xenlight"}.get(name, name)
    assert Path(report["library"]).name.startswith(f"lib{library}.so")

    result = own_tests(out)
    assert result.returncode == 0, result.stdout


def test_a_program_outside_of_dom0_is_told_what_to_do(tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = options_of("xenevtchn", out)
    assert xenbind("generate", *options).returncode == 0
    program = "from xenevtchn import v0; v0.xenevtchn_open(None, 0)"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.splitlines()[-1] == (
        "FileNotFoundError: [Errno 2] xenevtchn_open: No such file or directory;"
        " run this in dom0, with xen-evtchn loaded"
    )
