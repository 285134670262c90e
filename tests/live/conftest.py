"""The machine that the tests here ask about, booted once: `pytest tests/live --arch arm64`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from live import guests, image, machine, packages
from live.runs import Run, Step
from support import PROJECT

# What a run may take; it takes a tenth of it where nothing else runs.
SECONDS = 480

_HERE = Path(__file__).parent


# Architectures by the names that the tests have for them, with Debian's.
_ARCHES = {"x86_64": "amd64", "arm64": "arm64"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--arch", choices=_ARCHES, default="x86_64", help="what to boot")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests of other architectures."""
    others = _ARCHES.keys() - {config.getoption("--arch")}
    return collection_path.stem in {f"test_{arch}" for arch in others} or None


@pytest.fixture(scope="session")
def live(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What a run of the scenario left, on the architecture of --arch."""
    arch = _ARCHES[pytestconfig.getoption("--arch")]
    folder = tmp_path_factory.mktemp(arch)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    begin = time.monotonic()

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True)

    with capture.global_and_fixture_disabled():
        print()
    say(f"fetching packages for {arch} into {packages.cache_folder()}")
    fetched = packages.fetch(arch)
    say("building the image")
    guest = guests.assemble(arch, folder)
    built = image.build(arch, fetched, _files(guest), folder)
    say(f"booting Xen; its console is in {folder}/console.log")
    steps: dict[str, Step] = {}
    try:
        for line in machine.boot(arch, built, folder, SECONDS):
            step = json.loads(line)
            name = step.pop("step")
            steps[name] = Step(**step)
            say(f"{name}: {step['status']}")
    except machine.MachineError as error:
        pytest.fail(_failure(folder, str(error)), pytrace=False)
    finally:
        built.initrd.unlink()
    if "end" not in steps:
        pytest.fail(_failure(folder, "dom0 stopped before its end"), pytrace=False)
    return Run(steps, guest.labels)


def _files(guest: guests.Guest) -> dict[str, Path]:
    """What dom0 has beside its packages, by path."""
    examples, package = PROJECT / "examples", PROJECT / "generated/xen_vm_event"
    sources = [*(_HERE / "dom0").glob("*.py"), *examples.glob("*.py")]
    return {
        "init": _HERE / "dom0/init",
        "live/guest": guest.kernel,
        **{f"live/{source.name}": source for source in sources},
        **{f"live/xen_vm_event/{file.name}": file for file in package.glob("*.py")},
    }


def _failure(folder: Path, what: str) -> str:
    log = folder / "console.log"
    last = log.read_text(errors="replace").splitlines()[-30:] if log.exists() else []
    return "\n".join([f"{what}; the end of {log}:", *last])
