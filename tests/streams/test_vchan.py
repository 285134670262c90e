"""examples/vchan.py: either end of a stream in Python, and libxenvchan in C at the other.

The two are processes that share memory and events by stand_in.c, where there is no hypervisor.
"""

from __future__ import annotations

import mmap
import os
import random
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require, xenbind

HERE = Path(__file__).parent
EXAMPLES = PROJECT / "examples"
SIZE = 1_000_000
FIRST = 0xFFFF_F000  # indices that begin here are at 0 soon
PATH = "/local/domain/0/data/vchan"
LIBRARIES = {"xengnttab": 1, "xenevtchn": 1, "xenstore": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's packages, the C end, and the libraries that stand in."""
    require(INSTALLED.is_dir(), "libxen-dev")
    folder = tmp_path_factory.mktemp("vchan")
    specs = {EXAMPLES / "vchan.toml": INSTALLED}
    for name in LIBRARIES:
        specs[EXAMPLES / f"libraries/{name}.toml"] = INSTALLED.parent
    for spec, include in specs.items():
        out = folder / spec.stem
        result = xenbind("generate", "--spec", spec, "--include", include, "--out", out)
        assert result.returncode == 0, result.stderr
    versions = f"-Wl,--version-script={HERE / 'stand_in.map'}"
    compile_c("stand_in.c", folder / "stand_in.so", "-shared", "-fPIC", versions)
    compile_c("peer.c", folder / "peer", "-lxenvchan")
    for name, number in LIBRARIES.items():
        (folder / f"lib{name}.so.{number}").symlink_to("stand_in.so")
    return folder


def compile_c(source: str, to: Path, *options: str) -> None:
    command: list[str | Path] = [
        "gcc",
        "-O1",
        "-Wall",
        "-Werror",
        HERE / source,
        "-o",
        to,
        *options,
    ]
    subprocess.run(command, check=True)


class Machine:
    """A machine without a hypervisor: `start` has a program on it, which ends with the test."""

    def __init__(self, made: Path, folder: Path) -> None:
        self.folder = folder
        self._made = made
        self._started: list[subprocess.Popen[bytes]] = []
        packages = [made / name for name in ("vchan", *LIBRARIES)]
        self._environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(made),
            "PYTHONPATH": os.pathsep.join(map(str, [*packages, EXAMPLES, HERE])),
            "STAND_IN": str(folder),
        }

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )
        self._started.append(process)
        return process

    def python(self, program: Path, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, program, *arguments)

    def c(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start(self._made / "peer", *arguments)

    def page(self, name: str) -> mmap.mmap:
        """A page that is shared, by what XenStore has of it."""
        node = self.folder / f"{PATH}/{name}".replace("/", "+")
        with (self.folder / f"page-{node.read_text()}").open("r+b") as file:
            return mmap.mmap(file.fileno(), 4096)

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def machine(made: Path, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(made, tmp_path)
    yield machine
    machine.end()


def wait_for(process: subprocess.Popen[bytes], text: bytes) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"it ended without {text!r}")


def end_of(
    process: subprocess.Popen[bytes], data: bytes = b""
) -> tuple[int, bytes, str]:
    out, err = process.communicate(data, timeout=60)
    return process.returncode, out, err.decode()


def summary(data: bytes) -> bytes:
    """What peer.c says of the bytes that came."""
    return f"{len(data)} bytes, Adler-32 {zlib.adler32(data):08x}\n".encode()


def test_python_serves_c(machine: Machine) -> None:
    server = machine.python(HERE / "server.py", "0", PATH, str(FIRST))
    wait_for(server, b"waiting")
    status, count, error = end_of(machine.c("connect", "0", PATH, str(SIZE), "7"))
    assert (status, error) == (0, "")
    assert re.fullmatch(rb"%d bytes, Adler-32 \w+\n" % SIZE, count)
    assert end_of(server) == (0, count, "")


def test_c_serves_python(machine: Machine) -> None:
    server = machine.c("serve", "0", PATH, str(FIRST))
    wait_for(server, b"waiting")
    data = random.Random(7).randbytes(SIZE)
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    assert end_of(client, data) == (0, data, "")
    assert end_of(server) == (0, summary(data), "")


def test_python_serves_python(machine: Machine) -> None:
    server = machine.python(HERE / "server.py", "0", PATH, str(FIRST))
    wait_for(server, b"waiting")
    data = random.Random(8).randbytes(SIZE)
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    assert end_of(client, data) == (0, data, "")
    assert end_of(server) == (0, summary(data), "")


def serving(machine: Machine) -> subprocess.Popen[bytes]:
    server = machine.python(EXAMPLES / "vchan.py", "serve", "0", PATH)
    wait_for(server, b"waiting")
    return server


def test_a_server_leaves_when_its_client_does(machine: Machine) -> None:
    server = serving(machine)
    end_of(machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH))
    assert end_of(server) == (0, b"", "")


