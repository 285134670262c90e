"""Tell which files' declarations are the interface's own.

Takes what the preprocessor made of a header; gives the header, or for one that does nothing
but include others those that it includes, and so on.  `header` keeps them for `lowering`:
what other files declare is only there to be used.

    all.h: #include "pair.h"            ->  all.h, pair.h
           #include "other.h"               other.h
    pair.h: #include "stdint.h"
            struct pair { … };
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xenbind.frontend.directives import Preprocessed
from xenbind.source import Sources, without_any_comments


def roots(
    preprocessed: Preprocessed, header: Path, sources: Sources
) -> tuple[str, ...]:
    """Give the files whose declarations are the interface's own, the header first."""
    defining = {
        macro.coord.file
        for macro in preprocessed.macros.values()
        if macro.body and not macro.name.startswith("_")  # no include guard
    }
    found = [str(header)]
    for file in found:  # which grows
        if file not in defining and not _has_code(sources.text(file)):
            asked = _INCLUDED.findall(sources.text(file))
            for name, by in preprocessed.includers.items():
                if (by == file or _is_asked(name, asked)) and name not in found:
                    found.append(name)
    return tuple(found)


def _is_asked(file: str, asked: Sequence[str]) -> bool:
    """Tell whether a file is one that was asked for, and may have been included before."""
    return any(file.endswith(f"/{name}") for name in asked)


_INCLUDED = re.compile(
    r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE
)


def _has_code(text: str) -> bool:
    """Tell whether a header has more than directives and comments, in some branch or other."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = without_any_comments(joined).splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)
