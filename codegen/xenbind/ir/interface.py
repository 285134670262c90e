"""The intermediate representation: what the headers say, as plain data.

`lower` builds it from the AST; `render`, `reference` and `verify` read it.  Nodes are
frozen and carry no behaviour beyond naming their own parts.  Sizes and offsets are in
bytes, bit positions in bits from the least significant bit of the storage unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xenbind.ir.abi import IntegerType
from xenbind.ir.c_types import CType, is_anonymous
from xenbind.source import Coord

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
        """Where the member begins, in bits from the start of its record."""
        return 8 * self.offset + (self.bit_offset or 0)

    @property
    def bit_count(self) -> int:
        """How many bits the member takes."""
        return 8 * self.size if self.bit_width is None else self.bit_width

    @property
    def is_padding(self) -> bool:
        """Whether the member's name says that it only fills: `pad`, `_pad1`, `__padding`."""
        return _PADDING.fullmatch(self.name.rpartition(".")[2]) is not None


@dataclass(frozen=True, slots=True)
class Field(Placed):
    """A member of a struct or union.

    `bit_offset` and `bit_width` are None unless the member is a bit-field; `offset` and
    `size` of a bit-field are those of its storage unit, of a packed one those of the
    bytes that it touches.  `hint` is the prefix of the
    constants that the member holds, as its comment names them (`VM_EVENT_FLAG_`).
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


@dataclass(frozen=True, slots=True)
class Record:
    """A struct or union with its layout.

    `key` names it uniquely: `struct vm_event_st` for one with a tag, and for an anonymous
    one the key of the record around it and the member's name, `struct vm_event_st.u`.
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

    @property
    def spelling(self) -> str:
        return f"{self.kind} {self.tag or '<anonymous>'}"

    @property
    def is_anonymous(self) -> bool:
        """Whether the record has no name of its own, only its place inside another."""
        return is_anonymous(self.key)


@dataclass(frozen=True, slots=True)
class Constant:
    """An object-like macro or an enumerator with a value.

    `value` is an int, or a str for a macro that is a string literal.  `body` is the text
    that the header defines it as, before expansion.
    """

    name: str
    value: int | str
    body: str
    doc: str
    coord: Coord


@dataclass(frozen=True, slots=True)
class ConstantGroup:
    """Constants that belong together: the values of one member, or the bits of one word.

    `prefix` is the part of the C names that all members share, with its underscore.
    """

    name: str
    prefix: str
    is_flag: bool
    members: tuple[Constant, ...]
    doc: str
    coord: Coord


@dataclass(frozen=True, slots=True)
class Typedef:
    """A name for another type."""

    name: str
    type: CType
    doc: str
    coord: Coord


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; `role` is index, page or record."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A function-like macro of ring.h in Python.

    `side` says whose method it is: front, back, page, or none for a plain function.
    `roles` are those of all the macro's parameters, of which `parameters` are left in
    Python; `returns` is int, bool, req, rsp or None.  `lines` are the body, not indented.
    `index_type` is the C type of its plain parameters, and of an int that it returns.
    """

    macro: str
    name: str
    side: str
    roles: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    returns: str
    lines: tuple[str, ...]
    index_type: IntegerType
    doc: str


@dataclass(frozen=True, slots=True)
class Ring:
    """The types that one `DEFINE_RING_TYPES` makes, by record key or typedef name.

    `operations` are its header's macros, instantiated on these types.
    """

    name: str
    request: str
    response: str
    entry: str
    shared: str
    front: str
    back: str
    operations: tuple[Operation, ...]
    coord: Coord


@dataclass(frozen=True, slots=True)
class Payload:
    """A tagged union: which member of `union` each value of the member `tag` selects.

    `record` is the key of the record that has both as members; `members` pairs constants
    with member names.  A constant that is not in it selects none.
    """

    record: str
    tag: str
    union: str
    members: tuple[tuple[Constant, str], ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """One version of an interface, as its root header declares it on one ABI.

    `constants`, `records` and `typedefs` are in the order of declaration.  `typedefs`
    holds those of the root header; `scalar_typedefs` those of other headers that members
    are declared with (`RING_IDX`).  `files` are the header files read, root first.
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
    payload: Payload | None
    files: tuple[str, ...]

    @property
    def records_by_key(self) -> dict[str, Record]:
        return {record.key: record for record in self.records}


# An interface's records by ABI and key, as far as they can be laid out there.
Layouts = Mapping[str, Mapping[str, Record]]
