"""A package of a header that asks for its target's macros says which target it was read for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import require, xenbind

ASKS = "struct s { int a; };\n#ifdef __aarch64__\nstruct t { int b; };\n#endif\n"
PLAIN = "struct s { int a; };\n"
# System headers ask, each in its way: what they declare is not this header's.
INCLUDES = "#include <stdint.h>\nstruct s { uint8_t a[sizeof(uint64_t)]; };\n"
# Python as on another machine, with every warning an error.
IMPORTED = """
import platform, sys
platform.machine = lambda: sys.argv[1]
import of_h.v0
"""


def imported(tmp_path: Path, header: str, machine: str, *cc: str) -> str:
    """Make a package of a header, import it as if on a machine; give the error, if any."""
    (tmp_path / "h.h").write_text(header)
    (tmp_path / "h.toml").write_text(
        '[interface]\nname = "h"\npackage = "of_h"\nheader = "h.h"\n'
    )
    options: tuple[str | Path, ...] = (
        "--spec",
        tmp_path / "h.toml",
        "--include",
        tmp_path,
        *cc,
    )
    made = xenbind("generate", *options, "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    command = [sys.executable, "-W", "error", "-c", IMPORTED, machine]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "out")
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("header", [PLAIN, INCLUDES], ids=["plain", "includes"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_asks_nothing_is_for_every_target(
    tmp_path: Path, header: str, machine: str
) -> None:
    assert imported(tmp_path, header, machine) == ""
    assert not (tmp_path / "out" / "of_h" / "runtime" / "targets.py").exists()


def test_where_it_was_read_nothing_is_said(tmp_path: Path) -> None:
    assert imported(tmp_path, ASKS, "x86_64") == ""


def test_elsewhere_it_is_said(tmp_path: Path) -> None:
    assert imported(tmp_path, ASKS, "aarch64") == (
        "RuntimeWarning: of_h.v0 was generated for x86_64, and this is arm64: its header asks"
        " for the target's macros, and may declare other things here; generate it here, or with"
        " --cc"
    )


def test_what_is_made_of_system_headers_asks_as_these_do(tmp_path: Path) -> None:
    header = "#include <sys/epoll.h>\n"
    assert imported(tmp_path, header, "x86_64") == ""
    assert "for x86_64, and this is arm64" in imported(tmp_path, header, "aarch64")


def test_of_a_target_that_has_no_name_here_nothing_is_said(tmp_path: Path) -> None:
    cc = ("--cc", "gcc -U__x86_64__")
    assert imported(tmp_path, ASKS, "ppc64le", *cc) == ""


def test_with_another_targets_compiler_it_is_that_ones(tmp_path: Path) -> None:
    require(shutil.which("aarch64-linux-gnu-gcc") is not None, "gcc for arm64")
    cc = ("--cc", "aarch64-linux-gnu-gcc")
    assert imported(tmp_path, ASKS, "aarch64", *cc) == ""
    assert "for arm64, and this is x86_64" in imported(tmp_path, ASKS, "x86_64", *cc)
