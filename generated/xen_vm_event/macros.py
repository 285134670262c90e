"""io/ring.h's macros in Python, each under its own name without `RING_`.

They are translated from the header, line by line: unsigned results wrap around as C's
do, and barriers stand where the macros have them. Each is a method of what the macro is
called with: the shared page, or one of its halves. `runtime.ring` has the classes that
these derive from.
"""

from __future__ import annotations

from .runtime import ring
from .runtime.ring import U32, Request, Response, assign

# The halves' page has more here than there.
# pyright: reportIncompatibleVariableOverride=false

U64 = 0xFFFF_FFFF_FFFF_FFFF

# The 32-bit words of the shared page.
REQ_PROD = 0
REQ_EVENT = 1
RSP_PROD = 2
RSP_EVENT = 3


def _rd2(value: int) -> int:
    """__RD2: Highest power of two not above a 2-bit number. Zero for zero."""
    return 0x2 if value >> 1 & 0x1 else value & 0x1


def _rd4(value: int) -> int:
    """__RD4: Highest power of two not above a 4-bit number. Zero for zero."""
    return (_rd2(value >> 2) << 2) & U64 if value >> 2 & 0x3 else _rd2(value)


def _rd8(value: int) -> int:
    """__RD8: Highest power of two not above an 8-bit number. Zero for zero."""
    return (_rd4(value >> 4) << 4) & U64 if value >> 4 & 0xF else _rd4(value)


def _rd16(value: int) -> int:
    """__RD16: Highest power of two not above a 16-bit number. Zero for zero."""
    return (_rd8(value >> 8) << 8) & U64 if value >> 8 & 0xFF else _rd8(value)


def _rd32(value: int) -> int:
    """__RD32: Highest power of two not above a 32-bit number. Zero for zero. A constant
    expression if the number is one.
    """
    return (_rd16(value >> 16) << 16) & U64 if value >> 16 & 0xFFFF else _rd16(value)


class SharedRing(ring.SharedRing[Request, Response]):
    """The shared page, and what is called with it alone."""

    __slots__ = ()

    req_prod = REQ_PROD
    req_event = REQ_EVENT
    rsp_prod = RSP_PROD

    def ring_size(self, bytes: int) -> int:
        """__RING_SIZE: Number of entries in so many bytes at page. As many as fit
        behind the indices, rounded down to a power of two. Takes the type from the
        pointer, and reads nothing through it.
        """
        return _rd32(
            (bytes - (self.ring_address - self.address) & U64) // self.entry_size
        )

    def shared_ring_init(self) -> None:
        """SHARED_RING_INIT: Puts the shared page into the state of a ring nothing has
        gone through. Whoever sets the page up calls it once, before either side
        attaches: usually the front end, for vm_event the monitor. Both sides then ask
        to be notified of the first message. The entries are left as they are.
        """
        self.words[RSP_PROD] = 0
        self.words[REQ_PROD] = 0
        self.words[RSP_EVENT] = 1
        self.words[REQ_EVENT] = 1
        self.octets[16:20] = bytes(4)
        self.octets[20:64] = bytes(44)


