"""The command line as a whole: its commands are listed without being imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support import PROJECT, SPEC, xenbind, xenbind_anew
from terminal import on_terminal
from xenbind import spec
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


def complete(words: str) -> list[str]:
    """The words that bash is told when a user presses the tab key behind these."""
    return [line.partition(",")[2] for line in offered(words)]


def offered(words: str) -> list[str]:
    """All that bash is told, and nobody is told anything else."""
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
    assert run.stderr == ""
    return run.stdout.splitlines()


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


def test_completion_knows_commands_options_and_choices() -> None:
    assert complete("xenbind ") == COMMANDS
    assert complete("xenbind d") == ["decode", "diff"]
    assert complete("xenbind diff --e") == ["--exit-code"]
    assert complete("xenbind verify --target arm") == ["arm64", "armhf"]


def test_completion_knows_versions() -> None:
    loaded = spec.load(SPEC)
    names = [
        each.name_of(version.release or str(version.number))
        for each in loaded.with_libraries
        for version in each.versions
    ]
    assert complete("xenbind diff ") == names
    assert complete("xenbind diff 6 ") == names
    assert complete("xenbind facts ") == names
    assert complete("xenbind diff 6 4.16") == ["4.16"]
    assert complete("xenbind diff --spec examples/blkif.toml ") == [""]
    assert offered("xenbind diff ../he") == ["dir,../he"]
    assert offered("xenbind decode ev") == ["file,ev"]


def test_completion_knows_what_a_version_declares() -> None:
    assert complete("xenbind show 7") == ["7"]
    assert complete("xenbind show vm_event_c") == ["vm_event_cpuid"]
    reasons = complete("xenbind show 7 VM_EVENT_REASON_M")
    assert reasons == [
        f"VM_EVENT_REASON_{name}"
        for name in ("MEM_ACCESS", "MEM_SHARING", "MEM_PAGING", "MOV_TO_MSR")
    ]
    assert complete("xenbind show 1 VmEventR") == ["VmEventReason"]
    members = complete("xenbind show 7 vm_event_st.u.mem_")
    assert members == [
        f"vm_event_st.u.mem_{name}" for name in ("paging", "sharing", "access")
    ]
    everything = complete("xenbind show ")
    versions = complete("xenbind diff ")
    assert everything[: len(versions)] == versions
    assert {"vm_event_st", "vm_event_request_t", "MemAccess"} < set(everything)


def test_what_completes_can_be_shown() -> None:
    for word in ("xenbind show 7 ", "xenbind show 7 vm_event_st."):
        for name in complete(word)[::20]:
            main(["show", "7", name, "--spec", str(SPEC)], standalone_mode=False)


@pytest.mark.parametrize(
    "words",
    [
        "xenbind show --spec nowhere.toml ",
        "xenbind show --spec /dev/null 7 ",
        "xenbind show --cc no-such-compiler 7 ",
        "xenbind show 99 vm",
        "xenbind show nothing vm",
        "xenbind show 7 qqq.",
        "xenbind show 7 vm_event_st.vcpu_id.",
        "xenbind diff --spec nowhere.toml ",
    ],
)
def test_completion_that_cannot_be_says_nothing(words: str) -> None:
    assert offered(words) == [""]


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
