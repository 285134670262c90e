"""Group constants: which of them are the values of one thing.

Takes the constants in order, and the members whose comments name a prefix; gives
`ConstantGroup`s, from which `backend` makes enums.  Four rules, the first that fits:

- an enum of C's that has a tag, or enumerators with a prefix or a typedef's name;
- a hint: a member's comment says `VM_EVENT_FLAG_*`;
- a name in the spec's [names] table;
- a run: neighbouring constants, no declaration between them, that share a prefix and
  are all different.

    #define SPIN_OFF 0
    #define SPIN_ON 1    ->  no group: one shared word is too little for a run
    #define VM_SPIN_OFF 0
    #define VM_SPIN_ON 1    ->  ConstantGroup("VmSpin", "VM_SPIN_", members OFF and ON)
    enum spin { OFF, ON };  ->  ConstantGroup("Spin", "enum spin", members OFF and ON)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from xenbind.frontend.comments import Comments
from xenbind.ir.interface import Constant, ConstantGroup, Record
from xenbind.source import Sources
from xenbind.spec import Spec


@dataclass(frozen=True, slots=True)
class CEnum:
    """An enum of the header's: `key` tells it from others, as in `Enumeration`.

    `tag` and `typedef` are empty for one without.  An enumerator that a macro hides has
    the enum's own value here.
    """

    key: str
    tag: str
    typedef: str
    enumerators: tuple[Constant, ...]
    doc: str

    @property
    def prefix(self) -> str:
        """Give what several names share, whole words with an underscore; empty if nothing."""
        names = [constant.name for constant in self.enumerators]
        return _common_prefix(names) if len(names) > 1 else ""

    @property
    def is_group(self) -> bool:
        """Tell whether it is more than a way to write constants: it has a name of some kind."""
        several = len(self.enumerators) > 1
        return bool(self.tag or (several and (self.prefix or self.typedef)))


def infer(
    constants: Sequence[Constant],
    enums: Sequence[CEnum],
    records: Sequence[Record],
    comments: Comments,
    sources: Sources,
    spec: Spec,
) -> tuple[ConstantGroup, ...]:
    """Find the groups among the constants, in the order of their first members."""
    builder = _Builder(comments, spec)
    groups = [builder.of_enum(enum) for enum in enums if enum.is_group]
    declared = {constant.name for enum in enums for constant in enum.enumerators}
    numeric = [
        constant
        for constant in constants
        if isinstance(constant.value, int)
        and constant.name not in declared
        and constant.name != spec.version_macro
    ]
    hints = {field.hint for record in records for field in record.fields if field.hint}
    known = (hints | set(spec.names)) - {group.prefix for group in groups}
    members, rest = _by_known_prefix(numeric, known)
    for run in _runs(rest, sources):
        for prefix, part in _by_prefix(run):
            members.setdefault(prefix, []).extend(part)
    groups += [builder.of_prefix(prefix, part) for prefix, part in members.items()]
    return tuple(sorted(groups, key=lambda group: group.coord))


class _Builder:
    """Makes groups: names them, finds their words, and tells flags from values."""

    def __init__(self, comments: Comments, spec: Spec) -> None:
        self.comments = comments
        self.spec = spec
        self._named: set[str] = set()  # prefixes whose name in the spec is taken

    def of_enum(self, enum: CEnum) -> ConstantGroup:
        name = self.spec.names.get(enum.key)
        if name is None and enum.prefix not in self._named:
            name = self.spec.names.get(enum.prefix)
            self._named.add(enum.prefix)
        name = name or _camel(enum.tag or enum.prefix or enum.typedef)
        group = self._group(name, enum.key, enum.prefix, enum.enumerators)
        return replace(group, doc=enum.doc or group.doc)

    def of_prefix(self, prefix: str, members: Sequence[Constant]) -> ConstantGroup:
        name = self.spec.names.get(prefix, _camel(prefix))
        return self._group(name, prefix, prefix, members)

    def _group(
        self, name: str, key: str, prefix: str, members: Sequence[Constant]
    ) -> ConstantGroup:
        """Make a group, documented by the section comment over it or the only comment in it.

        A single comment over the first of a run of bare constants speaks of them all.
        """
        first, *others = members
        doc = self.comments.sections.get(first.coord.line, "")
        if not doc and others and not any(constant.doc for constant in others):
            above = self.comments.above.get(first.coord.line, "")
            if above and first.doc.startswith(above):
                doc = above
                first = replace(first, doc=first.doc.removeprefix(above).lstrip())
        # What introduces the constants by their prefix is a heading already.
        words = doc.removeprefix(f"{prefix}*").lstrip(" :-") if prefix else doc
        return ConstantGroup(
            name=name,
            key=key,
            prefix=prefix,
            is_flag=self._is_flag((key, prefix), members),
            members=(first, *others),
            doc=words,
            coord=first.coord,
        )

    def _is_flag(self, names: Collection[str], members: Sequence[Constant]) -> bool:
        """Tell whether the constants are bits; the spec knows better."""
        if any(name in self.spec.flags for name in names):
            return True
        listed = any(name in self.spec.values for name in names)
        return not listed and _are_bits(members)


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


_SHIFT = re.compile(r"\b1[uUlL]*\s*<<")
_FEWEST = 3  # bits that are no mere enumeration


def _are_bits(members: Sequence[Constant]) -> bool:
    """Tell whether the constants are single bits, however they are written, and unions of them.

    Some are written as shifts; or else they are several and no run of numbers, for 1 and 2
    may as well count.  Combined values such as MEM_ACCESS_RW are allowed.
    """
    values = {constant.value for constant in members if isinstance(constant.value, int)}
    single = {value for value in values if value > 0 and value & (value - 1) == 0}
    bits = sum(single)
    if any(value < 0 or value & ~bits for value in values):
        return False
    if any(_SHIFT.search(constant.body) for constant in members):
        return True
    counts = max(values) - min(values) == len(values) - 1
    return len(single) >= _FEWEST and not counts


def _camel(prefix: str) -> str:
    return "".join(word.capitalize() for word in prefix.split("_") if word)
