"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
`workers` does it.

The templates write what black wants already, which spares it most of its work.  Modules are
cut between definitions, and what several versions have alike is formatted once.  Definitions of
the same shapes, that differ in words and in how often and in what order like statements follow,
are left as they are if black leaves the shapes so: of a thousand structs in a row it is asked
about a handful, and of a thousand constants about a few.  Files that hold nothing of the headers
are no templates, and are not formatted again.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future

from xenbind.backend.formatted import Formatted
from xenbind.backend.python_text import LINE
from xenbind.plain import Struct, field
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
        self._waiting: list[
            tuple[tuple[str, ...], list[str], Future[list[str] | None]]
        ] = []
        if not known:
            for _ in range(workers.processes):  # black imported, and its parser made
                workers.submit(_format, "pass\n")

    def start(self, texts: Mapping[str, str]) -> None:
        """Begin to format Python sources by path; `result` waits for them.

        Raises `SystemFailure` if a process has died.
        """
        for path, text in texts.items():
            self._blocks[path] = _CUT.split(text)
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for block in dict.fromkeys(b for found in self._blocks.values() for b in found):
            alike[shapes(block)].append(block)
        for forms, blocks in sorted(alike.items(), key=_work, reverse=True):
            if all(self._known.get(form) == form for form in forms):
                self._formatted |= zip(blocks, blocks, strict=True)
                continue
            made = {block: self._known.get(block) for block in blocks}
            self._formatted |= {b: text for b, text in made.items() if text is not None}
            if asked := [block for block, text in made.items() if text is None]:
                found = self._workers.submit(_format_alike, forms, asked)
                self._waiting.append((forms, asked, found))

    def result(self) -> dict[str, str]:
        """The sources by path, formatted.  Raises `SystemFailure` if a process died of it."""
        for forms, blocks, found in self._waiting:
            made = result(found)
            if made is None:
                for form in forms:
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


_IMPORT = r"(?:from|import) [\w., ]+"
_LINE = re.compile(
    rf"^ *(?:(?P<statement>{_statement()})|(?P<imported>{_IMPORT}))$|^.*$", re.MULTILINE
)
# A comment that black leaves, whatever its words are.
_REMARK = re.compile(r"# \S(?:.*\S)?")


def shapes(block: str) -> tuple[str, ...]:
    """Give a definition with its words as short as can be, once for each kind of its statements.

    Of items in a row two are kept, of paragraphs one, and of statements in a row another one in
    each shape: black does with any of them what it would do without the others.

    What black leaves of these as it is, it leaves in the block: it breaks no line, for none is
    too long, and joins none, for those of the shape are shorter.  A statement is kept as it is
    where that does not hold, and what is longer than a line and no statement makes a block its
    own shape.

        class pair(Structure):    ->    class a(a):    and    class a(a):
            first: c_int                    a: a                  a: a[1]
            second: c_int
            third: name[2]
    """
    if "\t" in block:
        return (block,)
    kept: list[_Row] = []
    for found in _LINE.finditer(re.sub(_DOCSTRING, _without_prose, block)):
        text = found[0]
        if any(len(e) > LINE and not _ITEM.fullmatch(e) for e in text.split("\n")):
            if not found["statement"]:
                return (block,)
        elif not _FOLDED.search(text):
            text = _MORE_WORDS.sub("a, a", _with_short_words(text))
            text = _MORE_LINES.sub(r"\1\1", text)
        kind = found.lastgroup or ("remark" if _is_remark(text) else "")
        if kept and kept[-1].goes_on_with(kind, text):
            kept[-1].more.add(text)
        else:
            kept.append(_Row(kind, text))
    rows = [(row.texts(), row.kind in ("statement", "remark")) for row in kept]
    most = max(len(kinds) for kinds, _ in rows)
    return tuple(
        "\n".join(
            _paragraphs_once([(kinds[min(n, len(kinds) - 1)], p) for kinds, p in rows])
        )
        for n in range(most)
    )


class _Row(Struct):
    """Statements or imports in a row, the first and others; or another line, of no kind."""

    kind: str
    first: str
    more: set[str] = field(default_factory=set)

    def goes_on_with(self, kind: str, text: str) -> bool:
        """Tell whether a line stands in the same row."""
        is_row = kind == self.kind and kind in ("statement", "imported")
        return is_row and _margin(self.first) == _margin(text)

    def texts(self) -> list[str]:
        """Give what stands for the row, each kind of line once: docstrings behind the first."""
        every = sorted({self.first, *self.more})
        if self.more and any('"""' in each for each in every):
            return [f"{self.first}\n{each}" for each in sorted(self.more)]
        return every


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
            return "# a" if _REMARK.fullmatch(token[0]) else token[0]
        case "word" if token[0] not in _KEPT:
            return "1" if token[0].isdigit() else "a"
    return token[0]


def _work(alike: tuple[tuple[str, ...], Sequence[str]]) -> int:
    """Say how long blocks of the same shapes may take, for the longest to be begun first."""
    return max(map(len, alike[1]))


def _format_alike(forms: Sequence[str], blocks: Sequence[str]) -> list[str] | None:
    """Format blocks of the same shapes; None if black leaves these, and so them, as they are.

    That is asked of a single block's, too: it is known of the next one, then.
    """
    if all(map(_leaves, forms)):
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
