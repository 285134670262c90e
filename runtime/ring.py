"""Do with a ring what people do, on top of ring.h's macros.

A back half (the monitor's) takes requests and gives responses:

    ring = vm_event.BackRing(page)
    for request in ring.requests():
        ring.respond(request, flags=...)
    if ring.push_responses_and_check_notify():
        ...  # tell the other side

A front half is the mirror image, for tests and simulators that play the hypervisor.
A half belongs to one thread. Its page is mapped, never copied; `detach` lets go of it.

What a flag or member of the requests means to a ring, its class says: `flags_member` is
what `respond(flags=)` sets, `kept_flags` are those that an answer has if its request had
them, and requests whose `version_member` is another than `version` are not given out.

The package's module `macros` completes these classes: ring.h's macros, translated from
the header, are methods of its subclasses.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Generator, Iterator
from operator import index

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
    # As an annotation it is a forward reference, as `typing.Any` is, in other modules too.
    Page = (
        "bytearray | memoryview | __import__('mmap').mmap"
        " | __import__('ctypes').Array[typing.Any]"
    )

U32 = 0xFFFF_FFFF
_WHOLE = slice(None)
_NOT_WAITING = "this request does not wait for an answer"
_HOLDS_NOTHING = "the answers of this ring keep no flags, and so hold nothing"


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


class OtherVersion(RuntimeError):
    """The next request is of another version than the module: it cannot be read by it.

    `theirs` is the version that the request has, `ours` the module's.  The request is
    not taken: the ring of the right module, attached to the page without `start`, goes on
    with it.  `requests(any_version=True)` takes it all the same, to be answered as it is.
    """

    def __init__(self, theirs: int, ours: int) -> None:
        super().__init__(
            f"the request is of version {theirs}, and this module of {ours}: use"
            f" interface({theirs}), or take it unread with any_version=True"
        )
        self.theirs = theirs
        self.ours = ours


class Entry(Protocol[Request, Response]):
    """An entry of the ring: a request, later the response in its place."""

    req: Request
    rsp: Response


def check_type(wanted: type[Structure], record: Structure) -> None:
    """Raise TypeError for a record that is of another type."""
    if not (isinstance(record, wanted) or issubclass(wanted, type(record))):
        raise TypeError(
            f"a {wanted.__qualname__} is wanted, not a {type(record).__qualname__}"
            f" of {type(record).__module__}"
        )


def assign(target: Structure, source: Structure) -> None:
    """Copy a record into another of its type, as `=` does in C.

    Raises TypeError for one of another type.
    """
    check_type(type(target), source)
    ctypes.memmove(ctypes.byref(target), ctypes.byref(source), ctypes.sizeof(target))


class SharedRing(Generic[Request, Response]):
    """The shared page: its indices as `words`, all of it as `octets`, and its entries."""

    __slots__ = (
        "address",
        "entry_size",
        "first_entry",
        "octets",
        "ring",
        "ring_address",
        "words",
    )

    # Which of the words these are.
    req_prod: typing.ClassVar[int]
    req_event: typing.ClassVar[int]
    rsp_prod: typing.ClassVar[int]

    def __init__(self, page: Page, entry: type[typing.Any], first_entry: int) -> None:
        octets = memoryview(page).cast("B")
        self.first_entry = first_entry
        self.entry_size = ctypes.sizeof(entry)
        if octets.readonly or len(octets) < self.first_entry + self.entry_size:
            raise ValueError("a ring needs a writable page with room for an entry")
        self.octets = octets
        self.words = octets[: len(octets) // 4 * 4].cast("I")
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(octets))
        self.ring_address = self.address + first_entry
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
        nothing: typing.Any = _Detached()
        self.words = self.octets = nothing


class _Detached:
    """Stands for the memory of a page that a ring has let go of."""

    __slots__ = ()

    def __getitem__(self, place: object) -> typing.NoReturn:
        raise ValueError("the ring is detached: make another on its page")

    def __setitem__(self, place: object, value: object) -> None:
        self[place]

    def release(self) -> None:
        """Do nothing: it is released."""


class _Half(Generic[Request, Response]):
    """What both halves have: the page, and the barriers around accesses to it.

    `shared` is the class for the page, `entry` the union of a request and its response,
    of which the page has the first at the byte `first_entry`.
    """

    __slots__ = ("nr_ents", "sring", "xen_mb", "xen_rmb", "xen_wmb")

    shared: typing.ClassVar[type[SharedRing[typing.Any, typing.Any]]]
    entry: typing.ClassVar[type[typing.Any]]
    first_entry: typing.ClassVar[int]
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
        with what is not answered yet.  An index wraps around at 2^32, `start` too.
        """
        self.sring = sring = self.shared(page, self.entry, self.first_entry)
        chosen = barriers or _barriers.barriers()
        self.xen_mb = chosen.xen_mb
        self.xen_rmb = chosen.xen_rmb
        self.xen_wmb = chosen.xen_wmb
        at = sring.words[sring.rsp_prod] if start is None else start
        self.attach(sring, at & U32, len(sring.octets))

    def __enter__(self) -> typing.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Let go of the page; the half is of no use afterwards."""
        self.sring.detach()


class FrontRing(_Half[Request, Response]):
    """The front half of a ring: it sends requests and takes responses.

    It belongs to one thread, as the back half does.
    """

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
    """The back half of a ring: it takes requests and gives responses.

    It belongs to one thread: its indices are its own, and no lock guards them or the
    requests that it has given out.
    """

    __slots__ = (
        "_copies",
        "_flags",
        "_given",
        "_kept_flags",
        "_mask",
        "_other_response",
        "_requests",
        "_response",
        "_responses",
        "_selected",
        "_usual",
        "_usual_is_whole",
        "req_cons",
        "rsp_prod_pvt",
    )

    rsp_prod_pvt: int
    req_cons: int

    flags_member: typing.ClassVar[str] = "flags"
    kept_flags: typing.ClassVar[int] = 0
    version_member: typing.ClassVar[str | None] = None
    version: typing.ClassVar[int] = 0

    def __init__(
        self,
        page: Page,
        start: int | None = None,
        barriers: _barriers.Barriers | None = None,
    ) -> None:
        """Attach to a page, as the front half does."""
        super().__init__(page, start, barriers)
        from .copies import Copy, cell  # above, it would add 3 % to an import

        self._mask = self.nr_ents - 1
        self._kept_flags = self.kept_flags  # found faster
        request, response = type(self.get_request(0)), type(self.get_response(0))
        self._response = response
        self._other_response = request is not response
        octets, starts = self.sring.octets, self.sring.starts()[: self.nr_ents]
        size = ctypes.sizeof(request)
        self._requests = [octets[at : at + size] for at in starts]
        self._responses = self._requests
        if ctypes.sizeof(response) != size:
            size = ctypes.sizeof(response)
            self._responses = [octets[at : at + size] for at in starts]
        flags = None if self._other_response else self.flags_member
        self._copies = [
            Copy(request, len(octets), flags, self.version_member)
            for octets in self._requests
        ]
        self._flags = [cell(request, flags, octets) for octets in self._requests]
        # The flags that were given last and fit, with their number, and whether they have all
        # that are kept: most are the same object again, and to look at flags that are an
        # enum's takes a microsecond.
        self._usual: object = self
        self._given = 0
        self._usual_is_whole = False
        self._selected: bool | None = None  # how the waiting requests were taken

    def detach(self) -> None:
        """Let go of the page; requests that were taken stay readable."""
        for view in (*self._flags, *self._requests, *self._responses):
            if view is not None:
                view.release()
        super().detach()

    def requests(
        self, *, any_version: bool = False, ask: bool = True
    ) -> Iterator[Request]:
        """Take the requests that are there, each copied before it is given out.

        A request is valid until it is answered; `copy()` keeps it longer.  At the end the
        other side has been asked to notify of the next one, so that the caller may
        sleep; `ask=False` is for one that notifies of every request anyway.  Raises
        `RingOverflow` for more requests than the ring holds, and `OtherVersion`, before it
        takes it, at a request that the module cannot read; `any_version` takes those too.
        """
        return self._taken(any_version, ask, lasting=False)

    def every_request(self) -> Generator[Request | None, int | None, None]:
        """Take requests as `requests(ask=False)` does, but without an end.

        None comes each time that there are no more, with the answers published: the caller
        tells the other side, may sleep, and goes on.  Flags that are sent there answer the
        last request, as `respond` does.
        """
        return self._taken(any_version=False, ask=False, lasting=True)

    def keep_cells(self, *paths: str) -> None:
        """Have `cells[path][0]` of each request's `_copy_` be one of its numbers.

        That is read and written in a fraction of the time that a member takes.
        """
        from .copies import cell

        request = type(self.get_request(0))
        for copy in self._copies:
            copy.cells.update(
                (path, cell(request, path, copy.octets)) for path in paths
            )

    def _taken(
        self, any_version: bool, ask: bool, lasting: bool
    ) -> Generator[typing.Any, int | None, None]:
        entries, copies, mask = self._requests, self._copies, self._mask
        flags_there, kept_flags = self._flags, self._kept_flags
        sring, nr_ents = self.sring, self.nr_ents
        req_prod, rsp_prod = sring.req_prod, sring.rsp_prod
        xen_rmb, xen_wmb = self.xen_rmb, self.xen_wmb
        checked = self.version_member is not None and not any_version
        version = self.version
        published = False
        while True:
            taken, answered = self.req_cons, self.rsp_prod_pvt
            produced = sring.words[req_prod]
            # As `_produced` finds it mostly, without a call of it.
            if (
                answered <= taken < produced <= answered + nr_ents
                and self._selected is False
            ):
                xen_rmb()
            else:
                produced = self._produced(False, published)
            while taken != produced:
                place = taken & mask
                copy = copies[place]
                if copy.ring is not None:  # answered out of turn: any other will do
                    copy = next(copy for copy in copies if copy.ring is None)
                copy.octets[_WHOLE] = entries[place]
                if checked and copy.version[0] != version:
                    raise OtherVersion(copy.version[0], version)
                copy.index = own = taken  # a loop within may take the copy again
                copy.ring = self
                self.req_cons = taken = taken + 1 if taken != U32 else 0
                flags = yield copy.record
                if flags is not None:
                    if self.rsp_prod_pvt != own or copy.ring is not self:
                        self.respond(copy.record, flags)
                    else:  # as that does, in turn
                        copy.flags[0] = flags | flags_there[place][0] & kept_flags
                        self._responses[place][_WHOLE] = copy.octets
                        self.rsp_prod_pvt = taken
                        copy.ring = None
                if self.req_cons != taken:  # an iteration within took more
                    break
            else:
                if lasting:
                    xen_wmb()
                    sring.words[rsp_prod] = self.rsp_prod_pvt
                    yield None
                    continue
                published = ask and self._ask_for_more()
                if not published:
                    return

    def _ask_for_more(self) -> bool:
        """Ask to be notified of the next request, and tell whether it has come meanwhile.

        This is RING_FINAL_CHECK_FOR_REQUESTS without its first look, which is just done, and
        whose two looks would take as long as all the rest of a request.
        """
        sring, taken = self.sring, self.req_cons
        words = sring.words
        words[sring.req_event] = taken + 1 if taken != U32 else 0
        self.xen_mb()
        return words[sring.req_prod] != taken

    def _produced(self, selected: bool, published: bool) -> int:
        """Read the other side's request index, and find it possible.

        What it `published` a moment ago it cannot take back.
        """
        sring, answered = self.sring, self.rsp_prod_pvt
        produced = sring.words[sring.req_prod]
        taken, there = self.req_cons - answered, produced - answered
        if taken < 0 or there < 0:  # wrapped around; the mask takes longer than to look
            taken, there = taken & U32, there & U32
        if there < taken or there > self.nr_ents or (published and there == taken):
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
        hold: bool = False,  # by its name; a call with `*` before it takes 3 % longer
        response: Response | None = None,
    ) -> None:
        """Answer a request: with itself, as it is now, and with these flags.

        Those of the `kept_flags` that it came with are in the answer even if they are not
        among the flags; with `hold` none of them is.  A ring whose responses are of
        another type needs one.  `push_responses` publishes it.  Raises ValueError for a
        request that does not wait for an answer.
        """
        try:
            copy = request._copy_
        except AttributeError:  # a record that no ring gave out
            raise ValueError(_NOT_WAITING) from None
        if copy.ring is not self:
            raise ValueError(_NOT_WAITING)
        answered = self.rsp_prod_pvt
        place = answered & self._mask
        in_turn = copy.index == answered
        if flags is self._usual and response is None and not hold:
            if self._usual_is_whole:
                copy.flags[0] = flags
            elif in_turn:  # what `_kept` gives then
                kept = self._flags[place][0] & self._kept_flags
                copy.flags[0] = self._given | kept
            else:
                copy.flags[0] = self._given | self._kept(copy)
            octets = copy.octets
        else:
            octets = self._answer(copy, flags, hold, response)
        if not in_turn and self._kept_flags:
            self._remember(answered)
        self._responses[place][_WHOLE] = octets
        self.rsp_prod_pvt = answered + 1 if answered != U32 else 0
        copy.ring = None

    def _answer(
        self,
        copy: typing.Any,
        flags: int | None,
        hold: bool,
        response: Response | None,
    ) -> memoryview | bytes:
        """Give the bytes of the answer to a request, of which this is the copy."""
        if response is None:
            if self._other_response:
                raise TypeError("the responses of this ring are no requests: give one")
        elif flags is not None:
            raise TypeError("the flags of a response are its own")
        else:
            check_type(self._response, response)
            if self._other_response and not hold:
                return bytes(response)
        if hold and not self.kept_flags:
            raise TypeError(_HOLDS_NOTHING)
        kept = self._kept(copy)
        if response is not None:
            assign(copy.record, response)
        self._set_flags(copy.flags, kept, flags, hold)
        octets: memoryview = copy.octets
        return octets

    def _kept(self, copy: typing.Any) -> int:
        """Give those of the kept flags that a request came with."""
        kept = self.kept_flags
        if not kept:
            return 0
        # Its entry has them as they came, unless answers have got there before.
        ahead = (copy.index - self.rsp_prod_pvt) & U32
        untouched = ahead < self.nr_ents
        asked: int = (
            self._flags[copy.index & self._mask][0] if untouched else copy.asked
        )
        return asked & kept

    def _set_flags(
        self, cell: typing.Any, kept: int, flags: int | None, hold: bool
    ) -> None:
        """Write an answer's flags, where those of the request that are kept are `kept`."""
        all_kept = self.kept_flags
        if flags is None:
            if all_kept:
                own = cell[0]
                cell[0] = own & ~all_kept if hold else own | kept
            return
        if cell is None:
            raise TypeError("the records of this ring have no flags")
        given = index(flags)
        wanted = given & ~all_kept if hold else given | kept
        try:
            cell[0] = wanted
        except ValueError:  # the low bits, as any member keeps
            cell[0] = wanted & ((1 << 8 * cell.nbytes) - 1)
        is_int = isinstance(flags, int)  # pyright: ignore[reportUnnecessaryIsInstance]
        if is_int and cell[0] == wanted:
            self._usual, self._given = flags, given
            self._usual_is_whole = not all_kept & ~given

    def _remember(self, answered: int) -> None:
        """Keep the flags of a waiting request whose entry an answer is about to take."""
        for copy in self._copies:
            if copy.ring is self and copy.index == answered:
                copy.asked = self._flags[answered & self._mask][0]

    def unanswered(self) -> list[Request]:
        """Give the requests that were taken and not answered yet, oldest first."""
        waiting = [copy for copy in self._copies if copy.ring is self]
        waiting.sort(key=lambda copy: (copy.index - self.req_cons) & U32)
        return [copy.record for copy in waiting]

    def select(
        self, *paths: str, any_version: bool = False
    ) -> Selection[Request, Response]:
        """Choose members, and take them as tuples: `ring.select("reason", "u.cpuid.leaf")`.

        Raises ValueError for a path that is no number's.  Taking them is as `requests` is.
        """
        return Selection(self, paths, any_version)