def test_a_client_is_told_that_its_server_has_gone(machine: Machine) -> None:
    server = machine.python(HERE / "leaving.py", "0", PATH)
    wait_for(server, b"waiting")
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    assert end_of(client, b"hello") == (
        *(1, b""),
        "vchan: domain 0: [Errno 32] the other side has closed the stream\n",
    )


def test_a_client_without_a_server_is_told_so(machine: Machine) -> None:
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    assert end_of(client) == (
        *(1, b""),
        "vchan: domain 0: [Errno 2] xs_read: No such file or directory;"
        " there is no such path, or no xenstored: see `xenstore-ls`\n",
    )


@pytest.mark.parametrize("side", ["cons", "prod"])
@pytest.mark.parametrize("beyond", [1, 0x8000_0000])
def test_a_client_that_writes_an_index_out_of_reach(
    machine: Machine, side: str, beyond: int
) -> None:
    """The server says so and ends; it would crash if it touched what is beside its pages."""
    server = serving(machine)
    page = machine.page("ring-ref")
    # It would have taken what was never put, or have put more than fits.
    at, index = {"cons": (8, beyond), "prod": (4, 16384 + beyond)}[side]
    page[at : at + 4] = struct.pack("I", index)
    if side == "cons":
        page[4:8] = struct.pack("I", 5)  # the server has to answer
    wake(machine)
    status, _, error = end_of(server)
    assert status == 1
    word = {"cons": "consumer's", "prod": "producer's"}[side]
    assert error == (
        f"vchan: domain 0: {word} index {index:#x} is out of reach of 0x0\n"
    )


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (9, "9, and the least is 10"),
        (21, "21, and the most is 20"),
        (0xFFFF, "65535, and the most is 20"),
    ],
)
@pytest.mark.parametrize("place", [16, 18], ids=["left", "right"])
def test_a_server_whose_orders_cannot_be(
    machine: Machine, place: int, order: int, words: str
) -> None:
    serving(machine)
    machine.page("ring-ref")[place : place + 2] = order.to_bytes(2, "little")
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    assert end_of(client) == (
        *(1, b""),
        f"vchan: domain 0: the page says that a ring has the order {words}\n",
    )


def test_a_server_that_grants_less_than_it_says(machine: Machine) -> None:
    serving(machine)
    machine.page("ring-ref")[18] = 15
    client = machine.python(EXAMPLES / "vchan.py", "connect", "0", PATH)
    status, _, error = end_of(client)
    assert status == 1
    assert error == (
        "vchan: domain 0: [Errno 22] xengnttab_map_domain_grant_refs: Invalid argument\n"
    )


def test_pages_of_nonsense(machine: Machine) -> None:
    """Whatever a client writes meanwhile, the server ends or goes on, and crashes never."""
    chosen = random.Random(9)
    for _ in range(5):
        server = serving(machine)
        page = machine.page("ring-ref")
        for _ in range(50):
            page[:24] = chosen.randbytes(20) + b"\1\1" + chosen.randbytes(2)
            wake(machine)
        page[20] = 0
        wake(machine)
        status, _, error = end_of(server)
        assert status in (0, 1), error
        assert "Traceback" not in error


def wake(machine: Machine) -> None:
    """Send the server an event, unless it has ended."""
    node = machine.folder / f"{PATH}/event-channel".replace("/", "+")
    with suppress(OSError):  # FileNotFoundError, or nobody reads it
        port = int(node.read_text())
        pipe = os.open(machine.folder / f"port-{port}", os.O_WRONLY | os.O_NONBLOCK)
        os.write(pipe, struct.pack("I", port))
        os.close(pipe)


def test_the_document_tells_what_is_seen(machine: Machine) -> None:
    document = PROJECT / "docs/backend.md"
    ran = machine.python(HERE / "document.py", str(document))
    status, tried, error = end_of(ran)
    assert (status, error) == (0, ""), tried.decode()
    assert int(tried) > 15


def test_the_document_has_the_commands_of_the_example() -> None:
    text = (PROJECT / "docs/backend.md").read_text(encoding="utf-8")
    specs = re.findall(r"^\$ xenbind generate --spec (\S+)", text, re.MULTILINE)
    libraries = [f"examples/libraries/{name}.toml" for name in LIBRARIES]
    assert sorted(specs) == sorted(["examples/vchan.toml", *libraries])


def test_type_checkers_know_what_it_calls(made: Path) -> None:
    programs = [EXAMPLES / "vchan.py", HERE / "server.py", HERE / "leaving.py"]
    folders = [made / name for name in ("vchan", *LIBRARIES)]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *programs],
        cwd=made,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, [*folders, EXAMPLES]))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
