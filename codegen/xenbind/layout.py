"""Where the ABI puts things: size, alignment, offset and bit position of every member.

Takes plain sizes and alignments, gives positions; `lower` asks it for each struct and
union as it meets them.  The rules are those of the System V psABI (x86-64 3.1.2, i386
and AArch64 AAPCS64 alike), as gcc and clang follow them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntegerType:
    """An integer type of an ABI: its width in bytes, and whether it is signed."""

    name: str
    size: int
    signed: bool


@dataclass(frozen=True, slots=True)
class Abi:
    """The sizes that a target gives C's types, in bytes.

    `integers` has every fundamental and stdint integer type by name, `floats` the others.
    """

    name: str
    pointer: int
    integers: Mapping[str, IntegerType]
    floats: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Member:
    """One member as layout needs it; `bits` is its width if it is a bit-field.

    An unnamed bit-field has `named` False: it takes room and has no position.
    """

    size: int
    alignment: int
    bits: int | None = None
    named: bool = True


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


def _integers(long: int, pointer: int) -> dict[str, IntegerType]:
    sizes = {"char": 1, "short": 2, "int": 4, "long": long, "long long": 8}
    table = {}
    for name, size in sizes.items():
        table[name] = IntegerType(name, size, True)
        table[f"unsigned {name}"] = IntegerType(f"unsigned {name}", size, False)
    table["signed char"] = IntegerType("signed char", 1, True)
    table["_Bool"] = IntegerType("_Bool", 1, False)
    for bits in (8, 16, 32, 64):
        table[f"int{bits}_t"] = IntegerType(f"int{bits}_t", bits // 8, True)
        table[f"uint{bits}_t"] = IntegerType(f"uint{bits}_t", bits // 8, False)
    for name, signed in (("size_t", False), ("uintptr_t", False), ("intptr_t", True)):
        table[name] = IntegerType(name, pointer, signed)
    table["ptrdiff_t"] = IntegerType("ptrdiff_t", pointer, True)
    return table


X86_64 = Abi("x86_64", 8, _integers(long=8, pointer=8), {"float": 4, "double": 8})


def lay_out(kind: str, members: Sequence[Member]) -> Layout:
    """Place the members of a struct or union (C11 6.7.2.1; psABI "Aggregates and Unions").

    `kind` is "struct" or "union".
    """
    if kind == "union":
        size = max((_bytes(member) for member in members), default=0)
        bits = [0 if member.bits is not None else None for member in members]
        places = tuple(Place(0, bit) for bit in bits)
    else:
        size, places = _sequence(members)
    alignment = max(
        (member.alignment for member in members if _aligns(member)), default=1
    )
    return Layout(_round_up(size, alignment), alignment, places)


def _sequence(members: Sequence[Member]) -> tuple[int, tuple[Place, ...]]:
    """Members one after another: the bytes used, before trailing padding, and the places."""
    places = []
    bit = 0  # the first free bit
    for member in members:
        if member.bits is None:
            offset = _round_up(_round_up(bit, 8) // 8, member.alignment)
            places.append(Place(offset))
            bit = 8 * (offset + member.size)
            continue
        unit = 8 * member.size
        if member.bits == 0:
            bit = _round_up(bit, 8 * member.alignment)
        elif bit // unit != (bit + member.bits - 1) // unit:
            # A bit-field may not straddle two units of its declared type.
            bit = _round_up(bit, 8 * member.alignment)
        places.append(Place(bit // unit * member.size, bit % unit))
        bit += member.bits
    return _round_up(bit, 8) // 8, tuple(places)


def _bytes(member: Member) -> int:
    """What a member takes in a union: a bit-field no more than its own bits."""
    return member.size if member.bits is None else _round_up(member.bits, 8) // 8


def _aligns(member: Member) -> bool:
    """Whether a member's alignment counts for the whole: an unnamed bit-field's does not."""
    return member.bits is None or member.named


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
