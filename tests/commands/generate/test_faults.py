"""Faults while `xenbind generate` runs: generated/ is the old tree or the new one, whole.

Two runs differ in their headers; whatever happens to the second, what it leaves is every
byte of what was there or every byte of what it makes.  The next run that is left alone
finishes the work, and nothing of the one before stays behind: no folder, no process.

With --exhaustive there are more moments to be killed at.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import SPEC, TINY, tree, xenbind
from xenbind.commands.generate import in_place, output, swap
from xenbind.commands.generate.build import build
from xenbind.commands.generate.swap import Unswappable
from xenbind.errors import SourceError, SystemFailure
from xenbind.provenance.job import Job
from xenbind.provenance.manifest import Manifest, digests
from xenbind.toolchain import process

# With a macro that names another one, which the compiler is asked to expand.
MORE = (
    TINY
    + "#define AFTER (VM_EVENT_INTERFACE_VERSION + 1)\nstruct more { uint64_t third; };\n"
)

Tree = dict[str, bytes | str | None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "repetition" in metafunc.fixturenames:
        count = 5 if metafunc.config.getoption("--exhaustive") else 1
        metafunc.parametrize("repetition", range(count))


def content(folder: Path) -> Tree:
    """Every file's bytes, every link's target, and every folder by its path."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def arguments(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "xenbind", "generate"]
    return [*command, "--include", f"{folder}/headers", "--out", f"{folder}/out"]


def generate(folder: Path, **environment: Any) -> subprocess.CompletedProcess[str]:
    return xenbind(
        *("generate", "--include", folder / "headers", "--out", folder / "out"),
        cwd=folder,
        **environment,
    )


class Project:
    """A header tree with its output, and what the output is before and after a change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tree(folder / "headers", TINY)
        assert generate(folder).returncode == 0
        self.old = content(folder / "out")
        self.kept = folder / "kept"
        shutil.copytree(folder / "out", self.kept)
        tree(folder / "headers", MORE)
        assert generate(folder).returncode == 0
        self.new = content(folder / "out")
        assert self.old != self.new

    def reset(self) -> None:
        """The old tree, and headers that make the new one."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        shutil.copytree(self.kept, self.folder / "out")

    def now(self) -> Tree:
        return content(self.folder / "out")

    def assert_whole(self) -> None:
        assert self.now() in (self.old, self.new)

    def assert_next_run_finishes(self) -> None:
        assert generate(self.folder).returncode == 0
        assert self.now() == self.new
        assert self.names() == ["headers", "kept", "out"]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(shared: Project) -> Project:
    shared.reset()
    return shared


# --- killed -------------------------------------------------------------------------------


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they did (proc(5))."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it has just ended
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, ahead = [], [pid]
    while ahead:
        children = parents.get(ahead.pop(), [])
        found += children
        ahead += children
    return found


def assert_ended(processes: list[int]) -> None:
    """That processes end soon.  One that is waited for by nobody counts as ended."""
    deadline = time.monotonic() + 30
    while running := [pid for pid in processes if is_running(pid)]:
        assert time.monotonic() < deadline, running
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def moments(project: Project, count: int) -> list[float]:
    """Random moments in the time that a run takes, in seconds, and one long after."""
    start = time.monotonic()
    subprocess.run(arguments(project.folder), capture_output=True, check=True)
    length = time.monotonic() - start
    project.reset()
    chance = random.Random(1)
    return [*(chance.uniform(0, 1.1 * length) for _ in range(count - 1)), 5 * length]


def test_killed_at_any_moment(project: Project, exhaustive: bool) -> None:
    outcomes = set()
    for moment in moments(project, 50 if exhaustive else 4):
        project.reset()
        process = subprocess.Popen(
            arguments(project.folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moment)
        children = descendants(process.pid)
        process.kill()
        process.wait()
        project.assert_whole()
        outcomes.add(project.now() == project.new)
        assert_ended(children)
    assert outcomes == {False, True} or not exhaustive
    project.assert_next_run_finishes()


def test_formatting_processes_killed(project: Project) -> None:
    """Those that run black are forked: they have xenbind's own command line."""
    process = subprocess.Popen(
        arguments(project.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": "/dev/null"},  # so that black is needed
    )
    own = Path(f"/proc/{process.pid}/cmdline")
    killed: list[int] = []
    while not killed and process.poll() is None:
        for pid in descendants(process.pid):
            try:
                same = Path(f"/proc/{pid}/cmdline").read_bytes() == own.read_bytes()
                if same:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            except OSError:
                continue
    _, said = process.communicate()
    assert killed
    assert process.returncode == 3
    assert "Traceback" not in said
    assert ": error: " in said
    assert project.now() == project.old
    project.assert_next_run_finishes()


# --- a file system that refuses -----------------------------------------------------------

# What writing asks the kernel for: each of these fails once in every place it is used.
CALLS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("open", "mkdir", "rename", "replace", "link", "fsync")),
    *((os, name) for name in ("chmod", "rmdir", "unlink", "scandir", "listdir")),
    (fcntl, "flock"),
    (swap, "_exchange"),
    (swap, "write"),
    (in_place, "write"),
)


