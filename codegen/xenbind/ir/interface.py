"""The intermediate representation: what the headers say, as plain data.

`lowering` builds it from the AST; `backend`, `facts` and the commands read it.  Nodes are
frozen and carry no behaviour beyond naming their own parts.  Sizes and offsets are in
bytes, bit positions in bits from the least significant bit of the storage unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite

from xenbind.ir.c_types import (
    CType,
    FunctionType,
    RecordRef,
    Word,
    declaration,
    is_anonymous,
    without_names,
)
from xenbind.plain import Struct, replace
from xenbind.source import Coord
from xenbind.words import edition, one_line

# `paddr` is none: an address.
_PADDING = re.compile(r"_*pad(ding)?_?\d*")


class Placed:
    """What can be said of a member by its name and place alone; `name` may be a path."""

    __slots__ = ()
    name: str
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None

    @property
    def first_bit(self) -> int:
        """Give where the member begins, in bits from the start of its record."""
        return 8 * self.offset + (self.bit_offset or 0)

    @property
    def bit_count(self) -> int:
        """Count the bits that the member takes."""
        return 8 * self.size if self.bit_width is None else self.bit_width

    @property
    def is_padding(self) -> bool:
        """Tell whether the name says that the member only fills: `pad`, `_pad1`, `__padding`."""
        return _PADDING.fullmatch(self.name.rpartition(".")[2]) is not None


class Span(Struct, frozen=True):
    """The Xen releases in which something is as it is here: from `since` to `until`.

    `until` is empty for what the newest has.  `before` and `after` say what it was and became:
    a constant's value, a member's type, a function's prototype; empty where it was not there
    or went away.
    """

    since: str
    until: str = ""
    before: str = ""
    after: str = ""

    @property
    def brief(self) -> str:
        """Say it in short: `4.16, uint32_t before`, `4.8 to 4.15, then uint64_t`."""
        span = self.since
        if self.until:
            is_one = self.until == self.since
            span += " alone" if is_one else f" to {self.until}"
        before = [f"{self.before} before"] if self.before else []
        after = [f"then {self.after}"] if self.after else []
        return ", ".join([span, *before, *after])

    @property
    def phrase(self) -> str:
        """Say it within a sentence: `since Xen 4.16, uint32_t before`, `Xen 4.8 to 4.15`."""
        return f"{'' if self.until else 'since '}Xen {self.brief}"

    def __str__(self) -> str:
        return f"{self.phrase[0].upper()}{self.phrase[1:]}."


class Member(Struct, frozen=True):
    """A member of a struct or union as declared: a type, and no place yet.

    `name` is None for an unnamed bit-field, and for an anonymous struct or union, whose
    type is then in place (C11 6.7.2.1p13).  `bit_width` is None unless it is a bit-field.
    `packed` says that the member's attributes or the record's are so; `aligned` is what
    its own ask for, 0 without one.  `hint` says which constants the member holds: the key
    of its enum, or the prefix that its comment names (`VM_EVENT_FLAG_`).
    """

    name: str | None
    type: CType | RecordType
    bit_width: int | None
    packed: bool
    aligned: int
    doc: str
    hint: str | None
    coord: Coord


class RecordType(Struct, frozen=True):
    """A struct or union as declared, the same on every ABI; `records` lays it out.

    `aligned` is the least alignment that its attributes ask for, `pack` the most that
    `#pragma pack` leaves its members, each 0 for none.  An untagged one whose typedef has
    an alignment of its own has that in `name_aligned`, and 0 otherwise.  `key` is as in
    `Record`.
    """

    kind: str
    tag: str | None
    key: str
    members: tuple[Member, ...]
    aligned: int
    pack: int
    doc: str
    coord: Coord
    name_aligned: int = 0


class Field(Placed, Struct, frozen=True):
    """A member of a struct or union.

    `bit_offset` and `bit_width` are None unless the member is a bit-field; `offset` and
    `size` of a bit-field are those of its storage unit, of a packed one those of the
    bytes that it touches.  `hint` is as in `Member`.
    """

    name: str
    type: CType
    offset: int
    size: int
    bit_offset: int | None
    bit_width: int | None
    doc: str
    hint: str | None
    coord: Coord
    span: Span | None = None


class Record(Struct, frozen=True):
    """A struct or union with its layout.

    `key` names it uniquely: `struct vm_event_st` for one with a tag, and for an anonymous
    one the key of the record around it and the member's name, `struct vm_event_st.u`; for
    an untagged one in the typedef `pairs` of an array or pointer it is `pairs.element`.
    The members of an anonymous member are the record's own (C11 6.7.2.1p13), so that
    members of a struct may share bytes.
    """

    kind: str
    tag: str | None
    key: str
    fields: tuple[Field, ...]
    size: int
    alignment: int
    doc: str
    coord: Coord
    span: Span | None = None

    @property
    def spelling(self) -> str:
        return f"{self.kind} {self.tag or '<anonymous>'}"

    @property
    def path(self) -> str:
        """Give its key without `struct` or `union`: its tag, or the path to it."""
        return self.key.rpartition(" ")[2]

    @property
    def is_anonymous(self) -> bool:
        """Tell whether the record has no name of its own, only its place inside another."""
        return is_anonymous(self.key)


class Constant(Struct, frozen=True):
    """An object-like macro, an enumerator, or a variable that never changes, with its value.

    `value` is an int, a float, or a str for what is a string literal.  `body` is the text that the
    header defines it as, before expansion.  A variable's is no constant expression of C's.
    One with a pointer's type, such as `((void *)-1)`, is the address that it leads to.
    """

    name: str
    value: int | float | str
    body: str
    doc: str
    coord: Coord
    is_variable: bool = False
    span: Span | None = None
    is_address: bool = False

    @property
    def plain_value(self) -> int | float | str:
        """Give the value as JSON has it, and as it is compared: `inf` and `nan` are words there."""
        is_number = not isinstance(self.value, float) or isfinite(self.value)
        return self.value if is_number else str(self.value)


class ConstantGroup(Struct, frozen=True):
    """Constants that belong together: the values of one member, or the bits of one word.

    `key` tells it from others: an enum's as in `Enumeration`, else the prefix.  `prefix` is
    the part of the C names that all members share, with its underscore, empty where an
    enum's share none.
    """

    name: str
    key: str
    prefix: str
    is_flag: bool
    members: tuple[Constant, ...]
    doc: str
    coord: Coord

    @property
    def spelling(self) -> str:
        """Say which constants these are, as C's authors do: `VM_EVENT_FLAG_*`, `enum mode`."""
        return f"{self.prefix}*" if self.prefix else self.key

    @property
    def members_by_name(self) -> Mapping[str, Constant]:
        """Give the members by their names in the enum: C's without the group's prefix.

        The whole name where the rest would begin with a digit or an underscore, which
        Python cannot have or takes for private.
        """
        short = {m.name: m.name.removeprefix(self.prefix) for m in self.members}
        whole = {name for name, rest in short.items() if not rest[:1].isalpha()}
        return {
            m.name if {m.name, short[m.name]} & whole else short[m.name]: m
            for m in self.members
        }


