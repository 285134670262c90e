"""CPythons newer than the machine's, from Debian's unstable suite: run by `make test-pythons`.

Their packages are unpacked into a folder, C library and all, and started by their own loader, so
that nothing is installed. What is no part of CPython (pytest, the generator's dependencies)
is this interpreter's, where it is Python alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from importlib import metadata
from pathlib import Path

import packages
import pytest
from packaging.requirements import Requirement
from session_package import SESSION, make_session_package
from support import PROJECT, xenbind

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pytest, what xenbind needs and what these need, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    wanted, linked = ["pytest", "xenbind"], set()
    while wanted:
        name = wanted.pop()
        if name in linked:
            continue
        linked.add(name)
        found = metadata.distribution(name)
        for top in {file.parts[0] for file in found.files or ()} - {
            "..",
            "__pycache__",
        }:
            (folder / top).symlink_to(str(found.locate_file(top)))
        needs = map(Requirement, found.requires or ())
        wanted += [
            need.name
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]
    return folder


def environment(*path: Path) -> dict[str, str]:
    """Modules are found there, and no cache of them is written."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def own_tests(python: str, site: Path, package: Path) -> None:
    """Run the tests that are generated with a package; no warning is let pass."""
    arguments = ("-q", "-p", "no:cacheprovider", "-W", "error", package / "tests")
    subprocess.run(
        [python, "-W", "error", "-m", "pytest", *arguments],
        cwd=package,
        env=environment(site),
        check=True,
    )


def test_it_is_that_python_with_a_ctypes_of_its_own(python: str, root: Path) -> None:
    ask = "import _ctypes, sys; print(sys.version.split()[0], _ctypes.__file__)"
    shown = subprocess.check_output([python, "-c", ask], text=True)
    version, ctypes = shown.split()
    assert version.startswith(Path(python).name.removeprefix("python"))
    assert Path(ctypes).is_relative_to(root)


def test_the_tests_of_the_generated_package(python: str, site: Path) -> None:
    own_tests(python, site, PROJECT / "generated")


def test_functions_of_a_library(python: str, site: Path, tmp_path: Path) -> None:
    functions = PROJECT / "tests" / "data" / "functions"
    options = ("--spec", functions / "post.toml", "--include", functions)
    assert xenbind("generate", *options, "--out", tmp_path / "out").returncode == 0
    own_tests(python, site, tmp_path / "out")


def test_a_package_that_it_generates(python: str, site: Path, tmp_path: Path) -> None:
    generator = environment(PROJECT / "codegen", site)
    package = make_session_package(tmp_path, python, generator)
    own_tests(python, site, package)
    subprocess.run(
        [python, "-W", "error", SESSION / "session.py"],
        env=environment(package),
        check=True,
    )
