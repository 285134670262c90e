"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
`workers` does it.

The templates write what black wants already, which spares it most of its work.  Modules are
cut between definitions, and what several versions have alike is formatted once.  Definitions of
one shape, that differ in words and in how often and in what order like statements follow, are left
as they are if black leaves the shape so: of a thousand structs in a row it is asked about a
handful, and of a thousand constants about a few.  Files that hold nothing of the headers are
no templates, and are not formatted again.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future

from xenbind.backend.formatted import Formatted
from xenbind.backend.python_text import LINE
from xenbind.workers import Workers, result

# Where a definition begins, two blank lines below what is before it: black formats what is on
# both sides as if the other were not there.
_CUT = re.compile(r"(?<=\n)\n\n(?=@|class |def )")


class Formatter:
    """Texts on their way through black, in the processes of `workers`.

    What earlier runs asked black is `known`; one that asked nothing new does without it.
    """

    def __init__(self, workers: Workers, known: Formatted) -> None:
        self._workers = workers
        self._known = known
        self._blocks: dict[str, list[str]] = {}
        self._formatted: dict[str, str] = {}
        self._waiting: list[tuple[str, list[str], Future[list[str] | None]]] = []
        if not known:
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
            if self._known.get(form) == form:
                self._formatted |= zip(blocks, blocks, strict=True)
                continue
            made = {block: self._known.get(block) for block in blocks}
            self._formatted |= {b: text for b, text in made.items() if text is not None}
            if asked := [block for block, text in made.items() if text is None]:
                found = self._workers.submit(_format_alike, form, asked)
                self._waiting.append((form, asked, found))

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `SystemFailure` if a process died of it."""
        for form, blocks, found in self._waiting:
            made = result(found)
            if made is None:
                self._known.add(form, form)
                self._formatted |= zip(blocks, blocks, strict=True)
                continue
            for block, text in zip(blocks, made, strict=True):
                self._known.add(block, text)
                self._formatted[block] = text
        self._known.keep()
        return {
            path: "\n\n".join(self._formatted[block] for block in blocks)
            for path, blocks in self._blocks.items()
        }


# Words that mean something to black.
_KEPT = frozenset([*keyword.kwlist, *keyword.softkwlist, "print", "exec"])
_DOCSTRING = r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"""'
_PROSE = re.compile(r'[^\s"\\]+(?: [^\s"\\]+)*')
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')"""
# What is shortened, beside strings that are not: those that begin or end with a blank, which black
# takes out of a docstring, and those with quotes or backslashes.
_TOKEN = re.compile(
    rf"""\w*{_DOCSTRING}|(?<!\w)(?P<text>"(?![ "])[\w !\#-&(-[\]-~]*(?<!\ )")|\w*{_STRING}
    |(?P<comment>\#.*)|(?P<word>\b(?:[A-Za-z_]\w*|\d+)\b)""",
    re.VERBOSE,
)
_NAME = re.compile(rf"\b(?!(?:{'|'.join(sorted(_KEPT))})\b)[A-Za-z_]\w*")
_NUMBER = re.compile(r"\b\d+\b")
# What black may take for an order to itself.
_ORDER = re.compile(r"fmt|yapf|type|noqa|pylint")
# One of several that stand on a line each in brackets, however long it is.
_ITEM = re.compile(rf"""\s+(?:[^()[\]{{}}#"']|{_STRING})*,""")
# Of items that are alike, those after the second: on a line each, and in one.
_MORE_LINES = re.compile(r"(\n[^\n]+,)\1\1+(?=\n)")
_MORE_WORDS = re.compile(r"\ba, a(?:, a)+\b")
# A closing bracket on a line of its own, which black puts there where one line has no room.
_FOLDED = re.compile(r"[^,]\n *[)\]}]")


def _statement() -> str:
    """Write a pattern of statements that black sets no blank lines around.

    These are declarations, assignments and docstrings, with all that stands in their brackets.
    """
    plain = rf"""[^()[\]{{}}"'#\n]|{_STRING}"""
    inside = rf"(?:{plain}|\n)*+"
    for _ in range(3):
        inside = rf"(?:{plain}|\n|[(\[{{]{inside}[)\]}}])*+"
    name = rf"(?!(?:{'|'.join(_KEPT)})\b)[A-Za-z_]\w*+"
    return rf"""{_DOCSTRING}|{name}(?:{plain}|[(\[{{]{inside}[)\]}}])*+(?<!:)"""


