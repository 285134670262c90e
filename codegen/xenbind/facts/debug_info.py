"""Read an object file's debug information: its entries, and what one says of a type or member.

Takes an object file of gcc's or clang's, for any target; gives pyelftools' entries, and of
those names, sizes, places and lengths.  `dwarf` makes facts of them that `verify` asks for,
`declarations` all that a header declares.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

# All types, also those that no object or function uses.
OPTIONS = ("-g", "-fno-eliminate-unused-debug-types")

RECORDS = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}
QUALIFIERS = {
    f"DW_TAG_{name}_type": name for name in ("const", "volatile", "restrict", "atomic")
}
_WORD = 0xFFFF_FFFF_FFFF_FFFF
_DW_OP_PLUS_UCONST = 0x23
# R_X86_64_32, R_386_32, R_AARCH64_ABS32, R_ARM_ABS32, R_RISCV_32, by the psABIs.
_ABSOLUTE_32 = {
    "EM_X86_64": 10,
    "EM_386": 1,
    "EM_AARCH64": 258,
    "EM_ARM": 2,
    "EM_RISCV": 1,
}


def debug_information(path: Path) -> Any:
    """The DWARF of a relocatable object, with the names of its types in place.

    Those are what the linker would put in: of the relocations in what is read here, those of
    32 bits place names, and the others code.  pyelftools knows none of RISC-V's, and takes as
    long for those of the other machines as for all that it reads.
    """
    data = bytearray(path.read_bytes())
    elf = ELFFile(io.BytesIO(data))
    symbols: Any = elf.get_section_by_name(".symtab")
    values = [symbol["st_value"] for symbol in symbols.iter_symbols()]
    for name in (".debug_info", ".debug_str_offsets", ".debug_line"):
        for kind in ("rela", "rel"):
            relocations: Any = elf.get_section_by_name(f".{kind}{name}")
            if relocations is not None:
                section: Any = elf.get_section_by_name(name)
                _relocate(data, section["sh_offset"], relocations.data(), elf, values)
    return ELFFile(io.BytesIO(data)).get_dwarf_info(relocate_dwarf_sections=False)


def _relocate(
    data: bytearray, start: int, entries: bytes, elf: Any, values: Sequence[int]
) -> None:
    """Apply the relocations of 32 bits to the section that begins at `start` (gABI, "Relocation").

    An entry is the place, then symbol and type in one word; an addend follows, or else is what
    stands in the place.
    """
    is_wide = elf.elfclass == 64
    symbol_bits = 32 if is_wide else 8
    entry = "<QQq" if is_wide else "<IIi" if elf["e_machine"] == "EM_RISCV" else "<II"
    for offset, info, *addend in struct.iter_unpack(entry, entries):
        if info & ((1 << symbol_bits) - 1) == _ABSOLUTE_32[elf["e_machine"]]:
            place = start + offset
            (there,) = addend or struct.unpack_from("<I", data, place)
            struct.pack_into("<I", data, place, values[info >> symbol_bits] + there)


def name_of(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""


def type_of(die: Any) -> Any:
    """The type of a member, an element or a typedef, without its qualifiers."""
    type_die = die.get_DIE_from_attribute("DW_AT_type")
    return type_of(type_die) if type_die.tag in QUALIFIERS else type_die


def resolved(type_die: Any) -> Any:
    """A type behind its typedefs."""
    while type_die.tag == "DW_TAG_typedef":
        type_die = type_of(type_die)
    return type_die


def size_of(type_die: Any) -> int:
    """Bytes that a type takes; 0 for an array whose length the header does not tell."""
    type_die = resolved(type_die)
    if size := type_die.attributes.get("DW_AT_byte_size"):
        return int(size.value)
    if type_die.tag == "DW_TAG_pointer_type":
        return int(type_die.cu["address_size"])
    size_of_all = size_of(type_of(type_die))
    for count in counts(type_die):
        size_of_all *= count
    return size_of_all


def counts(array: Any) -> list[int]:
    """The lengths of an array's dimensions, 0 for one that is not told."""
    counts = []
    for dimension in array.iter_children():
        count = dimension.attributes.get("DW_AT_count")
        last = dimension.attributes.get("DW_AT_upper_bound")
        if count is not None:
            counts.append(int(count.value))
        else:
            counts.append(int(last.value) + 1 if last is not None else 0)
    return counts


def location(member: Any) -> int:
    """A member's first byte; in a union it may go without saying."""
    attribute = member.attributes.get("DW_AT_data_member_location")
    if attribute is None:
        return 0
    if isinstance(attribute.value, int):
        return attribute.value
    # DWARF 2 has an expression: DW_OP_plus_uconst and the offset as ULEB128.
    operation, *digits = attribute.value
    assert operation == _DW_OP_PLUS_UCONST
    return sum((digit & 0x7F) << 7 * place for place, digit in enumerate(digits))


def first_bit(member: Any) -> int:
    """A bit-field's least significant bit, counted from the record's first.

    DWARF 4 counts so (5.5.6).  Its predecessor counts from the most significant bit of
    the storage unit, and clang still writes that into DWARF 5.
    """
    attributes = member.attributes
    if first := attributes.get("DW_AT_data_bit_offset"):
        return int(first.value)
    if from_the_top := attributes.get("DW_AT_bit_offset"):
        bits = 8 * size_of(type_of(member))
        width = attributes["DW_AT_bit_size"].value
        # A packed one may begin above its unit; clang writes the negative number unsigned.
        return int(8 * location(member) + bits - from_the_top.value - width) & _WORD
    return 8 * location(member)


def file_names(unit: Any) -> list[Path]:
    """The files that a unit's entries say that they stand in, by the number that they have."""
    program = unit.dwarfinfo.line_program_for_CU(unit).header
    here = unit.get_top_DIE().attributes["DW_AT_comp_dir"].value
    # Before DWARF 5 both lists begin at 1: a folder 0 is the one that was compiled in.
    first = int(program.version < 5)
    folders = [here] * first + list(program.include_directory)
    return [Path()] * first + [
        Path(*map(os.fsdecode, (here, folders[entry.dir_index], entry.name)))
        for entry in program.file_entry
    ]
