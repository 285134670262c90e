"""A difference between two versions as plain data, for programs.

Takes a `Difference`; gives what `json` can write.  `command` prints it for --json.
"""

from __future__ import annotations

from typing import Any, TypeVar

from xenbind.commands.diff.compare import AnyChange, Difference
from xenbind.commands.diff.members import MemberChange
from xenbind.ir.c_types import as_spelled, spelling
from xenbind.ir.interface import Record
from xenbind.plain import asdict

T = TypeVar("T")


def as_json(difference: Difference) -> dict[str, Any]:
    """Give the difference as `json` can write it; what one side lacks is null there.

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
                **_entry(_present(change.old, change.new).name, change),
                "old": change.old and change.old.plain_value,
                "new": change.new and change.new.plain_value,
            }
            for change in difference.constants
        ],
        "records": [
            {
                **_entry(_present(change.old, change.new).key, change),
                "old_size": _size(change.old, change.open_ended),
                "new_size": _size(change.new, change.open_ended),
                "members": [_member(member) for member in change.members],
            }
            for change in difference.records
        ],
        "typedefs": [
            {
                **_entry(_present(change.old, change.new).name, change),
                "old": change.old and spelling(change.old.type),
                "new": change.new and spelling(change.new.type),
            }
            for change in difference.typedefs
        ],
        "functions": [
            {
                **_entry(_present(change.old, change.new).name, change),
                "old": change.old and change.old.prototype(as_spelled),
                "new": change.new and change.new.prototype(as_spelled),
            }
            for change in difference.functions
        ],
    }


def _present(old: T | None, new: T | None) -> T:
    """Give what is on the new side, or else on the old one."""
    present = new if new is not None else old
    assert present is not None
    return present


def _entry(name: str, change: AnyChange) -> dict[str, Any]:
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
