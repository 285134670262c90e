"""The page of commands: what click knows of each, in the order in which one meets them."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click
from xenbind.cli import main

from reference_pages.markdown import (
    block,
    code,
    fill,
    first_sentence,
    inline,
    link,
    prose,
    table,
)

READING_ORDER = (
    *("generate", "verify", "check", "show", "diff", "atlas", "decode"),
    *("init", "spec", "add-version", "facts"),
)
_DEFAULT = re.compile(r"\s*\[default: ([^]]*)\]")
_VERBATIM = "\b\n"  # click's mark of a paragraph whose lines stay


def page() -> str:
    """Give the page of all commands."""
    names = [*READING_ORDER, *(set(main.commands) - set(READING_ORDER))]
    commands = {name: _loaded(name) for name in names}
    return fill(
        "commands.md.jinja",
        about=_help(main),
        overview=table(
            ["command", ""],
            [
                [link(f"xenbind {name}"), inline(first_sentence(command.help or ""))]
                for name, command in commands.items()
            ],
        ),
        endings=inspect.cleandoc((main.epilog or "").replace(_VERBATIM, "")),
        sections="\n\n".join(
            "\n\n".join(_section(name, command)) for name, command in commands.items()
        ),
    )


def _loaded(name: str) -> click.Command:
    with main.make_context("xenbind", [], resilient_parsing=True) as context:
        command = main.get_command(context, name)
        assert command is not None
        return command.make_context(name, [], context, resilient_parsing=True).command


def _section(name: str, command: click.Command) -> Iterator[str]:
    yield f"## `xenbind {name}`"
    context = click.Context(command, info_name=f"xenbind {name}")
    yield block(command.get_usage(context).removeprefix("Usage: "))
    yield _help(command)
    options = [
        _row(option) for option in command.params if isinstance(option, click.Option)
    ]
    if options:
        yield table(["option", "", "default"], options)


def _help(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if not text.startswith(_VERBATIM):
        return prose(text)
    head, _, lines = text.removeprefix(_VERBATIM).partition("\n")
    return f"{inline(head)}\n\n{block(textwrap.dedent(lines))}"


def _row(option: click.Option) -> list[str]:
    """Give an option's names, what it does, and what it is where it is left out."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    takes = "" if option.is_flag or option.count else f" {_takes(option)}"
    words = option.help or ""
    said = _DEFAULT.search(words)
    default = said[1] if said else ""
    if not said and option.show_default:
        default = code(str(option.default))
    if option.envvar:
        default = f"{default} `${option.envvar}`".strip()
    return [code(names + takes), inline(_DEFAULT.sub("", words)), inline(default)]


def _takes(option: click.Option) -> str:
    if isinstance(option.type, click.Choice) and option.metavar is None:
        return f"[{'|'.join(map(str, option.type.choices))}]"
    return option.metavar or option.type.name.upper()
