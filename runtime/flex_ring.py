"""Attach to a flex ring of Xen's io/ring.h, which is two rings of bytes: `in` and `out`.

A front end reads `in` and writes `out`, a back end the other way round.  A generated module
has a class for each of them, whose functions are those of its header, translated:

    ring = module.Xen9pfsBackFlexRing(page, data)
    request = ring.read(ring.queued)

`page` is what both share the indices on, and `data` the memory that its `ref` grants.  A ring
whose header has no struct for such a page is given its memory and the place of each index.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING, LazyModule, typing
from .byte_ring import ByteRing, Consumer, Functions, Producer, cell
from .ring import Page

if TYPE_CHECKING:
    from . import barriers as _barriers
else:
    _barriers = LazyModule(f"{__package__}.barriers")


class RingOrder(RuntimeError):
    """The page of a ring says that it has more pages than it has room to grant.

    `theirs` is the binary logarithm of that number, `most` the largest possible.
    """

    def __init__(self, theirs: int, most: int) -> None:
        super().__init__(
            f"the ring's order is {theirs}, and its page has room for {most} at most"
        )
        self.theirs = theirs
        self.most = most


class FlexRing(ByteRing):
    """One side of a flex ring.  `functions` are the header's, `is_front` says which side."""

    __slots__ = ()

    functions: typing.ClassVar[type[Functions]]
    is_front: typing.ClassVar[bool]

    def __init__(
        self,
        in_: Page,
        out: Page,
        *,
        in_cons: memoryview,
        in_prod: memoryview,
        out_cons: memoryview,
        out_prod: memoryview,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to the memory of both directions, with each index as `cell` gives it.

        The ring goes on where it was left: both indices at 0 are a new one.  Raises
        ValueError for memory of another size than a power of two.
        """
        to_front = in_, in_prod, in_cons
        to_back = out, out_prod, out_cons
        read, written = (to_front, to_back) if self.is_front else (to_back, to_front)
        super().__init__(
            Consumer(*read, self.functions, barriers),
            Producer(*written, self.functions, barriers),
        )


class PageFlexRing(FlexRing):
    """One side of a flex ring whose indices are on a page of the type `interface`."""

    __slots__ = ()

    interface: typing.ClassVar[type[typing.Any]]

    def __init__(
        self,
        page: Page,
        data: Page,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to a page of indices, and to the memory that it grants: `in`, then `out`.

        The ring has the size that the page's `ring_order` says now, and goes on where it was
        left.  Raises `RingOrder` for an order that cannot be, and ValueError for less memory
        than that.
        """
        order = self.order(page)
        size = self.functions.ring_size(order)
        octets = memoryview(data).cast("B")
        if len(octets) < 2 * size:
            raise ValueError(
                f"a ring of the order {order} has {2 * size} bytes, not {len(octets)}"
            )
        super().__init__(
            octets[:size],
            octets[size : 2 * size],
            in_cons=self._cell(page, "in_cons"),
            in_prod=self._cell(page, "in_prod"),
            out_cons=self._cell(page, "out_cons"),
            out_prod=self._cell(page, "out_prod"),
            barriers=barriers,
        )

    @classmethod
    def order(cls, page: Page) -> int:
        """Read the binary logarithm of the number of pages; raises `RingOrder`."""
        found = cls._cell(page, "ring_order")[0]
        room = memoryview(page).nbytes - cls._offset("ref")
        most = (room // 4).bit_length() - 1
        if found > most:
            raise RingOrder(found, most)
        return found

    @classmethod
    def refs(cls, page: Page) -> memoryview:
        """Give the grant references of the ring's pages, in place; raises `RingOrder`."""
        order, first = cls.order(page), cls._offset("ref")
        return memoryview(page).cast("B")[first : first + (4 << order)].cast("I")

    @classmethod
    def _cell(cls, page: Page, member: str) -> memoryview:
        return cell(page, cls._offset(member))

    @classmethod
    def _offset(cls, member: str) -> int:
        offset: int = getattr(cls.interface, member).offset
        return offset
