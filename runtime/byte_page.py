"""Read and write the rings of bytes of a page that two sides share: a console's, XenStore's.

The page begins with a struct of two arrays, one for each direction, and their indices. What is
where is the header's to say, and the classes of a version's module have it. Each side is a class:

    console = console.BackByteRing(page)
    text = console.read()
    fitted = console.write(b"...")
    ...  # tell the other side

`byte_ring` tells what else they do, and what they make of an index that the other side could not
have.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING, typing
from .byte_ring import ByteRing, Consumer, Functions, Producer, cell
from .ring import Page

if TYPE_CHECKING:
    from . import barriers as _barriers


class BytePlace:
    """Where the bytes of one direction are in a page: `size` bytes from the byte `first` on.

    `consumer` and `producer` are the bytes at which the page has the indices of the next byte to
    be taken, and to be put.
    """

    __slots__ = ("consumer", "first", "producer", "size")

    def __init__(self, *, first: int, size: int, consumer: int, producer: int) -> None:
        self.first = first
        self.size = size
        self.consumer = consumer
        self.producer = producer

    @property
    def end(self) -> int:
        """Give how many bytes a page must have at least."""
        return max(self.first + self.size, self.consumer + 4, self.producer + 4)

    def place(self, index: int) -> int:
        """Give the byte of the page that an index stands for."""
        return self.first + Functions.mask(index, self.size)

    def views(self, octets: memoryview) -> tuple[memoryview, memoryview, memoryview]:
        """Give the array in a page, the producer's index and the consumer's."""
        array = octets[self.first : self.first + self.size]
        return array, cell(octets, self.producer), cell(octets, self.consumer)


class BytePage(ByteRing):
    """A side of a page with two rings of bytes: it reads one and writes the other."""

    __slots__ = ("_octets",)

    reads: typing.ClassVar[BytePlace]
    writes: typing.ClassVar[BytePlace]

    def __init__(self, page: Page, barriers: _barriers.Barriers | None = None) -> None:
        """Attach to a page, and go on where it was left: a new page is of zeros.

        Raises ValueError for a page that is read-only or too small.
        """
        octets = memoryview(page).cast("B")
        least = max(self.reads.end, self.writes.end)
        if octets.readonly or len(octets) < least:
            raise ValueError(f"a writable page of {least} bytes or more is wanted")
        self._octets = octets
        super().__init__(
            Consumer(*self.reads.views(octets), barriers=barriers),
            Producer(*self.writes.views(octets), barriers=barriers),
        )

    def detach(self) -> None:
        """Let go of the page, so that its mapping can be closed."""
        super().detach()
        self._octets.release()
