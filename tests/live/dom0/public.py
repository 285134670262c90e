"""The steps of examples/vchan.py, whose other end is in C, and of examples/domains.py.

Run by the scenario, when there are guests.  Here too nothing is judged.
"""

from __future__ import annotations

import random
import subprocess
import zlib

from scenario import PATIENCE, Process, report, run

PATH = "/local/domain/0/data/vchan"
SIZE = 1_000_000
FIRST = 0xFFFF_F000  # where a server's indices begin: they are at 0 soon
VCHAN = ("python3", "vchan.py")
SERVE = (*VCHAN, "serve", "0", PATH)


def serving(*command: str) -> Process:
    """A server that waits for its client."""
    server = Process(*command)
    server.wait_for("waiting")
    return server


def summary(data: bytes) -> str:
    """What peer.c says of the bytes that came."""
    return f"{len(data)} bytes, Adler-32 {zlib.adler32(data):08x}\n"


def connect(step: str, path: str, data: bytes) -> None:
    """Report a client that sends this, with a summary of what came back."""
    try:
        ran = subprocess.run(
            [*VCHAN, "connect", "0", path],
            input=data,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        report(step, status=str(error))
        return
    said = ran.stderr.decode()
    report(step, status=ran.returncode, stdout=summary(ran.stdout), stderr=said)


def a_server_is_killed() -> None:
    """Report what becomes of a client that waits meanwhile."""
    server = serving(*SERVE)
    pipe = subprocess.PIPE
    client = subprocess.Popen(
        ["python3", "vchan_wait.py", "0", PATH], stdout=pipe, stderr=pipe, text=True
    )
    assert client.stdout is not None
    client.stdout.readline()  # it is connected
    server.process.kill()
    try:
        stdout, stderr = client.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        client.kill()
        stdout, stderr = client.communicate()
    report(
        "vchan: killed server", status=client.returncode, stdout=stdout, stderr=stderr
    )


def main() -> None:
    server = serving(*SERVE)
    # Its own output would be the server's.
    said = subprocess.run(
        ["./peer", "connect", "0", PATH, str(SIZE), "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    report(
        "vchan: client in C",
        status=said.returncode,
        stdout=said.stdout,
        stderr=said.stderr,
    )
    server.report("vchan: server")

    server = serving("./peer", "serve", "0", PATH, str(FIRST))
    data = random.Random(7).randbytes(SIZE)
    connect("vchan: client", PATH, data)
    server.report("vchan: server in C")
    report("vchan: sent", status=0, stdout=summary(data))

    a_server_is_killed()
    connect("vchan: no server", f"{PATH}/none", b"")

    run("domains earlier", "python3", "domains.py")
    run("domains of xl", "xl", "list")
    run("domains later", "python3", "domains.py")
    run("domains of another Xen", "python3", "other_xen.py")


if __name__ == "__main__":
    main()
