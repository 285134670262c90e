"""Tell an event in words.

Takes `Event`s; gives lines for a person, which `command` prints.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from xenbind.commands.decode.events import Event, Leaf, answer_of
from xenbind.commands.decode.stream import Note, moment


def text(event: Event, width: int | None = None) -> str:
    """Tell an event as a person reads it: names for values, addresses in hexadecimal.

    The first line says what happened, the next what the reason's own member holds, and
    the last one the registers that are not zero.  Lines are folded to a width if there is one.
    """
    plan, values = event.plan, event.values
    head = len(plan.shape.head)
    registers = head + len(plan.details)
    first = list(_words(plan.shape.head, values))
    details = list(_words(plan.details, values[head:registers]))
    if not plan.shape.is_request:
        return "\n".join(_folded(_place(event), [*first, *details], width))
    lines = _folded(_place(event), first, width)
    if plan.payload is not None:
        lines += _folded(f"    {plan.payload}", details, width)
    names = plan.shape.register_names
    # `hex` takes half as long as a format.
    shown = [
        f"{name}={hex(value)}"
        for name, value in zip(names, values[registers:], strict=True)
        if value
    ]
    if shown:
        lines += _folded("    registers", shown, width)
    if event.note is not None:
        lines += _folded("    answer", _answer(event, event.note), width)
    return "\n".join(lines)


def _place(event: Event) -> str:
    """Say which event it is, and where, or when and of whom."""
    session, note = event.session, event.note
    if session is None or note is None:
        return f"#{event.index} at byte {event.position}"
    return f"#{event.index} at {moment(session, note.time)} domain={session.domain}"


def _answer(event: Event, note: Note) -> Iterator[str]:
    """Say how a request was answered: how long after, with which flags, and what changed."""
    if note.latency is None:
        yield "none"
        return
    yield f"after {note.latency / 1000:.1f} µs"
    answer = answer_of(event, note)
    leaf = event.plan.shape.leaf("flags")
    if leaf is not None:
        yield from _words([leaf], [answer.flags])
    yield from _words(answer.leaves, answer.numbers)
    if answer.emulated is not None:
        path, octets = answer.emulated
        yield f"{path.removeprefix('data.')}={octets.hex()}"


def _words(leaves: Sequence[Leaf], values: Sequence[int]) -> Iterator[str]:
    """Write `name=value` for each leaf; small numbers are decimal."""
    for leaf, value in zip(leaves, values, strict=False):
        if leaf.names is not None:
            yield f"{leaf.label}={leaf.names.of(value)}"
        elif leaf.size == 8 or value > 0xFFFF:
            yield f"{leaf.label}={hex(value)}"
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