class Typedef(Struct, frozen=True):
    """A name for another type."""

    name: str
    type: CType
    doc: str
    coord: Coord


class RingMacro(Struct, frozen=True):
    """A function-like macro of the header that declares a ring.

    `expansion` is its body with every macro expanded that is no function of its
    arguments, its own `parameters` left in place.
    """

    name: str
    parameters: tuple[str, ...]
    expansion: str
    doc: str
    coord: Coord


class Ring(Struct, frozen=True):
    """The types that one `DEFINE_RING_TYPES` makes, by record key or typedef name.

    `macros` are those of its header, as text; `type_names` the typedefs that they mention.
    Of its requests, the spec may name two members: `flags` is written by an answer, which
    keeps those in `keep`, and `version` has the interface's version.
    """

    name: str
    request: str
    response: str
    entry: str
    shared: str
    front: str
    back: str
    macros: tuple[RingMacro, ...]
    type_names: tuple[str, ...]
    flags: str | None
    keep: tuple[Constant, ...]
    version: str | None
    coord: Coord


class EventRing(Struct, frozen=True):
    """Events of one direction in a page of events, as a macro of the header gives them.

    `macro` is that; the events are records with the key `event`, the first of them `first`
    bytes into the page, and an index stands for the one at its remainder by `length`.
    `consumer` and `producer` are the page's members with the indices, and `reader` the side
    that takes the events: `frontend` or `backend`.
    """

    macro: str
    event: str
    first: int
    length: int
    consumer: str
    producer: str
    reader: str
    coord: Coord


