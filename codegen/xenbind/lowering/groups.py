"""Group constants: which of them are the values of one thing.

Takes the constants in order, and the members whose comments name a prefix; gives
`ConstantGroup`s, from which `backend` makes enums.  Four rules, the first that fits:

- an enum of C's that has a tag, or enumerators with a prefix or a typedef's name;
- a hint: a member's comment says `VM_EVENT_FLAG_*`;
- a prefix that the spec lists in [names], `flags` or `values`;
- a run: neighbouring constants, no declaration between them, that share a prefix and
  are all different, some of them next to one another.

    #define SPIN_OFF 0
    #define SPIN_ON 1    ->  no group: one shared word is too little for a run
    #define VM_SPIN_OFF 0
    #define VM_SPIN_ON 1    ->  ConstantGroup("VmSpin", "VM_SPIN_", members OFF and ON)
    enum spin { OFF, ON };  ->  ConstantGroup("Spin", "enum spin", members OFF and ON)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence, Set
from itertools import chain, count, pairwise

from pycparser import c_ast

from xenbind.ir.interface import Constant, ConstantGroup, Record
from xenbind.lowering.context import Context
from xenbind.plain import Struct, replace
from xenbind.source import IDENTIFIER, Sources
from xenbind.spec import Spec
from xenbind.words import camel


class CEnum(Struct, frozen=True):
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
    context: Context,
    spec: Spec,
) -> tuple[ConstantGroup, ...]:
    """Find the groups among the constants, in the order of their first members."""
    taken = {record.tag or record.key for record in records}
    # A typedef is how C calls something, while a group's name is a guess: `GRegex`.
    taken |= {
        name
        for name, node in context.declared.typedefs.items()
        if not isinstance(node.type.type, c_ast.Enum)
    }
    taken |= {constant.name for constant in constants} | set(spec.names.values())
    builder = _Builder(context, spec, taken)
    groups = [builder.of_enum(enum) for enum in enums if enum.is_group]
    declared = {constant.name for enum in enums for constant in enum.enumerators}
    numeric = [
        constant
        for constant in constants
        if isinstance(constant.value, int)
        and not constant.is_address
        and constant.name not in declared
        and constant.name != spec.version_macro
    ]
    hints = {field.hint for record in records for field in record.fields if field.hint}
    listed = {*spec.names, *spec.flags, *spec.values}
    known = (hints | listed) - {group.prefix for group in groups}
    members, rest = _by_known_prefix(numeric, known)
    for run in _runs(rest, context.sources):
        places = {constant.name: place for place, constant in enumerate(run)}
        for prefix, part in _by_prefix(run):
            indices = [places[each.name] for each in part]
            if not _some_are_neighbours(indices) or _is_piece(part, indices, run):
                continue
            before = {constant.value for constant in members.get(prefix, ())}
            if before.isdisjoint(constant.value for constant in part):
                members.setdefault(prefix, []).extend(part)
    groups += [builder.of_prefix(prefix, part) for prefix, part in members.items()]
    return tuple(sorted(groups, key=lambda group: group.coord))


class _Builder:
    """Makes groups: names them, finds their words, and tells flags from values.

    `taken` are names that are something else's.
    """

    def __init__(self, context: Context, spec: Spec, taken: Set[str]) -> None:
        self.context = context
        self.spec = spec
        self._taken = set(taken)
        self._named: set[str] = set()  # prefixes whose name in the spec is taken

    def of_enum(self, enum: CEnum) -> ConstantGroup:
        name = self.spec.names.get(enum.key)
        if name is None and enum.prefix not in self._named:
            name = self.spec.names.get(enum.prefix)
            self._named.add(enum.prefix)
        first, *_ = enum.enumerators
        is_flag = self._is_flag((enum.key, enum.prefix), enum.enumerators)
        return self._group(
            name or self._free(is_flag, enum.tag, enum.prefix, enum.typedef),
            enum.key,
            enum.prefix,
            enum.enumerators,
            is_flag,
            enum.doc or self._section(first),
        )

    def of_prefix(self, prefix: str, members: Sequence[Constant]) -> ConstantGroup:
        """Make a group, documented by the heading over its first constant, or the section's."""
        first, *others = members
        is_flag = self._is_flag((prefix,), members)
        heading = self._heading(first, others)
        first = replace(first, doc=first.doc.removeprefix(heading).lstrip())
        return self._group(
            self.spec.names.get(prefix) or self._free(is_flag, prefix),
            prefix,
            prefix,
            (first, *others),
            is_flag,
            heading or self._section(first),
        )

    def _free(self, is_flag: bool, *c_names: str) -> str:
        """Make a class's name of one of these, the first that is free, or number it."""
        names = [camel(name) for name in c_names if name]
        names.append(f"{names[0]}{'Flags' if is_flag else 'Values'}")
        numbered = (f"{names[0]}{number}" for number in count(2))
        name = next(name for name in chain(names, numbered) if name not in self._taken)
        self._taken.add(name)
        return name

    def _group(
        self,
        name: str,
        key: str,
        prefix: str,
        members: Sequence[Constant],
        is_flag: bool,
        doc: str,
    ) -> ConstantGroup:
        # What introduces the constants by their prefix is a heading already.
        words = doc.removeprefix(f"{prefix}*").lstrip(" :-") if prefix else doc
        return ConstantGroup(
            name=name,
            key=key,
            prefix=prefix,
            is_flag=is_flag,
            members=tuple(members),
            doc=words,
            coord=members[0].coord,
        )

    def _heading(self, first: Constant, others: Sequence[Constant]) -> str:
        """Give what stands above the first constant where it speaks of them all.

        So it does where none of the others has words, or all that have any have them beside.
        """
        above = self._above(first)
        if not others or not above or not first.doc.startswith(above):
            return ""
        if first.doc == above:
            is_own = any(each.doc for each in others)
        else:
            is_own = any(map(self._above, others))
        return "" if is_own else above

    def _above(self, constant: Constant) -> str:
        """Look up the words above a constant's line; in other headers there are none."""
        own = self.context.comments.get(constant.coord.file)
        return own.above.get(constant.coord.line, "") if own else ""

    def _section(self, constant: Constant) -> str:
        """Look up the words that open the section in which a constant is the first."""
        own = self.context.comments.get(constant.coord.file)
        return own.sections.get(constant.coord.line, "") if own else ""

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


