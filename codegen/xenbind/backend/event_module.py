"""Prepare the two sides of pages of events for their template.

Takes the `EventPage`s of an interface and the names that its classes have; gives
`EventSideView`s.  `module` places them, and runtime/event_page.py has what the sides do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xenbind.backend.python_model import EventRingView, EventSideView
from xenbind.backend.python_text import docstring
from xenbind.ir.interface import EventPage, EventRing, Interface

# The run-time module, and what a version's module may import of it.
EVENT_PAGE = ".runtime.event_page"
NAMES = frozenset(["EventRing", "PutsEvents", "TakesEvents"])
# Of each side how its class begins, and which is the other.
SIDES = {"frontend": ("Front", "backend"), "backend": ("Back", "frontend")}

_OF_PAGES = ("event", "interface", "page")


def event_sides(
    interface: Interface,
    class_of: Callable[[str], str],
    claim: Callable[[str], str],
    use: Callable[[str, str], str],
) -> Iterator[EventSideView]:
    """Give both sides of each page, that of the frontend first.

    `class_of` names a record's class by its key; `claim` gives a name that is free, and `use`
    imports one.
    """
    is_only = len(interface.event_pages) == 1
    for page in interface.event_pages:
        prefix = "" if is_only else page_prefix(page.record)
        for side, (word, other) in SIDES.items():
            taken, put = page.read_by(side), page.read_by(other)
            rings, bases, does = [], [], []
            for name, base, ring in (
                ("takes", "TakesEvents", taken),
                ("puts", "PutsEvents", put),
            ):
                if ring is not None:
                    use(EVENT_PAGE, "EventRing")
                    event = class_of(ring.event)
                    bases.append(f"{use(EVENT_PAGE, base)}[{event}]")
                    does.append(f"{name} {event}")
                    rings.append((name, _ring(interface, page, ring, event)))
            words = f"The {side} of a page of events: it {' and '.join(does)}."
            yield EventSideView(
                name=claim(f"{prefix}{word}EventPage"),
                side=side,
                bases=", ".join(bases),
                doc=docstring(f"{words}\n\nA side belongs to one thread.", 4),
                rings=rings,
            )


def page_prefix(record: str) -> str:
    """Write a struct's name without what says that it is a page: `xenkbd_page` is `Xenkbd`."""
    words = record.rpartition(" ")[2].split("_")
    return "".join(w.capitalize() for w in words if w not in _OF_PAGES)


def _ring(
    interface: Interface, page: EventPage, ring: EventRing, event: str
) -> EventRingView:
    fields = interface.records_by_key[page.record].fields
    places = {field.name: field.offset for field in fields}
    return EventRingView(
        macro=ring.macro,
        event=event,
        first=ring.first,
        length=ring.length,
        consumer=places[ring.consumer],
        producer=places[ring.producer],
    )
