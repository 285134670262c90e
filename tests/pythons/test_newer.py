"""CPythons newer than the machine's, from Debian's unstable suite: run by `make test-pythons`.

Their packages are unpacked into a folder, C library and all, and started by their own loader, so
that nothing is installed. What is no part of CPython (pytest, the generator's dependencies)
is this interpreter's, where it is Python alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path

import packages
import pytest
from session_package import SESSION, make_session_package
from support import PROJECT

SUITE = "sid"
VERSIONS = ["3.14", "3.15"]

_STARTER = """\
#!/bin/sh
exec {loader} --library-path {libraries} --argv0 "$0" {python} "$@"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the interpreters are unpacked."""
    names = [f"python{version}" for version in VERSIONS]
    fetched = packages.fetch(packages.host_architecture(), names, SUITE)
    folder = tmp_path_factory.mktemp("root")
    packages.empty_root(folder)
    for package in fetched:
        packages.unpack(package, folder)
    return folder


@pytest.fixture(scope="module", params=VERSIONS)
def python(request: pytest.FixtureRequest, root: Path) -> str:
    """A command that starts one of them, also when it starts itself."""
    name = f"python{request.param}"
    [loader] = root.glob("usr/lib*/ld-linux-*.so.*")
    [libc] = root.glob("usr/lib/*/libc.so.6")
    starter = root / "usr/local/bin" / name
    starter.parent.mkdir(parents=True, exist_ok=True)
    starter.write_text(
        _STARTER.format(
            loader=shlex.quote(str(loader)),
            libraries=shlex.quote(str(libc.parent)),
            python=shlex.quote(str(root / "usr/bin" / name)),
        )
    )
    starter.chmod(0o755)
    return str(starter)


def environment(*path: Path) -> dict[str, str]:
    """Modules are found there and among this interpreter's, and no cache of them is written."""
    found = (*path, sysconfig.get_path("purelib"))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, found)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def own_tests(python: str, package: Path) -> None:
    """Run the tests that are generated with a package; no warning is let pass."""
    arguments = ("-q", "-p", "no:cacheprovider", "-W", "error", package / "tests")
    subprocess.run(
        [python, "-W", "error", "-m", "pytest", *arguments],
        cwd=package,
        env=environment(),
        check=True,
    )


def test_it_is_that_python_with_a_ctypes_of_its_own(python: str, root: Path) -> None:
    ask = "import _ctypes, sys; print(sys.version.split()[0], _ctypes.__file__)"
    shown = subprocess.check_output([python, "-c", ask], text=True)
    version, ctypes = shown.split()
    assert version.startswith(Path(python).name.removeprefix("python"))
    assert Path(ctypes).is_relative_to(root)


def test_the_tests_of_the_generated_package(python: str) -> None:
    own_tests(python, PROJECT / "generated")


def test_a_package_that_it_generates(python: str, tmp_path: Path) -> None:
    package = make_session_package(tmp_path, python, environment(PROJECT / "codegen"))
    own_tests(python, package)
    subprocess.run(
        [python, "-W", "error", SESSION / "session.py"],
        env=environment(package),
        check=True,
    )
