"""Do with a ring what people do, on top of ring.h's macros.

A back half (the monitor's) takes requests and gives responses:

    ring = vm_event.BackRing(page)
    for request in ring.requests():
        ring.respond(request, flags=...)
    if ring.push_responses_and_check_notify():
        ...  # tell the other side

A front half is the mirror image, for tests and simulators that play the hypervisor.
A half belongs to one thread. Its page is mapped, never copied; `detach` lets go of it.

The package's module `macros` completes these classes: ring.h's macros, translated from
the header, are methods of its subclasses.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator

from .annotations import TYPE_CHECKING, Generic, LazyModule, Protocol, mmap, typing
from .records import Structure

# A half, its copies and what it selects are one thing.
# pyright: reportPrivateUsage=false

if TYPE_CHECKING:
    from . import barriers as _barriers

    Request = typing.TypeVar("Request", bound=Structure)
    Response = typing.TypeVar("Response", bound=Structure)
    Page: typing.TypeAlias = (
        bytearray | memoryview | mmap.mmap | ctypes.Array[typing.Any]
    )
else:
    _barriers = LazyModule(f"{__package__}.barriers")  # not before a ring is set up
    Request = Response = Structure
    # As an annotation it is a forward reference, as `typing.Any` is.
    Page = "bytearray | memoryview | mmap.mmap | ctypes.Array[typing.Any]"

U32 = 0xFFFF_FFFF
_WHOLE = slice(None)
_NOT_WAITING = "this request does not wait for an answer"


class RingOverflow(RuntimeError):
    """The other side wrote an index that it could not have: it is broken or hostile.

    `theirs` is that index, `ours` the private one that it was held against.
    """

    def __init__(self, what: str, theirs: int, ours: int) -> None:
        super().__init__(f"{what} index {theirs:#x} is out of reach of {ours:#x}")
        self.theirs = theirs
        self.ours = ours


class RingFull(RuntimeError):
    """There is no free entry for a request: take responses first."""


class Entry(Protocol[Request, Response]):
    """An entry of the ring: a request, later the response in its place."""

    req: Request
    rsp: Response


def assign(target: Structure, source: Structure) -> None:
    """Copy a record into another of its type, as `=` does in C."""
    if not (isinstance(source, type(target)) or isinstance(target, type(source))):
        wanted, given = type(target).__qualname__, type(source).__qualname__
        raise TypeError(
            f"a {wanted} is wanted, not a {given} of {type(source).__module__}"
        )
    ctypes.memmove(ctypes.byref(target), ctypes.byref(source), ctypes.sizeof(target))


class SharedRing(Generic[Request, Response]):
    """The shared page: its indices as `words`, all of it as `octets`, and its entries."""

    __slots__ = ("address", "entry_size", "octets", "ring", "words")

    # Which of the words these are, and where the first entry is, in bytes.
    req_prod: typing.ClassVar[int]
    rsp_prod: typing.ClassVar[int]
    first_entry: typing.ClassVar[int]

    def __init__(self, page: Page, entry: type[typing.Any]) -> None:
        octets = memoryview(page).cast("B")
        self.entry_size = ctypes.sizeof(entry)
        if octets.readonly or len(octets) < self.first_entry + self.entry_size:
            raise ValueError("a ring needs a writable page with room for an entry")
        self.octets = octets
        self.words = octets[: len(octets) // 4 * 4].cast("I")
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(octets))
        self.ring: list[Entry[Request, Response]] = [
            entry.from_buffer(octets, start) for start in self.starts()
        ]

    def starts(self) -> range:
        """Tell where each entry that fits begins, in bytes."""
        last = len(self.octets) - self.entry_size
        return range(self.first_entry, last + 1, self.entry_size)

    def detach(self) -> None:
        """Let go of the page, so that its mapping can be closed."""
        self.ring.clear()
        gc.collect()  # a record and the members it keeps refer to each other
        self.words.release()
        self.octets.release()


class _Half(Generic[Request, Response]):
    """What both halves have: the page, and the barriers around accesses to it.

    `shared` is the class for the page, `entry` the union of a request and its response.
    """

    __slots__ = ("nr_ents", "sring", "xen_mb", "xen_rmb", "xen_wmb")

    shared: typing.ClassVar[type[SharedRing[typing.Any, typing.Any]]]
    entry: typing.ClassVar[type[typing.Any]]
    nr_ents: int
    sring: SharedRing[Request, Response]

    # Macros that both halves have.
    if TYPE_CHECKING:

        def attach(self, page: typing.Any, start: int, bytes: int, /) -> None: ...
        def get_request(self, index: int, /) -> Request: ...
        def get_response(self, index: int, /) -> Response: ...

    def __init__(
        self,
        page: Page,
        start: int | None = None,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to a page, with the private indices at `start`: 0 for a new ring.

        Without it they are where the page's responses are, so that a ring in use goes on
        with what is not answered yet.
        """
        self.sring = sring = self.shared(page, self.entry)
        chosen = barriers or _barriers.barriers()
        self.xen_mb = chosen.xen_mb
        self.xen_rmb = chosen.xen_rmb
        self.xen_wmb = chosen.xen_wmb
        if start is None:
            start = sring.words[sring.rsp_prod]
        self.attach(sring, start, len(sring.octets))

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Let go of the page; the half is of no use afterwards."""
        self.sring.detach()


class FrontRing(_Half[Request, Response]):
    """The front half of a ring: it sends requests and takes responses."""

    __slots__ = ("req_prod_pvt", "rsp_cons")

    req_prod_pvt: int
    rsp_cons: int

    # Macros of this half that are called here.
    if TYPE_CHECKING:

        def ring_full(self) -> bool: ...
        def final_check_for_responses(self) -> int: ...

    def send(self, request: Request) -> None:
        """Put a copy of a request into the next free entry; `push_requests` publishes it."""
        if self.ring_full():
            raise RingFull(f"all {self.nr_ents} entries wait for a response")
        assign(self.get_request(self.req_prod_pvt), request)
        self.req_prod_pvt = (self.req_prod_pvt + 1) & U32

    def responses(self) -> Iterator[Response]:
        """Take the responses that are there, each as a copy of its own.

        At the end the other side has been asked to notify of the next one, so that the
        caller may sleep.  Raises `RingOverflow` for more responses than were asked for.
        """
        words, rsp_prod = self.sring.words, self.sring.rsp_prod
        published = False
        while True:
            produced = words[rsp_prod]
            answered = (produced - self.rsp_cons) & U32
            if not published <= answered <= (self.req_prod_pvt - self.rsp_cons) & U32:
                raise RingOverflow("response", produced, self.req_prod_pvt)
            self.xen_rmb()
            while 0 < (produced - self.rsp_cons) & U32 <= self.nr_ents:
                response = self.get_response(self.rsp_cons).copy()
                self.rsp_cons = (self.rsp_cons + 1) & U32
                yield response
            if not self.final_check_for_responses():
                return
            published = True


class BackRing(_Half[Request, Response]):
    """The back half of a ring: it takes requests and gives responses."""

    __slots__ = (
        "_copies",
        "_entries",
        "_flag_word",
        "_mask",
        "_other_response",
        "_selected",
        "req_cons",
        "rsp_prod_pvt",
    )

    rsp_prod_pvt: int
    req_cons: int

    # The macro of this half that is called here.
    if TYPE_CHECKING:

        def final_check_for_requests(self) -> int: ...

    def __init__(
        self,
        page: Page,
        start: int | None = None,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to a page, as the front half does."""
        super().__init__(page, start, barriers)
        octets, size = self.sring.octets, self.sring.entry_size
        self._entries = [
            octets[at : at + size] for at in self.sring.starts()[: self.nr_ents]
        ]
        from .copies import Copy  # above, it would add 3 % to an import

        self._mask = self.nr_ents - 1
        request, response = type(self.get_request(0)), type(self.get_response(0))
        self._other_response = request is not response
        self._copies = [Copy(request, size) for _ in self._entries]
        self._flag_word = _flag_word(request)
        self._selected: bool | None = None  # how the waiting requests were taken

    def detach(self) -> None:
        """Let go of the page; requests that were taken stay readable."""
        for entry in self._entries:
            entry.release()
        super().detach()

    def requests(self) -> Iterator[Request]:
        """Take the requests that are there, each copied before it is given out.

        A request is valid until it is answered; `copy()` keeps it longer.  At the end the
        other side has been asked to notify of the next one, so that the caller may
        sleep.  Raises `RingOverflow` for more requests than the ring holds.
        """
        entries, copies, mask = self._entries, self._copies, self._mask
        published = False
        while True:
            produced, taken = self._produced(False, published), self.req_cons
            while taken != produced:
                place = taken & mask
                copy = copies[place]
                if copy.ring is not None:  # answered out of turn: any other will do
                    copy = next(copy for copy in copies if copy.ring is None)
                copy.octets[_WHOLE] = entries[place]
                copy.index = taken
                copy.ring = self
                self.req_cons = taken = taken + 1 if taken != U32 else 0
                yield copy.record
                if self.req_cons != taken:  # an iteration within took more
                    break
            if not self.final_check_for_requests():
                return
            published = True

    def _produced(self, selected: bool, published: bool) -> int:
        """Read the other side's request index, and find it possible.

        What it `published` a moment ago it cannot take back.
        """
        sring, answered = self.sring, self.rsp_prod_pvt
        produced = sring.words[sring.req_prod]
        taken = (self.req_cons - answered) & U32
        if not taken + published <= (produced - answered) & U32 <= self.nr_ents:
            raise RingOverflow("request", produced, self.req_cons)
        if self._selected is not selected:
            if taken and self._selected is not None:
                other = "selected requests" if self._selected else "whole requests"
                raise ValueError(f"answer the {other} that were taken first")
            self._selected = selected
        self.xen_rmb()
        return produced

    def respond(
        self,
        request: Request,
        flags: int | None = None,
        *,
        response: Response | None = None,
    ) -> None:
        """Answer a request: with itself, as it is now, and with these flags.

        A ring whose responses are of another type needs one.  `push_responses` publishes
        it.  Raises ValueError for a request that does not wait for an answer.
        """
        try:
            copy = request._copy_
        except AttributeError:  # a record that no ring gave out
            raise ValueError(_NOT_WAITING) from None
        if copy.ring is not self:
            raise ValueError(_NOT_WAITING)
        if response is not None:
            if flags is not None:
                raise TypeError("the flags of a response are its own")
            assign(self.entry.from_buffer(copy.octets).rsp, response)
        elif self._other_response:
            raise TypeError("the responses of this ring are no requests: give one")
        elif flags is not None:
            try:
                copy.words[self._flag_word] = flags
            except (IndexError, ValueError):
                _set_low_bits(copy.words, self._flag_word, flags)
        answered = self.rsp_prod_pvt
        self._entries[answered & self._mask][_WHOLE] = copy.octets
        self.rsp_prod_pvt = answered + 1 if answered != U32 else 0
        copy.ring = None

    def unanswered(self) -> list[Request]:
        """Give the requests that were taken and not answered yet, oldest first."""
        waiting = [copy for copy in self._copies if copy.ring is self]
        waiting.sort(key=lambda copy: (copy.index - self.req_cons) & U32)
        return [copy.record for copy in waiting]

    def select(self, *paths: str) -> Selection[Request, Response]:
        """Choose members, and take them as tuples: `ring.select("reason", "u.cpuid.leaf")`.

        Raises ValueError for a path that is no number's.
        """
        return Selection(self, paths)


