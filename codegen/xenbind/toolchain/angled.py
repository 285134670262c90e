"""Tell which folders a compiler must search for `#include <x.h>` beside its own.

Takes a header, what it needs before it and the folders with headers; gives those that have
what some header asks for in angle brackets, and the C library has not.  `pipeline` makes a
`Compiler` of that.

    one.h: #include <base/type.h>    ->  the folder with base/type.h
           #include "sched.h"            no folder: quotes are looked for in all of them
           #include <stdint.h>           no folder: the C library's

gcc forgets that a folder is for quotes (-iquote) if it is for angle brackets, too (-idirafter),
and takes its files for the system's: then "sched.h" is the system's, unless it is beside
its includer.  So no folder is searched in vain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from xenbind.source import Sources

# Without \b, which would have each character of a text tried, and take six times as long.
_ASKED = re.compile(
    r"(?:#[ \t]*include(?:_next)?|__has_include(?:_next)?[ \t]*\()[ \t]*"
    r"(?:<([^>\n]+)>|\"([^\"\n]+)\"|(\w))"
)


def angled_folders(
    header: Path, needs: Sequence[str], include: Sequence[Path], system: Sequence[Path]
) -> tuple[Path, ...]:
    """Give those of the folders in `include` that must be searched for angle brackets.

    All of them, if a name is a macro's: who knows of which header.
    """
    search = _Search(include, system)
    search.read(header)
    for name in needs:
        if needed := search.quoted(name, Path()):
            search.read(needed)
    return tuple(folder for folder in include if folder in search.found)


class _Search:
    """A walk through all that a header includes, in any branch, but the C library's headers."""

    def __init__(self, include: Sequence[Path], system: Sequence[Path]) -> None:
        self.include = include
        self.system = system
        self.sources = Sources()
        self.seen: set[Path] = set()
        self.found: set[Path] = set()

    def read(self, path: Path) -> None:
        waiting = [path]
        while waiting:
            path = waiting.pop()
            if path.resolve() not in self.seen:
                self.seen.add(path.resolve())
                waiting += self.included(path)

    def included(self, path: Path) -> Iterator[Path]:
        for angled, quoted, macro in _ASKED.findall(self.sources.text(str(path))):
            if macro:
                self.found.update(self.include)
            elif found := (
                self.angled(angled) if angled else self.quoted(quoted, path.parent)
            ):
                yield found

    def quoted(self, name: str, beside: Path) -> Path | None:
        for folder in (beside, *self.include):
            if _is_file(folder / name):
                return folder / name
        return self.angled(name)

    def angled(self, name: str) -> Path | None:
        if any(_is_file(folder / name) for folder in self.system):
            return None
        for folder in self.include:
            if _is_file(folder / name):
                self.found.add(folder)
                return folder / name
        return None


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):  # a name too long, or with a NUL
        return path.is_file()
    return False
