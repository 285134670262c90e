"""The ABI table: what each target's own compilers say of every type in it."""

from __future__ import annotations

import pytest
from c_compiler import CLANG, GCC, compile_c
from xenbind.ir.abi import ABIS

# The names of stdint.h and stddef.h, by the compiler's own macros for them.
NAMES = {
    **{
        f"{u}int{bits}_t": f"__{u.upper()}INT{bits}_TYPE__"
        for u in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "size_t": "__SIZE_TYPE__",
    "ptrdiff_t": "__PTRDIFF_TYPE__",
    "intptr_t": "__INTPTR_TYPE__",
    "uintptr_t": "__UINTPTR_TYPE__",
}


@pytest.mark.parametrize("compilers", [GCC, CLANG], ids=["gcc", "clang"])
@pytest.mark.parametrize("target", ABIS)
def test_sizes_alignments_and_signs(target: str, compilers: dict[str, str]) -> None:
    abi = ABIS[target]
    types = [*abi.integers, *abi.floats, "void *"]
    text = "".join(f"typedef {c_type} {name};\n" for name, c_type in NAMES.items())
    expected = {}
    for index, name in enumerate(types):
        floating, pointer = name in abi.floats, name == "void *"
        size = (
            abi.pointer if pointer else abi.floats.get(name) or abi.integers[name].size
        )
        signed = not pointer and (floating or abi.integers[name].signed)
        expected[name] = bytes((size, abi.alignment(size), signed))
        negative = "0" if pointer else f"({name})-1 < 0"
        text += (
            f"struct s{index} {{ char first; {name} second; }};\n"
            f"const unsigned char f{index}[] = {{ sizeof({name}),"
            f" __builtin_offsetof(struct s{index}, second), {negative} }};\n"
        )
    text += (
        "struct aligned { char first; } __attribute__((aligned));\n"
        "struct unnamed { char first; int : 3; };\n"
        "const unsigned char rules[] = { _Alignof(struct aligned), _Alignof(struct unnamed) };\n"
    )
    found = compile_c(text, compilers[target])
    answers = {name: found[f"f{index}"] for index, name in enumerate(types)}
    assert answers == expected
    assert found["rules"] == bytes((abi.aligned, 4 if abi.unnamed_bits_align else 1))
