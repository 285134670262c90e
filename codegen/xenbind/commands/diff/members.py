"""The members of one struct or union on two sides: what became of each.

Takes a `Record` of the old version and the one of the same name in the new, with the
records that each can refer to; gives `MemberChange`s.  `diff` calls it.

Members are compared inside the struct or union that has a tag; what an anonymous one
holds goes by its path there (`data.emul.read`).  What changes inside another tagged
struct is told at that one alone: here its member only `follows`.  Members pair by name,
and in a struct also by place: a renamed one.  In a union, where all have one place, a new
name is a new member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from xenbind.commands.diff.type_equality import (
    Records,
    is_anonymous,
    same_layout,
    same_type,
    spellings,
)
from xenbind.ir.c_types import Array, CType, RecordRef, spelling
from xenbind.ir.interface import Field, Record

T = TypeVar("T")

_PADDING = re.compile(r"_*pad(ding)?_?\d*")


class Change(Enum):
    """What befell a member; one can be moved, resized and retyped at once."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    RESIZED = "resized"
    RETYPED = "retyped"


_MOVED = (Change.MOVED,)
_RESIZED = (Change.RESIZED,)


@dataclass(frozen=True, slots=True)
class Member:
    """One side of a member; `name` is its path and `offset` counts from the tagged record."""

    name: str
    type: str
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member that is not as it was; `old` or `new` is None where the member is absent.

    `padding` is a member that only fills; `in_padding` one that takes its place, or that
    of a hole.  `follows` tells that the member is as it was but for the size of its
    type, and perhaps its place.  `position` tells neighbours: it counts all members but
    padding, the removed ones too.
    """

    changes: tuple[Change, ...]
    old: Member | None
    new: Member | None
    breaking: bool
    padding: bool = False
    in_padding: bool = False
    in_union: bool = False
    follows: bool = False
    position: int = 0


def member_changes(
    old: Record, old_records: Records, new: Record, new_records: Records
) -> tuple[MemberChange, ...]:
    """What became of the members, in order; padding that only moved is left out."""
    found = []
    position = 0
    for change in _members(_Part(old, old_records), _Part(new, new_records)):
        if change.changes and not (change.padding and change.changes == _MOVED):
            found.append(replace(change, position=position))
        position += not change.padding
    return tuple(found)


def start(place: Field | Member) -> int:
    """The first bit of a member."""
    return 8 * place.offset + (place.bit_offset or 0)


def width(place: Field | Member) -> int:
    """The number of bits in a member."""
    return 8 * place.size if place.bit_width is None else place.bit_width


def ends_open(record: Record) -> bool:
    """Whether the last member is an array of as many elements as there is room for."""
    last = record.fields[-1].type if record.fields else None
    return (
        record.kind == "struct"
        and isinstance(last, Array)
        and last.length in (None, 0, 1)
    )


def merge(
    old: Mapping[str, T], new: Mapping[str, T]
) -> Iterator[tuple[T | None, T | None]]:
    """Pairs by name in the order of `new`; what only `old` has, after what it followed."""
    followers: dict[str | None, list[T]] = {}
    last = None
    for name, item in old.items():
        if name in new:
            last = name
        else:
            followers.setdefault(last, []).append(item)
    for gone in followers.get(None, ()):
        yield gone, None
    for name, item in new.items():
        yield old.get(name), item
        for gone in followers.get(name, ()):
            yield gone, None


# --- one record beside the other ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A tagged record on one side, or an anonymous one in it with its path and offset."""

    record: Record
    records: Records
    path: str = ""
    base: int = 0

    def member(self, field: Field, type: str = "") -> Member:
        return Member(
            self.path + field.name,
            type or spelling(field.type),
            self.base + field.offset,
            field.size,
            field.bit_offset,
            field.bit_width,
        )

    def inside(self, field: Field) -> _Part | None:
        """The anonymous record that a member is, or is an array of."""
        element, index = field.type, ""
        while isinstance(element, Array):
            element, index = element.element, index + "[]"
        if not isinstance(element, RecordRef) or not is_anonymous(element.key):
            return None
        path = f"{self.path}{field.name}{index}."
        base = self.base + field.offset
        return _Part(self.records[element.key], self.records, path, base)

    def leaves(self, field: Field) -> Iterator[Member]:
        """The member, or in its place all those in the anonymous record that it is."""
        inside = self.inside(field)
        if inside is None:
            yield self.member(field)
        else:
            for inner in inside.record.fields:
                yield from inside.leaves(inner)


