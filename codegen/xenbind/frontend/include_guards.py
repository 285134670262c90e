"""Tell which macro keeps a header from being read twice.

Takes a header's text; gives the macro's name.  `macros` takes no constant of it, and `roots`
no definition.

    #ifndef PAIR_H         ->  PAIR_H
    #define PAIR_H 1
    struct pair { … };
    #endif
"""

from __future__ import annotations

import re

from xenbind.source import without_any_comments

_GUARD = re.compile(
    r"""
    (?: \s* \#[ \t]*pragma\b.*\n )*
    \s* \#[ \t]*(?: ifndef[ \t]+ | if[ \t]*![ \t]*defined\b[ \t(]* ) (\w+) [ \t)]* \n
    \s* \#[ \t]*define[ \t]+ \1 (?: [ \t]+(?: 1 | \(1\) ) )? [ \t]* \n
    \s* (?! \s | \#[ \t]*(?: endif | else | elif )\b )  # or it only has a default
    """,
    re.VERBOSE,
)


def include_guard(text: str) -> str:
    """Give the name of a header's include guard, empty if it has none."""
    found = _GUARD.match(without_any_comments(text))
    return found[1] if found else ""
