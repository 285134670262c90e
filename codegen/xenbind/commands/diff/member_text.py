"""The words for what became of a record's members, line by line.

Takes `MemberChange`s; gives `Line`s, each with a kind to colour it by.  `difftext` puts
them under their headings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TypeVar

from xenbind.commands.diff.members import Change, Member, MemberChange, start, width

T = TypeVar("T")

_ONE_SIDED = (Change.ADDED,), (Change.REMOVED,)


class Kind(Enum):
    """What a line tells."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    NOTE = "note"
    HEADING = "heading"
    WARNING = "warning"


_MARKS = {
    Kind.ADDED: "  + ",
    Kind.REMOVED: "  - ",
    Kind.CHANGED: "  ~ ",
    Kind.NOTE: "    ",
    Kind.HEADING: "",
    Kind.WARNING: "warning: ",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the description; a note without text is the space before a section."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{_MARKS[self.kind]}{self.text}".rstrip()


def one_side(old: T | None, new: T | None) -> tuple[Kind, T]:
    """What is on one side alone, and whether that adds or removes it."""
    if new is not None:
        return Kind.ADDED, new
    assert old is not None
    return Kind.REMOVED, old


def member_lines(changes: Sequence[MemberChange]) -> Iterator[Line]:
    """The changes in order, like ones together; then what follows from types, and padding."""
    for run in _runs([change for change in changes if not change.padding]):
        first = run[0]
        if first.changes in _ONE_SIDED:
            yield _presence_of_members(run)
        elif _shift(first):
            yield _moved_line(run)
        elif not first.follows:
            yield _changed_line(first)
    yield from _followers(changes)
    padding = [_padding_text(change) for change in changes if change.padding]
    if padding:
        yield Line(Kind.NOTE, f"padding: {', '.join(padding)}")


def _runs(members: Sequence[MemberChange]) -> list[list[MemberChange]]:
    """Neighbours to which the same happened, to be told together."""
    runs: list[list[MemberChange]] = [[member] for member in members[:1]]
    for before, member in pairwise(members):
        adjacent = member.position == before.position + 1
        if adjacent and _fate(before) == _fate(member):
            runs[-1].append(member)
        else:
            runs.append([member])
    return runs


def _fate(member: MemberChange) -> object:
    """What is alike in members that can be told together."""
    if _shift(member):
        return "moved", _shift(member)
    if member.changes in _ONE_SIDED and _present(member).bit_width is None:
        place = member.in_union, member.in_padding
        return member.changes, place, _present(member).type
    return "alone", member.position


def _shift(member: MemberChange) -> int:
    """By how many bits a member moved, if that or its type's size is all that changed."""
    if member.old is None or member.new is None:
        return 0
    if member.changes != (Change.MOVED,) and not member.follows:
        return 0
    return start(member.new) - start(member.old)


def _present(member: MemberChange) -> Member:
    present = member.new or member.old
    assert present is not None
    return present


def _presence_of_members(run: Sequence[MemberChange]) -> Line:
    kind, first = one_side(run[0].old, run[0].new)
    names = ", ".join(_present(member).name for member in run)
    place = "" if run[0].in_union else f" {_place(first, several=len(run) > 1)}"
    padding = ", in former padding" if run[0].in_padding else ""
    return Line(kind, f"{names}: {first.type}{place}{padding}")


def _place(member: Member, several: bool) -> str:
    byte = f"{'from' if several else 'at'} byte {member.offset}"
    if member.bit_offset is None or member.bit_width is None:
        return byte
    last = member.bit_offset + member.bit_width - 1
    return f"{byte}, bits {member.bit_offset} to {last}"


def _moved_line(run: Sequence[MemberChange]) -> Line:
    names = [_present(member).name for member in run]
    who = f"{', '.join(names)}:"
    if len(names) > 3:
        who = f"{names[0]} to {names[-1]}: {len(names)} members"
    return Line(Kind.CHANGED, f"{who} moved by {_amount(_shift(run[0]))}")


def _changed_line(change: MemberChange) -> Line:
    """A member of which more changed than its place."""
    old, new = change.old, change.new
    assert old and new
    parts = []
    if Change.RENAMED in change.changes:
        parts.append(f"renamed to {new.name}")
    if Change.RETYPED in change.changes:
        parts.append(f"{old.type} → {new.type}")
    if Change.RESIZED in change.changes:
        parts.append(_resized(old, new))
    if Change.MOVED in change.changes:
        parts.append(f"moved by {_amount(start(new) - start(old))}")
    if change.breaking:
        return Line(Kind.CHANGED, f"{old.name}: {', '.join(parts)}")
    return Line(Kind.NOTE, f"{old.name}: {', '.join(parts)}, the same layout")


def _followers(members: Sequence[MemberChange]) -> Iterator[Line]:
    """Members whose type has a new size, those of one growth together.

    An anonymous struct or union is left out where a member of it tells the same.
    """
    groups: dict[int, list[str]] = {}
    for member in members:
        if member.follows and not member.padding and member.old and member.new:
            growth = member.new.size - member.old.size
            groups.setdefault(growth, []).append(member.new.name)
    for growth, names in groups.items():
        inner = [
            name
            for name in names
            if not any(other.startswith(f"{name}.") for other in names)
        ]
        verb = "grew" if growth > 0 else "shrank"
        yield Line(
            Kind.CHANGED, f"{', '.join(inner)}: {verb} by {byte_count(abs(growth))}"
        )


def _padding_text(change: MemberChange) -> str:
    old, new = change.old, change.new
    if old is None or new is None:
        return f"{_present(change).name} {'gone' if new is None else 'new'}"
    if Change.RESIZED in change.changes:
        return f"{new.name} {_resized(old, new)}"
    return f"{new.name} {old.type} → {new.type}"


# --- sizes ----------------------------------------------------------------------------


def _resized(old: Member, new: Member) -> str:
    if old.bit_width is None and new.bit_width is None:
        return size_change(old.size, new.size)
    return f"from {width(old)} to {width(new)} bits"


def size_change(old: int, new: int) -> str:
    if old == new:
        return f"still {byte_count(new)}"
    return f"{'grew' if new > old else 'shrank'} from {old} to {byte_count(new)}"


def _amount(bits: int) -> str:
    if bits % 8:
        return f"{bits:+} bit{'' if abs(bits) == 1 else 's'}"
    return f"{'+' if bits > 0 else '-'}{byte_count(abs(bits) // 8)}"


def byte_count(number: int) -> str:
    return f"{number} byte{'' if number == 1 else 's'}"
