"""Tell which files' declarations are the interface's own.

Takes what the preprocessor made of a header; gives the header with its parts, or for one that
does nothing but include others those that it includes, and so on: not those of the C library, if
others are in its own folder.  A system header's parts are also those that stand in the folders
that programs name nothing of.  `header` keeps them for `lowering`: what other files declare is
only there to be used.

    all.h: #include "pair.h"            ->  all.h, pair.h
           #include "other.h"               other.h
    pair.h: #include "stdint.h"
            struct pair { … };

    math.h: #include <bits/calls.h>     ->  math.h, bits/calls.h
    bits/calls.h: #error "include <math.h> instead"

    time.h: #include <bits/types/struct_tm.h>  ->  time.h, bits/types/struct_tm.h
            #include <stddef.h>
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from xenbind.frontend.cut import C_WORDS, NAME
from xenbind.frontend.directives import Preprocessed, quoted, sections
from xenbind.frontend.include_guards import include_guard
from xenbind.source import Sources, without_any_comments


def roots(
    preprocessed: Preprocessed, header: Path, system: Sequence[Path], sources: Sources
) -> tuple[str, ...]:
    """Give the files whose declarations are the interface's own, the header first.

    `system` are the folders of system headers.
    """
    files = _Files(header, preprocessed, system, sources)
    found = [str(header)]
    for file in found:  # which grows
        found += dict.fromkeys(n for n in files.parts(file) if n not in found)
    return tuple(found)


class _Files:
    """The files that were read: which of them are parts of which."""

    def __init__(
        self,
        header: Path,
        preprocessed: Preprocessed,
        system: Sequence[Path],
        sources: Sources,
    ) -> None:
        self.includers = preprocessed.includers
        self.system = preprocessed.system
        self.folders = system
        self.texts = {
            file: sources.text(file) for file in (str(header), *preprocessed.files)
        }
        self.wholes = {file: _whole(text) for file, text in self.texts.items()}
        self.nexts = {
            file: asked for file, text in self.texts.items() if (asked := _nexts(text))
        }
        self.code = defaultdict[str, str](str)
        for file, section in sections(preprocessed.text):
            self.code[file] += section
        guards = {file: include_guard(text) for file, text in self.texts.items()}
        self.macros = defaultdict[str, set[str]](set)
        for macro in preprocessed.macros.values():
            if macro.body and macro.name != guards[macro.coord.file]:
                self.macros[macro.coord.file].add(macro.name)

    def parts(self, file: str) -> Iterator[str]:
        """Give the files that are parts of an own one."""
        is_system = file in self.system or _is_below(file, self.folders)
        for name in self.wholes:
            if _is_asked(file, self.wholes[name]):
                yield name
        reserved = all(name.startswith("_") for name in self.macros[file])
        texts = (self.texts[file], self.code[quoted(file)])
        if reserved and not any(map(_has_code, texts)):
            before = _before_linkage(self.texts[file])
            included = [n for n in self.included(file) if not _is_asked(n, before)]
            yield from self.without_everybodys(included, file)
        elif is_system:
            yield from (n for n in self.included(file) if self.is_private(n, file))
        if is_system:
            yield from self.next_ones(file)

    def included(self, file: str) -> Iterator[str]:
        """Give the files that one includes, though another may have done so before."""
        asked = _INCLUDED.findall(self.texts[file])
        for name, by in self.includers.items():
            if by == file or _is_asked(name, asked):
                yield name

    def without_everybodys(self, names: Sequence[str], includer: str) -> Sequence[str]:
        """Leave out what is in the folders that all programs share, if others are beside a file.

        Such are the C library's, of which a library's header has what its others need.
        """
        folder = Path(includer).parent
        if folder in self.folders or not any(_is_below(n, [folder]) for n in names):
            return names
        return [
            name
            for name in names
            if _is_below(name, [folder]) or not self.is_everybodys(name)
        ]

    def is_everybodys(self, name: str) -> bool:
        """Tell whether a file is in a folder that the compiler searches, or in its `sys`."""
        folder = PurePath(name).parent
        return folder in self.folders or (
            folder.name == "sys" and folder.parent in self.folders
        )

    def next_ones(self, file: str) -> Iterator[str]:
        """Give what an `#include_next` finds under a system header's own name.

        The compiler's <limits.h> so includes the C library's, or is included by it.
        """
        for name, by in self.includers.items():
            for asked in self.nexts.get(by, ()):
                if _is_asked(file, [asked]) and _is_asked(name, [asked]):
                    yield name

    def is_private(self, name: str, includer: str) -> bool:
        """Tell whether a file is there for a system header that includes it, and no other's.

        What the C library takes of the kernel's by way of its private files is its own, too.
        """
        if self.wholes[name]:
            return False
        folders = PurePath(name).parent.parts
        if "bits" in folders:
            return self.is_for_programs(name)
        taken = "linux" in folders and "bits" in PurePath(includer).parent.parts
        return taken or "asm" in folders or "asm-generic" in folders

    def is_for_programs(self, name: str) -> bool:
        """Tell whether a file declares more than what C reserves for its library: `__x`, `_X`."""
        names = {*self.macros[name], *NAME.findall(self.code[quoted(name)])} - C_WORDS
        return not names or not all(_RESERVED.match(each) for each in names)


_RESERVED = re.compile(r"_[_A-Z]")
_NEXT = re.compile(
    r"^[ \t]*#[ \t]*include_next[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE
)


def _nexts(text: str) -> list[str]:
    """Give what a file asks for as the next of its name, each time it does."""
    return _NEXT.findall(text) if "include_next" in text else []


def _is_below(file: str, folders: Sequence[Path]) -> bool:
    return any(PurePath(file).is_relative_to(folder) for folder in folders)


def _whole(text: str) -> list[str]:
    """Give the headers that are to be included instead of one, as its #error says."""
    return [
        name
        for line in _ERROR.findall(text)
        if re.search(r"\b(?:directly|instead)\b", line)
        for name in _HEADER.findall(line)
    ]


_ERROR = re.compile(r"^[ \t]*#[ \t]*error\b(.*)", re.MULTILINE)
_HEADER = re.compile(r"[\w./+-]+\.h\b")


def _is_asked(file: str, asked: Sequence[str]) -> bool:
    """Tell whether a file is one that was asked for, and may have been included before."""
    return any(f"/{file}".endswith(f"/{name}") for name in asked)


_INCLUDED = re.compile(
    r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE
)


# Of C++, or a macro alone: `G_BEGIN_DECLS` says the same, and nothing in C.
_LINKAGE = re.compile(r'extern\s+"C"\s*\{?|[{}]|\w+')


def _has_code(text: str) -> bool:
    """Tell whether a text has more than directives, comments and linkage, in some branch.

    Linkage that is around no `#include` is of declarations, which other headers may make.
    """
    lines = _lines(text)
    code = [n for n, line in enumerate(lines) if line and not line.startswith("#")]
    if not all(_LINKAGE.fullmatch(lines[n]) for n in code):
        return True
    return bool(code) and not any(map(_INCLUDED.match, lines[code[0] : code[-1]]))


def _before_linkage(text: str) -> list[str]:
    """Give what a header includes before its linkage: what the others need, and no part of it."""
    lines = _lines(text)
    first = next((n for n, line in enumerate(lines) if _LINKAGE.fullmatch(line)), 0)
    return _INCLUDED.findall("\n".join(lines[:first]))


def _lines(text: str) -> list[str]:
    """Give the lines of a text without comments, those that go on in others as one."""
    joined = re.sub(r"\\\r?\n", " ", text)
    return [line.strip() for line in without_any_comments(joined).splitlines()]
