"""Colour: for terminals alone, for few words, and never where it is not wanted."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from support import tree, xenbind
from terminal import on_terminal

RED, GREEN, CYAN = (f"\x1b[{number}m" for number in (31, 32, 36))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Header trees, good, bad and with something to note, and the good one's package."""
    folder = tmp_path_factory.mktemp("colours")
    good = "#define VM_EVENT_INTERFACE_VERSION 1\nstruct pair { int a, b; };\n"
    tree(folder / "good", good)
    tree(folder / "other", good.replace("b;", "b[2];"))
    tree(folder / "noted", good + "#define LOST ((pair_t) 1)\n")
    tree(folder / "bad", good + "struct other { error_t error: 3; };\n")
    xenbind("generate", "--include", "good", "--out", "out", cwd=folder)
    return folder


COMMANDS = {
    "generate --include bad --out new": [(RED, "error:"), (CYAN, "help:")],
    "generate --include noted --out new": [(CYAN, "note:")],
    "generate --spec nowhere": [(RED, "error:"), (CYAN, "help:")],
    "verify --include good --out out": [(GREEN, "0 mismatches")],
    "verify --include other --out out": [(RED, "3 mismatches")],
    "check --include good --out out": [(GREEN, "is current")],
    "check --stat --include good --out none": [
        (RED, "missing:"),
        (RED, "35 stale files:"),
    ],
    "show nothing": [(RED, "error:")],
    "show --nothing": [(RED, "Error:")],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_words_that_an_eye_looks_for(command: str, folder: Path) -> None:
    arguments = command.split()
    shown = on_terminal(*arguments, cwd=folder)
    for colour, words in COMMANDS[command]:
        assert f"{colour}{words}" in shown
    piped = xenbind(*arguments, cwd=folder)
    if "new" not in command:
        assert sorted(click.unstyle(shown)) == sorted(piped.stdout + piped.stderr)
    assert "\x1b" not in piped.stdout + piped.stderr


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize(
    "command",
    ["generate --spec nowhere", "show 7 vm_event_st", "diff 6 7", "check --stat"],
)
def test_no_colour_where_none_is_wanted(command: str, variable: dict[str, str]) -> None:
    assert "\x1b" not in on_terminal(*command.split(), environment=variable)
    assert "\x1b" in on_terminal(*command.split(), environment={"NO_COLOR": ""})


def test_what_a_header_says_is_not_coloured(folder: Path) -> None:
    shown = on_terminal("generate", "--include", "bad", "--out", "new", cwd=folder)
    assert shown.count(RED) == 1
    assert "  struct other { error_t error: 3; };\n" in shown
