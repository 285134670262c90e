"""Turn interfaces and their layouts into the plain data of an atlas's page.

Takes `Chapter`s; gives what `page` writes into the page as JSON, and its script draws.  What is
the same in several releases, on several ABIs or in several headers stands there once, and is
named by its index: layouts, groups of constants, and everything that is said in words.

A layout's parts are all of its bytes, in order: members, and what lies between them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from xenbind.ir.abi import ABIS, Abi
from xenbind.ir.c_types import (
    Array,
    CType,
    Pointer,
    RecordRef,
    as_spelled,
    declaration,
    element,
)
from xenbind.ir.interface import (
    Constant,
    ConstantGroup,
    Field,
    Interface,
    Layouts,
    Record,
    Ring,
    Span,
)
from xenbind.ir.parts import Kind, Part, form, parts, record_doc, record_key
from xenbind.plain import Struct

# What the entries of the page's tables are, in their order.
_LAYOUT = ("kind", "size", "alignment", "doc", "parts")
_PART = (
    *("name", "form", "offset", "size", "bits", "declaration", "doc", "span"),
    *("record", "lengths", "number", "group"),
)
_CONSTANT = ("name", "value", "doc", "span")
_EXACT = 1 << 53  # JavaScript's numbers are exact below


class Edition(Struct, frozen=True):
    """An interface as a page has it: what links and the slider call it, and its layouts.

    `releases` are what it may be called too.
    """

    link: str
    name: str
    releases: tuple[str, ...]
    interface: Interface
    layouts: Layouts


class Chapter(Struct, frozen=True):
    """The editions of one header, in their order."""

    name: str
    editions: tuple[Edition, ...]


def data(title: str, chapters: Sequence[Chapter]) -> dict[str, Any]:
    """Give the data of a page; sizes and offsets are in bytes, bits counted in their unit."""
    tables = _Tables()
    told = [
        {
            "name": chapter.name,
            "editions": [_edition(tables, each) for each in chapter.editions],
        }
        for chapter in chapters
    ]
    return {
        "title": title,
        "abis": [*ABIS],
        "columns": {"layout": _LAYOUT, "part": _PART, "constant": _CONSTANT},
        "chapters": told,
        "layouts": tables.layouts.entries,
        "groups": tables.groups.entries,
        "words": tables.words.entries,
    }


class _Table:
    """Entries that are there once, each named by its index."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._places: dict[Hashable, int] = {}

    def place(self, entry: Hashable) -> int:
        """Give the index of an entry, which is added if it is new."""
        if entry not in self._places:
            self._places[entry] = len(self.entries)
            self.entries.append(entry)
        return self._places[entry]


class _Tables:
    """What is shared by all editions of a page."""

    def __init__(self) -> None:
        self.layouts, self.groups, self.words = _Table(), _Table(), _Table()

    def group(self, group: ConstantGroup) -> int:
        members = tuple(self._constant(constant) for constant in group.members)
        head = (group.spelling, group.is_flag, self.words.place(group.doc))
        return self.groups.place((*head, members))

    def others(self, interface: Interface) -> Iterator[int]:
        """Give the index of what stands for a group of the constants that no group has."""
        grouped = {
            member.name for group in interface.groups for member in group.members
        }
        others = tuple(
            self._constant(constant)
            for constant in interface.constants
            if constant.name not in grouped
        )
        if others:
            yield self.groups.place(("*", False, self.words.place(""), others))

    def _constant(self, constant: Constant) -> tuple[Hashable, ...]:
        span = constant.span.brief if constant.span else ""
        value = constant.plain_value
        if isinstance(value, int) and abs(value) >= _EXACT:
            value = str(value)
        return (
            *(constant.name, value),
            *(self.words.place(constant.doc), self.words.place(span)),
        )


def _edition(tables: _Tables, edition: Edition) -> dict[str, Any]:
    interface = edition.interface
    groups = {key: tables.group(g) for key, g in interface.groups_by_hint.items()}
    laid_out = [
        (
            _Layer(tables, interface, ABIS[name], groups)
            if name in edition.layouts
            else None
        )
        for name in ABIS
    ]
    own = {record.key for record in interface.own_records}
    keys = dict.fromkeys(key for records in edition.layouts.values() for key in records)
    return {
        "link": edition.link,
        "name": edition.name,
        "releases": edition.releases,
        "version": interface.version,
        "records": {
            key: [
                layer and layer.place(edition.layouts[layer.abi.name].get(key))
                for layer in laid_out
            ]
            for key in keys
        },
        "own": [key for key in keys if "." not in key and key in own],
        "typedefs": {
            typedef.name: key
            for typedef in interface.typedefs
            if (key := record_key(typedef.type)) and typedef.name not in own
        },
        "groups": [
            *(tables.group(group) for group in interface.own_groups),
            *tables.others(interface),
        ],
        "payloads": [
            {
                "record": each.record,
                "tag": each.tag,
                "union": each.union,
                "members": {str(c.value): name for c, name in each.members},
            }
            for each in interface.payloads
        ],
        "rings": [
            {"request": request, "entry": each.entry, "shared": each.shared}
            for each in interface.rings
            if (request := _request(interface, each))
        ],
    }


def _request(interface: Interface, ring: Ring) -> str:
    """Give the key of the record that a ring's requests are; empty where they are none."""
    return record_key(interface.records_by_key[ring.entry].fields[0].type)


def _lengths(c_type: CType) -> Iterator[int]:
    """Give the lengths of arrays in one another, outermost first; 0 of one without any."""
    while isinstance(c_type, Array):
        yield c_type.length or 0
        c_type = c_type.element


class _Layer(Struct, frozen=True):
    """An interface's records on one ABI, put into tables."""

    tables: _Tables
    interface: Interface
    abi: Abi
    groups: Mapping[str, int]

    def place(self, record: Record | None) -> int | None:
        """Give the index of a record's layout, None for one that is not on the ABI."""
        if record is None:
            return None
        told = self.interface.records_by_key.get(record.key, record)
        doc = record_doc(self.interface, told)
        fields = {field.name: field for field in record.fields}
        spans = {field.name: field.span for field in told.fields}
        return self.tables.layouts.place(
            (
                *(record.kind, record.size, record.alignment),
                self.tables.words.place(doc),
                tuple(
                    (
                        self._member(part, fields[part.name], spans.get(part.name))
                        if part.kind is Kind.MEMBER
                        else self._gap(part)
                    )
                    for part in parts(self.interface, record, expand=False)
                ),
            )
        )

    def _gap(self, part: Part) -> tuple[Hashable, ...]:
        return ("", part.kind.value, part.offset, part.size, part.bits)

    def _member(
        self, part: Part, field: Field, span: Span | None
    ) -> tuple[Hashable, ...]:
        word = self.tables.words.place
        bits = "" if field.bit_width is None else f" : {field.bit_width}"
        return (
            *(part.name, form(field), part.offset, part.size, part.bits),
            word(declaration(field.type, field.name, as_spelled) + bits),
            *(word(part.doc), word(span.brief if span else "")),
            *(
                record_key(field.type),
                tuple(_lengths(field.type)),
                self._number(field.type),
            ),
            self.groups.get(field.hint or ""),
        )

    def _number(self, c_type: CType) -> str:
        """Say how the bytes of a number are read: `signed`, `float`, `pointer`; else empty."""
        inner = element(c_type)
        match inner:
            case RecordRef():
                return ""
            case Pointer():
                return "pointer"
        return self.abi.kind(inner.base)
