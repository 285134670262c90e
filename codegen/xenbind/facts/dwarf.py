"""Ask a compiler's debug information of a header: a second oracle.

Takes an object file that was compiled with -g, and the keys of records; gives their
sizes, offsets, bits, kinds, lengths and enumerators' values under the names that `probes`
uses.  The members are those that DWARF lists, not those that xenbind found: one that it
lost shows.
DWARF tells no alignment unless an attribute sets it, and knows no macro's value.
`verify` compares.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from xenbind.facts.probes import CLASS, Answer

# All types, also those that no object or function uses.
OPTIONS = ("-g", "-fno-eliminate-unused-debug-types")

_TOLD = frozenset(("size", "offset", "bit_offset", "bit_width", "kind", "length"))
_RECORDS = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}
_QUALIFIERS = frozenset(
    f"DW_TAG_{name}_type" for name in ("const", "volatile", "restrict", "atomic")
)
# Encodings of base types (DWARF 5, 7.8).
_KINDS = {
    0x02: "bool",
    0x04: "float",
    0x05: "signed",
    0x06: "signed",
    0x07: "unsigned",
    0x08: "unsigned",
}
_WORD = 0xFFFF_FFFF_FFFF_FFFF
_DW_OP_PLUS_UCONST = 0x23
_R_RISCV_32 = 1


def covers(fact: str) -> bool:
    """Whether DWARF must know a fact if it knows the record: not so alignments and values."""
    return not fact.startswith(CLASS) and fact.rpartition(" ")[2] in _TOLD


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the header: records' keys by their place in DWARF, and bit-fields."""

    keys: Mapping[int, str]
    bit_fields: Set[str]


def facts(
    path: Path, keys: Set[str], constants: Set[str], bit_fields: Set[str] = frozenset()
) -> dict[str, Answer]:
    """What an object file's debug information says of some records and enumerators.

    A key is `struct TAG`, `union TAG` or the name of a typedef.  What DWARF does not
    have, such as a constant that is a macro, has no facts.  `bit_fields` are the names of
    those that are known: clang does not tell one that is as wide as its type from a
    member that is none.
    """
    found: dict[str, Answer] = {}
    for unit in _debug_information(path).iter_CUs():
        entries = list(unit.get_top_DIE().iter_children())
        records = [(key, die) for die in entries if (key := _key(die)) in keys]
        known = _Known({_resolved(die).offset: key for key, die in records}, bit_fields)
        for die in entries:
            if die.tag == "DW_TAG_enumeration_type":
                found.update(_enumerators(die, constants))
        for key, die in records:
            found.update(_record(die, key, known))
    return found


def _debug_information(path: Path) -> Any:
    """The DWARF of a relocatable object, with the names of its types in place."""
    data = bytearray(path.read_bytes())
    elf = ELFFile(io.BytesIO(data))
    if elf["e_machine"] != "EM_RISCV":
        return elf.get_dwarf_info()
    # pyelftools relocates no RISC-V object.  Of the relocations in what is read here,
    # those that are no code address place names: R_RISCV_32, the symbol and the addend.
    symbols: Any = elf.get_section_by_name(".symtab")
    for name in (".debug_info", ".debug_str_offsets"):
        relocations: Any = elf.get_section_by_name(f".rela{name}")
        section: Any = elf.get_section_by_name(name)
        for entry in relocations.iter_relocations() if relocations else ():
            if entry["r_info_type"] == _R_RISCV_32:
                symbol = symbols.get_symbol(entry["r_info_sym"])
                value = symbol["st_value"] + entry["r_addend"]
                place = section["sh_offset"] + entry["r_offset"]
                struct.pack_into("<I", data, place, value)
    return ELFFile(io.BytesIO(data)).get_dwarf_info(relocate_dwarf_sections=False)


def _key(die: Any) -> str:
    """How the IR names what a top-level entry defines; empty if that is no record."""
    name = _name(die)
    if die.tag in _RECORDS and name:
        return f"{_RECORDS[die.tag]} {name}"
    return name if die.tag == "DW_TAG_typedef" else ""


def _name(die: Any) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""


def _record(die: Any, key: str, known: _Known) -> Iterator[tuple[str, Answer]]:
    record = _resolved(die)
    yield f"{key} size", _size(record)
    yield from _members(record, f"{key}.", 0, known)