class FrontRing(ring.FrontRing[Request, Response]):
    """The front half, and what it calls."""

    __slots__ = ()

    shared = SharedRing
    sring: SharedRing[Request, Response]

    def attach(
        self, page: SharedRing[Request, Response], start: int, bytes: int
    ) -> None:
        """FRONT_RING_ATTACH: Attaches a front half to a ring in use, at the index
        start. For a front end that takes over; everything before start must have been
        answered and consumed. Writes nothing to the page.
        """
        self.req_prod_pvt = start
        self.rsp_cons = start
        self.nr_ents = page.ring_size(bytes)
        self.sring = page

    def init(self, page: SharedRing[Request, Response], bytes: int) -> None:
        """FRONT_RING_INIT: Attaches a front half to a fresh ring. The page must have
        gone through SHARED_RING_INIT, or must do so before the first message. Writes
        nothing to the page.
        """
        self.attach(page, 0, bytes)

    def front_ring_init(self, page: SharedRing[Request, Response], bytes: int) -> None:
        """XEN_FRONT_RING_INIT: Sets up the shared page and attaches a front half to it.
        For a front end that owns the page.
        """
        page.shared_ring_init()
        self.init(page, bytes)

    def ring_size(self) -> int:
        """RING_SIZE: Number of entries of the ring. Either side may ask; it is a power
        of two and never changes.
        """
        return self.nr_ents

    def free_requests(self) -> int:
        """RING_FREE_REQUESTS: Number of requests the front end may still add. An entry
        becomes free once the response in it has been consumed. Only the front end can
        know.
        """
        return (self.nr_ents - self.req_prod_pvt + self.rsp_cons) & U32

    def ring_full(self) -> bool:
        """RING_FULL: Whether the front end has no room for another request. Only the
        front end can know.
        """
        return not self.free_requests()

    def nr_unconsumed_responses(self) -> int:
        """XEN_RING_NR_UNCONSUMED_RESPONSES: Number of published responses the front end
        has yet to consume. Not limited to the size of the ring: check an untrusted back
        end with RING_RESPONSE_PROD_OVERFLOW.
        """
        return (self.sring.words[RSP_PROD] - self.rsp_cons) & U32

    def has_unconsumed_responses(self) -> int:
        """RING_HAS_UNCONSUMED_RESPONSES: Whether a published response waits for the
        front end. If so, call xen_rmb() before reading the entry. The value is how many
        wait; define XEN_RING_HAS_UNCONSUMED_IS_BOOL for 0 or 1.
        """
        return self.nr_unconsumed_responses()

    def get_request(self, index: int) -> Request:
        """RING_GET_REQUEST: Pointer to the request in the shared entry that index
        selects. The front end fills requests through it, at req_prod_pvt. A back end
        should read through RING_COPY_REQUEST instead: the front end can change the
        entry at any time.
        """
        return self.sring.ring[(self.nr_ents - 1) & U32 & index].req

    def get_response(self, index: int) -> Response:
        """RING_GET_RESPONSE: Pointer to the response in the shared entry that index
        selects. The back end fills responses through it, at rsp_prod_pvt. A front end
        should read through RING_COPY_RESPONSE instead: the back end can change the
        entry at any time.
        """
        return self.sring.ring[(self.nr_ents - 1) & U32 & index].rsp

    def copy_request(self, index: int, copy: Request) -> None:
        """RING_COPY_REQUEST: Copies the request at index out of the ring. The back end
        calls it at req_cons, then advances req_cons by one; a request must be waiting
        there.
        """
        assign(copy, self.get_request(index))

    def copy_response(self, index: int, copy: Response) -> None:
        """RING_COPY_RESPONSE: Copies the response at index out of the ring. The front
        end calls it at rsp_cons, then advances rsp_cons by one; a response must be
        waiting there.
        """
        assign(copy, self.get_response(index))

    def response_prod_overflow(self, index: int) -> bool:
        """RING_RESPONSE_PROD_OVERFLOW: Whether the back end cannot have produced
        responses up to index. A front end puts the page's rsp_prod to this test; if it
        fails, the back end is broken or hostile.
        """
        return self.nr_ents < (index - self.rsp_cons) & U32

    def push_requests(self) -> None:
        """RING_PUSH_REQUESTS: Publishes the requests the front end has filled in. A
        write barrier makes their contents visible before the new producer index is.
        Does not tell whether to notify the back end.
        """
        self.xen_wmb()
        self.sring.words[REQ_PROD] = self.req_prod_pvt

    def push_requests_and_check_notify(self) -> bool:
        """RING_PUSH_REQUESTS_AND_CHECK_NOTIFY: Publishes the front end's requests and
        sets notify to whether the back end wants to hear of it. It does if its
        req_event is among the indices just published; then send it an event. A full
        barrier before req_event is read keeps a back end about to sleep from being
        missed.
        """
        before = self.sring.words[REQ_PROD]
        after = self.req_prod_pvt
        self.xen_wmb()
        self.sring.words[REQ_PROD] = after
        self.xen_mb()
        return (after - before) & U32 > (after - self.sring.words[REQ_EVENT]) & U32

    def final_check_for_responses(self) -> int:
        """RING_FINAL_CHECK_FOR_RESPONSES: Sets more to whether responses are waiting,
        and asks to be notified of the next one if none is. The front end calls it when
        it has consumed all it saw; it may sleep only if more is zero. It looks a second
        time, behind a full barrier, for a response published meanwhile. To be woken
        after several responses rather than one, set rsp_event in code of your own.
        """
        more = self.nr_unconsumed_responses()
        if not more:
            self.sring.words[RSP_EVENT] = (self.rsp_cons + 1) & U32
            self.xen_mb()
            more = self.nr_unconsumed_responses()
        return more


