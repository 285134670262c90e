"""Move bytes through memory that two sides share: rings of bytes, each from one side to the other.

Such a ring is memory whose size is a power of two, and two indices of 32 bits: how many bytes
its producer has put into it, and how many its consumer has taken out, each modulo 2^32.

    producer = Producer(octets, cell(page, 4), cell(page, 0))    # here: their places on a page
    fitted = producer.write(b"...")

    consumer = Consumer(octets, cell(page, 4), cell(page, 0))
    there = consumer.read(100)

Neither waits: what does not fit or is not there yet is the caller's to wait for, by the event
channel.  `ByteRing` is one of each, in opposite directions; `file` makes a file of that.

A side believes its own index, which it keeps to itself, and of the other side's only what is
possible.  It belongs to one thread.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING, LazyModule, typing
from .ring import U32 as U32
from .ring import Page, RingOverflow

if TYPE_CHECKING:
    from . import barriers as _barriers
    from . import byte_file as _byte_file
else:
    _barriers = LazyModule(f"{__package__}.barriers")
    _byte_file = LazyModule(f"{__package__}.byte_file")


U64 = 0xFFFF_FFFF_FFFF_FFFF


def memcpy(target: memoryview, source: memoryview, size: int) -> None:
    """Copy bytes as C's does; raises ValueError for more than there are in either."""
    if size > min(len(target), len(source)):
        raise ValueError(f"a copy of {size} bytes reaches beyond the ring's memory")
    target[:size] = source[:size]


class Functions:
    """What moves bytes within a ring: what is usual, where no header has functions for it.

    Each is what `DEFINE_XEN_FLEX_RING` of Xen's io/ring.h calls so; a position is an index
    that `mask` has reduced.
    """

    __slots__ = ()

    @staticmethod
    def mask(index: int, ring_size: int, /) -> int:
        """Give the position of a free-running index in the ring's memory."""
        return index & (ring_size - 1)

    @staticmethod
    def get_ring_ptr(octets: memoryview, index: int, ring_size: int, /) -> memoryview:
        """Give the ring's memory from a free-running index on."""
        return octets[index & (ring_size - 1) :]

    @staticmethod
    def queued(prod: int, cons: int, ring_size: int, /) -> int:
        """Count the bytes between two free-running indices: those to be taken."""
        return (prod - cons) & U32

    @staticmethod
    def read_packet(
        packet: memoryview,
        octets: memoryview,
        size: int,
        prod: int,
        cons: int,
        ring_size: int,
        /,
    ) -> int:
        """Copy bytes out of the ring from the position `cons`; give the position behind them."""
        first = min(size, ring_size - cons)
        memcpy(packet, octets[cons:], first)
        memcpy(packet[first:], octets, size - first)
        return (cons + size) & (ring_size - 1)

    @staticmethod
    def write_packet(
        octets: memoryview,
        packet: memoryview,
        size: int,
        prod: int,
        cons: int,
        ring_size: int,
        /,
    ) -> int:
        """Copy bytes into the ring from the position `prod`; give the position behind them."""
        first = min(size, ring_size - prod)
        memcpy(octets[prod:], packet, first)
        memcpy(octets, packet[first:], size - first)
        return (prod + size) & (ring_size - 1)

    @staticmethod
    def ring_size(order: int, /) -> int:
        """Give the bytes in one direction of a ring of 2^order pages, where a header says that."""
        raise NotImplementedError


def cell(page: Page, offset: int) -> memoryview:
    """Give an index of 32 bits on a page, as a view that is read and stored whole.

    Raises ValueError for a place that the page does not have.
    """
    octets = memoryview(page).cast("B")
    if not 0 <= offset <= len(octets) - 4:
        raise ValueError(f"a page of {len(octets)} bytes has no index at {offset}")
    return octets[offset : offset + 4].cast("I")


class _End:
    """An end of a ring: its memory, the other side's index `theirs`, and this side's own.

    `own` is the place of the latter, and `at` what it is, whatever is written there.
    """

    __slots__ = ("_at", "_functions", "_octets", "_own", "_theirs", "_xen", "size")

    def __init__(
        self,
        octets: Page,
        theirs: memoryview,
        own: memoryview,
        functions: type[Functions],
        barriers: _barriers.Barriers | None,
    ) -> None:
        self._octets = memoryview(octets).cast("B")
        self.size = len(self._octets)
        if not self.size or self.size & (self.size - 1):
            raise ValueError(
                "a ring needs memory whose size is a power of two, not"
                f" {self.size} bytes"
            )
        if own.readonly:
            raise ValueError("a ring needs its own index to be writable, not read-only")
        self._theirs = theirs
        self._own = own
        self._at = own[0]
        self._functions = functions
        self._xen = barriers or _barriers.barriers()

    def detach(self) -> None:
        """Let go of the memory, so that its mapping can be closed."""
        for view in (self._octets, self._theirs, self._own):
            view.release()