def _members(
    record: Any, path: str, base: int, known: _Known
) -> Iterator[tuple[str, Answer]]:
    for member in record.iter_children():
        if member.tag != "DW_TAG_member":
            continue
        fact = f"{path}{_name(member)}"
        type_die = _type(member)
        width = member.attributes.get("DW_AT_bit_size")
        if width is not None or fact in known.bit_fields:
            if _name(member):
                yield f"{fact} bit_offset", 8 * base + _first_bit(member)
                yield f"{fact} bit_width", width.value if width else 8 * _size(type_die)
                yield f"{fact} kind", _kind(type_die, known, is_bits=True)
            continue
        offset = base + _location(member)
        if _name(member):
            yield f"{fact} offset", offset
            yield f"{fact} size", _size(type_die)
            yield from _type_facts(fact, type_die, known)
        element, index = _element(type_die)
        # A record that has a name is asked for itself, as in `probes`.
        if element.tag in _RECORDS and not _name(element):
            yield from _members(
                element, f"{fact}{index}." if _name(member) else path, offset, known
            )


def _type_facts(
    fact: str, type_die: Any, known: _Known
) -> Iterator[tuple[str, Answer]]:
    """The kind of a member's type, and the lengths of its arrays."""
    index = ""
    while (array := _resolved(type_die)).tag == "DW_TAG_array_type":
        for length in _counts(array):
            yield f"{fact}{index} length", length
            index += "[0]"
        type_die = _type(array)
    yield f"{fact} kind", _kind(type_die, known)


def _kind(type_die: Any, known: _Known, is_bits: bool = False) -> str:
    """What a type is, in a word, as `probes` has it."""
    type_die = _resolved(type_die)
    if type_die.tag in _RECORDS:
        return known.keys.get(type_die.offset, _RECORDS[type_die.tag])
    if type_die.tag == "DW_TAG_pointer_type":
        return "pointer"
    if type_die.tag == "DW_TAG_enumeration_type":
        if "DW_AT_type" in type_die.attributes:
            return _kind(_type(type_die), known)
        values = (e.attributes["DW_AT_const_value"] for e in type_die.iter_children())
        return "signed" if any(value.value < 0 for value in values) else "unsigned"
    if _name(type_die) == "char" and not is_bits:
        return "char"
    return _KINDS[type_die.attributes["DW_AT_encoding"].value]


def _enumerators(die: Any, wanted: Set[str]) -> Iterator[tuple[str, Answer]]:
    for entry in die.iter_children():
        if _name(entry) in wanted:
            value = entry.attributes["DW_AT_const_value"].value
            yield f"{_name(entry)} value", value & _WORD
            yield f"{_name(entry)} negative", int(value < 0)


def _type(die: Any) -> Any:
    """The type of a member, an element or a typedef, without its qualifiers."""
    type_die = die.get_DIE_from_attribute("DW_AT_type")
    return _type(type_die) if type_die.tag in _QUALIFIERS else type_die


def _resolved(type_die: Any) -> Any:
    """A type behind its typedefs."""
    while type_die.tag == "DW_TAG_typedef":
        type_die = _type(type_die)
    return type_die


def _element(type_die: Any) -> tuple[Any, str]:
    """The type inside arrays of one or more elements, and the path to the first one."""
    index = ""
    while (array := _resolved(type_die)).tag == "DW_TAG_array_type":
        counts = _counts(array)
        if 0 in counts:
            return array, index
        type_die, index = _type(array), index + "[0]" * len(counts)
    return type_die, index


def _size(type_die: Any) -> int:
    """Bytes that a type takes; 0 for an array whose length the header does not tell."""
    type_die = _resolved(type_die)
    if size := type_die.attributes.get("DW_AT_byte_size"):
        return int(size.value)
    if type_die.tag == "DW_TAG_pointer_type":
        return int(type_die.cu["address_size"])
    size_of_all = _size(_type(type_die))
    for count in _counts(type_die):
        size_of_all *= count
    return size_of_all


def _counts(array: Any) -> list[int]:
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


def _location(member: Any) -> int:
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


def _first_bit(member: Any) -> int:
    """A bit-field's least significant bit, counted from the record's first.

    DWARF 4 counts so (5.5.6).  Its predecessor counts from the most significant bit of
    the storage unit, and clang still writes that into DWARF 5.
    """
    attributes = member.attributes
    if first := attributes.get("DW_AT_data_bit_offset"):
        return int(first.value)
    if from_the_top := attributes.get("DW_AT_bit_offset"):
        bits = 8 * _size(_type(member))
        width = attributes["DW_AT_bit_size"].value
        # A packed one may begin above its unit; clang writes the negative number unsigned.
        return int(8 * _location(member) + bits - from_the_top.value - width) & _WORD
    return 8 * _location(member)
