"""What docs/recordings.md shows is what happens, in a folder with the files that it speaks of."""

from __future__ import annotations

import doctest
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from recordings import record
from support import PROJECT, require

TEXT = (PROJECT / "docs" / "recordings.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    record(tmp_path / "guest1.rec", domain=1)
    almost = "2026-03-01T23:59:59Z"
    record(tmp_path / "guest2.rec", 2, started=almost, session=2, step=300_000_000)
    (tmp_path / "samples.h").write_text(
        "enum colour { RED, GREEN };\n"
        "struct sample { uint64_t at; int16_t delta[2]; enum colour colour; };\n"
    )
    (tmp_path / "samples.toml").write_text(
        "[interface]\n"
        'name = "samples"\nheader = "samples.h"\npackage = "samples"\ninclude = ["."]\n'
        'needs = ["stdint.h"]\n'
    )
    samples = [struct.pack("<QhhI", 16 + n, -n - 1, n + 1, n) for n in range(2)]
    (tmp_path / "samples.bin").write_bytes(b"".join(samples))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_commands_print_what_is_shown(folder: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    commands = [
        found
        for block in blocks("console")
        for found in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    assert len(commands) == 7
    programs = Path(sys.executable).parent
    for command, shown in commands:
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (result.stdout, result.stderr) == (shown, ""), command


def test_the_python_sessions_go_as_shown(folder: Path) -> None:
    require(find_spec("duckdb") is not None, "duckdb")
    as_folder = ("--format", "parquet", "--out", "events")
    command = [sys.executable, "-m", "xenbind", "decode", "guest1.rec", "guest2.rec"]
    subprocess.run([*command, *as_folder], check=True, capture_output=True)
    sessions = blocks("python")
    assert len(sessions) == 3
    for session in sessions:
        test = doctest.DocTestParser().get_doctest(session, {}, "recordings.md", "", 0)
        failures: list[str] = []
        doctest.DocTestRunner().run(test, out=failures.append)
        assert not failures, "".join(failures)
    told = subprocess.run(
        [*command[:4], "own.rec"], check=True, capture_output=True, text=True
    )
    assert "flags=EMULATE" in told.stdout


def test_the_columns_are_those_of_a_table(folder: Path) -> None:
    require(find_spec("pyarrow") is not None, "pyarrow")
    from pyarrow import parquet

    command = [sys.executable, "-m", "xenbind", "decode", "guest1.rec"]
    as_file = ("--format", "parquet", "--output", "table")
    subprocess.run([*command, *as_file], check=True, capture_output=True)
    (rows,) = re.findall(r"^\| column \|.*\n\|.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    named = re.findall(
        r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines())
    )
    there = set(parquet.ParquetFile("table").schema_arrow.names)
    others = {name for name in there if "." not in name}
    assert set(named) - {"date"} <= others
    request = {"version", "flags", "flags_name", "reason", "reason_name", "vcpu_id"}
    assert others - set(named) <= {*request, "altp2m_idx"}
