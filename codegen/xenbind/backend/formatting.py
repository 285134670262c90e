"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
`workers` does it.

The templates write what black wants already, which spares it most of its work.  Modules are
cut between definitions, and what several versions have alike is formatted once.  Definitions of
one shape, that differ in words alone, are left as they are if black leaves the shape so: of a
thousand structs in a row it is asked about a handful.  Files that hold nothing of the headers are
no templates, and are not formatted again.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from xenbind.backend.python_text import LINE
from xenbind.workers import Workers, result

# Where a definition begins, two blank lines below what is before it: black formats what is on
# both sides as if the other were not there.
_CUT = re.compile(r"(?<=\n)\n\n(?=@|class |def )")


class Formatter:
    """Texts on their way through black, in the processes of `workers`."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._blocks: dict[str, list[str]] = {}
        self._formatted: list[tuple[list[str], Future[list[str]]]] = []
        for _ in range(workers.processes):  # black imported, and its parser made
            workers.submit(_format, "pass\n")

    def start(self, texts: Mapping[str, str]) -> None:
        """Begin to format Python sources by path; `result` waits for them.

        Raises `SystemFailure` if a process has died.
        """
        for path, text in texts.items():
            self._blocks[path] = _CUT.split(text)
        alike: dict[str, list[str]] = defaultdict(list)
        for block in dict.fromkeys(b for found in self._blocks.values() for b in found):
            alike[shape(block)].append(block)
        for form, blocks in sorted(alike.items(), key=_work, reverse=True):
            found = self._workers.submit(_format_alike, form, blocks)
            self._formatted.append((blocks, found))

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `SystemFailure` if a process died of it."""
        formatted: dict[str, str] = {}
        for blocks, found in self._formatted:
            made: list[str] = result(found)
            formatted |= zip(blocks, made, strict=True)
        return {
            path: "\n\n".join(formatted[block] for block in blocks)
            for path, blocks in self._blocks.items()
        }


# Words that mean something to black; those before a quote are a string's prefix.
_KEPT = frozenset([*keyword.kwlist, *keyword.softkwlist, "print", "exec"])
_WORD = re.compile(r"""\b(?:[A-Za-z_]\w*|\d+)\b(?!['"])""")
_DOCSTRING = re.compile(r'"""[^"\\]*"""')
_PROSE = re.compile(r"\S+(?: \S+)*")
# What black may take for an order to itself.
_COMMENT = re.compile(r"#.*(?:fmt|yapf|type|noqa|pylint)")
# A line that opens no bracket and closes none that another line opened.
_STATEMENT = re.compile(
    r" *[^\s()[\]{}](?:[^()[\]{}]|\([^()[\]{}]*\)|\[[^()[\]{}]*\])*"
)


def shape(block: str) -> str:
    """Give a definition with its words as short as can be, and rows of like lines cut short.

    What black leaves of that as it is, it leaves in the block: it breaks no line, for none is
    too long, and joins none, for those of the shape are shorter.  A block with a line that is
    too long is its own shape.

        class pair(Structure):    ->    class a(a):
            first: c_int                    a: a
    """
    lines = block.split("\n")
    if max(map(len, lines)) > LINE or _COMMENT.search(block) or "\t" in block:
        return block
    words = _DOCSTRING.sub(_without_prose, block)
    kept: list[str] = []
    for line in _WORD.sub(_shortest, words).split("\n"):
        if kept[-2:] != [line, line] or not _STATEMENT.fullmatch(line):
            kept.append(line)
    return "\n".join(kept)


def _without_prose(docstring: re.Match[str]) -> str:
    return '"""' + _PROSE.sub("a", docstring[0][3:-3]) + '"""'


def _shortest(word: re.Match[str]) -> str:
    if word[0] in _KEPT:
        return word[0]
    return "1" if word[0].isdigit() else "a"


def _work(alike: tuple[str, Sequence[str]]) -> int:
    """Say how long blocks of one shape may take, for the longest to be begun first."""
    return max(map(len, alike[1]))


def _format_alike(form: str, blocks: Sequence[str]) -> list[str]:
    """Format blocks of one shape: none of them if black leaves that as it is."""
    if len(blocks) > 1 and _format(form) == form:
        return list(blocks)
    return [_format(block) for block in blocks]


def _format(text: str) -> str:
    # Imported here, not by the caller: it takes 0.1 s, and holds the interpreter's lock.
    from black import Mode, format_str

    return format_str(text, mode=Mode())
