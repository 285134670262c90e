"""The command line as a whole: its commands are listed without being imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from support import PROJECT, SPEC, xenbind, xenbind_anew
from terminal import on_terminal
from xenbind.cli import main

RECORDING = PROJECT / "tests" / "data" / "write-cr4.jsonl"
COMMANDS = [
    "add-version",
    "atlas",
    "check",
    "decode",
    "diff",
    "facts",
    "generate",
    "init",
    "show",
    "spec",
    "verify",
]


def test_the_commands() -> None:
    assert sorted(main.commands) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    listed = main.commands[name]
    context = listed.make_context(name, ["--help"], resilient_parsing=True)
    assert context.command is not listed
    assert context.command.name == name
    sentence = (context.command.help or "").partition("\n\n")[0]
    assert " ".join(sentence.split()) == listed.help


def test_the_list_is_whole_on_a_terminal_of_80_columns() -> None:
    shown = on_terminal("--help", columns=80)
    for listed in main.commands.values():
        assert f"  {listed.help}\n" in shown


def test_help_imports_no_command() -> None:
    code = (
        "import sys\n"
        "from xenbind.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print([name for name in sys.modules if name.startswith('xenbind.commands')])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(click.UsageError, match="No such command 'generat'"):
        main(["generat"], standalone_mode=False)


def status(*arguments: str) -> object:
    """The exit status of a command, run here."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments), standalone_mode=False)
    return ended.value.code


@pytest.mark.parametrize(
    "command",
    [
        *(f"{name} --spec nowhere.toml" for name in ("generate", "check", "verify")),
        *(f"{name} --include nowhere" for name in ("generate", "check", "verify")),
        *("show --spec nowhere.toml", "diff 6 7 --spec nowhere.toml"),
        *("add-version . --spec nowhere.toml", "decode page --spec nowhere.toml"),
        *("add-version nowhere --spec SPEC", "show no/where", "diff 7 no/where"),
        *("diff nowhere 7", "decode nowhere", "decode ."),
        *("show --spec .", "generate --spec /dev/full", "generate --include page"),
        "decode page --format arrow --output no/where",
    ],
)
def test_a_file_that_is_not_there_or_cannot_be_read_has_exit_status_3(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page").write_bytes(RECORDING.read_bytes())
    assert status(*command.replace("SPEC", str(SPEC)).split()) == 3
    assert capsys.readouterr().err.startswith("xenbind: error: ")


@pytest.mark.parametrize("command", ["show 99", "diff 7 v99", "show 7 nothing"])
def test_a_name_that_is_not_there_is_an_error_in_the_input(command: str) -> None:
    assert status(*command.split(), "--spec", str(SPEC)) == 1


@pytest.mark.parametrize("said", [b"\xff", b"x = " + b"1" * (300 << 10), b"x ="])
def test_a_spec_that_is_none_is_an_error_in_the_input(
    said: bytes, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_bytes(said)
    assert status("show", "--spec", str(spec)) == 1


@pytest.mark.parametrize("arguments", [["show", "7", "nothing"], ["diff", "--json"]])
def test_what_other_tests_run_is_the_command_as_users_start_it(
    arguments: list[str],
) -> None:
    forked, started = xenbind(*arguments), xenbind_anew(*arguments)
    assert forked.stderr == started.stderr != ""
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)
