"""Format rendered Python text as black leaves it, in processes of their own.

Takes texts by path; gives them formatted, for `output`.  Importing black and formatting
with it take as long as all else in a run together, and hold the interpreter's lock: so
`workers` does it.

The templates write what black wants already, which spares it most of its work.  Modules are
cut between definitions, and what several versions have alike is formatted once.  Definitions of
the same `shapes` are left as they are if black leaves these: of a thousand structs in a row it is
asked about a handful, and of a thousand constants about a few.  Files that hold nothing of the
headers are no templates, and are not formatted again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from xenbind.backend.formatted import Formatted
from xenbind.backend.shapes import shapes
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
