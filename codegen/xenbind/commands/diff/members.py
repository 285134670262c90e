"""Pair the members of one struct or union on two sides: what became of each.

Takes a `Record` of the old version and the one of the same name in the new, with the
records that each can refer to; gives `MemberChange`s, which `compare` collects.

Members are compared inside the struct or union that has a tag; what an anonymous one
holds goes by its path there (`data.emul.read`).  What changes inside another tagged
struct is told at that one alone: here its member only `follows`.  Members pair by name,
and in a struct also by place: a renamed one.  In a union, where all have one place, a new
name is a new member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeVar

from xenbind.commands.diff.type_equality import (
    Records,
    same_layout,
    same_type,
    spellings,
)
from xenbind.ir.c_types import Array, RecordRef, is_anonymous, spelling
from xenbind.ir.interface import Field, Placed, Record
from xenbind.plain import Struct, replace

T = TypeVar("T")


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


class Member(Placed, Struct, frozen=True):
    """One side of a member; `name` is its path and `offset` counts from the tagged record."""

    name: str
    type: str
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None


class MemberChange(Struct, frozen=True):
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
    """Tell what became of the members, in order; padding that only moved is left out."""
    found = []
    position = 0
    for change in _members(_Side(old, old_records), _Side(new, new_records)):
        if change.changes and not (change.padding and change.changes == _MOVED):
            found.append(replace(change, position=position))
        position += not change.padding
    return tuple(found)


def ends_open(record: Record) -> bool:
    """Tell whether the last member is an array of as many elements as there is room for."""
    last = record.fields[-1].type if record.fields else None
    return (
        record.kind == "struct"
        and isinstance(last, Array)
        and last.length in (None, 0, 1)
    )


def merge(
    old: Mapping[str, T], new: Mapping[str, T]
) -> Iterator[tuple[T | None, T | None]]:
    """Pair items by name, in the order of `new`; what only `old` has, after what it followed."""
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


class _Side(Struct, frozen=True):
    """A tagged record on one side, or an anonymous one in it with its path and offset."""

    record: Record
    records: Records
    path: str = ""
    base: int = 0

    def member(self, field: Field, spelled: str = "") -> Member:
        """Give a member with its path; `spelled` is how messages call its type."""
        return Member(
            name=self.path + field.name,
            type=spelled or spelling(field.type),
            offset=self.base + field.offset,
            size=field.size,
            bit_offset=field.bit_offset,
            bit_width=field.bit_width,
        )

    def inside(self, field: Field) -> _Side | None:
        """Give the anonymous record that a member is, or is an array of."""
        element, index = field.type, ""
        while isinstance(element, Array):
            element, index = element.element, index + "[]"
        if not isinstance(element, RecordRef) or not is_anonymous(element.key):
            return None
        path = f"{self.path}{field.name}{index}."
        base = self.base + field.offset
        return _Side(self.records[element.key], self.records, path, base)

    def leaves(self, field: Field) -> Iterator[Member]:
        """Give the member, or in its place all those in the anonymous record that it is."""
        inside = self.inside(field)
        if inside is None:
            yield self.member(field)
        else:
            for inner in inside.record.fields:
                yield from inside.leaves(inner)


def _members(old: _Side, new: _Side) -> Iterator[MemberChange]:
    """Give all members of either side in order, the unchanged ones with no `changes`."""
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
                yield MemberChange(
                    changes=(Change.REMOVED,),
                    old=leaf,
                    new=None,
                    breaking=not leaf.is_padding,
                    padding=leaf.is_padding,
                    in_union=in_union,
                )
        elif after is not None:
            in_padding = not in_union and _was_padding(old.record, new.record, after)
            for leaf in new.leaves(after):
                yield MemberChange(
                    changes=(Change.ADDED,),
                    old=None,
                    new=leaf,
                    breaking=False,
                    padding=leaf.is_padding,
                    in_padding=in_padding,
                    in_union=in_union,
                )


def _pair(
    old: _Side, before: Field, new: _Side, after: Field
) -> Iterator[MemberChange]:
    """Compare a member that both sides have, then what is in it if its type is anonymous."""
    open_ended = _is_open_end(old.record, before) and _is_open_end(new.record, after)
    happened = {
        Change.RENAMED: before.name != after.name,
        Change.MOVED: before.first_bit != after.first_bit,
        Change.RESIZED: before.bit_count != after.bit_count and not open_ended,
        Change.RETYPED: not same_type(before.type, after.type),
    }
    changes = tuple(change for change in happened if happened[change])
    breaking = bool(changes)
    if changes == (Change.RETYPED,):
        old_type, new_type = before.type, after.type
        if open_ended:  # ring[1] and ring[] are one thing
            assert isinstance(old_type, Array) and isinstance(new_type, Array)
            old_type, new_type = old_type.element, new_type.element
        breaking = not same_layout(old_type, old.records, new_type, new.records)
    names = spellings(before.type, after.type)
    yield MemberChange(
        changes=changes,
        old=old.member(before, names[0]),
        new=new.member(after, names[1]),
        breaking=breaking and not after.is_padding,
        padding=after.is_padding,
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
    """Give new names by old ones, each unknown to the other side.

    Such members have one type and one place, behind one and the same neighbour: place and
    type alone agree by chance.
    """
    renamed: dict[str, str] = {}
    olds = {field.name for field in old.fields}
    news = {field.name for field in new.fields}
    arrived = {
        field.first_bit: (neighbour, field)
        for neighbour, field in _with_neighbours(new)
        if field.name not in olds
    }
    for neighbour, field in _with_neighbours(old):
        if field.name in news or field.first_bit not in arrived:
            continue
        heir_neighbour, heir = arrived[field.first_bit]
        if (
            renamed.get(neighbour, neighbour) == heir_neighbour
            and field.bit_width == heir.bit_width
            and same_type(field.type, heir.type)
        ):
            renamed[field.name] = heir.name
    return renamed


def _with_neighbours(record: Record) -> Iterator[tuple[str, Field]]:
    """Give the members that are not padding, each with the name of the one before it."""
    neighbour = ""
    for field in record.fields:
        if not field.is_padding:
            yield neighbour, field
            neighbour = field.name


def _was_padding(old: Record, new: Record, field: Field) -> bool:
    """Tell whether a struct that kept its size had no member but padding where it has this."""
    end = field.first_bit + field.bit_count
    return old.size == new.size and all(
        end <= other.first_bit or other.first_bit + other.bit_count <= field.first_bit
        for other in old.fields
        if not other.is_padding
    )


def _is_open_end(record: Record, field: Field) -> bool:
    return field is record.fields[-1] and ends_open(record)
