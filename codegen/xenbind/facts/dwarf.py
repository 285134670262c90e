"""Ask a compiler's debug information of a header: a second oracle.

Takes the debug information of a header, and the keys of records; gives their
sizes, offsets, bits, kinds, lengths and enumerators' values under the names that `probes`
uses.  The members are those that DWARF lists, not those that xenbind found: one that it
lost shows.
DWARF tells no alignment unless an attribute sets it, and knows no macro's value.
`verify` compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from xenbind.facts.debug_info import (
    RECORDS,
    counts,
    first_bit,
    location,
    name_of,
    resolved,
    size_of,
    type_of,
)
from xenbind.facts.probes import CLASS, Answer
from xenbind.plain import Struct

_TOLD = frozenset(("size", "offset", "bit_offset", "bit_width", "kind", "length"))
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


def covers(fact: str) -> bool:
    """Whether DWARF must know a fact if it knows the record: not so alignments and values."""
    return not fact.startswith(CLASS) and fact.rpartition(" ")[2] in _TOLD


class _Type(Struct, frozen=True):
    """What one member after the other is asked about its type.

    `told` are the facts of it, by what follows a member's name; `element` is its type inside of
    arrays, to whose first one `index` leads.
    """

    told: tuple[tuple[str, Answer], ...]
    element: Any
    index: str


class _Known(Struct, frozen=True):
    """What is known of the header: records' keys by their place in DWARF, and bit-fields.

    `types` are those that members were found to have, by how DWARF refers to them.
    """

    keys: Mapping[int, str]
    bit_fields: Set[str]
    types: dict[tuple[str, int], _Type]


def facts(
    information: Any,
    keys: Set[str],
    constants: Set[str],
    bit_fields: Set[str] = frozenset(),
    others: Set[str] = frozenset(),
) -> dict[str, Answer]:
    """What `debug_information` of an object file says of some records and enumerators.

    A key is `struct TAG`, `union TAG` or the name of a typedef; `others` are those of records
    that members may be, and that are not asked about.  What DWARF does not
    have, such as a constant that is a macro, has no facts.  `bit_fields` are the names of
    those that are known: clang does not tell one that is as wide as its type from a
    member that is none.
    """
    found: dict[str, Answer] = {}
    for unit in information.iter_CUs():
        entries = list(unit.get_top_DIE().iter_children())
        every = keys | others
        records = [(key, die) for die in entries if (key := _key(die)) in every]
        keys_at = {resolved(die).offset: key for key, die in records}
        known = _Known(keys_at, bit_fields, {})
        for die in entries:
            if die.tag == "DW_TAG_enumeration_type":
                found.update(_enumerators(die, constants))
        for key, die in records:
            if key in keys:
                found.update(_record(die, key, known))
    return found


def _key(die: Any) -> str:
    """How the IR names what a top-level entry defines; empty if that is no record.

    One that is declared alone may have the name of another: in a prototype's parentheses C
    declares a struct of its own (C11 6.2.1p4).
    """
    if "DW_AT_declaration" in die.attributes:
        return ""
    name = name_of(die)
    if die.tag in RECORDS and name:
        return f"{RECORDS[die.tag]} {name}"
    return name if die.tag == "DW_TAG_typedef" else ""


def _record(die: Any, key: str, known: _Known) -> Iterator[tuple[str, Answer]]:
    record = resolved(die)
    yield f"{key} size", size_of(record)
    yield from _members(record, f"{key}.", 0, known)


def _members(
    record: Any, path: str, base: int, known: _Known
) -> Iterator[tuple[str, Answer]]:
    for member in record.iter_children():
        if member.tag != "DW_TAG_member":
            continue
        name = name_of(member)
        fact = f"{path}{name}"
        width = member.attributes.get("DW_AT_bit_size")
        if width is not None or fact in known.bit_fields:
            if name:
                behind = resolved(type_of(member))
                yield f"{fact} bit_offset", 8 * base + first_bit(member)
                yield f"{fact} bit_width", (
                    width.value if width else 8 * size_of(behind)
                )
                yield f"{fact} kind", _kind(behind, known, is_bits=True)
            continue
        offset = base + location(member)
        its = _type(member, known)
        if name:
            yield f"{fact} offset", offset
            for told, value in its.told:
                yield f"{fact}{told}", value
        # A record that has a name is asked for itself, as in `probes`.
        is_asked = name_of(its.element) or its.element.offset in known.keys
        if its.element.tag in RECORDS and not is_asked:
            inside = f"{fact}{its.index}." if name else path
            yield from _members(its.element, inside, offset, known)


def _type(member: Any, known: _Known) -> _Type:
    """Give a member's type; most members are of a few, and pyelftools takes its time for each."""
    reference = member.attributes["DW_AT_type"]
    place = (reference.form, reference.value)
    if place not in known.types:
        type_die = type_of(member)
        behind = resolved(type_die)
        told = (" size", size_of(behind)), *_type_facts(behind, known)
        known.types[place] = _Type(told, *_element(type_die))
    return known.types[place]


def _type_facts(type_die: Any, known: _Known) -> Iterator[tuple[str, Answer]]:
    """The kind of a member's type, and the lengths of its arrays."""
    index = ""
    while (array := resolved(type_die)).tag == "DW_TAG_array_type":
        for length in counts(array):
            yield f"{index} length", length
            index += "[0]"
        type_die = type_of(array)
    yield " kind", _kind(type_die, known)


def _kind(type_die: Any, known: _Known, is_bits: bool = False) -> str:
    """What a type is, in a word, as `probes` has it."""
    type_die = resolved(type_die)
    if type_die.tag in RECORDS:
        return known.keys.get(type_die.offset, RECORDS[type_die.tag])
    if type_die.tag == "DW_TAG_pointer_type":
        return "pointer"
    if type_die.tag == "DW_TAG_enumeration_type":
        if "DW_AT_type" in type_die.attributes:
            return _kind(type_of(type_die), known)
        values = (e.attributes["DW_AT_const_value"] for e in type_die.iter_children())
        return "signed" if any(value.value < 0 for value in values) else "unsigned"
    if name_of(type_die) == "char" and not is_bits:
        return "char"
    return _KINDS[type_die.attributes["DW_AT_encoding"].value]


def _enumerators(die: Any, wanted: Set[str]) -> Iterator[tuple[str, Answer]]:
    for entry in die.iter_children():
        if name_of(entry) in wanted:
            value = entry.attributes["DW_AT_const_value"].value
            yield f"{name_of(entry)} value", value & _WORD
            yield f"{name_of(entry)} negative", int(value < 0)


def _element(type_die: Any) -> tuple[Any, str]:
    """The type inside arrays of one or more elements, and the path to the first one."""
    index = ""
    while (array := resolved(type_die)).tag == "DW_TAG_array_type":
        lengths = counts(array)
        if 0 in lengths:
            return array, index
        type_die, index = type_of(array), index + "[0]" * len(lengths)
    return type_die, index