def _members(old: _Part, new: _Part) -> Iterator[MemberChange]:
    """All members of either side in order, the unchanged ones with no `changes`."""
    in_union = new.record.kind == "union"
    renamed = {} if in_union else _renamed(old.record, new.record)
    for before, after in merge(
        {renamed.get(field.name, field.name): field for field in old.record.fields},
        {field.name: field for field in new.record.fields},
    ):
        if before is not None and after is not None:
            yield from _pair(old, before, new, after)
        elif before is not None:
            for leaf in old.leaves(before):
                padding = _is_padding(leaf.name)
                yield MemberChange(
                    (Change.REMOVED,), leaf, None, not padding, padding, False, in_union
                )
        elif after is not None:
            in_padding = not in_union and _was_padding(old.record, new.record, after)
            for leaf in new.leaves(after):
                padding = _is_padding(leaf.name)
                yield MemberChange(
                    (Change.ADDED,), None, leaf, False, padding, in_padding, in_union
                )


def _pair(
    old: _Part, before: Field, new: _Part, after: Field
) -> Iterator[MemberChange]:
    """A member that both sides have, then what is inside it if its type is anonymous."""
    open_ended = _is_open_end(old.record, before) and _is_open_end(new.record, after)
    happened = {
        Change.RENAMED: before.name != after.name,
        Change.MOVED: start(before) != start(after),
        Change.RESIZED: width(before) != width(after) and not open_ended,
        Change.RETYPED: not same_type(before.type, after.type),
    }
    changes = tuple(change for change in happened if happened[change])
    breaking = bool(changes)
    if changes == (Change.RETYPED,):
        types = before.type, after.type
        if open_ended:  # ring[1] and ring[] are one thing
            types = _element(before.type), _element(after.type)
        breaking = not same_layout(types[0], old.records, types[1], new.records)
    padding = _is_padding(after.name)
    names = spellings(before.type, after.type)
    yield MemberChange(
        changes,
        old.member(before, names[0]),
        new.member(after, names[1]),
        breaking=breaking and not padding,
        padding=padding,
        in_union=new.record.kind == "union",
        follows=changes in (_RESIZED, (*_MOVED, *_RESIZED))
        and before.bit_width is after.bit_width is None,
    )
    outer, inner = old.inside(before), new.inside(after)
    if outer and inner and outer.record.kind == inner.record.kind:
        members = list(_members(outer, inner))
        if any(member.changes for member in members):
            yield from members


def _renamed(old: Record, new: Record) -> dict[str, str]:
    """New names by old ones, each unknown to the other side: the members of one type at one
    place behind one and the same neighbour.  Place and type alone agree by chance.
    """
    renamed: dict[str, str] = {}
    olds = {field.name for field in old.fields}
    news = {field.name for field in new.fields}
    arrived = {
        start(field): (neighbour, field)
        for neighbour, field in _with_neighbours(new)
        if field.name not in olds
    }
    for neighbour, field in _with_neighbours(old):
        if field.name in news or start(field) not in arrived:
            continue
        heir_neighbour, heir = arrived[start(field)]
        if (
            renamed.get(neighbour, neighbour) == heir_neighbour
            and field.bit_width == heir.bit_width
            and same_type(field.type, heir.type)
        ):
            renamed[field.name] = heir.name
    return renamed


def _with_neighbours(record: Record) -> Iterator[tuple[str, Field]]:
    """The members that are not padding, each with the name of the one before it."""
    neighbour = ""
    for field in record.fields:
        if not _is_padding(field.name):
            yield neighbour, field
            neighbour = field.name


def _was_padding(old: Record, new: Record, field: Field) -> bool:
    """Whether a struct that kept its size had no member but padding where it has this."""
    end = start(field) + width(field)
    return old.size == new.size and all(
        end <= start(other) or start(other) + width(other) <= start(field)
        for other in old.fields
        if not _is_padding(other.name)
    )


def _is_padding(name: str) -> bool:
    return _PADDING.fullmatch(name.rpartition(".")[2]) is not None


def _is_open_end(record: Record, field: Field) -> bool:
    return field is record.fields[-1] and ends_open(record)


def _element(type: CType) -> CType:
    return type.element if isinstance(type, Array) else type