class BackRing(ring.BackRing[Request, Response]):
    """The back half, and what it calls."""

    __slots__ = ()

    shared = SharedRing
    sring: SharedRing[Request, Response]

    def attach(
        self, page: SharedRing[Request, Response], start: int, bytes: int
    ) -> None:
        """BACK_RING_ATTACH: Attaches a back half to a ring in use, at the index start.
        For a back end that takes over, with the page's rsp_prod as start: requests from
        there on are still to be answered. Writes nothing to the page.
        """
        self.rsp_prod_pvt = start
        self.req_cons = start
        self.nr_ents = page.ring_size(bytes)
        self.sring = page

    def init(self, page: SharedRing[Request, Response], bytes: int) -> None:
        """BACK_RING_INIT: Attaches a back half to a fresh ring. A monitor calls it
        after SHARED_RING_INIT and before switching on any event. Writes nothing to the
        page.
        """
        self.attach(page, 0, bytes)

    def ring_size(self) -> int:
        """RING_SIZE: Number of entries of the ring. Either side may ask; it is a power
        of two and never changes.
        """
        return self.nr_ents

    def nr_unconsumed_requests(self) -> int:
        """XEN_RING_NR_UNCONSUMED_REQUESTS: Number of published requests the back end
        can consume now. Limited to the entries free of responses the back end has yet
        to publish, whatever producer index the front end claims.
        """
        posted = (self.sring.words[REQ_PROD] - self.req_cons) & U32
        room = (self.nr_ents + self.rsp_prod_pvt - self.req_cons) & U32
        return posted if room > posted else room

    def has_unconsumed_requests(self) -> int:
        """RING_HAS_UNCONSUMED_REQUESTS: Whether a published request waits for the back
        end. If so, call xen_rmb() before reading the entry. The value is how many wait;
        define XEN_RING_HAS_UNCONSUMED_IS_BOOL for 0 or 1.
        """
        return self.nr_unconsumed_requests()

    def get_request(self, index: int) -> Request:
        """RING_GET_REQUEST: Pointer to the request in the shared entry that index
        selects. The front end fills requests through it, at req_prod_pvt. A back end
        should read through RING_COPY_REQUEST instead: the front end can change the
        entry at any time.
        """
        return self.sring.ring[(self.nr_ents - 1) & U32 & index].req

    def get_response(self, index: int) -> Response:
        """RING_GET_RESPONSE: Pointer to the response in the shared entry that index
        selects. The back end fills responses through it, at rsp_prod_pvt. A front end
        should read through RING_COPY_RESPONSE instead: the back end can change the
        entry at any time.
        """
        return self.sring.ring[(self.nr_ents - 1) & U32 & index].rsp

    def copy_request(self, index: int, copy: Request) -> None:
        """RING_COPY_REQUEST: Copies the request at index out of the ring. The back end
        calls it at req_cons, then advances req_cons by one; a request must be waiting
        there.
        """
        assign(copy, self.get_request(index))

    def copy_response(self, index: int, copy: Response) -> None:
        """RING_COPY_RESPONSE: Copies the response at index out of the ring. The front
        end calls it at rsp_cons, then advances rsp_cons by one; a response must be
        waiting there.
        """
        assign(copy, self.get_response(index))

    def request_cons_overflow(self, index: int) -> bool:
        """RING_REQUEST_CONS_OVERFLOW: Whether consuming the request at index would
        overrun the ring. The back end stops consuming when it does: every entry then
        holds a request it has not answered.
        """
        return self.nr_ents <= (index - self.rsp_prod_pvt) & U32

    def request_prod_overflow(self, index: int) -> bool:
        """RING_REQUEST_PROD_OVERFLOW: Whether the front end cannot have produced
        requests up to index. A back end puts the page's req_prod to this test; if it
        fails, the front end is broken or hostile.
        """
        return self.nr_ents < (index - self.rsp_prod_pvt) & U32

    def push_responses(self) -> None:
        """RING_PUSH_RESPONSES: Publishes the responses the back end has filled in. A
        write barrier makes their contents visible before the new producer index is.
        Does not tell whether to notify the front end.
        """
        self.xen_wmb()
        self.sring.words[RSP_PROD] = self.rsp_prod_pvt

    def push_responses_and_check_notify(self) -> bool:
        """RING_PUSH_RESPONSES_AND_CHECK_NOTIFY: Publishes the back end's responses and
        sets notify to whether the front end wants to hear of it. It does if its
        rsp_event is among the indices just published; then send it an event. A full
        barrier before rsp_event is read keeps a front end about to sleep from being
        missed.
        """
        before = self.sring.words[RSP_PROD]
        after = self.rsp_prod_pvt
        self.xen_wmb()
        self.sring.words[RSP_PROD] = after
        self.xen_mb()
        return (after - before) & U32 > (after - self.sring.words[RSP_EVENT]) & U32

    def final_check_for_requests(self) -> int:
        """RING_FINAL_CHECK_FOR_REQUESTS: Sets more to whether requests are waiting, and
        asks to be notified of the next one if none is. The back end calls it when it
        has consumed all it saw; it may sleep only if more is zero. It looks a second
        time, behind a full barrier, for a request published meanwhile. To be woken
        after several requests rather than one, set req_event in code of your own.
        """
        more = self.nr_unconsumed_requests()
        if not more:
            self.sring.words[REQ_EVENT] = (self.req_cons + 1) & U32
            self.xen_mb()
            more = self.nr_unconsumed_requests()
        return more
