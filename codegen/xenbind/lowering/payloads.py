"""Find the unions of which another member says what they hold, as the spec has it.

Takes the types of a header, its constants and the spec; gives `Payload`s: that of the spec, and
those of events.  `lower` puts them into the interface.

    struct request { int reason; union { struct read read; } u; };
    #define REASON_READ 1    ->    Payload("struct request", "reason", "u", …)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from xenbind.errors import SourceError
from xenbind.frontend.header import ParsedHeader
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Constant, EventPage, Payload
from xenbind.lowering.rings import is_integer
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Coord
from xenbind.spec import KeyPath, Spec

Place = Callable[[str], Coord]


class Payloads:
    """The tagged unions of one header."""

    def __init__(
        self,
        header: ParsedHeader,
        types: TypeTable,
        constants: Sequence[Constant],
        spec: Spec,
    ) -> None:
        self.header = header
        self.types = types
        self.constants = constants
        self.spec = spec

    def find(self, pages: Sequence[EventPage]) -> Iterator[Payload]:
        """Give every tagged union that the spec names, of what the header has.

        Raises `SourceError` where the members are not as the spec says.
        """
        yield from self.of_records()
        yield from self.of_events(pages)

    def of_records(self) -> Iterator[Payload]:
        """Give what the spec says of records."""
        for wanted in self.spec.payloads:
            if not self.has(wanted.record):
                continue

            def place(key: str, path: KeyPath = wanted.place) -> Coord:
                return self.spec.places.of(*path, key)

            yield self.payload(
                *(wanted.record, wanted.tag, wanted.union),
                *(wanted.prefix, wanted.members, place),
            )

    def has(self, key: str) -> bool:
        """Tell whether the header has a record; of a tree it is the header's own."""
        record = self.types.records.get(key)
        is_own = record is not None and record.coord.file in self.header.roots
        return is_own if self.spec.is_module else record is not None

    def of_events(self, pages: Sequence[EventPage]) -> Iterator[Payload]:
        """Give what the spec says of events, once of each type of these."""
        found: dict[str, Payload] = {}
        for macro, event in ((r.macro, r.event) for page in pages for r in page.rings):
            said = self.spec.event_rings.get(macro)
            if said is None or said.tag is None or event in found:
                continue

            def place(key: str, macro: str = macro) -> Coord:
                return self.spec.places.of("event_ring", macro, key)

            union, prefix = said.union or "", said.prefix or ""
            found[event] = self.payload(
                event, said.tag, union, prefix, said.members, place
            )
        yield from found.values()

    def payload(
        self,
        record: str,
        tag: str,
        union: str,
        prefix: str,
        members: Mapping[str, str],
        place: Place,
    ) -> Payload:
        """Pair constants with members; without a name, the union is the record itself."""
        own = self.types.records[record]
        fields = {field.name: field for field in own.fields}
        is_tagged = is_integer(fields.get(tag))
        within = fields[union].type if union in fields else None
        is_union = isinstance(within, RecordRef) if union else own.kind == "union"
        if not is_union or not is_tagged:
            raise SourceError(
                place("union" if is_tagged else "tag"),
                (
                    f"{record} has no union '{union}' beside a '{tag}'"
                    if union
                    else f"{record} is no union with a '{tag}'"
                ),
                "name the member that is one, and the integer that says what it holds",
            )
        key = within.key if isinstance(within, RecordRef) else record
        names = {field.name for field in self.types.records[key].fields}
        names -= set() if union else {tag}
        pairs = []
        for constant in self.constants:
            short = constant.name.removeprefix(prefix)
            member = members.get(short, short.lower())
            if constant.name.startswith(prefix) and member in names:
                pairs.append((constant, member))
        if not pairs:
            raise SourceError(
                place("prefix"),
                f"no constant {prefix}* selects a member of '{union or record}'",
                "name what the constants begin with whose names, or 'members', are the union's",
            )
        return Payload(record, tag, union, tuple(pairs))
