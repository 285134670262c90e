"""Colour for people at a terminal: one table of the words that an eye looks for.

Takes text as it goes into a pipe, and prints it; on a terminal those words are coloured.  What
draws pictures (`show`, `diff`, the diffs of `check`) has colours of its own, and the same rule
of when there are any.
"""

from __future__ import annotations

import os
import re
import sys

import click

# What stands before the words on their line, the words, and their colour.  Lines of headers
# that are told along are two columns in.
_WORDS = (
    (r"(?:\S.*?: )?", r"[Ee]rror:", "red"),
    (r"\S.*?: ", r"note:", "cyan"),
    (r"  ", r"help:", "cyan"),
    (r"", r"(?:stale|missing):|\d+ stale files?:", "red"),
    (r".* ", r"is current$", "green"),
    (r".* ", r"0 mismatches", "green"),
    (r".* ", r"[1-9]\d* mismatch(?:es)?", "red"),
    (r"\w+: ", r"refused by its compiler$", "red"),
    (r"", r"skipped(?= )", "yellow"),
    (r"version \d+: the ABI ", r"broke", "red"),
)
_RULES = [
    (re.compile(f"^({before})({words})", re.MULTILINE), click.style(r"\2", fg=colour))
    for before, words, colour in _WORDS
]


def say(text: object, err: bool = False) -> None:
    """Print a text to standard output or error, and its words in colour if there may be any."""
    told = str(text)
    for words, coloured in _RULES:
        told = words.sub(rf"\1{coloured}", told)
    click.echo(told, err=err, color=wanted())


def wanted() -> bool | None:
    """Tell click whether there is colour: None for what it does, on terminals and not in pipes."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return None


def is_coloured() -> bool:
    """Tell whether there is colour on standard output, for what is not printed by click."""
    return wanted() is None and sys.stdout.isatty()
