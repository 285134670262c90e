"""Lay out structs and unions: the places of their members on one ABI.

Takes `RecordType`s, which `lowering` makes once for a header; gives the `Record`s of an
ABI, each laid out when it is first asked for.  `layout` has the rules.

    struct pair { char first; long second; };
    Records(ABIS["i386"], …).record("struct pair").size     ->  8
    Records(ABIS["x86_64"], …).record("struct pair").size   ->  16
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xenbind.ir import layout
from xenbind.ir.abi import Abi
from xenbind.ir.c_types import Array, CType, Enumeration, Pointer, RecordRef, Scalar
from xenbind.ir.interface import Field, Member, Record, RecordType
from xenbind.plain import replace
from xenbind.source import Coord


class IncompleteType(Exception):
    """A type without a size: `void`, or a struct that is only named."""

    def __init__(self, c_type: CType) -> None:
        super().__init__()
        self.type = c_type


class Disagreement(Exception):
    """A member that compilers do not lay out alike, by its place in the header."""

    def __init__(self, coord: Coord, message: str) -> None:
        super().__init__(message)
        self.coord = coord


class TooWide(Exception):
    """A bit-field, by its place in the header, that its type has no room for on an ABI."""

    def __init__(self, coord: Coord) -> None:
        super().__init__("this bit-field is wider than its type")
        self.coord = coord


def measure(
    c_type: CType, abi: Abi, find: Callable[[str], Record | None]
) -> tuple[int, int]:
    """Give size and alignment of a type on an ABI, in bytes.

    `find` gives a record by its key.  Raises `IncompleteType`.
    """
    size, alignment = _natural(c_type, abi, find)
    return size, c_type.aligned or alignment


def _natural(
    c_type: CType, abi: Abi, find: Callable[[str], Record | None]
) -> tuple[int, int]:
    match c_type:
        case Scalar(base=base) | Enumeration(base=base) if base != "void":
            return abi.scalar(base)
        case Pointer():
            return abi.pointer, abi.pointer
        case Array(element, length):
            size, alignment = measure(element, abi, find)
            return size * (length or 0), alignment
        case RecordRef(key=key) if record := find(key):
            return record.size, record.alignment
    raise IncompleteType(c_type)


class Records:
    """The records of a header on one ABI, by key.

    `find` gives the type behind a key, None for one that is incomplete.  `laid_out` grows
    as records are asked for, inner ones before outer ones.  What is as in `other`, the same
    records on another ABI, is taken from there: most are, and that is faster.
    """

    def __init__(
        self,
        abi: Abi,
        find: Callable[[str], RecordType | None],
        other: Records | None = None,
    ) -> None:
        self.abi = abi
        self.laid_out: dict[str, Record] = {}
        self._find = find
        self._other = other
        # What each was laid out from, beside its type.
        self._given: dict[str, tuple[bool, list[layout.Part]]] = {}

    def record(self, key: str) -> Record | None:
        """Give a record by its key, None for an incomplete one.

        Raises `IncompleteType`, `Disagreement` or `TooWide` where it has no layout.
        """
        if key not in self.laid_out:
            declared = self._find(key)
            if declared is None:
                return None
            inner = self._anonymous(declared)
            parts = self._parts(declared, inner)
            given = self._given[key] = (self.abi.unnamed_bits_align, parts)
            if self._other and not inner and self._other._given.get(key) == given:
                self.laid_out[key] = self._other.laid_out[key]
            else:
                self.laid_out[key] = self._lay_out(declared, inner, parts)
        return self.laid_out[key]

    def lay_out_again(self, key: str) -> None:
        """Lay out a record whose type has changed."""
        del self.laid_out[key]
        self.record(key)

    def forget(self, key: str) -> None:
        """Have a record as if it was never asked for."""
        self.laid_out.pop(key, None)
        self._given.pop(key, None)

    def measure(self, c_type: CType) -> tuple[int, int]:
        """Give size and alignment of a type, in bytes.  Raises `IncompleteType`."""
        return measure(c_type, self.abi, self.record)

    def _anonymous(self, declared: RecordType) -> dict[int, Record]:
        """Lay out the anonymous structs and unions among the members, by their index."""
        found = {}
        for index, member in enumerate(declared.members):
            if isinstance(member.type, RecordType):
                inner = self._anonymous(member.type)
                parts = self._parts(member.type, inner)
                found[index] = self._lay_out(member.type, inner, parts)
        return found

    def _parts(
        self, declared: RecordType, inner: Mapping[int, Record]
    ) -> list[layout.Part]:
        return [
            self._part(member, inner.get(index), declared.pack)
            for index, member in enumerate(declared.members)
        ]

    def _lay_out(
        self,
        declared: RecordType,
        inner: Mapping[int, Record],
        parts: Sequence[layout.Part],
    ) -> Record:
        aligned = max(declared.aligned, 1)
        try:
            laid_out = layout.lay_out(
                declared.kind, parts, aligned, self.abi.unnamed_bits_align
            )
        except layout.Disputed as reason:
            raise _disagreement(declared.members[reason.index]) from None
        fields: list[Field] = []
        for index, place in enumerate(laid_out.places):
            if index in inner:
                fields += (
                    replace(field, offset=place.offset + field.offset)
                    for field in inner[index].fields
                )
            else:
                fields += _fields(declared.members[index], parts[index], place)
        return Record(
            kind=declared.kind,
            tag=declared.tag,
            key=declared.key,
            fields=tuple(fields),
            size=laid_out.size,
            # The name is all that there is to ask C with.
            alignment=declared.name_aligned or laid_out.alignment,
            doc=declared.doc,
            coord=declared.coord,
        )

    def _part(self, member: Member, inner: Record | None, pack: int) -> layout.Part:
        """Give a member as the rules of layout see it: its numbers."""
        if inner is not None:
            size, alignment = inner.size, inner.alignment
        else:
            assert not isinstance(member.type, RecordType)
            size, alignment = self.measure(member.type)
        bits, aligned = member.bit_width, member.aligned
        if bits is not None and bits > 8 * size:
            raise TooWide(member.coord)
        if bits is not None and aligned and (pack or aligned < alignment):
            raise _disagreement(member)
        if bits in layout.WHOLE and not member.packed:
            # To gcc it is a whole integer, aligned as that, whatever its type's name says.
            assert not isinstance(member.type, RecordType)
            if 0 < member.type.aligned < self.abi.alignment(bits // 8):
                raise _disagreement(member)
        named = member.name is not None or bits is None
        return layout.Part(size, alignment, bits, named, member.packed, aligned, pack)


def _disagreement(member: Member) -> Disagreement:
    return Disagreement(
        member.coord, "gcc and clang disagree on where this aligned bit-field begins"
    )


def _fields(member: Member, part: layout.Part, place: layout.Place) -> list[Field]:
    """Give the member in its place; none for an unnamed bit-field."""
    if member.name is None or isinstance(member.type, RecordType):
        return []
    size = part.size
    if part.bits is not None and (part.packed or part.pack):
        size = -(-((place.bit_offset or 0) + part.bits) // 8)
    return [
        Field(
            name=member.name,
            type=member.type,
            offset=place.offset,
            size=size,
            bit_offset=place.bit_offset,
            bit_width=part.bits,
            doc=member.doc,
            hint=member.hint,
            coord=member.coord,
        )
    ]
