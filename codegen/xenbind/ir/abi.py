"""Know what each target's ABI says of C's arithmetic types: size, alignment and sign.

`ABIS` has the machines that Xen runs on; `layout` places members by these numbers, and
`lowering` evaluates constants with these types.  The numbers are those of the System V
psABIs (x86-64 3.1.2, i386, RISC-V) and of AAPCS32 and AAPCS64:

    ABIS["i386"].scalar("uint64_t")  ->  (8, 4)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xenbind.plain import Struct


class IntegerType(Struct, frozen=True):
    """An integer type of an ABI: its width in bytes, and whether it is signed."""

    name: str
    size: int
    signed: bool

    def holds(self, value: int) -> bool:
        """Tell whether the type has this value."""
        half = 1 << (8 * self.size - 1)
        return -half <= value < half if self.signed else 0 <= value < 2 * half

    def common(self, other: IntegerType) -> IntegerType:
        """Give the type that the usual arithmetic conversions make of two (C11 6.3.1.8).

        Both are promoted already.
        """
        shorter, longer = sorted((other, self), key=IntegerType._rank)
        if self.size != other.size or not longer.signed or shorter.signed:
            return longer
        if shorter._rank() == longer._rank():
            return shorter
        return IntegerType(f"unsigned {longer.name}", longer.size, False)

    def _rank(self) -> tuple[int, int]:
        """Give what is greater for a type of a greater rank: `long long`, if as wide as `long`."""
        return self.size, self.name.count("long")


class Abi(Struct, frozen=True):
    """The sizes that a target gives C's types, in bytes.

    `integers` has every fundamental and stdint integer type by name, `floats` the sizes
    of the others; `wide` is what wchar_t is.  No scalar inside a struct is aligned more than
    `strictest`, and `aligned` is what the attribute of that name asks for by default.  With
    `unnamed_bits_align`, unnamed bit-fields align the struct around them as named ones do
    (AAPCS32 8.1.8, AAPCS64 10.1.8).
    """

    name: str
    pointer: int
    integers: Mapping[str, IntegerType]
    floats: Mapping[str, int]
    wide: IntegerType
    strictest: int
    aligned: int
    unnamed_bits_align: bool

    def fundamental(self, integer: IntegerType) -> IntegerType:
        """Give the type that stdint.h and stddef.h name: `uint8_t` is `unsigned char`."""
        if not integer.name.endswith("_t"):
            return integer
        long = "long" if self.pointer == 8 else "long long"
        name = {1: "char", 2: "short", 4: "int", 8: long}[integer.size]
        sign = "" if integer.signed else "unsigned "
        return self.integers["signed char" if sign + name == "char" else sign + name]

    def kind(self, base: str) -> str:
        """Say what an arithmetic type is: `signed` or `unsigned`, `float`, `bool` or `char`."""
        if base in self.floats:
            return "float"
        if base in ("_Bool", "char"):
            return base.removeprefix("_").lower()
        return "signed" if self.integers[base].signed else "unsigned"

    def alignment(self, size: int) -> int:
        """Give the alignment inside a struct, in bytes, of a scalar of `size` bytes."""
        return min(size, self.strictest)

    def scalar(self, base: str) -> tuple[int, int]:
        """Give size and alignment inside a struct, in bytes, of an arithmetic type."""
        size = self.floats.get(base) or self.integers[base].size
        return size, self.alignment(size)

    def enumeration(self, values: Iterable[int], packed: bool) -> IntegerType | None:
        """Choose the integer type that holds an enum, as gcc and clang do; None if none does.

        It is unsigned unless a value is negative, and an int or longer unless packed.
        """
        held = [0, *values]
        for name in ["char", "short"] * packed + ["int", "long", "long long"]:
            signed = "signed char" if name == "char" else name
            integer = self.integers[signed if min(held) < 0 else f"unsigned {name}"]
            if integer.holds(min(held)) and integer.holds(max(held)):
                return integer
        return None


def _abi(
    name: str,
    word: int,
    *,
    char_signed: bool,
    wide: str = "int",
    long_double: int,
    strictest: int = 16,
    aligned: int = 16,
    unnamed_bits_align: bool = False,
) -> Abi:
    """Make an ABI whose `long` and pointers are `word` bytes: ILP32 or LP64."""
    integers = _integers(word, char_signed)
    return Abi(
        name=name,
        pointer=word,
        integers=integers,
        wide=integers[wide],
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
        _abi(
            "arm64",
            8,
            char_signed=False,
            wide="unsigned int",
            long_double=16,
            unnamed_bits_align=True,
        ),
        _abi(
            "armhf",
            4,
            char_signed=False,
            wide="unsigned int",
            long_double=8,
            strictest=8,
            aligned=8,
            unnamed_bits_align=True,
        ),
        _abi("riscv64", 8, char_signed=False, long_double=16),
    )
}
X86_64 = ABIS["x86_64"]
