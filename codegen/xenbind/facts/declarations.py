"""All that a header declares, as a compiler's debug information has it.

Takes an object file that was compiled with `debug_info.OPTIONS` of nothing but a header;
gives the structs, unions, typedefs and enumerators that the header itself declares, in its
order, and the records of other headers that are inside of its own, as plain data.  What C's
grammar makes of the header is the compiler's knowledge alone: xenbind's parser has no part in
it.  `header_facts` takes over.

    struct pair { uint32_t first:4; };  ->  {"struct pair": {"size": 4, "fields": [{
                                              "name": "first", "type": "uint32_t", "offset": 0,
                                              "size": 4, "bit_size": 4, "bit_offset": 0}]}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from xenbind.facts.debug_info import (
    QUALIFIERS,
    RECORDS,
    debug_information,
    file_names,
    first_bit,
    location,
    name_of,
    resolved,
    size_of,
    type_of,
)
from xenbind.facts.object_file import as_text
from xenbind.ir.c_types import fundamental
from xenbind.plain import Struct

Described = dict[str, Any]

# Encodings of integers (DWARF 5, 7.8): signed ones, then with unsigned ones and _Bool.
_SIGNED = (0x05, 0x06)
_INTEGERS = (*_SIGNED, 0x02, 0x07, 0x08)
_ANONYMOUS = "<anonymous>"
_FUNCTION_OR_ARRAY = ("DW_TAG_subroutine_type", "DW_TAG_array_type")


class Declarations(Struct, frozen=True):
    """What a header declares.

    `records` are by `struct TAG`, `union TAG` or the typedef that names one without a tag;
    `typedefs` have the type that each stands for as C spells it, and `enumerators` the line
    of their enum and their value.  `variables` are those constants that are an integer or
    text, with their line and how they are read.
    """

    records: Mapping[str, Described]
    typedefs: Mapping[str, str]
    enumerators: Mapping[str, tuple[int, int]]
    variables: Mapping[str, tuple[int, Callable[[bytes], int | str]]]


def declarations(path: Path, header: Path) -> Declarations:
    """Give what an object file's debug information says that a header declares."""
    root = header.resolve()
    own: list[Any] = []
    typedefs: list[Any] = []
    for unit in debug_information(path).iter_CUs():
        files = [name.resolve() for name in file_names(unit)]
        for die in unit.get_top_DIE().iter_children():
            file = die.attributes.get("DW_AT_decl_file")
            if die.tag == "DW_TAG_typedef":
                typedefs.append(die)
            if file is not None and files[file.value] == root:
                own.append(die)
    own.sort(key=_line)  # else as they stand: what a macro declares is all on one line
    describer = _Describer(_names_of_untagged(typedefs))
    return Declarations(
        records=describer.records(own),
        typedefs={
            name_of(die): describer.spelled(_target(die))
            for die in own
            if die.tag == "DW_TAG_typedef"
            and name_of(die) not in describer.untagged.values()
        },
        enumerators={
            name_of(entry): (_line(die), entry.attributes["DW_AT_const_value"].value)
            for die in own
            if die.tag == "DW_TAG_enumeration_type"
            for entry in die.iter_children()
        },
        variables={
            name_of(die): (_line(die), read)
            for die in own
            if die.tag == "DW_TAG_variable"
            and "DW_AT_declaration" not in die.attributes
            and (read := _reader(_target(die)))
        },
    )


def _reader(die: Any) -> Callable[[bytes], int | str] | None:
    """How the bytes of a constant of this type are read; None for one that is no constant."""
    if die.tag == "DW_TAG_array_type":
        is_text = _is_constant(_target(die)) and name_of(type_of(die)) == "char"
        return as_text if is_text else None
    kind = resolved(type_of(die)) if _is_constant(die) else die
    if kind.tag == "DW_TAG_array_type":
        return _reader(kind)
    encoding = kind.attributes.get("DW_AT_encoding")
    if not _is_constant(die) or encoding is None or encoding.value not in _INTEGERS:
        return None
    return partial(int.from_bytes, byteorder="little", signed=encoding.value in _SIGNED)


def _is_constant(die: Any) -> bool:
    return bool(die.tag == "DW_TAG_const_type")


def _line(die: Any) -> int:
    return int(die.attributes["DW_AT_decl_line"].value)


def _names_of_untagged(typedefs: list[Any]) -> dict[int, str]:
    """The first typedef of each record without a tag, by the record's place."""
    names: dict[int, str] = {}
    for die in typedefs:
        target = _target(die)
        if target is not None and target.tag in RECORDS and not name_of(target):
            names.setdefault(target.offset, name_of(die))
    return names


def _target(die: Any) -> Any:
    """The type that an entry is of, or is made of, with its qualifiers; None for void."""
    if "DW_AT_type" not in die.attributes:
        return None
    return die.get_DIE_from_attribute("DW_AT_type")


