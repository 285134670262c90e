"""Read and write rings of bytes whose page tells how large they are, as vchan's does.

For each direction the page's struct has the two indices and an order: the ring has 2^order bytes.
One that is smaller than a page lies in that page itself, as many bytes behind its beginning as it
is large; a larger one is memory of its own, which whoever attaches has mapped. Each side is a
class:

    server = libxenvchan.BackByteRing(page)
    request = server.read()

`byte_ring` tells what else they do.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING, typing
from .byte_ring import ByteRing, Consumer, Producer, cell
from .ring import Page

if TYPE_CHECKING:
    from . import barriers as _barriers

_PAGE_SIZE = 4096


class WrongOrder(RuntimeError):
    """The page tells of a ring that cannot be: it is broken or hostile, or was not set up yet.

    `theirs` is the order that it has.
    """

    def __init__(self, theirs: int, why: str) -> None:
        super().__init__(f"the page says that a ring has the order {theirs}, {why}")
        self.theirs = theirs


class OrderPlace:
    """Where a page tells of the ring of one direction.

    At the byte `order` it has the order, in `order_size` bytes, which is `least` or more;
    `consumer` and `producer` are the bytes at which it has the indices.
    """

    __slots__ = ("consumer", "least", "order", "order_size", "producer")

    def __init__(
        self, *, order: int, order_size: int, least: int, consumer: int, producer: int
    ) -> None:
        self.order = order
        self.order_size = order_size
        self.least = least
        self.consumer = consumer
        self.producer = producer

    def order_in(self, octets: memoryview) -> int:
        """Read the order from a page, once; raises `WrongOrder` for one that is too small."""
        word = octets[self.order : self.order + self.order_size]
        order = int.from_bytes(word, "little")
        if order < self.least:
            raise WrongOrder(order, f"and the least is {self.least}")
        return order

    def views(
        self, octets: memoryview, order: int, memory: Page | None
    ) -> tuple[memoryview, memoryview, memoryview]:
        """Give the ring's memory, the producer's index and the consumer's."""
        if order < _PAGE_SIZE.bit_length() - 1:
            array = octets[1 << order : 2 << order]
        elif memory is None:
            raise WrongOrder(
                order, "and no memory was given for a ring larger than a page"
            )
        else:
            array = memoryview(memory).cast("B")
            if not len(array) >> order:  # 1 << order may be a number of any length
                raise WrongOrder(order, f"and was given {len(array)} bytes of memory")
            array = array[: 1 << order]
        return array, cell(octets, self.producer), cell(octets, self.consumer)


class OrderPage(ByteRing):
    """A side of a page that tells of two rings of bytes: it reads one and writes the other."""

    __slots__ = ("_octets",)

    reads: typing.ClassVar[OrderPlace]
    writes: typing.ClassVar[OrderPlace]

    def __init__(
        self,
        page: Page,
        *,
        read_memory: Page | None = None,
        write_memory: Page | None = None,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to a page that was set up, and go on where it was left.

        What is read and written in memory of its own is given with it.  Raises `WrongOrder` for
        an order that cannot be, or is not that of this memory, and ValueError for no page.
        """
        octets = memoryview(page).cast("B")
        if octets.readonly or len(octets) != _PAGE_SIZE:
            raise ValueError(f"a writable page of {_PAGE_SIZE} bytes is wanted")
        read, written = self.orders(page)
        if read == written < _PAGE_SIZE.bit_length() - 1:
            raise WrongOrder(read, "and another one has the same place")
        self._octets = octets
        super().__init__(
            Consumer(*self.reads.views(octets, read, read_memory), barriers=barriers),
            Producer(
                *self.writes.views(octets, written, write_memory), barriers=barriers
            ),
        )

    @classmethod
    def orders(cls, page: Page) -> tuple[int, int]:
        """Read the orders of what is read and of what is written; raises `WrongOrder`."""
        octets = memoryview(page).cast("B")
        return cls.reads.order_in(octets), cls.writes.order_in(octets)

    def detach(self) -> None:
        """Let go of the page, so that its mapping can be closed."""
        super().detach()
        self._octets.release()
