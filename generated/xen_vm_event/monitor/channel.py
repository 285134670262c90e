"""A guest's ring: the shared page, and the event channel to wait and notify on.

The channel is a device: reading it takes a port that has an event, which then has no more of
them until the port is written back.  That is what libxenevtchn does, too, whose functions cost
several times as much.
"""

from __future__ import annotations

import ctypes
import os
import select
from collections.abc import Callable
from contextlib import ExitStack, suppress
from fcntl import ioctl
from os import read, write

from ..xenevtchn import v1 as libxenevtchn
from .xen import Xen

PAGE_SIZE = 4096
_PORT_SIZE = 4
NOTIFY = 0x44504  # Linux's IOCTL_EVTCHN_NOTIFY


# Has Xen make a domain's ring, and tells the port of its event channel; gives the address of
# its page, which with the ring is given up by what goes on the stack.
Enable = Callable[[Xen, int, ctypes.c_uint32, ExitStack], int]


def enable_monitor(
    xen: Xen, domain: int, port: ctypes.c_uint32, undo: ExitStack
) -> int:
    """Have Xen make the ring of a guest's monitor."""
    address: int = xen.functions.xc_monitor_enable(xen.handle, domain, port)
    undo.callback(unmap, address)
    undo.callback(xen.functions.xc_monitor_disable, xen.handle, domain)
    return address


class Channel:
    """A guest's ring: its `page`, and the event channel.

    Raises OSError where the guest cannot have the ring, or somebody else has it.
    """

    def __init__(self, xen: Xen, domain: int, enable: Enable = enable_monitor) -> None:
        theirs = ctypes.c_uint32()
        with ExitStack() as undo:
            events = libxenevtchn.xenevtchn_open(None, 0)
            undo.callback(libxenevtchn.xenevtchn_close, events)
            address = enable(xen, domain, theirs, undo)
            port = libxenevtchn.xenevtchn_bind_interdomain(events, domain, theirs.value)
            self.page = memoryview((ctypes.c_char * PAGE_SIZE).from_address(address))
            undo.callback(self.page.release)
            self._events, self._port = events, port
            self._octets = ctypes.c_uint32(port)
            self._fd = libxenevtchn.xenevtchn_fd(events)
            os.set_blocking(self._fd, False)
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            self._poll = poll.poll
            self._undo = undo.pop_all()

    def fileno(self) -> int:
        """Give what can be read when there is an event."""
        return self._fd

    def next(self, milliseconds: int) -> bool:
        """Sleep until there is an event, and take it; False if none came within this time."""
        if not self._poll(milliseconds):
            return False
        try:
            port = read(self._fd, _PORT_SIZE)
        except BlockingIOError:  # it was taken within a signal's handler
            return True
        write(self._fd, port)
        return True

    def take(self) -> None:
        """Take the event, if there is one, so that the next can come."""
        with suppress(BlockingIOError):
            write(self._fd, read(self._fd, _PORT_SIZE))

    def notify(self) -> None:
        """Have the other side look at the page."""
        try:
            ioctl(self._fd, NOTIFY, self._octets)
        except OSError:
            # Another kernel's device, or an error that the library tells of.
            libxenevtchn.xenevtchn_notify(self._events, self._port)

    def close(self) -> None:
        """Give the ring up; its page must not be used any more."""
        self._undo.close()


def unmap(address: int) -> None:
    """Let go of a page that a library has mapped, which has no function for that."""
    ctypes.CDLL(None).munmap(ctypes.c_void_p(address), ctypes.c_size_t(PAGE_SIZE))
