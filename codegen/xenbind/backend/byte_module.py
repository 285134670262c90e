"""Prepare the two sides of pages with rings of bytes for their template.

Takes the `BytePage`s of an interface; gives `ByteSideView`s.  `module` places them, and
runtime/byte_page.py has what the sides do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xenbind.backend.event_module import SIDES, page_prefix
from xenbind.backend.python_model import BytePlaceView, ByteSideView
from xenbind.backend.python_text import docstring
from xenbind.ir.interface import BytePage, ByteRing, Interface

# The run-time module, and what a version's module may import of it.
BYTE_PAGE = ".runtime.byte_page"
NAMES = frozenset(["BytePage", "BytePlace"])


def byte_sides(
    interface: Interface,
    claim: Callable[[str], str],
    use: Callable[[str, str], str],
) -> Iterator[ByteSideView]:
    """Give both sides of each page, that of the frontend first.

    `claim` gives a name that is free, and `use` imports one.
    """
    is_only = len(interface.byte_pages) == 1
    for page in interface.byte_pages:
        prefix = "" if is_only else page_prefix(page.record)
        for side, (word, other) in SIDES.items():
            read, written = page.read_by(side), page.read_by(other)
            use(BYTE_PAGE, "BytePlace")
            yield ByteSideView(
                name=claim(f"{prefix}{word}ByteRing"),
                base=use(BYTE_PAGE, "BytePage"),
                doc=docstring(
                    f"The {side} of {page.record}: it reads `{read.array}` and writes"
                    f" `{written.array}`.\n\nA side belongs to one thread.",
                    4,
                ),
                places=[
                    ("reads", _place(interface, page, read)),
                    ("writes", _place(interface, page, written)),
                ],
            )


def _place(interface: Interface, page: BytePage, ring: ByteRing) -> BytePlaceView:
    fields = interface.records_by_key[page.record].fields
    places = {field.name: field.offset for field in fields}
    return BytePlaceView(
        array=ring.array,
        first=places[ring.array],
        size=ring.size,
        consumer=places[ring.consumer],
        producer=places[ring.producer],
    )
