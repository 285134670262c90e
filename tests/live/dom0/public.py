"""The steps in dom0 of examples/domains.py and examples/vchan.py, the other end of which is C.

public.py by itself is these steps alone, with one guest that never runs.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

from scenario import HERE, PATIENCE, Process, create, report, run

PATH = "/local/domain/0/data/vchan"
SIZE = 1_000_000
FIRST = 0xFFFF_F000  # where a server's indices begin: they wrap soon
VCHAN = ("python3", "vchan.py")
SERVE = (*VCHAN, "serve", "0", PATH)
CONNECT = (*VCHAN, "connect", "0", PATH)


def client(step: str, *command: str, data: bytes = b"") -> None:
    """Report what a client says on standard error, and the sum of what it gives."""
    try:
        ran = subprocess.run(
            command, input=data, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        report(step, status=str(error))
        return
    said = ran.stdout if command[0] == "./peer" else summary(ran.stdout)
    report(step, status=ran.returncode, stdout=said.decode(), stderr=ran.stderr.decode())


def summary(data: bytes) -> bytes:
    """What peer says of the bytes that came."""
    return f"{len(data)} bytes, Adler-32 {zlib.adler32(data):08x}\n".encode()


def steps() -> None:
    """Each end of a stream in Python with the other in C, and the domains beside xl's."""
    server = Process(*SERVE)
    server.wait_for("waiting")
    client("vchan: C's client", "./peer", "connect", "0", PATH, str(SIZE), "7")
    server.report("vchan: its server")

    server = Process("./peer", "serve", "0", PATH, str(FIRST))
    server.wait_for("waiting")
    data = random.Random(7).randbytes(SIZE)
    client("vchan: client", *CONNECT, data=data)
    server.report("vchan: its server in C")
    report("vchan: what it sent", status=0, stdout=summary(data).decode())

    # Xen tells the client of a server that ends without a word.
    server = Process(*SERVE)
    server.wait_for("waiting")
    waiting = subprocess.Popen(
        [sys.executable, "vchan_wait.py", "0", PATH],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stdout is not None
    waiting.stdout.readline()
    server.process.kill()
    said = waiting.communicate(timeout=PATIENCE)
    server.report("vchan: killed server")
    report("vchan: its client", status=waiting.returncode, stdout=said[0], stderr=said[1])
    client("vchan: no server", *VCHAN, "connect", "0", "/local/domain/0/data/none")

    run("domains", "python3", "domains.py")
    run("domains of xl", "xl", "list")
    run("domains again", "python3", "domains.py")
    run("domains of another Xen", "python3", "other_xen.py")


if __name__ == "__main__":
    os.chdir(HERE)
    create("guest")
    steps()
    report("end", status=0)
