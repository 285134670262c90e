"""The words for a difference between two versions.

Takes a `Difference`; gives `Line`s that read well in a commit message, each with a kind
to colour it by.  `command` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import TypeVar

from xenbind.commands.diff.compare import (
    ConstantChange,
    Difference,
    FunctionChange,
    RecordChange,
    TypedefChange,
    Verdict,
)
from xenbind.commands.diff.members import Change, Member, MemberChange
from xenbind.commands.diff.type_equality import spellings
from xenbind.ir.c_types import as_known, as_spelled, spelling
from xenbind.ir.interface import Constant
from xenbind.plain import Struct
from xenbind.words import count

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


class Line(Struct, frozen=True):
    """One line of the description; a note without text is the space before a section."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{_MARKS[self.kind]}{self.text}".rstrip()


def lines(difference: Difference, old: str = "", new: str = "") -> list[Line]:
    """Tell the difference in words; `old` and `new` may say where each version is from."""
    told = list(_summary(difference, old, new))
    for heading, section in sections(difference):
        told += [Line(Kind.NOTE, ""), Line(Kind.HEADING, heading), *section]
    return told


def sections(difference: Difference) -> list[tuple[str, list[Line]]]:
    """Give what differs under headings; none where nothing does."""
    return [(heading, section) for heading, section in _sections(difference) if section]


def _summary(difference: Difference, old: str, new: str) -> Iterator[Line]:
    before = f"{difference.old_version}{old and f' ({old})'}"
    after = f"{difference.new_version}{new and f' ({new})'}"
    verdict = difference.verdict.value
    yield Line(Kind.HEADING, f"{difference.name} version {before} → {after}: {verdict}")
    macro = difference.version_macro
    if difference.unannounced:
        text = f"the ABI broke but {macro} is still {difference.new_version}"
        yield Line(Kind.WARNING, text)
    same_version = difference.old_version == difference.new_version
    if macro and difference.verdict is not Verdict.BREAKING and not same_version:
        text = f"a monitor that compares {macro} has to be rebuilt nevertheless"
        yield Line(Kind.NOTE, text)


def _sections(difference: Difference) -> Iterator[tuple[str, list[Line]]]:
    constants = [_constant_line(change) for change in difference.constants]
    yield "constants", constants
    present = [_presence_line(c) for c in difference.records if not (c.old and c.new)]
    yield "structs and unions", present
    followers = []
    for record in difference.records:
        if record.old is None or record.new is None:
            continue
        if _only_follows(record):
            followers.append(_follower_line(record))
        else:
            yield _record_heading(record), list(_member_lines(record.members))
    yield "in consequence", followers
    yield "typedefs", [_typedef_line(change) for change in difference.typedefs]
    yield "functions", [_function_line(change) for change in difference.functions]


# --- constants, typedefs, whole records -----------------------------------------------


def _constant_line(change: ConstantChange) -> Line:
    old, new = change.old, change.new
    if old and new:
        before, after = _body(old), _body(new)
        if before == after:  # it is another macro in it that changed
            before, after = str(old.value), str(new.value)
        return Line(Kind.CHANGED, f"{new.name}: {before} → {after}")
    kind, constant = _one_side(old, new)
    return Line(kind, f"{constant.name} = {_body(constant)}")


def _body(constant: Constant) -> str:
    """Write the value as the header does, without parentheses around the whole.

    An enumerator may have one of which the header says nothing.
    """
    body = " ".join(constant.body.split()) or str(constant.value)
    inner = body[1:-1]
    whole = body.startswith("(") and body.endswith(")")
    return inner if whole and not {"(", ")"} & set(inner) else body


def _presence_line(change: RecordChange) -> Line:
    kind, record = _one_side(change.old, change.new)
    return Line(kind, f"{record.key} ({count(record.size, 'byte')})")


def _typedef_line(change: TypedefChange) -> Line:
    old, new = change.old, change.new
    if old and new:
        kind = Kind.CHANGED if change.breaking else Kind.NOTE
        alike = "" if change.breaking else ", the same layout"
        before, after = spellings(old.type, new.type)
        text = f"{new.name}: {before} → {after}{alike}"
        return Line(kind, text)
    kind, typedef = _one_side(old, new)
    return Line(kind, f"{typedef.name} = {spelling(typedef.type)}")


def _function_line(change: FunctionChange) -> Line:
    old, new = change.old, change.new
    if old and new:
        before, after = old.prototype(as_spelled), new.prototype(as_spelled)
        if before == after:  # it is what a name stands for that changed
            before, after = old.prototype(as_known), new.prototype(as_known)
        return Line(Kind.CHANGED, f"{before} → {after}")
    kind, function = _one_side(old, new)
    return Line(kind, function.prototype(as_spelled))


def _record_heading(record: RecordChange) -> str:
    assert record.old and record.new
    if record.open_ended:
        return record.new.key
    return f"{record.new.key}: {_size_change(record.old.size, record.new.size)}"


def _only_follows(record: RecordChange) -> bool:
    """Tell whether nothing happened here but in the structs that the members are of."""
    members = [member for member in record.members if not member.padding]
    return any(member.follows for member in members) and all(
        member.follows or member.changes == (Change.MOVED,) for member in members
    )


def _follower_line(record: RecordChange) -> Line:
    parts = [
        _record_heading(record),
        *(line.text for line in _member_lines(record.members)),
    ]
    return Line(Kind.CHANGED, "; ".join(parts))


def _one_side(old: T | None, new: T | None) -> tuple[Kind, T]:
    """Give what is on one side alone, and whether that adds or removes it."""
    if new is not None:
        return Kind.ADDED, new
    assert old is not None
    return Kind.REMOVED, old


# --- members --------------------------------------------------------------------------


def _member_lines(changes: Sequence[MemberChange]) -> Iterator[Line]:
    """Tell the changes in order, like ones together; then what follows from types, and padding."""
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
    """Put neighbours together to which the same happened."""
    runs: list[list[MemberChange]] = [[member] for member in members[:1]]
    for before, member in pairwise(members):
        adjacent = member.position == before.position + 1
        if adjacent and _fate(before) == _fate(member):
            runs[-1].append(member)
        else:
            runs.append([member])
    return runs


def _fate(member: MemberChange) -> object:
    """Give what is alike in members that can be told together."""
    if _shift(member):
        return "moved", _shift(member)
    if member.changes in _ONE_SIDED and _present(member).bit_width is None:
        place = member.in_union, member.in_padding
        return member.changes, place, _present(member).type
    return "alone", member.position


def _shift(member: MemberChange) -> int:
    """Count the bits by which a member moved, if that or its type's size is all that changed."""
    if member.old is None or member.new is None:
        return 0
    if member.changes != (Change.MOVED,) and not member.follows:
        return 0
    return member.new.first_bit - member.old.first_bit


def _present(member: MemberChange) -> Member:
    present = member.new or member.old
    assert present is not None
    return present


def _presence_of_members(run: Sequence[MemberChange]) -> Line:
    kind, first = _one_side(run[0].old, run[0].new)
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
    """Tell of a member of which more changed than its place."""
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
        parts.append(f"moved by {_amount(new.first_bit - old.first_bit)}")
    if change.breaking:
        return Line(Kind.CHANGED, f"{old.name}: {', '.join(parts)}")
    return Line(Kind.NOTE, f"{old.name}: {', '.join(parts)}, the same layout")


def _followers(members: Sequence[MemberChange]) -> Iterator[Line]:
    """Tell of members whose type has a new size, those of one growth together.

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
            Kind.CHANGED, f"{', '.join(inner)}: {verb} by {count(abs(growth), 'byte')}"
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
        return _size_change(old.size, new.size)
    return f"from {old.bit_count} to {new.bit_count} bits"


def _size_change(old: int, new: int) -> str:
    if old == new:
        return f"still {count(new, 'byte')}"
    return f"{'grew' if new > old else 'shrank'} from {old} to {count(new, 'byte')}"


def _amount(bits: int) -> str:
    sign = "+" if bits > 0 else "-"
    if bits % 8:
        return sign + count(abs(bits), "bit")
    return sign + count(abs(bits) // 8, "byte")