class Refusal:
    """Has the n-th of the calls fail as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        self.number = number
        self.count = 0
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self.around(getattr(module, name)))

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(*arguments, **options)

        return call


def small(marker: str) -> dict[str, str]:
    """A tree as `generate` makes it, of few files."""
    files = {"package/a.py": marker, "package/b.py": "same", f"{marker}.py": marker}
    made = Manifest("generator", "..", None, "", {}, {}, {}, digests(files))
    return {**files, "manifest.json": made.text()}


def written(out: Path, files: dict[str, str]) -> None:
    with output.lock(out):
        output.write(out, files)


@pytest.fixture(params=["swapped", "in place"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the file system can exchange two folders.  Nothing waits for a disk."""

    def refuse(first: Path, second: Path) -> None:
        raise Unswappable

    monkeypatch.setattr(os, "fsync", lambda handle: None)
    if request.param == "in place":
        monkeypatch.setattr(swap, "_exchange", refuse)
    return str(request.param)


def with_files_of_others(out: Path) -> None:
    written(out, small("old"))
    (out / "notes.txt").write_text("mine")
    (out / "folder").mkdir()
    (out / "folder" / "more.txt").write_text("mine too")
    (out / "link").symlink_to("folder")
    (out / "dangling").symlink_to("nowhere")
    (out / "empty").mkdir()
    (out / ".git" / "objects").mkdir(parents=True)
    (out / ".git" / "objects" / "pack").write_bytes(b"\0" * 100)


