"""The words for an event, and its JSON.

Takes an `Event`; gives lines for a person, or plain data for `json`.  `command` prints them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xenbind.commands.decode.events import Event, Leaf, Names


def text(event: Event, width: int | None = None) -> str:
    """Tell an event as a person reads it: names for values, addresses in hexadecimal.

    The first line says what happened, the next what the reason's own member holds, and
    the last one the registers that are not zero.  Lines are folded to a width if there is one.
    """
    plan = event.plan
    head, details, registers = _parts(event)
    place = f"#{event.index} at byte {event.position}"
    lines = _folded(place, _words(plan.shape.head, head), width)
    if plan.payload is not None:
        words = _words(plan.details, details)
        lines += _folded(f"    {plan.payload}", words, width)
    shown = [
        pair for pair in zip(plan.shape.registers, registers, strict=True) if pair[1]
    ]
    if shown:
        leaves, values = zip(*shown, strict=True)
        words = _words(leaves, values, hexadecimal=True)
        lines += _folded("    registers", words, width)
    return "\n".join(lines)


def as_json(event: Event) -> dict[str, Any]:
    """Give an event as plain data: numbers, with the names of those that have names beside them.

    The name of the number `flags` is under `flags_name`.  The bytes are under `request`, by
    which `jsonl` reads the event again.
    """
    plan = event.plan
    head, details, registers = _parts(event)
    return {
        "index": event.index,
        "position": event.position,
        **_members(plan.shape.head, head),
        "payload": plan.payload,
        "details": _members(plan.details, details),
        "registers": _members(plan.shape.registers, registers),
        "request": event.request.hex(),
    }


def name_of(names: Names, value: int) -> str:
    """Name a value, or each of its bits; what has no name in hexadecimal."""
    if value in names.by_value:
        return names.by_value[value]
    if not names.is_flag:
        return f"UNKNOWN_{value}"
    found = []
    for known, name in names.by_value.items():
        if known and value & known == known:
            found.append(name)
            value ^= known
    if value or not found:
        found.append(f"{value:#x}" if value else "0")
    return "|".join(found)


def _parts(event: Event) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """Give the values of the head, the details and the registers."""
    head = len(event.plan.shape.head)
    registers = head + len(event.plan.details)
    values = event.values
    return values[:head], values[head:registers], values[registers:]


def _members(leaves: Sequence[Leaf], values: Sequence[int]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for leaf, value in zip(leaves, values, strict=True):
        content[leaf.label] = value
        if leaf.names is not None:
            content[f"{leaf.label}_name"] = name_of(leaf.names, value)
    return content


def _words(
    leaves: Sequence[Leaf], values: Sequence[int], hexadecimal: bool = False
) -> Iterator[str]:
    """Write `name=value` for each leaf; small numbers are decimal, unless told otherwise."""
    for leaf, value in zip(leaves, values, strict=True):
        if leaf.names is not None:
            yield f"{leaf.label}={name_of(leaf.names, value)}"
        elif hexadecimal or leaf.size == 8 or value > 0xFFFF:
            yield f"{leaf.label}={value:#x}"
        else:
            yield f"{leaf.label}={value}"


def _folded(title: str, words: Iterable[str], width: int | None) -> list[str]:
    """Write `title: word …`, in as many lines as it takes."""
    line = " ".join([f"{title}:", *words])
    if width is None:
        return [line]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )
