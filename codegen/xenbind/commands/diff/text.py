"""The words for a difference between two versions, and its JSON.

Takes a `Difference`; gives `Line`s that read well in a commit message, each with a kind
to colour it by, or plain data for `json`.  `cli` prints either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from xenbind.commands.diff.compare import (
    ConstantChange,
    Difference,
    RecordChange,
    TypedefChange,
    Verdict,
)
from xenbind.commands.diff.member_text import (
    Kind,
    Line,
    byte_count,
    member_lines,
    one_side,
    size_change,
)
from xenbind.commands.diff.members import Change, MemberChange
from xenbind.commands.diff.type_equality import spellings
from xenbind.ir.c_types import spelling
from xenbind.ir.interface import Constant, Record


def plain(lines: Sequence[Line]) -> str:
    """The lines as a text without colours."""
    return "".join(f"{line}\n" for line in lines)


def describe(difference: Difference, old: str = "", new: str = "") -> list[Line]:
    """The difference in words; `old` and `new` may say where each version is from."""
    lines = list(_summary(difference, old, new))
    for heading, section in _sections(difference):
        if section:
            lines += [Line(Kind.NOTE, ""), Line(Kind.HEADING, heading), *section]
    return lines


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
            yield _record_heading(record), list(member_lines(record.members))
    yield "in consequence", followers
    yield "typedefs", [_typedef_line(change) for change in difference.typedefs]


# --- constants, typedefs, whole records -----------------------------------------------


def _constant_line(change: ConstantChange) -> Line:
    old, new = change.old, change.new
    if old and new:
        before, after = _body(old), _body(new)
        if before == after:  # it is another macro in it that changed
            before, after = str(old.value), str(new.value)
        return Line(Kind.CHANGED, f"{new.name}: {before} → {after}")
    kind, constant = one_side(old, new)
    return Line(kind, f"{constant.name} = {_body(constant)}")


def _body(constant: Constant) -> str:
    """The value as the header writes it, without parentheses around the whole."""
    body = " ".join(constant.body.split())
    inner = body[1:-1]
    whole = body.startswith("(") and body.endswith(")")
    return inner if whole and not {"(", ")"} & set(inner) else body


def _presence_line(change: RecordChange) -> Line:
    kind, record = one_side(change.old, change.new)
    return Line(kind, f"{record.key} ({byte_count(record.size)})")


def _typedef_line(change: TypedefChange) -> Line:
    old, new = change.old, change.new
    if old and new:
        kind = Kind.CHANGED if change.breaking else Kind.NOTE
        alike = "" if change.breaking else ", the same layout"
        before, after = spellings(old.type, new.type)
        text = f"{new.name}: {before} → {after}{alike}"
        return Line(kind, text)
    kind, typedef = one_side(old, new)
    return Line(kind, f"{typedef.name} = {spelling(typedef.type)}")


def _record_heading(record: RecordChange) -> str:
    assert record.old and record.new
    if record.open_ended:
        return record.new.key
    return f"{record.new.key}: {size_change(record.old.size, record.new.size)}"


def _only_follows(record: RecordChange) -> bool:
    """Whether nothing happened here but in the structs that the members are of."""
    members = [member for member in record.members if not member.padding]
    return any(member.follows for member in members) and all(
        member.follows or member.changes == (Change.MOVED,) for member in members
    )


def _follower_line(record: RecordChange) -> Line:
    parts = [
        _record_heading(record),
        *(line.text for line in member_lines(record.members)),
    ]
    return Line(Kind.CHANGED, "; ".join(parts))


# --- JSON -----------------------------------------------------------------------------


def to_json(difference: Difference) -> dict[str, Any]:
    """The difference as `json` can write it; what one side lacks is null there.

    Sizes and offsets are in bytes; the size of an open-ended record is null.
    """
    return {
        "interface": difference.name,
        "old_version": difference.old_version,
        "new_version": difference.new_version,
        "verdict": difference.verdict.value,
        "unannounced": difference.unannounced,
        "constants": [
            {
                **_entry(one_side(change.old, change.new)[1].name, change),
                "old": change.old and change.old.value,
                "new": change.new and change.new.value,
            }
            for change in difference.constants
        ],
        "records": [
            {
                **_entry(one_side(change.old, change.new)[1].key, change),
                "old_size": _size(change.old, change.open_ended),
                "new_size": _size(change.new, change.open_ended),
                "members": [_member(member) for member in change.members],
            }
            for change in difference.records
        ],
        "typedefs": [
            {
                **_entry(one_side(change.old, change.new)[1].name, change),
                "old": change.old and spelling(change.old.type),
                "new": change.new and spelling(change.new.type),
            }
            for change in difference.typedefs
        ],
    }


def _entry(
    name: str, change: ConstantChange | RecordChange | TypedefChange
) -> dict[str, Any]:
    what = "added" if change.old is None else "changed" if change.new else "removed"
    return {"name": name, "change": what, "breaking": change.breaking}


def _size(record: Record | None, open_ended: bool) -> int | None:
    return None if record is None or open_ended else record.size


def _member(change: MemberChange) -> dict[str, Any]:
    return {
        "changes": [what.value for what in change.changes],
        "breaking": change.breaking,
        "padding": change.padding,
        "in_former_padding": change.in_padding,
        "follows_its_type": change.follows,
        "old": change.old and asdict(change.old),
        "new": change.new and asdict(change.new),
    }
