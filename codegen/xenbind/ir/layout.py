"""Where the ABI puts things: size, alignment, offset and bit position of every member.

Takes plain sizes and alignments, gives positions; `typetable` asks it for each struct
and union as it meets them.  The rules are those of the System V psABI (x86-64 3.1.2) and
AAPCS, which differ in little; `ABIS` has what does.  Attributes are as gcc documents them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer type of an ABI: its width in bytes, and whether it is signed."""

    name: str
    size: int
    signed: bool

    def holds(self, value: int) -> bool:
        """Whether the type has this value."""
        half = 1 << (8 * self.size - 1)
        return -half <= value < half if self.signed else 0 <= value < 2 * half


@dataclass(frozen=True, slots=True)
class Abi:
    """The sizes that a target gives C's types, in bytes.

    `integers` has every fundamental and stdint integer type by name, `floats` the sizes
    of the others.  No scalar inside a struct is aligned more than `strictest`, and
    `aligned` is what the attribute of that name asks for by default.  With
    `unnamed_bits_align`, unnamed bit-fields align the struct around them as named ones do
    (AAPCS32 8.1.8, AAPCS64 10.1.8).
    """

    name: str
    pointer: int
    integers: Mapping[str, IntegerType]
    floats: Mapping[str, int]
    strictest: int
    aligned: int
    unnamed_bits_align: bool

    def alignment(self, size: int) -> int:
        """The alignment inside a struct of a scalar of `size` bytes."""
        return min(size, self.strictest)

    def scalar(self, base: str) -> tuple[int, int]:
        """The size of an arithmetic type, and its alignment inside a struct."""
        size = self.floats.get(base) or self.integers[base].size
        return size, self.alignment(size)

    def enumeration(self, values: Iterable[int], packed: bool) -> IntegerType | None:
        """The integer type that holds an enum, as gcc and clang choose it; None if none does.

        It is unsigned unless a value is negative, and an int or longer unless packed.
        """
        held = [0, *values]
        for name in ["char", "short"] * packed + ["int", "long", "long long"]:
            signed = "signed char" if name == "char" else name
            type = self.integers[signed if min(held) < 0 else f"unsigned {name}"]
            if type.holds(min(held)) and type.holds(max(held)):
                return type
        return None


@dataclass(frozen=True, slots=True)
class Member:
    """One member as layout needs it; `bits` is its width if it is a bit-field.

    `size` and `alignment` are its type's.  An unnamed bit-field has `named` False: it
    takes room and has no position.  `packed` says that the member or the record is; then
    the type's alignment does not count.  `aligned` is what the member's own attribute
    asks for, 0 without one; `pack` is the most that `#pragma pack` allows, 0 for no limit.
    """

    size: int
    alignment: int
    bits: int | None = None
    named: bool = True
    packed: bool = False
    aligned: int = 0
    pack: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member is: bytes from the start, and for a bit-field bits into its unit."""

    offset: int
    bit_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A struct or union laid out: one place for each member, in order."""

    size: int
    alignment: int
    places: tuple[Place, ...]


def _abi(
    name: str,
    word: int,
    *,
    char_signed: bool,
    long_double: int,
    strictest: int = 16,
    aligned: int = 16,
    unnamed_bits_align: bool = False,
) -> Abi:
    """An ABI whose `long` and pointers are `word` bytes: ILP32 or LP64."""
    return Abi(
        name=name,
        pointer=word,
        integers=_integers(word, char_signed),
        floats={"float": 4, "double": 8, "long double": long_double},
        strictest=strictest,
        aligned=aligned,
        unnamed_bits_align=unnamed_bits_align,
    )


def _integers(word: int, char_signed: bool) -> dict[str, IntegerType]:
    sizes = {"char": 1, "short": 2, "int": 4, "long": word, "long long": 8}
    table = {}
    for name, size in sizes.items():
        table[name] = IntegerType(name, size, True)
        table[f"unsigned {name}"] = IntegerType(f"unsigned {name}", size, False)
    table["char"] = IntegerType("char", 1, char_signed)
    table["signed char"] = IntegerType("signed char", 1, True)
    table["_Bool"] = IntegerType("_Bool", 1, False)
    for bits in (8, 16, 32, 64):
        table[f"int{bits}_t"] = IntegerType(f"int{bits}_t", bits // 8, True)
        table[f"uint{bits}_t"] = IntegerType(f"uint{bits}_t", bits // 8, False)
    for name, signed in (("size_t", False), ("uintptr_t", False), ("intptr_t", True)):
        table[name] = IntegerType(name, word, signed)
    table["ptrdiff_t"] = IntegerType("ptrdiff_t", word, True)
    return table


ABIS: Mapping[str, Abi] = {
    abi.name: abi
    for abi in (
        _abi("x86_64", 8, char_signed=True, long_double=16),
        _abi("i386", 4, char_signed=True, long_double=12, strictest=4),
        _abi("arm64", 8, char_signed=False, long_double=16, unnamed_bits_align=True),
        _abi(
            "armhf",
            4,
            char_signed=False,
            long_double=8,
            strictest=8,
            aligned=8,
            unnamed_bits_align=True,
        ),
        _abi("riscv64", 8, char_signed=False, long_double=16),
    )
}
X86_64 = ABIS["x86_64"]


def lay_out(
    kind: str,
    members: Sequence[Member],
    aligned: int = 1,
    unnamed_bits_align: bool = False,
) -> Layout:
    """Place the members of a struct or union (C11 6.7.2.1; psABI "Aggregates and Unions").

    `kind` is "struct" or "union"; `aligned` is the least alignment that its attributes
    ask for, and `unnamed_bits_align` the ABI's rule of that name.
    """
    places = []
    bit = 0  # the first free bit
    end = 0
    alignment = aligned
    for member in members:
        start = _start(member, 0 if kind == "union" else bit)
        places.append(_place(member, start))
        bit = start + (8 * member.size if member.bits is None else member.bits)
        end = max(end, bit)
        if member.named or unnamed_bits_align or member.bits is None:
            alignment = max(alignment, _demand(member))
    return Layout(
        _round_up(_round_up(end, 8) // 8, alignment), alignment, tuple(places)
    )


def _start(member: Member, bit: int) -> int:
    """The first bit of a member that follows after `bit` bits."""
    if not member.bits:
        return _round_up(bit, 8 * _demand(member))
    bit = _round_up(bit, 8 * _limited(member, member.aligned) or 1)
    step = 8 * member.alignment
    # A bit-field may not touch more aligned pieces than its declared type is made of.
    touched = -(-(bit % step + member.bits) // step)
    if touched > 8 * member.size // step and not (member.packed or member.pack):
        return _round_up(bit, step)
    return bit


def _demand(member: Member) -> int:
    """The alignment that a member asks of its record, and but for bit-fields of its offset.

    Packing does not touch a bit-field of width zero.
    """
    if member.bits == 0:
        return max(member.aligned, member.alignment)
    # Below #pragma pack, the attribute means nothing to a bit-field.
    packed = member.packed and not (member.pack and member.bits)
    return _limited(member, max(member.aligned, 1 if packed else member.alignment))


def _limited(member: Member, alignment: int) -> int:
    return min(alignment, member.pack) if member.pack else alignment


def _place(member: Member, start: int) -> Place:
    """A bit-field counts from a unit of its type, a packed one from its first byte."""
    if member.bits is None:
        return Place(start // 8)
    step = 8 if member.packed or member.pack else 8 * member.alignment
    return Place(start // step * step // 8, start % step)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
