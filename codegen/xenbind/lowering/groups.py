"""Group constants: which of them are the values of one thing.

Takes the constants in order, and the members whose comments name a prefix; gives
`ConstantGroup`s, from which `backend` makes enums.  Four rules, the first that fits:

- an enum of C's, whose enumerators share a prefix;
- a hint: a member's comment says `VM_EVENT_FLAG_*`;
- a name in the spec's [names] table;
- a run: neighbouring constants, no declaration between them, that share a prefix and
  are all different.

    #define SPIN_OFF 0
    #define SPIN_ON 1    ->  no group: one shared word is too little for a run
    #define VM_SPIN_OFF 0
    #define VM_SPIN_ON 1    ->  ConstantGroup("VmSpin", "VM_SPIN_", members OFF and ON)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from xenbind.frontend.comments import Comments
from xenbind.ir.interface import Constant, ConstantGroup, Record
from xenbind.source import Sources
from xenbind.spec import Spec


@dataclass(frozen=True, slots=True)
class CEnum:
    """An enum that the header declares; `tag` is empty for one without."""

    tag: str
    enumerators: tuple[str, ...]
    doc: str

    @property
    def prefix(self) -> str:
        """Give what the names share, whole words with an underscore; empty if nothing."""
        return enum_prefix(self.enumerators)


def enum_prefix(enumerators: Sequence[str]) -> str:
    """Give what the names of an enum's values share; empty for a single one."""
    return _common_prefix(enumerators) if len(enumerators) > 1 else ""


def infer(
    constants: Sequence[Constant],
    enums: Sequence[CEnum],
    records: Sequence[Record],
    comments: Comments,
    sources: Sources,
    spec: Spec,
) -> tuple[ConstantGroup, ...]:
    """Find the groups among the constants, in the order of their first members."""
    declared = _of_enums(constants, enums, comments, spec)
    grouped = {member.name for group in declared.values() for member in group.members}
    numeric = [
        constant
        for constant in constants
        if isinstance(constant.value, int) and constant.name not in grouped
    ]
    hints = {field.hint for record in records for field in record.fields if field.hint}
    known = (hints | set(spec.names)) - set(declared)
    members, rest = _by_known_prefix(numeric, known)
    for run in _runs(rest, sources):
        for prefix, part in _by_prefix(run):
            members.setdefault(prefix, []).extend(part)
    groups = [
        _group(spec.names.get(prefix, _camel(prefix)), prefix, part, comments)
        for prefix, part in members.items()
        if prefix not in declared
    ]
    groups += declared.values()
    return tuple(sorted(groups, key=lambda group: group.coord))


def _of_enums(
    constants: Sequence[Constant],
    enums: Sequence[CEnum],
    comments: Comments,
    spec: Spec,
) -> dict[str, ConstantGroup]:
    """Make the groups of C's enums, by the prefix that the enumerators share.

    Of two enums with one prefix the first has it.
    """
    by_name = {constant.name: constant for constant in constants}
    groups: dict[str, ConstantGroup] = {}
    for enum in enums:
        if enum.prefix and enum.prefix not in groups:
            name = spec.names.get(enum.prefix, _camel(enum.tag or enum.prefix))
            own = [by_name[name] for name in enum.enumerators]
            group = _group(name, enum.prefix, own, comments)
            groups[enum.prefix] = replace(group, doc=enum.doc or group.doc)
    return groups


def _by_known_prefix(
    constants: Sequence[Constant], known: Set[str]
) -> tuple[dict[str, list[Constant]], list[Constant]]:
    """Sort constants by the longest known prefix of each, and give those without one.

    MEM_ACCESS_FAULT_* is so told from MEM_ACCESS_*, within which it is.
    """
    members: dict[str, list[Constant]] = {}
    rest = []
    for constant in constants:
        name = constant.name
        beginnings = (name[:length] for length in range(len(name), 0, -1))
        prefix = next((start for start in beginnings if start in known), None)
        if prefix is None or name == prefix:
            rest.append(constant)
        else:
            members.setdefault(prefix, []).append(constant)
    return members, rest


def _group(
    name: str, prefix: str, members: Sequence[Constant], comments: Comments
) -> ConstantGroup:
    """Make a group, documented by the section comment over it or the only comment in it.

    A single comment over the first of a run of bare constants speaks of them all.
    """
    first, *others = members
    doc = comments.sections.get(first.coord.line, "")
    if not doc and others and not any(constant.doc for constant in others):
        doc = comments.above.get(first.coord.line, "")
        first = replace(first, doc=comments.behind.get(first.coord.line, ""))
    return ConstantGroup(
        name, prefix, _is_flag(members), (first, *others), doc, first.coord
    )


def _runs(constants: Sequence[Constant], sources: Sources) -> Iterator[list[Constant]]:
    """Give the runs: nothing but comments and blank lines stands between their constants."""
    run: list[Constant] = []
    for constant in constants:
        if run and not _adjacent(run[-1], constant, sources):
            yield run
            run = []
        run.append(constant)
    if run:
        yield run


def _adjacent(first: Constant, second: Constant, sources: Sources) -> bool:
    if first.coord.file != second.coord.file:
        return False
    lines = [
        sources.line(first.coord.file, number)
        for number in range(first.coord.line, second.coord.line)
    ]
    between = re.sub(r"/\*.*?\*/|//[^\n]*", "", "\n".join(lines), flags=re.DOTALL)
    # The first line is the first constant itself, which a backslash may continue.
    _, _, after = re.sub(r"\\\n", " ", between).partition("\n")
    return not after.strip()


def _by_prefix(
    run: Sequence[Constant], words: int = 1
) -> Iterator[tuple[str, list[Constant]]]:
    """Cut a run into groups that share a prefix of at least two words and no value."""
    parts: dict[str, list[Constant]] = {}
    for constant in run:
        prefix = "_".join(constant.name.split("_")[:words]) + "_"
        parts.setdefault(prefix, []).append(constant)
    for prefix, part in parts.items():
        rest = [constant.name.removeprefix(prefix) for constant in part]
        if len(part) < 2 or not all(rest) or prefix.count("_") > 8:
            continue
        shared = _common_prefix([constant.name for constant in part])
        values = [constant.value for constant in part]
        if shared.count("_") >= 2 and len(set(values)) == len(values):
            yield shared, part
        else:
            yield from _by_prefix(part, words + 1)


def _common_prefix(names: Sequence[str]) -> str:
    """Find the longest prefix of whole words that leaves a word for each name."""
    split = [name.split("_")[:-1] for name in names]
    shared = []
    for column in zip(*split, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return "_".join(shared) + "_" if shared else ""


_SHIFT = re.compile(r"\(?\s*1[uUlL]*\s*<<\s*\w+\s*\)?")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+[uUlL]*")


def _is_flag(members: Sequence[Constant]) -> bool:
    """Tell whether the constants are bits: single ones written as shifts or in hexadecimal.

    Combined values such as MEM_ACCESS_RW are allowed.
    """
    values = [constant.value for constant in members if isinstance(constant.value, int)]
    bits = 0
    for value in values:
        if value > 0 and value & (value - 1) == 0:
            bits |= value
    if any(value < 0 or value & ~bits for value in values):
        return False
    bodies = [constant.body for constant in members]
    return any(_SHIFT.fullmatch(body) for body in bodies) or (
        len(members) > 2 and all(_HEX.fullmatch(body) for body in bodies)
    )


def _camel(prefix: str) -> str:
    return "".join(word.capitalize() for word in prefix.split("_") if word)
