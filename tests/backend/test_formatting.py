"""Formatting: as black itself formats, in processes that do not outlive their caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import black
import pytest
from support import PROJECT, SPEC
from xenbind.backend.formatting import Formatter
from xenbind.commands.generate.build import build
from xenbind.errors import XenbindError
from xenbind.provenance.job import Job

UGLY = {f"{name}.py": f"{name} = {{ 'a':1 }}\n" * 9 for name in ("a", "b", "c")}


def processes(formatter: Formatter) -> list[int]:
    return list(formatter._pool._processes)


def test_every_text_comes_back_as_black_leaves_it() -> None:
    with Formatter() as formatter:
        formatter.start(UGLY)
        made = formatter.result()
    assert made == {
        path: black.format_str(text, mode=black.Mode()) for path, text in UGLY.items()
    }


def test_templates_render_what_black_would_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """black takes twice as long for a text that it changes."""
    rendered: dict[str, str] = {}

    def note(self: Formatter, texts: dict[str, str]) -> None:
        rendered.update(texts)

    monkeypatch.setattr(Formatter, "start", note)
    monkeypatch.setattr(Formatter, "result", lambda self: rendered)
    build(Job(SPEC, None, PROJECT / "generated", None))
    assert len(rendered) > 7
    for path, text in rendered.items():
        assert text == (PROJECT / "generated" / path).read_text(), path


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(XenbindError, match="formats the output"), Formatter() as made:
        for process in processes(made):
            os.kill(process, signal.SIGKILL)
        made.start(UGLY)
        made.result()


def test_processes_end_with_a_caller_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import time; from xenbind.backend.formatting import Formatter\n"
        "with Formatter() as made:\n"
        "    print(*made._pool._processes, flush=True)\n"
        "    time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout
        workers = [int(word) for word in caller.stdout.readline().split()]
        assert len(workers) > 1 and all(map(is_alive, workers))
        caller.kill()
    for _ in range(100):
        if not any(map(is_alive, workers)):
            return
        time.sleep(0.1)
    pytest.fail("a process lives on")


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
