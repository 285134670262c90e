"""Find the pages of events that a header declares: structs of indices before circular arrays.

Takes the parsed header, its types and the spec; gives `EventPage`s.  Where the events are, how
many there are and which one an index stands for is what the header's macros say.  Which of the
page's words are whose indices, their names tell; the spec, where they do not.

    #define XENKBD_IN_RING_REF(page, idx) (XENKBD_IN_RING((page))[(idx) % XENKBD_IN_RING_LEN])
    struct xenkbd_page { uint32_t in_cons, in_prod; … };    ->
        EventRing("XENKBD_IN_RING_REF", "union xenkbd_in_event", 1024, 51, "in_cons", …)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pycparser import c_ast

from xenbind.errors import SourceError
from xenbind.frontend.header import ParsedHeader
from xenbind.frontend.macros import ExpandedMacro
from xenbind.frontend.parse import expression
from xenbind.ir.c_types import Pointer, RecordRef, Scalar
from xenbind.ir.interface import EventPage, EventRing, Record
from xenbind.lowering.constant_expressions import evaluate
from xenbind.lowering.index_words import (
    CONSUMER,
    PRODUCER,
    READERS,
    directions,
    index_words,
)
from xenbind.lowering.integers import Unevaluable
from xenbind.lowering.type_table import TypeTable
from xenbind.plain import Struct
from xenbind.source import Coord
from xenbind.spec import EventRingSpec, Spec

_NO_MEANING = EventRingSpec(None, None, None, None, None, None, None, {})


class _Events(Struct, frozen=True):
    """What a macro says: the type of the events, where the first is, and how many there are."""

    macro: str
    event: str
    first: int
    length: int
    coord: Coord


class EventPages:
    """The pages of events of one header."""

    def __init__(self, header: ParsedHeader, types: TypeTable, spec: Spec) -> None:
        self.types = types
        self.spec = spec
        self.macros: dict[str, tuple[ExpandedMacro, c_ast.Node]] = {}
        for macro in header.place_macros:
            node = expression(macro.expansion, types.declared.typedefs)
            if node is not None:
                self.macros[macro.macro.name] = macro, node

    def find(self) -> Iterator[EventPage]:
        """Give each page with its rings, in the order of the macros.

        Raises `SourceError` where the spec names what the header does not have.
        """
        rings: dict[str, list[EventRing]] = {}
        for name in self.macros:
            if (events := self.events(name)) is not None:
                page, ring = self.ring(events) or (None, None)
                if page is not None and ring is not None:
                    rings.setdefault(page.key, []).append(ring)
        for key, found in rings.items():
            if len({ring.reader for ring in found}) < len(found):
                continue  # two of one direction: the names did not tell after all
            record = self.types.records[key]
            yield EventPage(key, tuple(found), record.coord)

    # --- macros -----------------------------------------------------------------------

    def events(self, name: str) -> _Events | None:
        """Read what a macro says of events, None if it gives no element of an array."""
        macro, node = self.macros[name]
        parameters = macro.macro.parameters or ()
        if len(parameters) != 2 or not isinstance(node, c_ast.ArrayRef):
            return None
        page, index = parameters
        try:
            length = self.length(node.subscript, index)
            array = self.array(node.name, page)
        except (Unevaluable, SourceError):
            return None
        if length is None or array is None:
            return None
        event, first = array
        return _Events(name, event, first, length, macro.macro.coord)

    def length(self, node: c_ast.Node, index: str) -> int | None:
        """Read `idx % LENGTH`, or `idx & MASK`; give the number of events."""
        if not isinstance(node, c_ast.BinaryOp) or not _is(node.left, index):
            return None
        number = evaluate(node.right, self.types).value
        if node.op == "%" and number > 0:
            return number
        if node.op == "&" and number >= 0 and not number & (number + 1):
            return number + 1
        return None

    def array(self, node: c_ast.Node, page: str) -> tuple[str, int] | None:
        """Read `(struct event *)((char *)(page) + OFFSET)`, or the call of a macro that is this.

        Gives the key of the events' type and the offset of the first.
        """
        if isinstance(node, c_ast.FuncCall):
            called = self.macros.get(node.name.name)
            arguments = node.args.exprs if node.args else []
            if called is None or len(arguments) != 1 or not _is(arguments[0], page):
                return None
            macro, node = called
            (page,) = macro.macro.parameters or ("",)
        match node:
            case c_ast.Cast(
                to_type=to_type,
                expr=c_ast.BinaryOp(
                    op="+", left=c_ast.Cast(to_type=octets, expr=start), right=offset
                ),
            ) if _is(start, page) and self.is_of_octets(octets):
                pointer = self.types.type(to_type)
                target = pointer.target if isinstance(pointer, Pointer) else None
                if isinstance(target, RecordRef) and self.types.record(target.key):
                    return target.key, evaluate(offset, self.types).value
        return None

    def is_of_octets(self, node: c_ast.Node) -> bool:
        """Tell whether a type is a pointer to bytes, so that what is added to it counts those."""
        pointer = self.types.type(node)
        target = pointer.target if isinstance(pointer, Pointer) else None
        return isinstance(target, Scalar) and self.types.measure(target, node)[0] == 1

    # --- words ------------------------------------------------------------------------

    def ring(self, events: _Events) -> tuple[Record, EventRing] | None:
        """Find the page of a macro's events, and its words for them."""
        said = self.spec.event_rings.get(events.macro)
        page = None
        if said is not None and said.page is not None:
            # It may be another header's, which nothing here has asked for so far.
            page = self.types.record(said.page)
        found = self.named_after(events.macro, [page] if page else None)
        if said is None and found is None:
            return None
        said = said or _NO_MEANING
        named, direction = found or (None, "")
        page = page if said.page is not None else named
        if page is None:
            raise self.error(
                events.macro,
                "page",
                f"the header defines no {said.page or 'struct'} whose words these are",
                "name the struct that the page begins with, such as struct xenkbd_page",
            )
        words = index_words(page)
        consumer = said.consumer or f"{direction}{CONSUMER}"
        producer = said.producer or f"{direction}{PRODUCER}"
        for key, name in (("consumer", consumer), ("producer", producer)):
            if name not in words:
                raise self.error(
                    events.macro,
                    key,
                    f"{page.spelling} has no '{name}' of 32 bits without a sign",
                    "name the page's member that is this index",
                )
        reader = said.reader or READERS.get(direction)
        if reader is None:
            raise self.error(
                events.macro,
                "reader",
                "nothing says which side reads these events",
                "say 'frontend' or 'backend'",
            )
        return page, EventRing(
            macro=events.macro,
            event=events.event,
            first=events.first,
            length=events.length,
            consumer=consumer,
            producer=producer,
            reader=reader,
            coord=events.coord,
        )

    def named_after(
        self, macro: str, pages: Iterable[Record] | None
    ) -> tuple[Record, str] | None:
        """Find the one struct with words for a direction that the macro is named after.

        It is one of `pages`, or any.  Of several, one whose name begins as the macro's does.
        """
        name = f"_{macro.lower()}_"
        found = [
            (record, direction)
            for record in pages or self.types.records.values()
            if not record.is_anonymous
            for direction in directions(record)
            if direction in READERS and f"_{direction}_" in name
        ]
        prefix = macro.lower().partition("_")[0]
        alike = [each for each in found if (each[0].tag or "").startswith(prefix)]
        chosen = alike or found
        return chosen[0] if len(chosen) == 1 else None

    def error(self, macro: str, key: str, message: str, advice: str) -> SourceError:
        place = self.spec.places.of("event_ring", macro, key)
        return SourceError(place, message, advice)


def _is(node: c_ast.Node, name: str) -> bool:
    return isinstance(node, c_ast.ID) and node.name == name
