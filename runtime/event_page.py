"""Put and take events on a page that two domains share: a keyboard's, a display's.

The page begins with a struct of indices; behind it are events of one size in circular arrays,
one for each direction. What is where is the header's to say, and the classes of a version's
module have it. Each side of the page is a class:

    keyboard = kbdif.BackEventPage(page)
    keyboard.put(event)
    ...  # tell the other side

    screen = kbdif.FrontEventPage(page)
    for event in screen.events():
        ...

A side belongs to one thread. Its page is mapped, never copied; `detach` lets go of it. The
other side may write anything at any time: an index that it could not have is a `RingOverflow`,
and an event is copied before it is given out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

from .annotations import TYPE_CHECKING, Generic, LazyModule, typing
from .records import Structure, Union
from .ring import U32, Page, RingFull, RingOverflow

if TYPE_CHECKING:
    from . import barriers as _barriers

    Event = typing.TypeVar("Event", bound=Structure | Union)
else:
    _barriers = LazyModule(
        f"{__package__}.barriers"
    )  # not before a page is attached to
    Event = Structure

_EPOCH = 1 << 32  # indices wrap around there


class EventRing(Generic[Event]):
    """Where the events of one direction are, as the header has it.

    The first of `length` events is at the byte `first`; an index stands for the one at its
    remainder by `length`. `consumer` and `producer` are the bytes at which the page has the
    index of the next event to be taken, and to be put.
    """

    __slots__ = ("consumer", "event", "first", "length", "producer", "size", "surplus")

    def __init__(
        self,
        event: type[Event],
        *,
        first: int,
        length: int,
        consumer: int,
        producer: int,
    ) -> None:
        self.event = event
        self.first = first
        self.length = length
        self.consumer = consumer
        self.producer = producer
        self.size = ctypes.sizeof(event)
        # By how many places the events jump back where the index wraps around.
        self.surplus = _EPOCH % length

    @property
    def end(self) -> int:
        """Give how many bytes a page must have at least."""
        last = self.first + self.length * self.size
        return max(last, self.consumer + 4, self.producer + 4)

    def place(self, index: int) -> int:
        """Give the byte at which the event of an index begins."""
        return self.first + index % self.length * self.size

    def room(self, consumed: int, produced: int) -> int:
        """Count the events that can be put between what is taken and where it would be run over.

        That is at the end of the array, and earlier where the index wraps around and `length`
        does not divide 2^32: there an event may have the place of one that still waits.
        Raises `RingOverflow` if `consumed` is none that the other side could have.
        """
        waiting = (produced - consumed) & U32
        if waiting > self.length:
            raise RingOverflow("event", consumed, produced)
        room = self.length - waiting
        if self.surplus:
            at = consumed + waiting
            if at < _EPOCH + self.surplus:
                occupied = max(_EPOCH, consumed + self.surplus)
                room = min(room, max(occupied - at, 0))
        return room


class _EventPage:
    """What both sides have: the page, the barriers, and the private index of each direction."""

    __slots__ = ("_consumed", "_octets", "_produced", "_words", "xen_mb", "xen_wmb")

    def __init__(self, page: Page, barriers: _barriers.Barriers | None = None) -> None:
        """Attach to a page, and go on with its own indices: a new page is of zeros.

        From then on a side's own index is its own: the page's is written, and never read again.
        """
        takes: EventRing[typing.Any] | None = getattr(self, "takes", None)
        puts: EventRing[typing.Any] | None = getattr(self, "puts", None)
        octets = memoryview(page).cast("B")
        least = max(ring.end for ring in (takes, puts) if ring is not None)
        if octets.readonly or len(octets) < least:
            raise ValueError(f"a writable page of {least} bytes or more is wanted")
        self._octets = octets
        self._words = words = octets[: len(octets) // 4 * 4].cast("I")
        chosen = barriers or _barriers.barriers()
        self.xen_mb = chosen.xen_mb
        self.xen_wmb = chosen.xen_wmb
        self._consumed = words[takes.consumer // 4] if takes else 0
        self._produced = words[puts.producer // 4] if puts else 0

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Let go of the page, so that its mapping can be closed; the side is of no use then."""
        self._words.release()
        self._octets.release()


class TakesEvents(_EventPage, Generic[Event]):
    """A side that takes events, those of `takes`."""

    __slots__ = ()

    takes: typing.ClassVar[EventRing[typing.Any]]

    def events(self) -> Iterator[Event]:
        """Take the events that are there now, each as a copy of its own.

        An event's place is free for another once it is given out; what comes meanwhile is for
        the next call. Raises `RingOverflow` for more events than the page has room for.
        """
        ring, octets, words = self.takes, self._octets, self._words
        cell, length = ring.consumer // 4, ring.length
        copied = ring.event.from_buffer_copy
        produced = words[ring.producer // 4]
        if (produced - self._consumed) & U32 > length:
            raise RingOverflow("event", produced, self._consumed)
        # The events are read after the index that tells of them, and each before its place is
        # given up.
        self.xen_mb()
        # An iteration within may have taken some, or all and more.
        while 0 < (produced - self._consumed) & U32 <= length:
            index = self._consumed
            event: Event = copied(octets, ring.place(index))
            self._consumed = index = (index + 1) & U32
            self.xen_mb()
            words[cell] = index
            yield event


class PutsEvents(_EventPage, Generic[Event]):
    """A side that puts events, those of `puts`."""

    __slots__ = ()

    puts: typing.ClassVar[EventRing[typing.Any]]

    @property
    def free(self) -> int:
        """Count the events that can be put now; raises `RingOverflow` as `put` does."""
        ring = self.puts
        return ring.room(self._words[ring.consumer // 4], self._produced)

    def put(self, event: Event) -> None:
        """Copy an event into the next place, and publish it.

        Raises `RingFull` where there is none: events of this direction wait to be taken;
        `RingOverflow` where the other side says to have taken what was not there; TypeError
        for an event of another type.
        """
        ring, index = self.puts, self._produced
        if not isinstance(event, ring.event):
            raise TypeError(
                f"a {ring.event.__qualname__} is wanted, not a {type(event).__qualname__}"
            )
        if not ring.room(self._words[ring.consumer // 4], index):
            raise RingFull("no place is free: events wait to be taken")
        self.xen_mb()  # the place is written after it was found free
        start = ring.place(index)
        self._octets[start : start + ring.size] = bytes(event)
        self._produced = index = (index + 1) & U32
        self.xen_wmb()  # and the index after the event
        self._words[ring.producer // 4] = index
