"""Place members by the psABIs' rules: size, alignment, offset and bit position.

Takes plain sizes and alignments, gives positions; `records` asks for each struct and
union, and `backend.ctypes_layout` for what ctypes would do.  The rules are those of the
System V psABI (x86-64 3.1.2) and AAPCS, which differ in little; `abi` has what does.
Attributes are as gcc documents them.

    lay_out("struct", [Part(1, 1), Part(4, 4)])  ->  size 8, offsets 0 and 4
"""

from __future__ import annotations

from collections.abc import Sequence

from xenbind.plain import Struct

# Widths of bit-fields that are those of whole integers.
WHOLE = (8, 16, 32, 64)


class Part(Struct, frozen=True):
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


class Disputed(Exception):
    """A member, by its index, that gcc and clang do not begin at the same bit."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class Place(Struct, frozen=True):
    """Where a member is: bytes from the start, and for a bit-field bits into its unit."""

    offset: int
    bit_offset: int | None = None


class Layout(Struct, frozen=True):
    """A struct or union laid out: one place for each member, in order."""

    size: int
    alignment: int
    places: tuple[Place, ...]


def lay_out(
    kind: str,
    members: Sequence[Part],
    aligned: int = 1,
    unnamed_bits_align: bool = False,
) -> Layout:
    """Place the members of a struct or union (C11 6.7.2.1; psABI "Aggregates and Unions").

    `kind` is "struct" or "union"; `aligned` is the least alignment that its attributes
    ask for, and `unnamed_bits_align` the ABI's rule of that name.  Raises `Disputed`.
    """
    places = []
    bit = 0  # the first free bit
    end = 0
    alignment = aligned
    for index, member in enumerate(members):
        free = 0 if kind == "union" else bit
        start = _start(member, free)
        if _is_disputed(member, free):
            raise Disputed(index)
        places.append(_place(member, start))
        bit = start + (8 * member.size if member.bits is None else member.bits)
        end = max(end, bit)
        if member.named or unnamed_bits_align or member.bits is None:
            alignment = max(alignment, _demand(member))
    return Layout(
        _round_up(_round_up(end, 8) // 8, alignment), alignment, tuple(places)
    )


def _start(member: Part, bit: int) -> int:
    """Find the first bit of a member that follows after `bit` bits."""
    if not member.bits:
        return _round_up(bit, 8 * _demand(member))
    bit = _round_up(bit, 8 * _limited(member, member.aligned) or 1)
    step = 8 * member.alignment
    # From the start of its unit, a bit-field may reach no further than its type does.
    outside = bit % step + member.bits > 8 * member.size
    if outside and not (member.packed or member.pack):
        return _round_up(bit, step)
    return bit


def _is_disputed(member: Part, free: int) -> bool:
    """Tell whether gcc and clang place a bit-field apart, whose type's name is aligned.

    clang does as `_start`.  To gcc, one as wide as a whole integer is no bit-field; any
    other leaves a unit of its type only where that is aligned more than it is long.
    """
    if not member.bits or member.packed or member.pack:
        return False
    bit = _round_up(free, 8 * member.aligned or 1)
    if member.alignment <= member.size or bit % (8 * member.alignment) == 0:
        return False
    stays = member.bits in WHOLE and bit % member.bits == 0
    return stays is not (_start(member, free) == bit)


def _demand(member: Part) -> int:
    """Give a member's effective alignment, in bytes.

    The record gets it and, but for bit-fields, the member's own offset.

    Packing does not touch a bit-field of width zero.
    """
    if member.bits == 0:
        return max(member.aligned, member.alignment)
    # Below #pragma pack, the attribute means nothing to a bit-field.
    packed = member.packed and not (member.pack and member.bits)
    return _limited(member, max(member.aligned, 1 if packed else member.alignment))


def _limited(member: Part, alignment: int) -> int:
    return min(alignment, member.pack) if member.pack else alignment


def _place(member: Part, start: int) -> Place:
    """Place a member that starts at a bit.

    A bit-field counts from a storage unit of its type, a packed one from its first byte.
    """
    if member.bits is None:
        return Place(start // 8)
    step = 8 if member.packed or member.pack else 8 * member.alignment
    return Place(start // step * step // 8, start % step)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
