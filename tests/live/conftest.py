"""The machine that the tests here ask about, booted once: `pytest tests/live --arch arm64`.

With `--suite trixie` its Xen and all of its dom0 are of that suite of Debian's.
With `--speed` it is a guest that does one thing over and over, and test_speed.py alone.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import packages
import pytest
from live import guests, image, machine, public
from live.runs import Run, Step
from support import PROJECT
from xenbind.toolchain.system_headers import system_folders

# What a run may take on a busy machine; on an idle one it takes a tenth of that.
SECONDS = 1800

_HERE = Path(__file__).parent
_SPEED = "test_speed"

# Architectures by the names that the tests have for them, with Debian's.
_ARCHES = {"x86_64": "amd64", "arm64": "arm64"}

# What dom0 is made of. The rest follows from what these depend on, so that no version is named.
_PACKAGES = (
    "xen-system-{arch}",
    "linux-image-{arch}",
    "busybox-static",
    "python3",
    "libatomic1",
)

# Where Debian's Python looks for what is installed by hand.
_SITE = "usr/lib/python3/dist-packages"

# Commands that a run needs, with Debian's packages that have them.
_TOOLS = {
    "any": {"apt-get": "apt", "cpio": "cpio", "dpkg-deb": "dpkg", "tar": "tar"},
    "x86_64": {
        "qemu-system-x86_64": "qemu-system-x86",
        "x86_64-linux-gnu-as": "binutils-x86-64-linux-gnu",
        "x86_64-linux-gnu-gcc": "gcc-x86-64-linux-gnu",
    },
    "arm64": {
        "qemu-system-aarch64": "qemu-system-arm",
        "aarch64-linux-gnu-as": "binutils-aarch64-linux-gnu",
        "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    },
}

# Compilers, with Debian's packages that have their C libraries.
_LIBRARIES = {
    "x86_64": ("x86_64-linux-gnu-gcc", "libc6-dev"),
    "arm64": ("aarch64-linux-gnu-gcc", "libc6-dev-arm64-cross"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--arch", choices=_ARCHES, default="x86_64", help="what to boot")
    parser.addoption("--suite", default="", help="Debian's; the host's if not given")
    parser.addoption("--speed", action="store_true", help="measure, and nothing else")
    parser.addoption("--xen", type=Path, help="a hypervisor in place of Debian's")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests of other architectures, or all but those of speed."""
    if config.getoption("--speed"):
        return collection_path.match("test_*.py") and collection_path.stem != _SPEED
    others = _ARCHES.keys() - {config.getoption("--arch")}
    left_out = {_SPEED, *(f"test_{arch}" for arch in others)}
    return collection_path.stem in left_out or None


@pytest.fixture(scope="session")
def live(request: pytest.FixtureRequest) -> Iterator[Run]:
    """What a run of the scenario, or of its like for speed, left, on the architecture of --arch."""
    is_for_speed = request.config.getoption("--speed")
    xen = request.config.getoption("--xen")
    suite = request.config.getoption("--suite")
    name = request.config.getoption("--arch")
    _require_tools(name)
    folder = Path(tempfile.mkdtemp(prefix=f"xenbind-live-{name}-"))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    begin = time.monotonic()

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True)

    try:
        yield _run(_ARCHES[name], suite, folder, say, is_for_speed, xen)
    finally:
        if request.session.testsfailed:
            say(f"the logs are in {folder}")
        else:
            shutil.rmtree(folder)


def _require_tools(arch: str) -> None:
    missing = {
        package
        for command, package in (_TOOLS["any"] | _TOOLS[arch]).items()
        if shutil.which(command) is None
    }
    compiler, package = _LIBRARIES[arch]
    if shutil.which(compiler) and not system_folders((compiler,)):
        missing.add(package)
    if missing:
        pytest.fail(f"install {' '.join(sorted(missing))}", pytrace=False)


def _run(
    arch: str,
    suite: str,
    folder: Path,
    say: Callable[[str], None],
    is_for_speed: bool,
    xen: Path | None,
) -> Run:
    cache = packages.suite_folder(arch, suite)
    say(f"fetching packages for {arch} into {cache}")
    wanted = [name.format(arch=arch) for name in _PACKAGES]
    fetched = packages.fetch(arch, wanted, suite)
    [release] = re.findall(r"/xen-hypervisor-([\d.]+)-", "\n".join(map(str, fetched)))
    say(f"building the image, with Xen {release}")
    guest = guests.assemble(arch, folder, is_for_speed)
    main = "speed.py" if is_for_speed else "scenario.py"
    site = folder / "site"
    root = public.root(fetched, arch, suite, folder)
    _install([PROJECT / "generated", *public.generate(root, arch, folder)], site)
    files = _files(guest, main, site)
    files["live/peer"] = public.peer(root, arch, folder)
    built = image.build(fetched, files, cache, folder)
    if xen is not None:
        built = replace(built, xen=xen)
    say("booting Xen")
    steps: dict[str, Step] = {}
    try:
        for line in machine.boot(arch, built, folder, SECONDS):
            step = json.loads(line)
            name = step.pop("step")
            steps[name] = Step(**step)
            say(f"{name}: {step['status']}")
        if "end" not in steps:
            raise machine.MachineError("dom0 stopped before the scenario's end")
    except machine.MachineError as error:
        pytest.fail(_failure(folder, str(error)), pytrace=False)
    finally:
        built.initrd.unlink()
    return Run(steps, guest.labels, release)


def _install(sources: list[Path], site: Path) -> None:
    """Install the packages' wheels, and nothing else, as pip does in dom0."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    install += ["--no-build-isolation", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*install, "--target", site, *sources], check=True)


def _files(guest: guests.Guest, main: str, site: Path) -> dict[str, Path]:
    """What dom0 has beside its packages, by path.

    `main` is the program that it runs, and `site` has what pip installed.  The programs in
    own/ find nothing but that.
    """
    sources = [*(_HERE / "dom0").glob("*.py"), *(PROJECT / "examples").glob("*.py")]
    own = (_HERE / "dom0/own").glob("*.py")
    return {
        "init": _HERE / "dom0/init",
        "live/main.py": _HERE / "dom0" / main,
        "live/guest": guest.kernel,
        **{f"live/{source.name}": source for source in sources},
        **{f"own/{program.name}": program for program in own},
        **{
            f"{_SITE}/{file.relative_to(site).as_posix()}": file
            for file in site.rglob("*")
            if file.is_file()
        },
    }


def _failure(folder: Path, what: str) -> str:
    log = folder / "console.log"
    last = log.read_text(errors="replace").splitlines()[-30:] if log.exists() else []
    return "\n".join([f"{what}; the end of {log}:", *last])