class EventPage(Struct, frozen=True):
    """A page that begins with the struct of the key `record`, with one ring of events or two."""

    record: str
    rings: tuple[EventRing, ...]
    coord: Coord

    def read_by(self, side: str) -> EventRing | None:
        """Give the ring whose events a side takes."""
        return next((ring for ring in self.rings if ring.reader == side), None)


class ByteRing(Struct, frozen=True):
    """Bytes of one direction in an array of a struct, or in memory whose size a struct tells.

    `array` is the member, of `size` bytes, `consumer` and `producer` are those with the indices,
    or paths to these.  `mask` is the macro that reduces an index to a place in it, and
    `takes_array` says that it is given the array too.  `reader` is the side that takes the bytes:
    `frontend` or `backend`.  Without an array, `array` is but a name, and `order` the member that
    has the binary logarithm of the size, `least_order` or more; empty where there is one.
    """

    array: str
    size: int
    consumer: str
    producer: str
    mask: str
    takes_array: bool
    reader: str
    coord: Coord
    order: str = ""
    least_order: int = 0


class BytePage(Struct, frozen=True):
    """A page that begins with the struct of the key `record`, with a ring of bytes each way."""

    record: str
    rings: tuple[ByteRing, ...]
    coord: Coord

    def read_by(self, side: str) -> ByteRing:
        """Give the ring whose bytes a side takes."""
        return next(ring for ring in self.rings if ring.reader == side)


class FlexFunction(Struct, frozen=True):
    """A function of a flex ring: `role` is what comes behind the ring's name in its own.

    `definition` is its text with its body, preprocessed; `coord` is the macro that made it, if
    one did.
    """

    role: str
    name: str
    definition: str
    coord: Coord


class FlexRing(Struct, frozen=True):
    """The functions that one `DEFINE_XEN_FLEX_RING` makes, for rings of bytes.

    `page` is the key of the record with the ring's indices, empty where the header has none,
    and `size` the macro that tells the bytes of one direction by the ring's order, None without
    one.  `types` pairs the typedef names in the functions' text with what they stand for.
    """

    name: str
    functions: tuple[FlexFunction, ...]
    types: tuple[tuple[str, str], ...]
    page: str
    size: RingMacro | None
    coord: Coord


class Payload(Struct, frozen=True):
    """A tagged union: which member of `union` each value of the member `tag` selects.

    `record` is the key of the record that has both as members; `members` pairs constants
    with member names.  A constant that is not in it selects none.  An empty `union` is the record
    itself, of whose members the tag is one.
    """

    record: str
    tag: str
    union: str
    members: tuple[tuple[Constant, str], ...]


class Function(Struct, frozen=True):
    """A function of the interface's library.

    `errors` says which results tell of an error in errno, as the spec has it: those that are
    `negative`, `null` or `false`, or `none`; `advice` is what the spec advises then.  `span` is
    None where the releases are not known.  `label` is its symbol, if that is not its name.
    `other_names` are macros that stand for it.
    """

    name: str
    type: FunctionType
    errors: str
    advice: str
    doc: str
    coord: Coord
    span: Span | None = None
    label: str = ""
    other_names: tuple[str, ...] = ()

    @property
    def symbol(self) -> str:
        """Give what the library calls it."""
        return self.label or self.name

    def prototype(self, word: Word) -> str:
        """Write the prototype, without the names of parameters, which mean nothing to C."""
        return declaration(without_names(self.type), self.name, word)


class Library(Struct, frozen=True):
    """The library that has the functions, as the spec names it.

    `advice` pairs names of error numbers with what to do about them.
    """

    name: str
    advice: tuple[tuple[str, str], ...]


class Handle(Struct, frozen=True):
    """A struct that no header defines: functions take and give pointers to it.

    `key` is as in `Record`; `names` are the typedefs of it, in the root header.
    """

    key: str
    names: tuple[str, ...]


