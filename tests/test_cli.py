"""The command line as a whole: its commands are listed without being imported."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from xenbind.cli import main

COMMANDS = [
    "add-version",
    "check",
    "decode",
    "diff",
    "generate",
    "show",
    "spec",
    "verify",
]


def complete(words: str) -> list[str]:
    """What bash is told when a user presses the tab key behind these words."""
    run = subprocess.run(
        [sys.executable, "-m", "xenbind"],
        env={
            **os.environ,
            "_XENBIND_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


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


def test_completion_knows_commands_options_and_choices() -> None:
    assert complete("xenbind ") == COMMANDS
    assert complete("xenbind d") == ["decode", "diff"]
    assert complete("xenbind diff --e") == ["--exit-code"]
    assert complete("xenbind verify --target arm") == ["arm64", "armhf"]


def test_an_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(click.UsageError, match="No such command 'generat'"):
        main(["generat"], standalone_mode=False)
