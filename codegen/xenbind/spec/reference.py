"""Print what a spec may say, for whoever writes one: `schema` as Markdown.

Takes nothing; gives text, which `xenbind spec` prints and docs/spec.md is.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from xenbind.spec.schema import SECTIONS, Key, Section

_HEAD = """\
# The keys of a spec

A spec is a TOML file beside the headers, for what C cannot say of an interface. Three keys are
enough, or two for a tree of headers; `xenbind generate --spec FILE` reads it, and tells a wrong
key at its place. This is what `xenbind spec` prints.
"""
_KINDS = {
    str: "string",
    list: "list of strings",
    int: "integer",
    bool: "boolean",
    dict: "table",
}


def text() -> str:
    """Give the reference of all tables and keys."""
    return "\n".join([_HEAD, *("\n".join(_section(s)) for s in SECTIONS.values())])


def _section(section: Section) -> Iterator[str]:
    yield f"## `{section.heading}`\n"
    of = f" Only in a spec of {section.of}." if section.of else ""
    yield fill(section.meaning + of, 95, break_on_hyphens=False) + "\n"
    for name, key in section.keys.items():
        yield from _key(name, key)


def _key(name: str, key: Key) -> Iterator[str]:
    needed = ", required" if key.is_required else ""
    of = f" Only in a spec of {key.of}." if key.of else ""
    rule = f" Each text {key.rule.says}." if key.rule and key.kind is list else ""
    if key.rule and key.kind is str:
        rule = f" It {key.rule.says}."
    words = f"- `{name}` ({_KINDS[key.kind]}{needed}): {key.meaning}{rule}{of}"
    yield fill(words, 95, subsequent_indent="  ", break_on_hyphens=False) + "\n"
    yield f"      {name} = {key.example}\n"
