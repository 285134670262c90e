"""The words for an event, and its JSON.

Takes an `Event`; gives lines for a person, or plain data for `json`.  `command` prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xenbind.commands.decode.events import Event, Leaf, Names

_WIDTH = 96


def text(event: Event) -> str:
    """Tell an event as a person reads it: names for values, addresses in hexadecimal.

    The first line says what happened, the next what the reason's own member holds, and
    the last ones the registers that are not zero.
    """
    plan = event.plan
    head, details, registers = _parts(event)
    words = " ".join(_words(plan.shape.head, head))
    lines = [f"#{event.index} at byte {event.position}: {words}"]
    if plan.payload is not None:
        lines += _wrapped(plan.payload, _words(plan.details, details))
    shown = [
        pair for pair in zip(plan.shape.registers, registers, strict=True) if pair[1]
    ]
    if shown:
        leaves, values = zip(*shown, strict=True)
        lines += _wrapped("registers", _words(leaves, values, hexadecimal=True))
    return "\n".join(lines)


def as_json(event: Event) -> dict[str, Any]:
    """Give an event as plain data: numbers, with the names of those that have names beside them.

    The name of the number `flags` is under `flags_name`.
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


def _wrapped(title: str, words: Iterable[str]) -> Iterator[str]:
    """Write `title: word …` in lines of a readable width."""
    line = f"    {title}:"
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = "       "
        line += f" {word}"
    yield line
