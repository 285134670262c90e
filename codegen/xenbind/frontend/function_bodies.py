"""Find the text of functions that a header defines, with their bodies.

Takes preprocessed text and the functions' names; gives each definition in one line of C.
`gnu_c` drops bodies where it reads a whole header; of these few, `lowering` keeps the text for
`backend.rings` to translate.

    static inline int next(int n)     ->    static inline int next(int n) { return n + 1; }
    {
        return n + 1;
    }
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

# Literals are words of their own: a brace in one is no brace.
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\w$]+|[^\s\w$]')
_DEPTH = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


def definitions(text: str, names: Collection[str]) -> dict[str, str]:
    """Give the definitions of these functions that preprocessed text has, by their names."""
    wanted = {name for name in names if name in text}
    if not wanted:
        return {}
    return dict(_definitions(text, wanted))


def _definitions(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    code = re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)  # line markers and pragmas
    start = depth = 0
    name = ""
    before = ""
    for word in _WORD.finditer(code):
        if not depth and word[0] == "(" and not name and before in names:
            name = before
        depth += _DEPTH.get(word[0], 0)
        if not depth and word[0] in ";}":
            if name and word[0] == "}":
                yield name, " ".join(code[start : word.end()].split())
            start, name = word.end(), ""
        before = word[0]
