"""Type checkers on the generated packages, and on what users write with them.

Both checkers are as strict as they can be; `mistakes.py` says in which lines they are to
find one, and `correct.py` has none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require, xenbind
from type_checkers import Checker, mypy, pyright, with_package

USERS = PROJECT / "tests" / "data" / "typing"
FUNCTIONS = PROJECT / "tests" / "data" / "functions"
FOREIGN = [
    *("io/blkif.h", "io/netif.h", "io/xs_wire.h", "io/console.h"),
    *("io/kbdif.h", "io/displif.h", "io/9pfs.h", "io/pvcalls.h"),
    "domctl.h",
]


def generate(folder: Path, spec: Path, *include: Path) -> None:
    """Put the package of a spec into a folder."""
    out = folder / "out"
    options = [option for path in include for option in ("--include", path)]
    made = xenbind("generate", "--spec", spec, *options, "--out", out)
    assert made.returncode == 0, made.stderr
    package = next(out.glob("*/py.typed")).parent
    shutil.move(package, folder / package.name)
    shutil.rmtree(out)


def mistakes() -> set[str]:
    lines = (USERS / "mistakes.py").read_text().splitlines()
    return {
        f"mistakes.py:{number}"
        for number, line in enumerate(lines, 1)
        if "# mistake" in line
    }


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What users write, beside the packages that they write it with."""
    folder = with_package(tmp_path_factory.mktemp("users"))
    generate(folder, USERS / "spec.toml", USERS)
    generate(folder, USERS / "bells" / "spec.toml")
    generate(folder, FUNCTIONS / "post.toml", FUNCTIONS)
    for name in ("correct.py", "every_xen.py", "mistakes.py"):
        shutil.copy(USERS / name, folder)
    return folder


@pytest.mark.parametrize(
    "checker", [pytest.param(pyright, marks=pytest.mark.exhaustive), mypy]
)
def test_a_type_checker_finds_the_mistakes_and_nothing_else(
    checker: Checker, users: Path
) -> None:
    assert len(mistakes()) == 45
    assert checker(users) == mistakes()


def test_numpy_need_not_be_there(users: Path, exhaustive: bool, tmp_path: Path) -> None:
    (users / "columns.py").write_text(
        "# pyright: strict\n"
        "from xen_vm_event import v7\n"
        "from xen_vm_event.runtime.arrays import column, dtype\n\n"
        "form = dtype(v7.vm_event_st)\n"
        'column([], v7.vm_event_st, "reason")\n'
    )
    venv.create(tmp_path / "without", with_pip=False)
    python = str(tmp_path / "without" / "bin" / "python")
    own = ["--strict", "--python-executable", python, "--cache-dir", str(tmp_path)]
    checkers = {"mypy": own, "pyright": ["--pythonpath", python]}
    for checker in checkers if exhaustive else ["mypy"]:
        command = [sys.executable, "-m", checker, *checkers[checker], "columns.py"]
        ran = subprocess.run(
            command, cwd=users, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.exhaustive
def test_pyright_finds_nothing_in_the_package_s_own_tests() -> None:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    tests = PROJECT / "generated" / "tests"
    ran = subprocess.run(
        [*command, str(tests)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("checker", [pyright, mypy])
def test_packages_of_other_headers_pass(checker: Checker, tmp_path: Path) -> None:
    for header in FOREIGN:
        require((INSTALLED / header).is_file(), f"{header} of libxen-dev")
        name = re.sub(r"\W", "_", header.removesuffix(".h"))
        spec = tmp_path / f"{name}.toml"
        spec.write_text(
            f'[interface]\nname = "{name}"\npackage = "xen_{name}"\nheader = "{header}"\n'
            'defines = ["__XEN_TOOLS__", "XEN_WANT_FLEX_CONSOLE_RING"]\n'
            'needs = ["stdint.h", "stddef.h", "string.h"]\n'
        )
        generate(tmp_path, spec, INSTALLED)
    shutil.copy(USERS / "byte_rings.py", tmp_path)
    assert checker(tmp_path) == set()