class Consumer(_End):
    """The end that takes bytes out of a ring, of which `producer` is the other side's index.

    Only the own index is written to: the ring's memory may be mapped read-only.
    """

    __slots__ = ()

    def __init__(
        self,
        octets: Page,
        producer: memoryview,
        consumer: memoryview,
        functions: type[Functions] = Functions,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Begin where the ring was left: at what `consumer`, the own index, says.

        Raises ValueError for memory of another size than a power of two.
        """
        super().__init__(octets, producer, consumer, functions, barriers)

    @property
    def queued(self) -> int:
        """The number of bytes that are there to be read."""
        return self._queued(self._theirs[0])

    def _queued(self, prod: int) -> int:
        """Count what is there up to an index, which must be a possible one."""
        if (prod - self._at) & U32 > self.size:
            raise RingOverflow("producer's", prod, self._at)
        return self._functions.queued(prod, self._at, self.size)

    def _copy(self, buffer: typing.Any) -> int:
        """Copy into a buffer what is there, as much as fits; it stays in the ring."""
        packet = memoryview(buffer).cast("B")
        prod = self._theirs[0]
        size = min(len(packet), self._queued(prod))
        if size:
            self._xen.xen_rmb()
            mask, cons = self._functions.mask, self._at
            places = mask(prod, self.size), mask(cons, self.size)
            self._functions.read_packet(packet, self._octets, size, *places, self.size)
        return size

    def readinto(self, buffer: typing.Any) -> int:
        """Take bytes into a writable buffer; give how many there were, as far as they fit.

        Raises `RingOverflow` for more bytes than the ring holds, as the next two do.
        """
        size = self._copy(buffer)
        if size:
            self._xen.xen_mb()  # what was read may be overwritten from here on
            self._at = (self._at + size) & U32
            self._own[0] = self._at
        return size

    def read(self, size: int | None = -1) -> bytes:
        """Take so many bytes, or those that there are: all without a size, or with None."""
        found = self._room(size)
        del found[self.readinto(found) :]
        return bytes(found)

    def peek(self, size: int | None = -1) -> bytes:
        """Give the same bytes as `read`, and leave them in the ring."""
        found = self._room(size)
        del found[self._copy(found) :]
        return bytes(found)

    def _room(self, size: int | None) -> bytearray:
        queued = self.queued
        return bytearray(queued if size is None or size < 0 else min(size, queued))


class Producer(_End):
    """The end that puts bytes into a ring, of which `consumer` is the other side's index."""

    __slots__ = ()

    def __init__(
        self,
        octets: Page,
        producer: memoryview,
        consumer: memoryview,
        functions: type[Functions] = Functions,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Begin where the ring was left: at what `producer`, the own index, says.

        Raises ValueError for memory of another size than a power of two, or that is read-only.
        """
        super().__init__(octets, consumer, producer, functions, barriers)
        if self._octets.readonly:
            raise ValueError("what is written to a ring needs memory that is writable")

    @property
    def free(self) -> int:
        """The number of bytes for which there is room."""
        return self._free(self._theirs[0])

    def _free(self, cons: int) -> int:
        """Count the room up to an index, which must be a possible one."""
        if (self._at - cons) & U32 > self.size:
            raise RingOverflow("consumer's", cons, self._at)
        return self.size - self._functions.queued(self._at, cons, self.size)

    def write(self, data: typing.Any) -> int:
        """Put bytes into the ring, as many as there is room for; give their number.

        Raises `RingOverflow` if the other side has taken more than was there.
        """
        packet = memoryview(data).cast("B")
        cons = self._theirs[0]
        size = min(len(packet), self._free(cons))
        if size:
            self._xen.xen_mb()  # no byte is written before the room for it was seen
            mask, prod = self._functions.mask, self._at
            places = mask(prod, self.size), mask(cons, self.size)
            self._functions.write_packet(self._octets, packet, size, *places, self.size)
            self._xen.xen_wmb()
            self._at = (prod + size) & U32
            self._own[0] = self._at
        return size


class ByteRing:
    """Two rings of bytes, one to this side and one from it: read one, write to the other."""

    __slots__ = ("consumer", "producer")

    def __init__(self, consumer: Consumer, producer: Producer) -> None:
        self.consumer = consumer
        self.producer = producer

    @property
    def queued(self) -> int:
        """The number of bytes that are there to be read."""
        return self.consumer.queued

    @property
    def free(self) -> int:
        """The number of bytes that can be written."""
        return self.producer.free

    def read(self, size: int | None = -1) -> bytes:
        """Take so many bytes, or those that there are: all without a size, or with None.

        Raises `RingOverflow` for an index of the other side's that it could not have.
        """
        return self.consumer.read(size)

    def peek(self, size: int | None = -1) -> bytes:
        """Give the same bytes as `read`, and leave them in the ring."""
        return self.consumer.peek(size)

    def readinto(self, buffer: typing.Any) -> int:
        """Take bytes into a writable buffer; give how many there were, as far as they fit."""
        return self.consumer.readinto(buffer)

    def write(self, data: typing.Any) -> int:
        """Put bytes into the ring, as many as there is room for; give their number.

        The other side has them at once, and learns of it by the event channel.
        """
        return self.producer.write(data)

    def file(
        self,
        wait: typing.Callable[[], object] | None = None,
        notify: typing.Callable[[], object] | None = None,
    ) -> _byte_file.ByteFile:
        """Give a file to read from and to write to, unbuffered: `io.BufferedReader` takes it.

        `wait` is called while there is nothing to read, or no room, and returns when that may
        have changed; without it the file does not block.  `notify` is called when something
        was read or written, to tell the other side.
        """
        return _byte_file.ByteFile(self, wait, notify)

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Let go of the memory, so that its mapping can be closed."""
        self.consumer.detach()
        self.producer.detach()