def _element(die: Any) -> Any:
    """The type inside arrays, but not behind a typedef's name."""
    while die.tag == "DW_TAG_array_type":
        die = type_of(die)
    return die


def _innermost(die: Any) -> Any:
    """The type inside arrays, and behind the names of all."""
    while (die := resolved(die)).tag == "DW_TAG_array_type":
        die = type_of(die)
    return die


class _Describer:
    """Describes entries; `untagged` are the names that records without a tag have."""

    def __init__(self, untagged: Mapping[int, str]) -> None:
        self.untagged = untagged

    def records(self, own: list[Any]) -> dict[str, Described]:
        """Describe the records among a header's entries, those inside others first."""
        found: dict[str, Described] = {}
        for die in own:
            if die.tag in RECORDS and "DW_AT_declaration" not in die.attributes:
                self.record(die, found)
        return found

    def record(self, die: Any, found: dict[str, Described]) -> None:
        """Describe a record, unless it is among the found ones or anonymous, after those in it."""
        key = self.key(die)
        if key in found:
            return
        for member in _members(die):
            inner = _innermost(type_of(member))
            if inner.tag in RECORDS:
                self.record(inner, found)
        if key:
            fields = [self.member(member) for member in _members(die)]
            found[key] = {"size": size_of(die), "fields": fields}

    def key(self, die: Any) -> str:
        """The name of a record; empty for one that is anonymous."""
        if name := name_of(die):
            return f"{RECORDS[die.tag]} {name}"
        return self.untagged.get(die.offset, "")

    def member(self, member: Any) -> Described:
        """Describe a member; one of an anonymous record, or an array of such, with its members.

        Of a bit-field, `offset` and `size` are those of the unit of its type that its first
        bit is in, and `bit_offset` counts from there.
        """
        whole = type_of(member)
        described = {
            "name": name_of(member),
            "type": self.spelled(_target(member)),
            "offset": location(member),
            "size": size_of(whole),
        }
        if width := member.attributes.get("DW_AT_bit_size"):
            unit = 8 * size_of(whole)
            first = first_bit(member)
            described["offset"] = first // unit * size_of(whole)
            described["bit_size"] = width.value
            described["bit_offset"] = first % unit
        element = _element(whole)
        if element.tag in RECORDS and not self.key(element):
            described["members"] = [self.member(inner) for inner in _members(element)]
        return described

    def spelled(self, die: Any, declarator: str = "") -> str:
        """A type as C spells it, around the part of a declarator that is known so far."""
        if die is None:
            return _joined("void", declarator)
        target = _target(die)
        if die.tag == "DW_TAG_pointer_type":
            pointer = f"*{declarator}"
            if target is not None and target.tag in _FUNCTION_OR_ARRAY:
                pointer = f"({pointer})"
            return self.spelled(target, pointer)
        if die.tag == "DW_TAG_array_type":
            return self.spelled(target, declarator + "".join(_dimensions(die)))
        if die.tag == "DW_TAG_subroutine_type":
            return self.spelled(target, f"{declarator}({self.parameters(die)})")
        if word := QUALIFIERS.get(die.tag):
            word = "_Atomic" if word == "atomic" else word
            if target is not None and target.tag == "DW_TAG_pointer_type":
                return self.spelled(target, _joined(word, declarator))
            return f"{word} {self.spelled(target, declarator)}"
        return _joined(self.name(die), declarator)

    def parameters(self, die: Any) -> str:
        """The types of a function's parameters."""
        types = [
            (
                "..."
                if part.tag == "DW_TAG_unspecified_parameters"
                else self.spelled(_target(part))
            )
            for part in die.iter_children()
        ]
        return ", ".join(types) or (
            "void" if "DW_AT_prototyped" in die.attributes else ""
        )

    def name(self, die: Any) -> str:
        """The name of a type that is made of no other."""
        if die.tag in RECORDS:
            return self.key(die) or f"{RECORDS[die.tag]} {_ANONYMOUS}"
        if die.tag == "DW_TAG_enumeration_type":
            return f"enum {name_of(die) or _ANONYMOUS}"
        return fundamental(name_of(die))


def _members(die: Any) -> Iterator[Any]:
    return (part for part in die.iter_children() if part.tag == "DW_TAG_member")


def _dimensions(die: Any) -> Iterator[str]:
    """An array's dimensions in brackets, empty for one without a length."""
    for dimension in die.iter_children():
        if count := dimension.attributes.get("DW_AT_count"):
            yield f"[{count.value}]"
        elif last := dimension.attributes.get("DW_AT_upper_bound"):
            yield f"[{last.value + 1}]"
        else:
            yield "[]"


def _joined(name: str, declarator: str) -> str:
    return (
        f"{name} {declarator}" if declarator[:1] not in ("", "[") else name + declarator
    )
