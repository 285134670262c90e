"""Leave out of preprocessed text what no wanted type needs: most of what a header includes.

Takes the text, the files whose declarations are the header's own and names of types; gives the
text with the declarations of those and all that they mention, in turn.  `header` so parses a
twentieth of what another target's compiler reads.

    # 1 "library.h"                       # 1 "library.h"
    typedef long off_t;             ->    typedef long off_t;
    typedef int pid_t;
    # 1 "own.h"                           # 1 "own.h"
    struct file { off_t size; };          struct file { off_t size; };
    int remove(struct file *file);
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from xenbind.frontend.cut import NAME, blank, declarations, declared
from xenbind.frontend.directives import MARKER, quoted, sections


def is_mostly_of_others(text: str, own: Collection[str]) -> bool:
    """Tell whether most of a text stands in other files than the header's own."""
    names = {quoted(file) for file in own}
    sizes = {True: 0, False: 0}
    for file, section in sections(text):
        sizes[file in names] += len(section.strip())
    return sizes[True] < sizes[False]


def only_needed(
    text: str, own: Collection[str], asked: Iterable[str], has_functions: bool
) -> str:
    """Leave out the declarations of functions, and what is not needed of the files not in `own`.

    Needed is what declares a name that is `asked` for or that anything mentions which stays; with
    `has_functions` the own ones stay.  Nothing moves to another place.
    """
    pieces = list(declarations(text))
    # A type mentions a function to ask for its type alone.
    asks_for_functions = "typeof" in text

    def called(code: str) -> list[str]:
        is_named = asks_for_functions or _LABEL.search(code)
        return _FUNCTION.findall(code) if is_named else []

    codes = [MARKER.sub("", piece) for piece in pieces]
    names = [declared(code) for code in codes]
    declaring = defaultdict[str, list[int]](list)
    for index, code in enumerate(codes):
        for name in names[index] or called(code):
            declaring[name].append(index)
    kept: set[int] = set()
    waiting = list(asked)

    def keep(index: int) -> None:
        kept.add(index)
        waiting.extend(NAME.findall(codes[index]))

    for index, is_own in enumerate(_are_of(own, pieces)):
        if is_own and (names[index] or has_functions):
            keep(index)
    while waiting:
        for index in declaring.pop(waiting.pop(), ()):
            if index not in kept:
                keep(index)
    return "".join(
        piece if index in kept else blank(piece) for index, piece in enumerate(pieces)
    )


_FUNCTION = re.compile(r"([\w$]+)[\s)]*\(")
# A function's symbol, which holds for all of its declarations.
_LABEL = re.compile(r"\b(?:asm|__asm|__asm__)\b")


def _are_of(files: Collection[str], pieces: Iterable[str]) -> Iterator[bool]:
    """Tell of each declaration whether it begins or ends in one of these files."""
    names = {quoted(file) for file in files}
    file = ""
    for piece in pieces:
        found = False
        start = 0
        for marker in MARKER.finditer(piece):
            found |= file in names and bool(piece[start : marker.start()].strip())
            file, start = marker[1], marker.end()
        yield found or file in names
