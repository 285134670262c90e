"""Tell which files' declarations are the interface's own.

Takes what the preprocessor made of a header; gives the header with its parts, or for one that
does nothing but include others those that it includes, and so on.  `header` keeps them for
`lowering`: what other files declare is only there to be used.

    all.h: #include "pair.h"            ->  all.h, pair.h
           #include "other.h"               other.h
    pair.h: #include "stdint.h"
            struct pair { … };

    math.h: #include <bits/calls.h>     ->  math.h, bits/calls.h
    bits/calls.h: #error "include <math.h> instead"
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from xenbind.frontend.directives import Preprocessed
from xenbind.source import Sources, without_any_comments


def roots(
    preprocessed: Preprocessed, header: Path, sources: Sources
) -> tuple[str, ...]:
    """Give the files whose declarations are the interface's own, the header first."""
    defined = defaultdict[str, set[str]](set)
    for macro in preprocessed.macros.values():
        if macro.body and not macro.name.startswith("_"):
            defined[macro.coord.file].add(macro.name)
    parts = {file: _whole(sources.text(file)) for file in preprocessed.files}
    found = [str(header)]
    for file in found:  # which grows
        found += [
            name
            for name, wholes in parts.items()
            if name not in found and _is_asked(file, wholes)
        ]
        text = sources.text(file)
        if defined[file] <= _guard(text) and not _has_code(text):
            asked = _INCLUDED.findall(text)
            for name, by in preprocessed.includers.items():
                if (by == file or _is_asked(name, asked)) and name not in found:
                    found.append(name)
    return tuple(found)


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


def _guard(text: str) -> set[str]:
    """Give the macro that keeps a header from being read twice, if it has one."""
    found = _GUARD.search(without_any_comments(text))
    return {found[1]} if found else set()


_GUARD = re.compile(
    r"\A\s*#[ \t]*if(?:ndef\b|[ \t]*![ \t]*defined\b)[ \t(]*(\w+).*\s+#[ \t]*define[ \t]+\1\b"
)
_INCLUDED = re.compile(
    r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE
)


def _has_code(text: str) -> bool:
    """Tell whether a header has more than directives and comments, in some branch or other."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = without_any_comments(joined).splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)