def _some_are_neighbours(places: Sequence[int]) -> bool:
    """Tell whether constants that share a prefix are more than a word in common.

    EFF_FLAG, ERR_FLAG, EFF_MASK, ERR_MASK are no two groups.
    """
    return any(second == first + 1 for first, second in pairwise(places))


def _is_piece(
    part: Sequence[Constant], places: Sequence[int], run: Sequence[Constant]
) -> bool:
    """Tell whether bits go on before or behind those of a part, in constants named likewise.

    VM_SPLICE_READ (1 << 1) and VM_SPLICE_WRITE (1 << 2) are not all, after VM_ASYNC (1 << 0).
    """
    if not _are_bits(part):
        return False
    word = part[0].name.partition("_")[0] + "_"
    low, high = (_number(part[place]) for place in (0, -1))
    before, behind = run[max(places[0] - 1, 0)], run[min(places[-1] + 1, len(run) - 1)]
    return any(
        _number(other) == value
        and other.name.startswith(word)
        and _SHIFT.search(other.body)
        for other, value in ((before, low / 2), (behind, high * 2))
    )


def _number(constant: Constant) -> int:
    return constant.value if isinstance(constant.value, int) else 0


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


_FEWEST = 3  # bits that are no mere enumeration
# What makes a bit of its number: a shift of 1, or a macro that is called for one.
_SHIFT = re.compile(r"\b(?:0[xX])?1[uUlL]*\s*\)?\s*<<")
_CALL = re.compile(r"\w+\s*\(\s*(\d{1,2})\s*\)")
_COUNTED = re.compile(r"\b(?:0[xX])?2[uUlL]*\s*<<")  # the third of 0, 1, 2, 3
_FLAG = re.compile(r"FLAGS?_$")
_UNION = re.compile(r"[\s(]*\w+[\s)]*(?:\|[\s(]*\w+[\s)]*)+")


def _are_bits(members: Sequence[Constant]) -> bool:
    """Tell whether the constants are single bits, however they are written, and unions of them.

    Some are written as shifts, or as the union of others; or else they are several and no
    run of numbers, for 1 and 2 may as well count.  Combined values such as MEM_ACCESS_RW
    are allowed.
    """
    names = {constant.name for constant in members}
    unions = {c.name for c in members if _is_union(c.body, names)}
    values = {
        constant.value
        for constant in members
        if isinstance(constant.value, int) and constant.name not in unions
    }
    single = {value for value in values if value > 0 and value & (value - 1) == 0}
    bits = sum(single)
    if any(value < 0 or value & ~bits for value in values):
        return False
    if any(_COUNTED.search(constant.body) for constant in members):
        return False
    if _FLAG.search(_common_prefix(sorted(names))) and values <= single | {0}:
        return True
    shifted = any(_SHIFT.search(constant.body) for constant in members)
    if unions or shifted or _are_numbered(members):
        return True
    return len(single) >= _FEWEST and not _count(values)


def _count(values: Set[int]) -> bool:
    """Tell whether values read as numbers that go on, maybe with gaps, and not as sets of bits.

    Such are all of a range, or more unions of bits than bits, or a union between two neighbours:
    3 where there are 2 and 4.
    """
    unions = {value for value in values if value & (value - 1)}
    is_range = max(values) - min(values) == len(values) - 1
    is_between = any({value - 1, value + 1} <= values for value in unions)
    return is_range or is_between or len(unions) > len(values - {0}) / 2


def _is_union(body: str, names: Set[str]) -> bool:
    """Tell whether a constant is defined as an or, some of whose operands have these names."""
    return bool(_UNION.fullmatch(body) and names & set(IDENTIFIER.findall(body)))


def _are_numbered(members: Sequence[Constant]) -> bool:
    """Tell whether constants are defined by a macro that makes bits of their numbers."""
    called = [(_CALL.fullmatch(each.body.strip()), each.value) for each in members]
    numbers = [(int(call[1]), value) for call, value in called if call]
    return bool(numbers) and all(value == 1 << number for number, value in numbers)
