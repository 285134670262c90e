"""Compare two versions of an interface, and tell whether the difference breaks the ABI.

Takes two `Interface`s; gives a `Difference`, plain data: what was added, removed and
changed, and a verdict.  `members` compares what is inside structs and unions; `text` puts
the answer into words, `as_json` into JSON, and `command` prints either.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from xenbind.commands.diff.members import MemberChange, ends_open, member_changes, merge
from xenbind.commands.diff.type_equality import same_layout, same_type
from xenbind.ir.c_types import as_known
from xenbind.ir.interface import Constant, Function, Interface, Record, Typedef
from xenbind.plain import Struct


class Verdict(Enum):
    """Whether a monitor made for the old version works with a hypervisor of the new one.

    `SAME` is no difference that matters to it, `ADDITIONS` only what it need not know.
    """

    SAME = "same"
    ADDITIONS = "additions only"
    BREAKING = "breaking"


class ConstantChange(Struct, frozen=True):
    """A constant added (`old` is None), removed (`new` is None) or changed in value."""

    old: Constant | None
    new: Constant | None
    breaking: bool


class RecordChange(Struct, frozen=True):
    """A struct or union added (`old` is None), removed (`new` is None) or changed.

    The size of one that is `open_ended` means nothing: it ends in an array whose length
    the header does not tell, `ring[]` or, in the older way, `ring[1]`.
    """

    old: Record | None
    new: Record | None
    members: tuple[MemberChange, ...]
    open_ended: bool
    breaking: bool


class TypedefChange(Struct, frozen=True):
    """A typedef added (`old` is None), removed (`new` is None) or given another type."""

    old: Typedef | None
    new: Typedef | None
    breaking: bool


class FunctionChange(Struct, frozen=True):
    """A function added (`old` is None), removed (`new` is None) or of another type."""

    old: Function | None
    new: Function | None
    breaking: bool


# What may have become of anything that a header declares.
AnyChange = ConstantChange | RecordChange | TypedefChange | FunctionChange


class Difference(Struct, frozen=True):
    """All that tells two versions apart, in the order of the new one's declarations.

    `version_macro` is the constant whose value the versions are, if there is one.
    `unannounced` is a breaking difference between headers that it says are the same.
    """

    name: str
    version_macro: str | None
    old_version: int
    new_version: int
    constants: tuple[ConstantChange, ...]
    records: tuple[RecordChange, ...]
    typedefs: tuple[TypedefChange, ...]
    functions: tuple[FunctionChange, ...]
    verdict: Verdict
    unannounced: bool


def diff(old: Interface, new: Interface, version_macro: str | None) -> Difference:
    """Compare two versions of an interface on one ABI.

    A new value of `version_macro` is the version's own and no changed constant.  The
    names of scalar types do not count, only what they stand for where they are used.
    """
    constants = tuple(_constants(old, new, version_macro))
    records = tuple(_records(old, new))
    typedefs = tuple(_typedefs(old, new))
    functions = tuple(_functions(old, new))
    verdict = _verdict([*constants, *records, *typedefs, *functions])
    same_version = old.version == new.version
    return Difference(
        name=new.name,
        version_macro=version_macro,
        old_version=old.version,
        new_version=new.version,
        constants=constants,
        records=records,
        typedefs=typedefs,
        functions=functions,
        verdict=verdict,
        unannounced=verdict is Verdict.BREAKING
        and same_version
        and version_macro is not None,
    )


def _verdict(found: list[AnyChange]) -> Verdict:
    if any(change.breaking for change in found):
        return Verdict.BREAKING
    members = [
        member
        for change in found
        if isinstance(change, RecordChange)
        for member in change.members
        if not member.padding
    ]
    if any(change.old is None for change in [*found, *members]):
        return Verdict.ADDITIONS
    return Verdict.SAME


def _constants(
    old: Interface, new: Interface, version_macro: str | None
) -> Iterator[ConstantChange]:
    for before, after in merge(
        {constant.name: constant for constant in old.constants},
        {constant.name: constant for constant in new.constants},
    ):
        if before is None or after is None:
            yield ConstantChange(before, after, breaking=after is None)
        elif before.plain_value != after.plain_value and after.name != version_macro:
            yield ConstantChange(before, after, breaking=True)


def _records(old: Interface, new: Interface) -> Iterator[RecordChange]:
    olds, news = old.records_by_key, new.records_by_key
    # What other headers' modules have is told of those.
    own = {
        each.key for i in (old, new) for each in i.own_records if not each.is_anonymous
    }
    for before, after in merge(
        {key: record for key, record in olds.items() if key in own},
        {key: record for key, record in news.items() if key in own},
    ):
        if before is None or after is None:
            gone = after is None
            yield RecordChange(before, after, (), open_ended=False, breaking=gone)
            continue
        members = member_changes(before, olds, after, news)
        open_ended = ends_open(before) and ends_open(after)
        resized = before.size != after.size and not open_ended
        if members or resized:
            breaking = resized or any(member.breaking for member in members)
            yield RecordChange(before, after, members, open_ended, breaking)


def _typedefs(old: Interface, new: Interface) -> Iterator[TypedefChange]:
    olds, news = old.records_by_key, new.records_by_key
    for before, after in merge(
        {typedef.name: typedef for typedef in old.typedefs},
        {typedef.name: typedef for typedef in new.typedefs},
    ):
        if before is None or after is None:
            yield TypedefChange(before, after, breaking=after is None)
        elif not same_type(before.type, after.type):
            alike = same_layout(before.type, olds, after.type, news)
            yield TypedefChange(before, after, breaking=not alike)


def _functions(old: Interface, new: Interface) -> Iterator[FunctionChange]:
    for before, after in merge(
        {function.name: function for function in old.functions},
        {function.name: function for function in new.functions},
    ):
        if before is None or after is None:
            yield FunctionChange(before, after, breaking=after is None)
        elif before.prototype(as_known) != after.prototype(as_known):
            yield FunctionChange(before, after, breaking=True)
