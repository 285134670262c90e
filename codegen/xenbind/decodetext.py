"""The words for an event, and its JSON.

Takes an `Event` of `decode`; gives lines for a person, or plain data for `json`.
"""

from __future__ import annotations

from typing import Any

from .decode import Event, Leaf
from .ir import ConstantGroup

_WIDTH = 96


def text(event: Event) -> str:
    """An event as a person reads it: names for values, addresses in hexadecimal.

    The first line says what happened, the next what the reason's own member holds, and
    the last ones the registers that are not zero.
    """
    head = " ".join(
        f"{leaf.path}={_value(leaf, value)}" for leaf, value in event.head.items()
    )
    lines = [f"#{event.index} at byte {event.position}: {head}"]
    if event.payload is not None:
        lines += _wrapped(event.payload, event.details, keep_zero=True)
    lines += _wrapped("registers", event.registers, keep_zero=False)
    return "\n".join(lines)


def to_json(event: Event) -> dict[str, Any]:
    """An event as plain data: numbers, with the names of those that have names beside them."""
    content: dict[str, Any] = {"index": event.index, "position": event.position}
    for leaf, value in event.head.items():
        content[leaf.path] = value
        if leaf.values is not None:
            content[f"{leaf.path}_name"] = names(leaf.values, value)
    content["payload"] = event.payload
    content["details"] = {
        _short(leaf, event.payload): v for leaf, v in event.details.items()
    }
    content["registers"] = {
        _last(leaf): value for leaf, value in event.registers.items()
    }
    return content


def names(group: ConstantGroup, value: int) -> str:
    """The name of a value, or of each of its bits; what has no name in hexadecimal."""
    members = {
        member.value: member.name.removeprefix(group.prefix) for member in group.members
    }
    if value in members and not (group.is_flag and value == 0):
        return members[value]
    if not group.is_flag:
        return f"UNKNOWN_{value}"
    found, rest = [], value
    for bit in range(value.bit_length()):
        if value >> bit & 1 and 1 << bit in members:
            found.append(members[1 << bit])
            rest &= ~(1 << bit)
    if rest or not found:
        found.append(f"{rest:#x}" if rest else "0")
    return "|".join(found)


def _value(leaf: Leaf, value: int) -> str:
    if leaf.values is not None:
        return names(leaf.values, value)
    is_address = leaf.size == 8 or leaf.path.startswith("data.")
    return f"{value:#x}" if is_address or value > 0xFFFF else str(value)


def _wrapped(title: str, values: dict[Leaf, int], keep_zero: bool) -> list[str]:
    """`title: name=value …` in lines of a readable width."""
    lines: list[str] = []
    line = f"    {title}:"
    for leaf, value in values.items():
        if not value and not keep_zero:
            continue
        word = f" {_short(leaf, title)}={_value(leaf, value)}"
        if len(line) + len(word) > _WIDTH:
            lines.append(line)
            line = "       "
        line += word
    return [*lines, line] if line.strip() and "=" in line else lines


def _short(leaf: Leaf, member: str | None) -> str:
    """A path within its union member, or a register's name with its segment."""
    if member is not None and f".{member}." in leaf.path:
        return leaf.path.partition(f".{member}.")[2]
    return _last(leaf)


def _last(leaf: Leaf) -> str:
    return leaf.path.split(".", 3)[-1]