class Selection(Generic[Request, Response]):
    """Requests as tuples of chosen members: less to look at than a whole one, and faster.

    Iterating takes the requests that are there and reads the numbers once, straight from
    the page.  `respond` answers them in their order.
    """

    __slots__ = (
        "_flag_words",
        "_mask",
        "_pick",
        "_places",
        "_ring",
        "_unpack",
        "_words",
    )

    def __init__(
        self, ring: BackRing[Request, Response], paths: tuple[str, ...]
    ) -> None:
        from .projection import plan  # above, it would add 40 % to an import

        request = type(ring.get_request(0))
        self._ring = ring
        self._mask = ring._mask
        self._places = list(ring.sring.starts())[: ring.nr_ents]
        self._unpack, self._pick = plan(request, paths)
        self._flag_words = [at // 4 + _flag_word(request) for at in self._places]
        self._words = ring.sring.words

    def __iter__(self) -> Iterator[tuple[typing.Any, ...]]:
        ring, places, unpack, mask = self._ring, self._places, self._unpack, self._mask
        octets, pick = ring.sring.octets, self._pick
        published = False
        while True:
            produced, taken = ring._produced(True, published), ring.req_cons
            while taken != produced:
                place = places[taken & mask]
                ring.req_cons = taken = taken + 1 if taken != U32 else 0
                values = unpack(octets, place)
                yield values if pick is None else pick(values)
                if ring.req_cons != taken:  # an iteration within took more
                    break
            if not ring.final_check_for_requests():
                return
            published = True

    def respond(self, flags: int | None = None) -> None:
        """Answer the oldest request that was taken, with itself and with these flags.

        Raises ValueError if none waits.  A ring whose responses are of another type has
        them at `get_response(rsp_prod_pvt)`, to be filled before this.
        """
        ring = self._ring
        answered = ring.rsp_prod_pvt
        if answered == ring.req_cons or not ring._selected:
            raise ValueError("no selected request waits for an answer")
        if flags is not None:
            if ring._other_response:
                raise TypeError("the responses of this ring are no requests")
            place = self._flag_words[answered & self._mask]
            try:
                self._words[place] = flags
            except (IndexError, ValueError):
                _set_low_bits(self._words, place, flags)
        ring.rsp_prod_pvt = answered + 1 if answered != U32 else 0


def _set_low_bits(words: memoryview, place: int, flags: int) -> None:
    """Keep the low bits of flags that do not fit, as any member does."""
    if place >= len(words):
        raise TypeError("the records of this ring have no flags")
    words[place] = flags & U32


def _flag_word(record: type[Structure]) -> int:
    """Tell which 32-bit word of a record its flags are; far beyond the last if it has none."""
    flags = vars(record).get("flags")
    return 1 << 31 if flags is None or flags.size != 4 else flags.offset // 4
