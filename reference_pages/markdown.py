"""From words as docstrings and helps have them to Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_CODE = re.compile(r"(`[^`]+`)")
# A name that Markdown would take for emphasis: `VM_EVENT_FLAG_*`, `xc_monitor_enable`.
_NAME = re.compile(
    r"(?<![\w/.])\$?[\w.]*_[\w.]*(?<!\.)(?:\*|\(\))?|(?<![\w/.])\*(?=[\w`])"
)
_CODE_INDENT = "    "

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def fill(template: str, **values: object) -> str:
    """Fill a template of this folder in."""
    return _templates.get_template(template).render(values)


def prose(text: str) -> str:
    """Give a docstring as Markdown: paragraphs, lists and indented code stay what they are."""
    return "\n".join(
        line if line.startswith(_CODE_INDENT) else inline(line)
        for line in inspect.cleandoc(text).splitlines()
    )


def inline(text: str) -> str:
    """Give a line of it: names are code, and nothing is markup that was none."""
    parts = _CODE.split(text)
    parts[::2] = [_escaped(part) for part in parts[::2]]
    return "".join(parts)


def _escaped(part: str) -> str:
    def as_code(match: re.Match[str]) -> str:
        return "\\*" if match[0] == "*" else f"`{match[0]}`"

    return _NAME.sub(as_code, part.replace("<", "&lt;"))


def first_sentence(text: str) -> str:
    """Give the first sentence of a docstring, in one line."""
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s|(?<=:)$", paragraph)[0]


def code(text: str) -> str:
    """Give a text as code within a line."""
    return f"`{text}`"


def block(text: str, language: str = "") -> str:
    """Give lines of code."""
    return f"```{language}\n{text}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table of cells that are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [
        [" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def link(heading: str, text: str = "") -> str:
    """Give a link to a heading of the page that is a name."""
    return f"[`{text or heading}`](#{anchor(heading)})"


def anchor(heading: str) -> str:
    """Give what a heading is linked by, as both GitHub and MkDocs make it."""
    kept = re.sub(r"[^\w\s-]", "", heading).strip().lower()
    return re.sub(r"\s+", "-", kept)
