"""The machine that the tests here ask about, booted once for each architecture."""

from __future__ import annotations

import base64
import json
import time

from dataclasses import dataclass
from pathlib import Path

import guests
import image
import machine
import packages
import pytest
from support import PROJECT

# What a run may take; it takes a tenth of it where nothing else runs.
SECONDS = 480

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """A command that ran in dom0, as scenario.py reported it."""

    status: int | str
    stdout: str = ""
    stderr: str = ""
    recording: str = ""

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()

    def record(self, to: Path) -> Path:
        """The requests that --record wrote, in a file."""
        to.write_bytes(base64.b64decode(self.recording))
        return to


@dataclass(frozen=True)
class Run:
    """A machine's run: each step by its name, and the labels of its guest."""

    steps: dict[str, Step]
    labels: dict[str, int]


@pytest.fixture(scope="module")
def live(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run of the scenario on the architecture of the test module's ARCH."""
    arch = request.module.ARCH
    folder = tmp_path_factory.mktemp(arch)
    capture = request.config.pluginmanager.getplugin("capturemanager")
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
    sources = [
        *(_HERE / "dom0").glob("*.py"),
        PROJECT / "examples/monitor.py",
        PROJECT / "examples/xenctrl.py",
    ]
    package = PROJECT / "generated/xen_vm_event"
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
