"""Write pieces of Python source: literals, docstrings, comments, folded lines.

Takes constants and words from a header, which may hold anything; gives text that has
their value, or contains them and nothing else: no text ends its own string, and none is
evaluated.  `module` and those beside it place it.

    literal of `#define FLAG (1u << 3)`  ->  1 << 3
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import reduce
from math import isfinite
from operator import or_

from xenbind.ir.interface import Constant, Span
from xenbind.words import printable

LINE = 88  # columns, as black has them

_SHIFT = re.compile(r"(\d+)[uUlL]*\s*<<\s*(\d+)[uUlL]*")
_UNION = re.compile(r"\w+(?:\s*\|\s*\w+)+")
_LONGEST_UNION = 64  # bits in the widest type; Python's compiler recurses
_HEXADECIMAL = re.compile(r"0[xX]([0-9a-fA-F]+)[uUlL]*")


def literal(
    constant: Constant, names: Mapping[str, str], written: Mapping[str, int]
) -> str:
    """Write a constant's value: a shift, an or of others, or a number.

    `names` are the constants' names in Python, `written` the values of those that stand
    above it.  What the header writes is taken only if it means the same in Python; C's
    arithmetic wraps where Python's does not.
    """
    value = constant.value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return floating(value)
    body = constant.body.strip()
    while body.startswith("(") and body.endswith(")") and "(" not in body[1:]:
        body = body[1:-1].strip()
    shift = _SHIFT.fullmatch(body)
    if shift and int(shift[1]) << int(shift[2]) == value:
        return f"{int(shift[1])} << {int(shift[2])}"
    if _UNION.fullmatch(body):
        parts = re.split(r"\s*\|\s*", body)
        known = [written[part] for part in parts if part in written]
        short = len(known) == len(parts) <= _LONGEST_UNION
        if short and reduce(or_, known) == value:
            return " | ".join(names[part] for part in parts)
    hexadecimal = _HEXADECIMAL.fullmatch(body)
    if hexadecimal and int(hexadecimal[1], 16) == value:
        return f"0x{hexadecimal[1].upper()}"
    return f"0x{value:X}" if constant.is_address else str(value)


def floating(value: float) -> str:
    """Write a floating number; one that is too large for C has become infinite."""
    return repr(value) if isfinite(value) else f'float("{value}")'


def text(value: str) -> str:
    """Write a string as black does; what cannot be printed is escaped."""
    quoted = repr(value)
    if quoted.startswith("'") and '"' not in value:
        return f'"{quoted[1:-1]}"'
    return quoted


# --- words ---------------------------------------------------------------------------


def docstring(text: str, indent: int) -> str:
    """Write a docstring as black does, its first line not indented, for `indent` spaces.

    Paragraphs are filled; the first is the summary.
    """
    if not text:
        return ""
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    paragraphs = [printable(part) for part in parts if part]
    if not paragraphs:
        return ""
    margin = " " * indent
    only = _harmless(paragraphs[0])
    if len(paragraphs) == 1 and indent + len(only) + 6 <= LINE:
        return f'"""{only}"""'
    width = LINE - indent
    first = _filled("'''" + paragraphs[0], width)
    if len(paragraphs) == len(first) == 1:  # the closing quotes have no room
        first = _filled("'''" + paragraphs[0], width - 3)
    lines = ["\n".join(first).removeprefix("'''")]
    lines += ["\n".join(_filled(part, width)) for part in paragraphs[1:]]
    # Escaped after it is filled: no line ends between a backslash and what it escapes.
    body = _harmless("\n\n".join(lines))
    body = body.replace("\n", f"\n{margin}").replace(f"\n{margin}\n", "\n\n")
    return f'"""{body}\n{margin}"""'


def _filled(text: str, width: int) -> list[str]:
    """Fill lines with words, which have one space between them."""
    if max(map(len, text.split(" "))) > width:
        return textwrap.wrap(text, width, break_on_hyphens=False)
    # As textwrap does, which takes six times as long.
    lines = []
    while len(text) > width:
        end = text.rfind(" ", 0, width + 1)
        lines.append(text[:end])
        text = text[end + 1 :]
    return [*lines, text]


def comment(text: str, indent: int = 0) -> list[str]:
    """Write the first paragraph as comment lines."""
    words = " ".join(text.partition("\n\n")[0].split())
    return textwrap.wrap(
        printable(words), LINE - indent, initial_indent="# ", subsequent_indent="# "
    )


def _harmless(text: str) -> str:
    # A quote at either end would run into the delimiter.
    body, last = (text[:-1], '\\"') if text.endswith('"') else (text, "")
    words = body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + last
    return f" {words}" if words.startswith('"') else words


# --- lines ---------------------------------------------------------------------------


def tuple_of(items: Sequence[str], before: str) -> str:
    """Write a tuple behind `before`, which tells its indentation too, with a comma after it.

    Too long for a line, it has each item on one.
    """
    comma = "," if len(items) == 1 else ""
    text = f"({', '.join(items)}{comma})"
    if len(before) + len(text) < LINE:
        return text
    margin = " " * (len(before) - len(before.lstrip()))
    lines = "".join(f"{margin}    {item},\n" for item in items)
    return f"(\n{lines}{margin})"


def assigned(target: str, value: str, indent: int) -> str:
    """Write an assignment as black folds it, to stand `indent` spaces in.

    A value that has no room stands in parentheses, each operand of `|` on a line if need be;
    where these have none either, it stays.
    """
    line, margin = f"{target} = {value}", " " * indent
    if indent + len(line) <= LINE or not _has_room_for_parenthesis(target, indent):
        return line
    operands = value.split(" | ")
    if indent + 4 + len(value) <= LINE:
        operands = [value]
    elif len(operands) == 1:
        return line
    folded = f"\n{margin}    | ".join(operands)
    return f"{target} = (\n{margin}    {folded}\n{margin})"


def _has_room_for_parenthesis(target: str, indent: int) -> bool:
    return indent + len(f"{target} = (") <= LINE


def declared(name: str, annotation: str, value: str, indent: int) -> str:
    """Write a declaration with a value, no longer than a name, as black folds it."""
    target = f"{name}: {annotation}"
    if _has_room_for_parenthesis(target, indent) or not annotation.endswith("]"):
        return assigned(target, value, indent)
    start = _opening(annotation, len(annotation) - 1) + 1
    before, after = f"{name}: {annotation[:start]}", f"] = {value}"
    items = _between_commas(annotation[start:-1])
    return f"\n{' ' * indent}".join(fold_items(before, items, after, indent))


def _between_commas(text: str) -> list[str]:
    """Cut text at the commas that no brackets are around."""
    items, start, depth = [], 0, 0
    for place, mark in enumerate(text):
        depth += (mark in "([") - (mark in ")]")
        if mark == "," and not depth:
            items.append(text[start:place])
            start = place + 2
    return [*items, text[start:]]


def fold(line: str, indent: int) -> list[str]:
    """Break a statement or the head of a definition, to stand `indent` spaces in.

    black has the last word, but formats a text twice that it would change: this spares it
    the second time.
    """
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


def fold_items(before: str, items: Sequence[str], after: str, indent: int) -> list[str]:
    """Write items behind an opening bracket and before a closing one, as black folds them.

    They stand on one line, or on the next one, or each has its own.  One parameter of a function
    does not stand on a line without a comma.
    """
    inside = ", ".join(items)
    is_only_parameter = before.startswith("def ") and len(items) == 1
    if indent + len(before) + len(inside) + len(after) <= LINE:
        return [before + inside + after]
    if indent + 4 + len(inside) <= LINE and not is_only_parameter:
        return [before, f"    {inside}", after]
    return [before, *(f"    {item}," for item in items), after]


def _opening(line: str, end: int) -> int:
    """Where the bracket opens that closes at `end`."""
    depth = 0
    for place in range(end, -1, -1):
        depth += (line[place] in ")]}") - (line[place] in "([{")
        if not depth:
            return place
    return end


def with_span(words: str, span: Span | None) -> str:
    """Put the releases of something behind what is said of it."""
    between = "\n\n" if "\n\n" in words else " "
    return between.join(filter(None, [words, str(span or "")]))