def test_each_call_that_can_fail(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_files_of_others(tmp_path / "kept")
    old = content(tmp_path / "kept")
    written(tmp_path / "kept", small("new"))
    new = content(tmp_path / "kept")
    assert {**new, "package/a.py": b"", "manifest.json": b""} == {
        **{name: data for name, data in old.items() if name != "old.py"},
        **{"new.py": b"new", "package/a.py": b"", "manifest.json": b""},
    }
    shutil.rmtree(tmp_path / "kept")

    refused = succeeded = 0
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        out = folder / "out"
        with_files_of_others(out)
        with monkeypatch.context() as patch:
            refusal = Refusal(patch, number)
            try:
                written(out, small("new"))
                succeeded += 1
            except SystemFailure as error:
                assert "cannot write" in error.message
                refused += 1
        assert without_leftovers(content(out)) in (old, new)
        written(out, small("new"))
        assert content(out) == new
        assert [path.name for path in folder.iterdir()] == ["out"]
        shutil.rmtree(folder)
        if refusal.count < number:
            break
    assert refused > 20
    assert (
        succeeded > 1
    )  # a refusal that comes when all is done, or that has a way round
    assert refusal.count < number


def test_each_call_at_which_the_process_can_end(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exhaustive: bool
) -> None:
    """As above, but nothing is tidied up: the process is gone."""
    out = tmp_path / "out"
    with_files_of_others(out)
    old = content(out)
    written(out, small("new"))
    new = content(out)
    for number in range(1, 1000, 1 if exhaustive else 3):
        shutil.rmtree(out)
        with_files_of_others(out)
        child = os.fork()
        if child == 0:
            try:
                refusal = Ending(monkeypatch, number)
                written(out, small("new"))
                os._exit(0 if refusal.count < number else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        # What is changed in place may be a mixture, and the journal says how to go on.
        if way == "swapped" or not (out / ".xenbind-new" / "journal").exists():
            assert without_leftovers(content(out)) in (old, new)
        assert os.waitstatus_to_exitcode(status) in (0, 1)
        written(out, small("new"))
        assert content(out) == new
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        if os.waitstatus_to_exitcode(status) == 0:
            break
    assert number > 20


def without_leftovers(found: Tree) -> Tree:
    return {
        name: data for name, data in found.items() if not name.startswith(".xenbind")
    }


class Ending(Refusal):
    """Ends the process at the n-th call."""

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.number:
                os._exit(1)
            return function(*arguments, **options)

        return call


def test_files_that_cannot_be_written_to_their_end(project: Project) -> None:
    """No file gets larger than 2 KB, which comes in the middle of one as a full disk does.

    A file system of its own would need root.  The limit holds for the output alone, for
    the compiler's own files must not fail.
    """
    program = (
        "import resource\n"
        "from xenbind.commands.generate import output\n"
        "from xenbind.cli import main\n"
        "write = output.write\n"
        "def full(out, files):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "    return write(out, files)\n"
        "output.write = full\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments(project.folder)[3:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3
    assert f"cannot write {project.folder}/out: File too large\n" in result.stderr
    assert project.now() == project.old
    assert project.names() == ["headers", "kept", "out"]
    project.assert_next_run_finishes()


@pytest.mark.parametrize(
    "room",
    [
        128,
        *(
            pytest.param(room, marks=pytest.mark.exhaustive)
            for room in (16, 64, 100, 200)
        ),
    ],
)
def test_a_disk_that_fills(room: int, project: Project, tmp_path: Path) -> None:
    """A file system with little room, where the machine lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "xenbind-test", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if not mounted:
        pytest.skip(
            "a file system can be mounted by root only; the test above is for all"
        )
    try:
        shutil.copytree(project.kept, disk / "out")
        shutil.copytree(project.folder / "headers", disk / "headers")
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filling").write_bytes(bytes(max(0, free - (room << 10))))
        result = generate(disk)
        if result.returncode:
            assert (
                f"cannot write {disk}/out: No space left on device\n" in result.stderr
            )
            assert content(disk / "out") == project.old
        else:
            assert content(disk / "out") == project.new
        (disk / "filling").unlink()
        assert generate(disk).returncode == 0
        assert content(disk / "out") == project.new
        assert sorted(path.name for path in disk.iterdir()) == ["headers", "out"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_output_folder_that_is_a_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real"
    real.mkdir(parents=True)
    (tmp_path / "out").symlink_to(real)
    written(tmp_path / "out", small("old"))
    written(tmp_path / "out", small("new"))
    assert (tmp_path / "out").is_symlink()
    assert (real / "new.py").read_text() == "new"
    assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_an_output_folder_that_is_a_circle_of_links(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(SystemFailure, match=r"cannot (write|read)"):
        written(tmp_path / "out", small("new"))


def test_the_output_folder_keeps_its_mode(tmp_path: Path) -> None:
    written(tmp_path / "out", small("old"))
    (tmp_path / "out").chmod(0o2750)
    written(tmp_path / "out", small("new"))
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o2750


def seen(out: Path) -> Tree:
    """A folder as it is at one moment: the one that had its name all the while."""
    while True:
        handle = os.open(out, os.O_RDONLY)
        try:
            found = content(Path(f"/proc/self/fd/{handle}/."))
            if os.path.samestat(out.stat(), os.fstat(handle)):
                return found
        except FileNotFoundError:
            continue  # it is being removed
        finally:
            os.close(handle)


# --- two at once --------------------------------------------------------------------------


def test_two_runs_of_the_same_headers(repetition: int, project: Project) -> None:
    runs = [
        subprocess.Popen(
            arguments(project.folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    while any(run.poll() is None for run in runs):
        assert seen(project.folder / "out") in (project.old, project.new)
    assert [run.communicate()[1] for run in runs] == [b"", b"", b""]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert project.now() == project.new
    assert project.names() == ["headers", "kept", "out"]


def test_two_runs_of_different_headers_into_one_folder(
    repetition: int, tmp_path: Path
) -> None:
    """The folder is the first one's; the second is told so."""
    runs = []
    for name, text in (("one", TINY), ("two", MORE)):
        folder = tree(tmp_path / name, text)
        command = [*arguments(tmp_path)[:-3], str(folder), "--out", f"{tmp_path}/out"]
        runs.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    said = [run.communicate()[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 1]
    loser = 0 if runs[0].returncode else 1
    assert f"{tmp_path}/out was made from {tmp_path}/" in said[loser]
    module = (tmp_path / "out" / "xen_vm_event" / "v1.py").read_text()
    assert ("class more" in module) == (loser == 0)
    winner = tmp_path / "alone"
    shutil.copytree(tmp_path / ("two" if loser == 0 else "one"), winner / "headers")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("alone", "one", "out", "two"),
    ]


# --- the compiler -------------------------------------------------------------------------


def fake(folder: Path, body: str, when: str = "*") -> str:
    """A compiler that does something else in those calls that have a word in them."""
    path = folder / "compiler"
    path.write_text(
        "#!/bin/sh\n" f'case " $* " in {when}) {body};; esac\n' 'exec gcc "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


CALLED = {
    "preprocess": '*" -dD "*"vm_event.h"*',
    "expand": '*" -imacros "*',
    "check": '*" -fsyntax-only "*',
}
DEATHS = {
    "exits 1": "exit 1",
    "says something and exits 1": "echo nonsense >&2; exit 1",
    "killed": "kill -9 $$",
    "aborts": "kill -ABRT $$",
    "says bytes and exits 1": "printf '\\377\\376\\000' >&2; exit 1",
}
GARBAGE = {
    "bytes": "head -c 20000 /dev/urandom; exit 0",
    "other bytes": "printf '\\377\\376 \\000'; exit 0",
    "nothing": "exit 0",
    "words": "echo 'what is this'; exit 0",
    "markers": 'printf \'# 1 "x"\\n# 99999999999999999999 "y"\\nint x;\\n\'; exit 0',
    "expansions": "printf '@0 1\\n@77 2\\n@99999999999999999999 3\\n'; exit 0",
}


def pairs(faults: dict[str, str], calls: list[str]) -> list[Any]:
    """Each fault with each call, and one of them for each fault in an ordinary run."""
    return [
        pytest.param(
            fault,
            call,
            marks=() if (i + j) % len(calls) == 0 else pytest.mark.exhaustive,
        )
        for i, fault in enumerate(faults)
        for j, call in enumerate(calls)
    ]


@pytest.mark.parametrize(("death", "call"), pairs(DEATHS, list(CALLED)))
def test_a_compiler_that_dies(
    death: str, call: str, project: Project, tmp_path: Path
) -> None:
    compiler = fake(tmp_path, DEATHS[death], CALLED[call])
    result = generate(project.folder, CC=compiler)
    assert result.returncode == 3
    assert result.stderr.startswith("xenbind: error: the C compiler failed: ")
    if "kill" in DEATHS[death]:
        assert "ended by SIG" in result.stderr
    assert project.now() == project.old
    assert project.names() == ["headers", "kept", "out"]


@pytest.mark.parametrize(("garbage", "call"), pairs(GARBAGE, ["preprocess", "expand"]))
def test_a_compiler_that_writes_garbage(
    garbage: str, call: str, project: Project, tmp_path: Path
) -> None:
    compiler = fake(tmp_path, GARBAGE[garbage], CALLED[call])
    result = generate(project.folder, CC=compiler)
    assert result.returncode in (1, 3)
    assert ": error: " in result.stderr
    assert "Traceback" not in result.stderr
    assert project.now() == project.old


@pytest.mark.parametrize(
    "call",
    [
        "preprocess",
        *(pytest.param(c, marks=pytest.mark.exhaustive) for c in ("expand", "check")),
    ],
)
def test_a_compiler_that_hangs(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended when its time is up, with what it started."""
    mark = tmp_path / "pid"
    compiler = fake(tmp_path, f"sleep 1000 & echo $! > {mark}; wait", CALLED[call])
    monkeypatch.setattr(process, "SECONDS", 1)
    headers = tree(tmp_path / "headers", MORE)
    job = Job(SPEC, headers, tmp_path / "out", compiler)
    with pytest.raises(SourceError, match="took more than 1 seconds"):
        build(job)
    assert_ended([int(mark.read_text())])


def test_killed_while_the_compiler_hangs(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    compiler = fake(tmp_path, f"echo $$ > {mark}; exec sleep 1000", CALLED["expand"])
    process = subprocess.Popen(
        arguments(project.folder), env={**os.environ, "CC": compiler}
    )
    while not (mark.exists() and mark.read_text().endswith("\n")):
        time.sleep(0.01)
    children = descendants(process.pid)
    process.kill()
    process.wait()
    assert int(mark.read_text()) in children
    assert_ended(children)
    assert project.now() == project.old