class Selection(Generic[Request, Response]):
    """Requests as tuples of chosen members: less to look at than a whole one, and faster.

    Iterating takes the requests that are there and reads the numbers once, straight from
    the page.  `respond` answers them in their order.
    """

    __slots__ = ("_hidden", "_pick", "_places", "_ring", "_unpack", "_version_at")

    def __init__(
        self,
        ring: BackRing[Request, Response],
        paths: tuple[str, ...],
        any_version: bool,
    ) -> None:
        from .projection import plan  # above, it would add 40 % to an import

        self._ring = ring
        self._places = list(ring.sring.starts())[: ring.nr_ents]
        version = None if any_version else ring.version_member
        self._hidden = version is not None and version not in paths
        if version is not None and self._hidden:
            paths = (version, *paths)
        self._version_at = None if version is None else paths.index(version)
        self._unpack, self._pick = plan(type(ring.get_request(0)), paths)

    def __iter__(self) -> Iterator[tuple[typing.Any, ...]]:
        ring, places, unpack, pick = self._ring, self._places, self._unpack, self._pick
        octets, mask = ring.sring.octets, ring._mask
        version_at, version, hidden = self._version_at, ring.version, self._hidden
        published = False
        while True:
            produced, taken = ring._produced(True, published), ring.req_cons
            while taken != produced:
                values = unpack(octets, places[taken & mask])
                if pick is not None:
                    values = pick(values)
                if version_at is not None and values[version_at] != version:
                    theirs: typing.Any = values[version_at]
                    raise OtherVersion(theirs, version)
                ring.req_cons = taken = taken + 1 if taken != U32 else 0
                yield values[1:] if hidden else values
                if ring.req_cons != taken:  # an iteration within took more
                    break
            if not ring._ask_for_more():
                return
            published = True

    def respond(self, flags: int | None = None, hold: bool = False) -> None:
        """Answer the oldest request that was taken, with itself and with these flags.

        Its `kept_flags` stay, or with `hold` go, as in the ring's `respond`.  Raises
        ValueError if none waits.  A ring whose responses are of another type has them at
        `get_response(rsp_prod_pvt)`, to be filled before this.
        """
        ring = self._ring
        answered = ring.rsp_prod_pvt
        if answered == ring.req_cons or not ring._selected:
            raise ValueError("no selected request waits for an answer")
        cell = ring._flags[answered & ring._mask]
        if flags is ring._usual and not hold:
            kept = 0 if ring._usual_is_whole else cell[0] & ring.kept_flags
            cell[0] = ring._given | kept
        else:
            if flags is not None and ring._other_response:
                raise TypeError("the responses of this ring are no requests")
            if hold and not ring.kept_flags:
                raise TypeError(_HOLDS_NOTHING)
            kept = cell[0] & ring.kept_flags if ring.kept_flags else 0
            ring._set_flags(cell, kept, flags, hold)
        ring.rsp_prod_pvt = answered + 1 if answered != U32 else 0
