"""Tell an event in words, and below them its bytes, each member's in a colour of its own.

Takes `Event`s; gives lines for a person, which `command` prints.  The bytes are shown as the
generated package's `record.dump()` shows them, by the IR's layout instead of its classes'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from xenbind.commands.decode.events import REGISTERS, Event
from xenbind.commands.decode.text import text
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Field, Interface, Payload, Record
from xenbind.plain import Struct

_ROW = 16
_INDENT = "    "
# The place of a member's first byte chooses, so that it has one colour in all events.
_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red", "reset")


class BytesText:
    """Tells events; of a member that is met first, also where it is."""

    def __init__(self, width: int | None, is_coloured: bool) -> None:
        self._width = width
        self._is_coloured = is_coloured
        self._told: set[tuple[int, Member]] = set()

    def __call__(self, event: Event) -> str:
        shape = event.plan.shape
        opened = f"{REGISTERS}.{shape.arch}" if shape.is_request else ""
        found = members(shape.interface, shape.record, event.request, opened)
        owners = _owners(found, len(event.request))
        new = [one for one in found if (shape.version, one) not in self._told]
        self._told |= {(shape.version, one) for one in new}
        below = [*self._rows(event.request, owners), *self._legend(new, owners)]
        lines = [text(event, self._width), *(f"{_INDENT}{line}" for line in below)]
        return "\n".join(lines)

    def _rows(self, octets: bytes, owners: Sequence[int | None]) -> Iterator[str]:
        """Give the bytes in rows, with a `|` where a member begins."""
        for start in range(0, len(octets), _ROW):
            row = f"{start:04x} "
            for place in range(start, min(start + _ROW, len(octets))):
                owner = owners[place]
                begins = place == 0 or owners[place - 1] != owner
                byte = self._painted(f"{octets[place]:02x}", owner)
                row += f"{'|' if begins else ' '}{byte}"
            yield row

    def _legend(
        self, found: Sequence[Member], owners: Sequence[int | None]
    ) -> Iterator[str]:
        """Tell where members are; nothing if there are none to tell of."""
        if not found:
            return
        yield f"{'at':6}  {'size':>7}  member"
        for one in found:
            places = one.bytes
            owner = owners[places[0]] if places else None
            name = self._painted(one.path, owner)
            yield f"{one.at:6}  {one.size:>7}  {name}"

    def _painted(self, word: str, owner: int | None) -> str:
        if not self._is_coloured:
            return word
        if owner is None:
            return click.style(word, dim=True)
        return click.style(word, fg=_COLOURS[owner % len(_COLOURS)])


class Member(Struct, frozen=True):
    """A number, or an array, at any depth: its path, its first bit, and how many bits it has."""

    path: str
    first: int
    bits: int
    is_bit_field: bool

    @property
    def bytes(self) -> range:
        return range(self.first // 8, -(-(self.first + self.bits) // 8))

    @property
    def at(self) -> str:
        bit = f".{self.first % 8}" if self.is_bit_field else ""
        return f"{self.first // 8:04x}{bit}"

    @property
    def size(self) -> str:
        if not self.is_bit_field:
            return str(self.bits // 8)
        return f"{self.bits} bit{'s' * (self.bits > 1)}"


def members(
    interface: Interface, record: Record, data: bytes, opened: str
) -> list[Member]:
    """Give the members of a record with these bytes, in the order of their places.

    Of a union it is the member that the bytes select or that is on the way to the path
    `opened`, else the first one.
    """
    walk = _Walk(interface, data, opened)
    return sorted(walk.members(record, 0, "", ""), key=lambda one: one.first)


class _Walk:
    def __init__(self, interface: Interface, data: bytes, opened: str) -> None:
        self._interface = interface
        self._records = interface.records_by_key
        self._number = int.from_bytes(data, "little")
        self._opened = f"{opened}."

    def members(
        self, record: Record, base: int, path: str, chosen: str
    ) -> Iterator[Member]:
        """Give the members of a record that is at `path`, `base` bits in.

        `chosen` is the one of a union that is in use, if that is known.
        """
        payload = self._interface.payload_of(record.key)
        selected = self._selected(payload, record, base) if payload else ""
        union = payload.union if payload else None
        fields: Sequence[Field] = record.fields
        if record.kind == "union":
            fields = self._of_union(record, path, selected if union == "" else chosen)
        for field in fields:
            if field.is_padding:
                continue
            place, name = base + field.first_bit, f"{path}{field.name}"
            is_known = field.name != union or bool(selected)
            if isinstance(field.type, RecordRef) and is_known:
                inner = self._records[field.type.key]
                within = selected if field.name == union else ""
                yield from self.members(inner, place, f"{name}.", within)
            else:
                is_bits = field.bit_width is not None
                yield Member(name, place, field.bit_count, is_bits)

    def _selected(self, payload: Payload, record: Record, base: int) -> str:
        """Give the name of the member that a record's tag selects, empty for none."""
        tag = next(field for field in record.fields if field.name == payload.tag)
        mask = (1 << tag.bit_count) - 1
        number = self._number >> base + tag.first_bit & mask
        for constant, name in payload.members:
            if int(constant.value) & mask == number:
                return name
        return ""

    def _of_union(self, union: Record, path: str, chosen: str) -> Sequence[Field]:
        """Give what a union is: a member, or those of a struct that has no name in it."""
        alternatives: list[list[Field]] = []
        end = 0
        for field in union.fields:
            first = field.first_bit
            # What overlaps the one before is no neighbour of it in a struct.
            if not alternatives or not first or first < end:
                alternatives.append([])
            alternatives[-1].append(field)
            end = first + field.bit_count
        for fields in alternatives:
            for field in fields:
                on_the_way = self._opened.startswith(f"{path}{field.name}.")
                if on_the_way or field.name == chosen:
                    return fields
        return alternatives[0] if alternatives else ()


def _owners(found: Iterable[Member], size: int) -> list[int | None]:
    """Tell for each byte where the member begins that it belongs to; None for no member."""
    owners: list[int | None] = [None] * size
    for one in found:
        places = one.bytes
        # A bit-field may begin in a byte that another one has.
        begins = owners[places[0]] if places else None
        for place in places:
            if owners[place] is None:
                owners[place] = places[0] if begins is None else begins
    return owners