class LeftOut(Struct, frozen=True):
    """Something that the header declares and the bindings do not have, and why not."""

    name: str
    reason: str
    coord: Coord

    def __str__(self) -> str:
        return one_line(f"{self.coord}: note: {self.name} is left out: {self.reason}")


class Interface(Struct, frozen=True):
    """One version of an interface, as its root header declares it on one ABI.

    `release` is the first Xen that speaks it, where a newer one has the same version.
    `constants`, `records` and `typedefs` are in the order of declaration.  `typedefs`
    holds those of the root header; `scalar_typedefs` those of other headers that members
    are declared with (`RING_IDX`).  `files` are the header files read but for system
    headers, root first; `hidden` are names of types, members, enumerators and functions that
    are macros too, `left_out` is what the root header declares in vain, and `skipped` are the
    macros and functions that the spec has passed over.  `elsewhere` pairs the keys of records and
    enums, and the names of typedefs, with the modules of other headers that have them; `inside`
    names the modules that are in its own.  `read_for` is the target whose macros `files` asked for,
    empty where they ask for none or xenbind does not know it.
    """

    name: str
    version: int
    header: str
    abi: str
    constants: tuple[Constant, ...]
    groups: tuple[ConstantGroup, ...]
    records: tuple[Record, ...]
    typedefs: tuple[Typedef, ...]
    scalar_typedefs: tuple[Typedef, ...]
    rings: tuple[Ring, ...]
    payloads: tuple[Payload, ...]
    files: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    skipped: tuple[str, ...] = ()
    release: str = ""
    library: Library | None = None
    functions: tuple[Function, ...] = ()
    handles: tuple[Handle, ...] = ()
    event_pages: tuple[EventPage, ...] = ()
    byte_pages: tuple[BytePage, ...] = ()
    flex_rings: tuple[FlexRing, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    inside: tuple[str, ...] = ()
    read_for: str = ""

    @property
    def edition(self) -> str:
        """Give its name among the interfaces of a spec: `7`, `7_4_15`."""
        return edition(self.version, self.release)

    @property
    def title(self) -> str:
        """Give its name in words: `version 7`, `version 7 of Xen 4.15`."""
        return f"version {self.version}{self.release and f' of Xen {self.release}'}"

    @property
    def has_spans(self) -> bool:
        """Tell whether it was compared with those of other releases."""
        records = any(record.span for record in self.records)
        constants = any(constant.span for constant in self.constants)
        return records or constants or any(each.span for each in self.functions)

    @property
    def groups_by_hint(self) -> dict[str, ConstantGroup]:
        """Give the groups by what may name them as a member's: their keys and prefixes."""
        by_prefix = {g.prefix: g for g in reversed(self.groups) if g.prefix}
        return by_prefix | {group.key: group for group in self.groups}

    @property
    def records_by_key(self) -> dict[str, Record]:
        return {record.key: record for record in self.records}

    def payload_of(self, record: str) -> Payload | None:
        """Give what selects a member of a record's union, by the record's key."""
        return next((each for each in self.payloads if each.record == record), None)

    @property
    def own_records(self) -> list[Record]:
        """Give the records that no other header's module has."""
        others = dict(self.elsewhere)
        return [record for record in self.records if record.key not in others]

    @property
    def own_groups(self) -> list[ConstantGroup]:
        """Give the groups that no other header's module has."""
        others = dict(self.elsewhere)
        return [group for group in self.groups if group.key not in others]


def member_at(records: Mapping[str, Record], key: str, path: str) -> Field | None:
    """Give the member at a path such as `left.cons`, at its place in the outermost record."""
    name, _, rest = path.partition(".")
    fields = records[key].fields if key in records else ()
    found = next((field for field in fields if field.name == name), None)
    if found is None or not rest:
        return found
    if not isinstance(found.type, RecordRef):
        return None
    inner = member_at(records, found.type.key, rest)
    return inner and replace(inner, offset=found.offset + inner.offset)


# An interface's records by ABI and key, as far as they can be laid out there; an ABI on
# which they are not known is not in it.
Layouts = Mapping[str, Mapping[str, Record]]