_LINE = re.compile(rf"^(?P<statement> *(?:{_statement()})$)|^.*$", re.MULTILINE)


def shape(block: str) -> str:
    """Give a definition with its words as short as can be, and of what is alike in a row less.

    Of statements and of items two are kept, of paragraphs one; the order of statements behind the
    first is not told.

    What black leaves of that as it is, it leaves in the block: it breaks no line, for none is
    too long, and joins none, for those of the shape are shorter.  A statement is kept as it is
    where that does not hold, and what is longer than a line and no statement makes a block its
    own shape.

        class pair(Structure):    ->    class a(a):
            first: c_int                    a: a
    """
    if "\t" in block:
        return block
    kept: list[tuple[str, bool]] = []
    row: set[str] | None = None  # of the statements after the first in a row
    for found in _LINE.finditer(re.sub(_DOCSTRING, _without_prose, block)):
        text = found[0]
        if any(len(e) > LINE and not _ITEM.fullmatch(e) for e in text.split("\n")):
            if not found["statement"]:
                return block
        elif not _FOLDED.search(text):
            text = _MORE_WORDS.sub("a, a", _with_short_words(text))
            text = _MORE_LINES.sub(r"\1\1", text)
        if not found["statement"]:
            kept += _in_order(row)
            row = None
        elif row is None or _margin(text) != _margin(kept[-1][0]):
            kept += _in_order(row)
            row = set()
        else:
            row.add(text)
            continue
        kept.append((text, bool(found["statement"]) or _is_remark(text)))
    return "\n".join(_paragraphs_once([*kept, *_in_order(row)]))


def _in_order(row: set[str] | None) -> list[tuple[str, bool]]:
    """Give statements that may stand in any order in one, for lines of `_paragraphs_once`."""
    return [(text, True) for text in sorted(row or ())]


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _paragraphs_once(lines: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """Give lines without the paragraphs that are like one above in the same row of such.

    With each line comes whether it is a statement, or a comment, as all lines of these are.
    """
    paragraphs: list[list[tuple[str, bool]]] = [[]]
    for line in lines:
        if line[0]:
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    row: set[tuple[str, ...]] = set()
    row_margins: set[int] = set()
    for index, paragraph in enumerate(paragraphs):
        texts = tuple(text for text, _ in paragraph)
        margins = set(map(_margin, texts))
        if margins != row_margins or not all(is_plain for _, is_plain in paragraph):
            row, row_margins = set(), margins
        if len(margins) == 1 and texts in row:
            continue
        row.add(texts)
        yield from ("", *texts) if index else texts


def _is_remark(line: str) -> bool:
    """Tell whether a line is a comment that asks nothing of black."""
    return line.lstrip().startswith("#") and not _ORDER.search(line)


def _without_prose(docstring: re.Match[str]) -> str:
    """Give a docstring with a word for each line, and of like lines in its middle one."""
    first, *middle = _PROSE.sub("a", docstring[0]).split("\n")
    kept = [line for line in dict.fromkeys(middle[:-2]) if line]
    return "\n".join([first, *kept, *middle[-2:]])


def _with_short_words(text: str) -> str:
    """Give text with its words, and strings of nothing but words, as short as can be."""
    if '"' in text or "'" in text or "#" in text:
        return _TOKEN.sub(_shortest, text)
    # As that does, in two thirds of the time.
    return _NUMBER.sub("1", _NAME.sub("a", text))


def _shortest(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "text":
            return '"a"'
        case "comment" if not _ORDER.search(token[0]):
            return re.sub(r"\w.*\w", "a", token[0])
        case "word" if token[0] not in _KEPT:
            return "1" if token[0].isdigit() else "a"
    return token[0]


def _work(alike: tuple[str, Sequence[str]]) -> int:
    """Say how long blocks of one shape may take, for the longest to be begun first."""
    return max(map(len, alike[1]))


def _format_alike(form: str, blocks: Sequence[str]) -> list[str] | None:
    """Format blocks of one shape; None if black leaves that, and so them, as it is.

    That is asked of a single block's, too: it is known of the next one, then.
    """
    if _leaves(form):
        return None
    return [_format(block) for block in blocks]


def _leaves(form: str) -> bool:
    try:
        return _format(form) == form
    except ValueError:  # black's for what is not Python: words shortened are no longer
        return False


def _format(text: str) -> str:
    # Imported here, not by the caller: it takes 0.1 s, and holds the interpreter's lock.
    from black import Mode, format_str

    return format_str(text, mode=Mode())
