"""Tell which structs and unions Python passes to functions by value as C does.

Takes laid out `Record`s; `ByValue.is_alike` says of one whether ctypes and libffi put it where
compilers look for it, on every target that packages are for.  What is not known to be right is
not alike.

    struct point { double x, y; };               ->  alike: each in a register
    union number { float f; double d; };         ->  not: to libffi it is a struct of both
    struct { char a; int b; } packed             ->  not: compilers have it in memory

ctypes tells libffi of a record its size, its alignment and the types of its members one behind
another: it knows no union, no bit-field and no place, and of arrays only those of one dimension in
records of up to 16 bytes.  An array of bytes is what it tells of records whose places we set.  The
ABIs (System V psABIs for x86-64, i386 and RISC-V, AAPCS32 and AAPCS64) ask for the members'
types only where a record is small, and then mostly for those that are floating.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenbind.ir.abi import Abi
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    RecordRef,
    Scalar,
    element,
    inside_arrays,
)
from xenbind.ir.interface import Field, Record
from xenbind.ir.layout import Part, lay_out

# Above it, no ABI looks at what is inside: AAPCS64 does so at four long doubles, the largest.
_LARGE = 64
# As much fits the registers for one argument, unless AAPCS has it all floating.
_SMALL = 16
_WORD = 8
# libffi before 3.4 writes behind its own array for more words than of these bytes.
_CLASSIFIED = 32
_MOST_FLOATS = 4  # of a homogeneous aggregate (AAPCS64 5.9.5.1)

# Place, size, and the base of its type: empty of a pointer, `bits` of a bit-field.
_Part = tuple[int, int, str]


class ByValue:
    """The records of a header on one ABI, by key."""

    def __init__(self, abi: Abi, records: Mapping[str, Record]) -> None:
        self.abi = abi
        self.records = records
        self._parts: dict[str, frozenset[_Part]] = {}
        self._demands: dict[str, int] = {}

    def is_alike(self, record: Record) -> bool:
        """Tell whether ctypes passes and takes a record by value as C does."""
        natural = self._demand(record)
        if record.alignment > natural or record.alignment < natural > _WORD:
            return False  # of what is aligned otherwise, ABIs and compilers differ
        if record.size > _LARGE:
            return True
        if not record.size or self._has_empty(record):
            return False
        if record.size <= _CLASSIFIED and self._reach(record) > _CLASSIFIED:
            return False
        parts = self._inside(record)
        floats = [size for _, size, base in parts if base in self.abi.floats]
        if record.size > _SMALL:
            is_homogeneous = (
                len(floats) == len(parts) <= _MOST_FLOATS and len(set(floats)) == 1
            )
            return not is_homogeneous or self._is_plain(record, with_arrays=False)
        if any(base == "long double" for _, _, base in parts):
            return False  # which libffi does not look for where a result has it
        if floats:
            return self._is_plain(record)
        return not self._has_unaligned(record) and _fills_words(record, parts)

    def _fields(self, record: Record) -> Iterator[Field]:
        """Give the members at any depth, those of each inner record once."""
        seen: set[str] = set()
        pending = [record]
        while pending:
            for field in pending.pop().fields:
                yield field
                inner = element(field.type)
                if isinstance(inner, RecordRef) and inner.key not in seen:
                    seen.add(inner.key)
                    pending.append(self.records[inner.key])

    def _has_empty(self, record: Record) -> bool:
        """Tell whether there are arrays without elements or records without members inside."""
        return any(not field.size for field in self._fields(record))

    def _has_unaligned(self, record: Record) -> bool:
        """Tell whether there are records inside where their alignment has none.

        clang passes these in memory; gcc does so only if a number in them is not aligned.
        """
        return any(
            isinstance(inner := element(field.type), RecordRef)
            and field.offset % self.records[inner.key].alignment
            for field in self._fields(record)
        )

    def _demand(self, record: Record) -> int:
        """Give the alignment that a record has if nothing asks for another."""
        if record.key not in self._demands:
            self._demands[record.key] = max(
                map(self._of_type, record.fields), default=1
            )
        return self._demands[record.key]

    def _of_type(self, field: Field) -> int:
        """Give the alignment of a member's type by itself; a bit-field's is its unit's."""
        inner = element(field.type)
        if isinstance(inner, RecordRef):
            return self._demand(self.records[inner.key])
        return self.abi.alignment(self._size(inner))

    def _size(self, c_type: CType) -> int:
        match c_type:
            case Scalar(base=base) | Enumeration(base=base):
                return self.abi.scalar(base)[0]
            case RecordRef(key=key):
                return self.records[key].size
        return self.abi.pointer

    def _inside(self, record: Record) -> frozenset[_Part]:
        """Give all numbers and pointers at any depth, once each where unions have several."""
        if record.key not in self._parts:
            self._parts[record.key] = frozenset(
                part for field in record.fields for part in self._of_field(field)
            )
        return self._parts[record.key]

    def _of_field(self, field: Field) -> Iterator[_Part]:
        if field.bit_width is not None:
            first = field.first_bit
            end = -(-(first + field.bit_width) // 8)
            yield first // 8, end - first // 8, "bits"
            return
        inner = element(field.type)
        size = self._size(inner)
        for offset in range(field.offset, field.offset + field.size, size):
            if isinstance(inner, RecordRef):
                for place, length, base in self._inside(self.records[inner.key]):
                    yield offset + place, length, base
            else:
                base = getattr(inner, "base", "")
                yield offset, size, base

    def _is_plain(self, record: Record, with_arrays: bool = True) -> bool:
        """Tell whether the members one behind another are all that there is to a record."""
        if record.kind == "union" or any(
            field.bit_width is not None for field in record.fields
        ):
            return False
        for field in record.fields:
            inner, lengths = inside_arrays(field.type)
            if len(lengths) > with_arrays:
                return False
            if isinstance(inner, RecordRef) and not self._is_plain(
                self.records[inner.key], with_arrays
            ):
                return False
        laid_out = lay_out(
            "struct", [Part(each.size, self._of_type(each)) for each in record.fields]
        )
        places = [place.offset for place in laid_out.places]
        return (laid_out.size, laid_out.alignment, places) == (
            record.size,
            record.alignment,
            [field.offset for field in record.fields],
        )

    def _reach(self, record: Record) -> int:
        """Count the bytes that members take to libffi, which has them one behind another."""
        parts = []
        for field in record.fields:
            is_array = isinstance(field.type, Array)
            size = max(field.size, self.abi.pointer) if is_array else field.size
            parts.append(Part(size, self._of_type(field)))
        return lay_out("struct", parts).size


def _fills_words(record: Record, parts: frozenset[_Part]) -> bool:
    """Tell whether each word of a small record without floats is one of integers.

    A member across the words' own bounds has compilers pass it in memory, and a word with no
    member in it not at all.
    """
    touched: set[int] = set()
    for offset, size, base in parts:
        if base != "bits" and offset % size:
            return False
        touched.update(range(offset // _WORD, (offset + size - 1) // _WORD + 1))
    return touched == set(range(-(-record.size // _WORD)))
