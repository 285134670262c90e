"""A signal at any moment: what was there before or what was to be, one line, the right status.

The files of others in the output folder, a repository among them, stay byte for byte.  With
--exhaustive there are 100 random moments of each command that writes; without, a few.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import TINY, tree

SPEC = """\
[interface]
name = "vm_event"
package = "xen_vm_event"
header = "vm_event.h"
version_macro = "VM_EVENT_INTERFACE_VERSION"
needs = ["stdint.h"]

[[version]]
number = 1
directory = "v1"
releases = ["4.6"]
"""
MORE = TINY + "struct more { uint64_t third; };\n"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

State = dict[str, tuple[int, bytes]]


def state(folder: Path) -> State:
    """Every entry's mode and content but for what killed runs leave to the next one."""
    found: State = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if "xenbind-" not in name:
            content = path.read_bytes() if path.is_file() else b""
            found[name] = (path.lstat().st_mode, content)
    return found


def heed_signals() -> None:
    """Below nohup, or in the background of a script, some are ignored."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


class Command:
    """A command on a project of its own, and what the project is before and after it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.arguments = [sys.executable, "-m", "xenbind", *arguments]
        self.project = folder / "project"
        self.kept = folder / "kept"
        shutil.copytree(self.project, self.kept, symlinks=True)
        self.old = state(self.project)
        start = time.monotonic()
        done = self.run()
        assert done.returncode == 0, done.stderr
        self.length = time.monotonic() - start
        self.new = state(self.project)
        assert self.old != self.new

    def reset(self) -> None:
        shutil.rmtree(self.project)
        shutil.copytree(self.kept, self.project, symlinks=True)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.arguments,
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, and wait until it is ready for signals: before, they are Python's."""
        process = subprocess.Popen(
            self.arguments,
            cwd=self.project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=heed_signals,
        )
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            caught = int(status.read_text().partition("SigCgt:")[2].split()[0], 16)
            if caught >> (signal.SIGHUP - 1) & 1:
                break
        return process

    def finish(self) -> None:
        """Have the next run put things right."""
        again = self.run()
        assert again.returncode == 0 or "already" in again.stderr, again.stderr
        assert state(self.project) == self.new
        left = [path for path in self.project.rglob("*") if "xenbind-" in path.name]
        assert left == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Command]:
    made: dict[str, Command] = {}

    def command(name: str) -> Command:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            project = folder / "project"
            tree(project / "headers" / "v1", TINY)
            (project / "headers" / "vm_event.toml").write_text(SPEC)
            (project / "xenbind.toml").write_text('facts = "facts"\n')
            tree(project / "new", MORE.replace("VERSION 1", "VERSION 2"))
            generate = [sys.executable, "-m", "xenbind", "generate"]
            subprocess.run(generate, cwd=project, capture_output=True, check=True)
            out = project / "generated"
            (out / "secret").mkdir(mode=0o700)
            (out / "secret" / "key").write_bytes(b"\0\xff")
            (out / "abi.md").chmod(0o600)
            subprocess.run(["git", "init", "--quiet", out], check=True)
            if name == "generate":
                tree(project / "headers" / "v1", MORE)
                made[name] = Command(folder, "generate")
            else:
                made[name] = Command(folder, "add-version", "new", "--release", "4.7")
        made[name].reset()
        return made[name]

    return command


@pytest.mark.parametrize("name", ["generate", "add-version"])
def test_ended_at_any_moment(
    name: str, commands: Callable[[str], Command], exhaustive: bool
) -> None:
    command = commands(name)
    chance = random.Random(1)
    for turn in range(100 if exhaustive else 4):
        command.reset()
        number = (*ENDING, signal.SIGKILL)[turn % 4]
        process = command.start()
        time.sleep(chance.uniform(0, 1.1 * command.length))
        process.send_signal(number)
        _, said = process.communicate()
        assert state(command.project) in (command.old, command.new), (turn, number)
        if process.returncode != 0 and number != signal.SIGKILL:
            assert said.decode().splitlines()[-1:] == [
                f"xenbind: ended by {number.name}; nothing is half done"
            ]
            assert b"Traceback" not in said
            assert process.returncode == 128 + number
    command.finish()


@pytest.mark.parametrize("number", ENDING)
def test_while_it_is_being_imported(
    number: signal.Signals, commands: Callable[[str], Command]
) -> None:
    command = commands("generate")
    process = command.start()
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == 128 + number
    assert said.decode() == f"xenbind: ended by {number.name}; nothing is half done\n"
    assert state(command.project) == command.old


@pytest.mark.parametrize(
    "number, script",
    [
        (signal.SIGTERM, "sleep 1000 & echo $! > {mark}; wait"),
        (signal.SIGKILL, "echo $$ > {mark}; exec sleep 1000"),
    ],
    ids=["what it started", "killed"],
)
def test_a_compiler_that_hangs_ends_too(
    number: signal.Signals,
    script: str,
    commands: Callable[[str], Command],
    tmp_path: Path,
) -> None:
    """One that is killed can end nothing; the kernel ends its compiler, not what that began."""
    command = commands("generate")
    mark, compiler = tmp_path / "pid", tmp_path / "compiler"
    compiler.write_text(f"#!/bin/sh\n{script.format(mark=mark)}\n")
    compiler.chmod(0o755)
    process = subprocess.Popen(
        command.arguments,
        cwd=command.project,
        env={**os.environ, "CC": str(compiler)},
        stderr=subprocess.PIPE,
    )
    while not (mark.exists() and mark.read_text().endswith("\n")):
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    sleeping = Path(f"/proc/{mark.read_text().strip()}")
    deadline = time.monotonic() + 10
    while sleeping.exists() and " Z " not in (sleeping / "stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_signal_that_is_ignored_stays_so(commands: Callable[[str], Command]) -> None:
    """As under nohup."""
    command = commands("generate")
    shell = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command.arguments]
    process = subprocess.Popen(shell, cwd=command.project, stdout=subprocess.DEVNULL)
    time.sleep(command.length / 2)
    process.send_signal(signal.SIGHUP)
    assert process.wait() == 0
    assert state(command.project) == command.new
