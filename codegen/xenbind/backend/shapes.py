"""Say of definitions in Python what they have alike for black, which looks at no word's meaning.

Takes a definition's text; gives its shapes, texts as well, for `formatting`: definitions that
differ in words, and in how often and in what order like statements follow, have the same ones.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence

from xenbind.backend.python_text import LINE
from xenbind.plain import Struct, field

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
    """Give text with its words, and strings that black leaves, as short as can be."""
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
