"""The ends of pipes, and a poor environment: one line, and an exit status that says why."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PROJECT, TINY, tree, xenbind

RECORDING = "tests/data/write-cr4.jsonl"
TELLING = {
    "help": "--help",
    "a command's help": "show --help",
    "version": "--version",
    "show": "show 7 vm_event_st",
    "show as JSON": "show 7 vm_event_st --json",
    "diff": "diff 2 3",
    "diff as JSON": "diff 2 3 --json",
    "decode": f"decode {RECORDING}",
    "decode as JSON": f"decode {RECORDING} --json",
    "check": "check",
    "verify as JSON": "verify --json --cc gcc",
}


# All of them with --exhaustive: they share what writes their words.
SAMPLED = [
    pytest.param(
        name,
        marks=(
            () if name in ("help", "show", "verify as JSON") else pytest.mark.exhaustive
        ),
    )
    for name in TELLING
]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line in bash, in which `xenbind` is the command."""
    program = (
        f'xenbind() {{ {shlex.quote(sys.executable)} -m xenbind "$@"; }}; {command}'
    )
    return subprocess.run(
        ["bash", "-c", program],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", SAMPLED)
def test_an_output_that_is_full(command: str) -> None:
    result = shell(f"xenbind {TELLING[command]} >/dev/full")
    assert result.returncode == 3
    assert result.stderr == (
        "xenbind: error: standard output: No space left on device\n"
        "  help: make room or get permission there, and run it again\n"
    )


@pytest.mark.parametrize("command", ["help", "show", "decode as JSON"])
def test_an_output_that_is_closed(command: str) -> None:
    result = shell(f"xenbind {TELLING[command]} >&-")
    assert result.returncode == 3
    assert result.stderr.startswith(
        "xenbind: error: standard output: Bad file descriptor\n"
    )


def test_all_three_closed() -> None:
    result = shell("xenbind show 7 <&- >&- 2>&-")
    assert (result.returncode, result.stdout, result.stderr) == (3, "", "")


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_errors_that_nobody_hears(stream: str) -> None:
    assert shell(f"xenbind show 7 nothing {stream}").returncode == 1
    assert shell(f"xenbind no-command {stream}").returncode == 2


def test_an_input_that_is_closed() -> None:
    result = shell("xenbind decode - <&-")
    assert result.returncode == 3
    assert result.stderr.startswith(
        "xenbind: error: -: byte 0: cannot be read: Bad file descriptor\n"
    )
    assert shell("xenbind show 7 <&-").returncode == 0


@pytest.mark.parametrize("command", ["help", "show", "diff as JSON", "decode"])
def test_a_reader_that_goes_away(command: str) -> None:
    result = shell(f"xenbind {TELLING[command]} | true; echo ${{PIPESTATUS[0]}}")
    assert result.stdout == "141\n"
    assert result.stderr == ""


def test_a_terminal_without_the_words() -> None:
    result = shell("xenbind diff 2 3", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.startswith("vm_event version 2 \\u2192 3: breaking\n")
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert shell("xenbind diff 2 3", **plain).stdout == result.stdout
    told = shell("xenbind show 7 nothing→", **plain)
    assert told.returncode == 1
    assert told.stderr.isascii()


@pytest.mark.parametrize(
    ("option", "problem"),
    [("gcc 'unclosed", "no closing quotation"), ("", "it is empty")],
)
def test_words_that_name_no_compiler(option: str, problem: str, tmp_path: Path) -> None:
    result = xenbind("generate", "--cc", option, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        f"xenbind: error: --cc names no compiler: {option!r}: {problem}",
        "  help: write a command as in a shell, such as --cc 'gcc -m32'",
    ]
    variable = xenbind("verify", CC="gcc 'unclosed")
    assert variable.returncode == 2
    assert variable.stderr.startswith("xenbind: error: CC names no compiler: ")


def test_the_root_is_nobody_s_output_folder(tmp_path: Path) -> None:
    result = xenbind("generate", "--include", tree(tmp_path), "--out", "/")
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == (
        "xenbind: error: / is not empty, and xenbind did not write it"
    )


def unreadable_manifest(folder: Path) -> None:
    (folder / "manifest.json").mkdir()


def unreadable_folder(folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to(folder)


@pytest.mark.parametrize("make", [unreadable_manifest, unreadable_folder])
def test_a_folder_that_cannot_be_used(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    make(out)
    result = xenbind("generate", "--out", out)
    assert result.returncode == 3
    assert "[Errno" not in result.stderr
    assert "delete" not in result.stderr
    assert "Traceback" not in result.stderr


def read_otherwise(folder: Path) -> dict[str, str]:
    """What would change what a compiler reads, if it heeded the environment."""
    tree(folder / "foreign", stdint="#error read\n", extra="struct extra { int i; };\n")
    path = str(folder / "foreign")
    return {
        "CPATH": path,
        "C_INCLUDE_PATH": path,
        "CCC_OVERRIDE_OPTIONS": "+-DEXTRA",
        "DEPENDENCIES_OUTPUT": str(folder / "dependencies"),
    }


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_environment_changes_nothing_that_is_read(
    compiler: str, tmp_path: Path
) -> None:
    header = "#if __has_include(<extra.h>)\n#include <extra.h>\n#endif\n" + TINY
    headers = tree(tmp_path / "headers", header)
    arguments = ("--include", headers, "--out", tmp_path / "out", "--cc", compiler)
    for command in ("generate", "verify"):
        result = xenbind(command, *arguments, cwd=PROJECT, **read_otherwise(tmp_path))
        assert result.returncode == 0, result.stderr
    assert "extra" not in (tmp_path / "out" / "xen_vm_event" / "v1.py").read_text()
    assert not (tmp_path / "dependencies").exists()


def test_a_poor_environment(tmp_path: Path) -> None:
    """No home, no path, no folder for temporary files, and a folder that nobody may write to."""
    headers, out = tree(tmp_path / "headers"), tmp_path / "out"
    path = os.environ["PATH"]
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "xenbind",
            "generate",
            "--include",
            headers,
            "--out",
            out,
        ],
        cwd="/proc",
        env={"PATH": path, "TMPDIR": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_no_place_for_temporary_files(tmp_path: Path) -> None:
    program = (
        "import tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
        "from xenbind.__main__ import main\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, "verify"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3
    assert result.stderr.splitlines()[0] == (
        "xenbind: error: No usable temporary directory found in ['/nowhere']"
    )


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    result = shell(f"mkdir {gone}; cd {gone}; rmdir {gone}; xenbind generate --out out")
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_json_on_a_pipe_is_json_alone() -> None:
    result = shell(f"xenbind decode {RECORDING} --json")
    assert [json.loads(line)["index"] for line in result.stdout.splitlines()] == [0]
