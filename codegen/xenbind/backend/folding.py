"""Long lines of Python, broken where black would break them.

Takes a line; gives lines, for the templates.  black has the last word, but formats a
text twice that it would change: this spares it the second time for what macros hold.
"""

from __future__ import annotations

LINE = 88


def fold(line: str, indent: int) -> list[str]:
    """A statement or the head of a definition, to stand `indent` spaces in."""
    end = max(line.rfind(bracket) for bracket in ")]")
    if indent + len(line) <= LINE or end < 0:
        return [line]
    start = _opening(line, end)
    margin = " " * (len(line) - len(line.lstrip()))
    return [
        line[: start + 1],
        f"{margin}    {line[start + 1 : end]}",
        margin + line[end:],
    ]


def _opening(line: str, end: int) -> int:
    """Where the bracket opens that closes at `end`."""
    depth = 0
    for place in range(end, -1, -1):
        depth += (line[place] in ")]}") - (line[place] in "([{")
        if not depth:
            return place
    return end
