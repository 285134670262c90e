"""Python modules run as `python -m` runs them, in processes that have imported the most already.

Importing xenbind, black, pytest and numpy takes several times what a tiny header does.  So
one process of each test process does it once, and forks for every run.  A run is a process
of its own all the same: with its folder, environment, streams, exit status and memory.  What
is about the start of a process is nothing for here: variables that Python itself reads,
streams that are closed, signals, what is imported when.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_IMPORTED = (
    *("black", "pytest", "numpy"),
    *("xenbind.cli", "xenbind.backend.render", "xenbind.commands.add_version.command"),
    *("xenbind.commands.decode.command", "xenbind.commands.diff.command"),
    *("xenbind.commands.generate.check", "xenbind.commands.show.command"),
)


def run_module(
    module: str,
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    limits: Mapping[int, int] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module; gives what `subprocess.run` would of `python -m`, with texts captured.

    `environment` is added to this process's own; `limits` are of the module `resource`.
    """
    server = _server()
    assert server.stdin and server.stdout
    with tempfile.TemporaryDirectory() as folder:
        streams = [f"{folder}/{name}" for name in ("output", "messages")]
        run = {
            "module": module,
            "arguments": list(arguments),
            "cwd": str(cwd),
            "environment": {**os.environ, **environment},
            "limits": list((limits or {}).items()),
            "streams": streams,
        }
        server.stdin.write(json.dumps(run) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        output, messages = (
            Path(stream).read_text("utf-8", "surrogateescape") for stream in streams
        )
    return subprocess.CompletedProcess([module, *arguments], status, output, messages)


@cache
def _server() -> subprocess.Popen[str]:
    """The process that forks.  It ends with this one, by the end of its input."""
    server = subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a thread would not be forked
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C is for the tests
    )
    atexit.register(server.communicate)
    return server


def _serve() -> None:
    """Fork for each line of the input, and tell how the process ended."""
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(
    module: str,
    arguments: list[str],
    cwd: str,
    environment: dict[str, str],
    limits: list[tuple[int, int]],
    streams: list[str],
) -> NoReturn:
    """In the new process: be what `python -m` with these arguments would be."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), number)
    for which, limit in limits:
        resource.setrlimit(which, (limit, limit))
    sys.argv[1:] = arguments
    sys.path[0] = cwd
    status: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    # Python's own end, which takes all modules down, costs more than most runs.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    _serve()
