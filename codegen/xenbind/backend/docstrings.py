"""Words from a header as Python text: docstrings and comments that cannot do harm.

Takes plain text, which may hold anything; gives lines of Python source that contain it
and nothing else: no text ends its own string, and none is evaluated.  `render` places
them in the templates.
"""

from __future__ import annotations

import textwrap

from xenbind.backend.folding import LINE
from xenbind.words import printable


def docstring(text: str, indent: int) -> str:
    """A docstring as black writes it, its first line not indented, for `indent` spaces.

    Paragraphs are filled; the first is the summary.
    """
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    paragraphs = [printable(part) for part in parts if part]
    if not paragraphs:
        return ""
    margin = " " * indent
    only = _harmless(paragraphs[0])
    if len(paragraphs) == 1 and indent + len(only) + 6 <= LINE:
        return f'"""{only}"""'
    width = LINE - indent
    first = _filled("'''" + paragraphs[0], width)
    if len(paragraphs) == len(first) == 1:  # the closing quotes have no room
        first = _filled("'''" + paragraphs[0], width - 3)
    lines = ["\n".join(first).removeprefix("'''")]
    lines += ["\n".join(_filled(part, width)) for part in paragraphs[1:]]
    # Escaped after it is filled: no line ends between a backslash and what it escapes.
    body = _harmless("\n\n".join(lines))
    body = body.replace("\n", f"\n{margin}").replace(f"\n{margin}\n", "\n\n")
    return f'"""{body}\n{margin}"""'


def _filled(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def comment(text: str, indent: int = 0) -> list[str]:
    """The first paragraph as comment lines."""
    words = " ".join(text.partition("\n\n")[0].split())
    return textwrap.wrap(
        printable(words), LINE - indent, initial_indent="# ", subsequent_indent="# "
    )


def _harmless(text: str) -> str:
    # A quote at either end would run into the delimiter.
    body, last = (text[:-1], '\\"') if text.endswith('"') else (text, "")
    words = body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + last
    return f" {words}" if words.startswith('"') else words
