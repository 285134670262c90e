"""What somebody has who installs the wheels, in an empty folder and a virtual environment alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import NEWEST, PROJECT, require
from xenbind import __version__

pytestmark = pytest.mark.exhaustive

ETHERNET = Path("/usr/include/linux/if_ether.h")
# Three events, one after another, as a monitor records them.
RECORD = f"""\
from xen_vm_event import interface
module = interface({NEWEST})
event = module.vm_event_st(version={NEWEST}, reason=module.VmEventReason.CPUID, flags=1)
open("events.bin", "wb").write(bytes(event) * 3)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with both wheels, and with what they need."""
    folder = tmp_path_factory.mktemp("clean")
    programs = folder / "venv/bin"
    build = [
        sys.executable,
        str(PROJECT / ".ci/dist.py"),
        "--out",
        str(folder / "dist"),
    ]
    subprocess.run(build, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    pip = [str(programs / "pip"), "install", "--disable-pip-version-check", "--quiet"]
    wheels = [str(path) for path in (folder / "dist").glob("*.whl")]
    subprocess.run([*pip, *wheels], check=True)
    return programs


def run(
    environment: Path, cwd: Path, program: str, *arguments: str, **variables: str
) -> str:
    """What a program there prints, in a shell that has nothing of the checkout's."""
    kept = {"HOME", "LANG", "LC_ALL"} & set(os.environ)
    done = subprocess.run(
        [environment / program, *arguments],
        cwd=cwd,
        env={
            **{name: os.environ[name] for name in kept},
            "PATH": f"{environment}:/usr/bin:/bin",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheels_agree_on_what_they_need(environment: Path, tmp_path: Path) -> None:
    run(environment, tmp_path, "pip", "--disable-pip-version-check", "check")
    told = run(environment, tmp_path, "xenbind", "--version")
    assert told == f"xenbind, version {__version__}\n"


def test_a_header_of_the_machine_s_becomes_a_package(
    environment: Path, tmp_path: Path
) -> None:
    require(ETHERNET.exists(), str(ETHERNET))

    def xenbind(command: str, *arguments: str) -> str:
        spec = ("--spec", "if_ether.toml")
        return run(environment, tmp_path, "xenbind", command, *arguments, *spec)

    run(environment, tmp_path, "xenbind", "init", str(ETHERNET))
    xenbind("generate", "--out", "out")
    assert xenbind("check", "--out", "out") == "out is current\n"
    assert " 0 mismatches\n" in xenbind("verify", "--out", "out")
    assert "14 bytes" in xenbind("show", "ethhdr")
    assert xenbind("show", "--svg", "ethhdr").startswith("<svg ")
    xenbind("atlas", "--out", "atlas")
    assert "ethhdr" in (tmp_path / "atlas/index.html").read_text()
    code = "from linux_if_ether import v0; print(v0.ETH_P_IP)"
    told = run(environment, tmp_path / "out", "python", "-c", code)
    assert told == "2048\n"


def test_the_built_in_interface_needs_no_other_file(
    environment: Path, tmp_path: Path
) -> None:
    def xenbind(*arguments: str) -> str:
        return run(environment, tmp_path, "xenbind", *arguments)

    xenbind("generate")
    assert xenbind("check") == "generated is current\n"
    run(environment, tmp_path, "python", "-c", RECORD)
    assert xenbind("decode", "events.bin").count("reason=CPUID") == 3
    assert xenbind("decode", "--stats", "events.bin").startswith("3 events\n")
    assert "breaking" in xenbind("diff", "4.14", "4.15")
    assert xenbind("spec").startswith("# The keys of a spec\n")
    assert '"interface_version"' in xenbind("facts", str(NEWEST))
    assert xenbind("show", "--svg", "vm_event_st").startswith("<svg ")
    xenbind("atlas")
    assert (tmp_path / "atlas/index.html").is_file()


def test_the_tab_key_completes_what_the_built_in_interface_has(
    environment: Path, tmp_path: Path
) -> None:
    told = run(
        environment,
        tmp_path,
        "xenbind",
        _XENBIND_COMPLETE="bash_complete",
        COMP_WORDS="xenbind show vm_event_c",
        COMP_CWORD="2",
    )
    assert told == "plain,vm_event_cpuid\n"
