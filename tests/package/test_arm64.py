"""A package's own tests on arm64, in Debian's CPython for it under qemu.

There C passes arguments in other registers, and the ones behind a variadic function's parameters
otherwise than those; a char has no sign, and neither has a wchar_t.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import packages
import pytest
from support import PROJECT, require, xenbind

FUNCTIONS = PROJECT / "tests" / "data" / "functions"
COMPILER = "aarch64-linux-gnu-gcc"
# What the tests need there, and a C library to compile with.
OF_ARM64 = ["python3", "python3-pytest", "libatomic1", "libc6-dev"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what runs is unpacked: a system of arm64."""
    folder = tmp_path_factory.mktemp("root")
    packages.empty_root(folder)
    for package in packages.fetch("arm64", OF_ARM64):
        packages.unpack(package, folder)
    return folder


@pytest.fixture(scope="module")
def qemu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A command that runs programs for arm64 on this machine."""
    folder = tmp_path_factory.mktemp("qemu")
    packages.empty_root(folder)
    for package in packages.fetch_alone(
        packages.host_architecture(), ["qemu-user-static"]
    ):
        packages.unpack(package, folder)
    return folder / "usr" / "bin" / "qemu-aarch64-static"


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", ["post", "odd"])
def test_the_tests_of_a_library_pass_on_arm64(
    library: str, root: Path, qemu: Path, tmp_path: Path
) -> None:
    require(shutil.which(COMPILER) is not None, COMPILER)
    out = tmp_path / "out"
    spec = FUNCTIONS / f"{library}.toml"
    options = ("--spec", spec, "--include", FUNCTIONS, "--out", out)
    compiler = f"{COMPILER} --sysroot={root}"
    assert xenbind("generate", *options, CC=compiler).returncode == 0
    python = [str(qemu), "-L", str(root), str(root / "usr" / "bin" / "python3")]
    ran = subprocess.run(
        [*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=out,
        env={**os.environ, "CC": compiler},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
