"""A stream of bytes between two domains, as libxenvchan has it, and a program for each end.

    vchan.py serve 3 PATH          gives domain 3 back what that sends
    vchan.py connect 0 PATH        sends standard input to domain 0, prints what comes back

PATH is one in XenStore that both may use, such as /local/domain/3/data/vchan, and the other side
may be a program of libxenvchan's.  It needs the packages of vchan.toml, beside this, and in
libraries/ of xengnttab.toml, xenevtchn.toml and xenstore.toml.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from mmap import PROT_READ, PROT_WRITE

from xen_vchan import RingOverflow
from xen_vchan import v0 as vchan
from xen_vchan.runtime.barriers import barriers
from xen_vchan.runtime.order_page import WrongOrder
from xenevtchn import v0 as evtchn
from xengnttab import v0 as gnttab
from xengnttab.runtime.mapped import Mapped
from xenstore import v0 as xenstore

PAGE_SIZE, PAGE_SHIFT = 4096, 12
LARGEST = 20  # of the orders: what libxenvchan takes
HEAD = vchan.vchan_interface
CLOSED, CONNECTED, AWAITED = 0, 1, 2  # what the page says of a side
BOTH = vchan.VCHAN_NOTIFY_READ | vchan.VCHAN_NOTIFY_WRITE


def place(member: str) -> int:
    """Give the byte of the page that a member begins at."""
    offset: int = getattr(HEAD, member).offset
    return offset


class Stream:
    """One end: its ring, and the event channel by which the sides wake each other."""

    def __init__(
        self,
        page: memoryview,
        ring: vchan.BackByteRing | vchan.FrontByteRing,
        events: evtchn.xenevtchn_handle,
        port: int,
    ) -> None:
        self._page, self._ring, self._events, self._port = page, ring, events, port
        is_server = isinstance(ring, vchan.BackByteRing)
        self._theirs = place("cli_live" if is_server else "srv_live")
        self._wanted = place("cli_notify" if is_server else "srv_notify")

    def read(self) -> bytes:
        """Take what is there."""
        if data := self._ring.read():
            self._notify()
        return data

    def write(self, data: bytes | memoryview) -> int:
        """Put in what there is room for, and give its size."""
        if size := self._ring.write(data):
            self._notify()
        return size

    def receive(self) -> bytes:
        """Wait for bytes; none come once the other side has closed."""
        while not (data := self.read()):
            if not self.wait():
                return self.read()
        return data

    def send(self, data: bytes) -> None:
        """Write all of this; raises BrokenPipeError if the other side has closed."""
        rest = memoryview(data)
        while rest := rest[self.write(rest) :]:
            if not self.wait():
                raise BrokenPipeError(
                    errno.EPIPE, "the other side has closed the stream"
                )

    def wait(self) -> bool:
        """Wait until bytes may have been moved; False once the other side has closed."""
        if self._page[self._wanted] != BOTH:
            # The other side takes it back when it notifies. What it did before is no event.
            self._page[self._wanted] = BOTH
        else:
            port = evtchn.xenevtchn_pending(self._events)
            evtchn.xenevtchn_unmask(self._events, port)
        is_open: bool = self._page[self._theirs] != CLOSED
        barriers().xen_mb()
        return is_open

    def _notify(self) -> None:
        # Whether the other side wants it or not: only C could take its wish back in one step.
        evtchn.xenevtchn_notify(self._events, self._port)


@contextmanager
def serve(domain: int, path: str, order: int = 14) -> Iterator[Stream]:
    """Share rings of 2^order bytes each, a page or more, with a domain; tell it by XenStore.

    Raises OSError for what this domain cannot do.
    """
    with ExitStack() as stack:
        events = evtchn.xenevtchn_open(None, 0)
        stack.callback(evtchn.xenevtchn_close, events)
        port = evtchn.xenevtchn_bind_unbound_port(events, domain)

        shares = gnttab.xengntshr_open(None, 0)
        stack.callback(gnttab.xengntshr_close, shares)

        def hold(address: int, count: int) -> memoryview:
            unmap = partial(gnttab.xengntshr_unshare, shares, address, count)
            return stack.enter_context(Mapped(address, count * PAGE_SIZE, unmap))

        ref, count = ctypes.c_uint32(), 1 << order - PAGE_SHIFT
        # Xen writes a 0 to the byte and sends an event when it is unmapped, as by a kill.
        address = gnttab.xengntshr_share_page_notify(
            shares, domain, ref, True, place("srv_live"), port
        )
        page = hold(address, 1)
        memories = []
        first = place("grants")
        for at in (first, first + 4 * count):
            refs = (ctypes.c_uint32 * count)()
            address = gnttab.xengntshr_share_pages(shares, domain, count, refs, True)
            memories.append(hold(address, count))
            page[at : at + 4 * count] = bytes(refs)
        left, right = memories

        head = HEAD(left_order=order, right_order=order, cli_notify=BOTH)
        head.cli_live, head.srv_live = AWAITED, CONNECTED
        page[:first] = bytes(head)
        ring = vchan.BackByteRing(page, read_memory=left, write_memory=right)
        stack.enter_context(ring)
        xs = stack.enter_context(store())
        for name, number in (("ring-ref", ref.value), ("event-channel", port)):
            text = str(number).encode()
            xenstore.xs_write(xs, 0, f"{path}/{name}", text, len(text))
            stack.callback(xenstore.xs_rm, xs, 0, f"{path}/{name}")
        yield Stream(page, ring, events, port)


@contextmanager
def connect(domain: int, path: str) -> Iterator[Stream]:
    """Map what a server of a domain shares.

    Raises OSError if there is no server, and WrongOrder for rings that cannot be.
    """
    with ExitStack() as stack:
        with store() as xs:
            ref, their_port = (
                read_number(xs, f"{path}/{name}")
                for name in ("ring-ref", "event-channel")
            )
        events = evtchn.xenevtchn_open(None, 0)
        stack.callback(evtchn.xenevtchn_close, events)
        port = evtchn.xenevtchn_bind_interdomain(events, domain, their_port)

        grants = gnttab.xengnttab_open(None, 0)
        stack.callback(gnttab.xengnttab_close, grants)

        def hold(address: int, count: int) -> memoryview:
            unmap = partial(gnttab.xengnttab_unmap, grants, address, count)
            return stack.enter_context(Mapped(address, count * PAGE_SIZE, unmap))

        writable = PROT_READ | PROT_WRITE
        address = gnttab.xengnttab_map_grant_ref_notify(
            grants, domain, ref, writable, place("cli_live"), port
        )
        page = hold(address, 1)
        right_order, left_order = vchan.FrontByteRing.orders(page)
        memories: list[memoryview | None] = []
        at = place("grants")
        for order, protection in ((left_order, writable), (right_order, PROT_READ)):
            if order > LARGEST:
                raise WrongOrder(order, f"and the most is {LARGEST}")
            count = 1 << order >> PAGE_SHIFT
            if not count:  # it is in the page
                memories.append(None)
                continue
            refs = (ctypes.c_uint32 * count).from_buffer_copy(page, at)
            at += 4 * count
            address = gnttab.xengnttab_map_domain_grant_refs(
                grants, count, domain, refs, protection
            )
            memories.append(hold(address, count))
        left, right = memories
        ring = vchan.FrontByteRing(page, read_memory=right, write_memory=left)
        stack.enter_context(ring)
        page[place("srv_notify")] = BOTH
        page[place("cli_live")] = CONNECTED
        yield Stream(page, ring, events, port)


@contextmanager
def store() -> Iterator[xenstore.xs_handle]:
    """A connection to XenStore."""
    handle = xenstore.xs_open(0)
    try:
        yield handle
    finally:
        xenstore.xs_close(handle)


def read_number(xs: xenstore.xs_handle, path: str) -> int:
    """Read what XenStore has at a path; raises OSError if it has nothing."""
    size = ctypes.c_uint()
    address = xenstore.xs_read(xs, 0, path, size)
    try:
        return int(ctypes.string_at(address, size.value))
    finally:
        ctypes.CDLL(None).free(ctypes.c_void_p(address))


def exchange(stream: Stream, data: bytes) -> bytes:
    """Send all of this, and give what comes back, as much; raises BrokenPipeError at its end."""
    rest, answer = memoryview(data), bytearray()
    while len(answer) < len(data):
        sent, got = stream.write(rest), stream.read()
        if not sent and not got and not stream.wait():
            got = stream.read()  # what it wrote before it closed
            if not got:
                raise BrokenPipeError(
                    errno.EPIPE, "the other side has closed the stream"
                )
        rest, answer = rest[sent:], answer + got
    return bytes(answer)


def main() -> int:
    """The command; 1 if something could not be done."""
    parser = argparse.ArgumentParser(description="Send bytes to another domain.")
    parser.add_argument("what", choices=["serve", "connect"])
    parser.add_argument("domain", type=int, help="the other one, as `xl list` has it")
    parser.add_argument("path", help="in XenStore, such as /local/domain/3/data/vchan")
    arguments = parser.parse_args()
    try:
        if arguments.what == "serve":
            with serve(arguments.domain, arguments.path) as stream:
                print("waiting for a client", file=sys.stderr)
                while data := stream.receive():
                    stream.send(data)
        else:
            with connect(arguments.domain, arguments.path) as stream:
                sys.stdout.buffer.write(exchange(stream, sys.stdin.buffer.read()))
    except (OSError, WrongOrder, RingOverflow) as error:
        print(f"vchan: domain {arguments.domain}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
