"""Prepare the two sides of pages with rings of bytes for their template.

Takes the `BytePage`s of an interface; gives `ByteSideView`s.  `module` places them, and
runtime/byte_page.py and runtime/order_page.py have what the sides do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xenbind.backend.event_module import SIDES, page_prefix
from xenbind.backend.python_model import BytePlaceView, ByteSideView
from xenbind.backend.python_text import docstring
from xenbind.ir.interface import BytePage, ByteRing, Field, Interface, member_at

# The run-time module, and what a version's module may import of it.
BYTE_PAGE, ORDER_PAGE = ".runtime.byte_page", ".runtime.order_page"
NAMES = frozenset(["BytePage", "BytePlace", "OrderPage", "OrderPlace"])


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
            module, kind = (ORDER_PAGE, "Order") if read.order else (BYTE_PAGE, "Byte")
            place = use(module, f"{kind}Place")
            yield ByteSideView(
                name=claim(f"{prefix}{word}ByteRing"),
                base=use(module, f"{kind}Page"),
                doc=docstring(
                    f"The {side} of {page.record}: it reads `{read.array}` and writes"
                    f" `{written.array}`.\n\nA side belongs to one thread.",
                    4,
                ),
                places=[
                    ("reads", _place(interface, page, read, place)),
                    ("writes", _place(interface, page, written, place)),
                ],
            )


def _place(
    interface: Interface, page: BytePage, ring: ByteRing, made: str
) -> BytePlaceView:
    def at(path: str) -> Field:
        found = member_at(interface.records_by_key, page.record, path)
        assert found is not None  # or lowering had refused it
        return found

    indices = [(key, at(getattr(ring, key)).offset) for key in ("consumer", "producer")]
    if ring.order:
        order = at(ring.order)
        where = [("order", order.offset), ("order_size", order.size)]
        where.append(("least", ring.least_order))
        doc = f"What `{ring.order}` tells of."
    else:
        where = [("first", at(ring.array).offset), ("size", ring.size)]
        doc = f"The array `{ring.array}`."
    return BytePlaceView(ring.array, made, [*where, *indices], doc)
