"""A guest's ring: the shared page, and the event channel to wait and notify on.

The channel is a device: reading it takes a port that has an event, which then has no more of
them until the port is written back.  That is what libxenevtchn does, too, whose functions cost
several times as much.
"""

from __future__ import annotations

import ctypes
import select
from collections.abc import Callable
from contextlib import ExitStack
from fcntl import ioctl
from functools import partial
from io import FileIO

from ..runtime.barriers import Barriers, barriers
from ..xenevtchn import v1 as libxenevtchn
from .silence import Silence
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
            self._fd = libxenevtchn.xenevtchn_fd(events)
            self.silence = Silence(events, undo)
            # What is called for each event is C alone: a function of Python's own has a frame
            # and constants, and each page of memory that an event leads through has to be
            # found anew, for the processor comes from the guest.
            own, self._came = bytearray(ctypes.c_uint32(port)), bytearray(_PORT_SIZE)
            device = FileIO(self._fd, "r+", closefd=False)
            self.poll = polling(self._fd)
            self.sleep = sleeping(device, self._came)
            self.give_back = partial(device.write, own)
            self.signal = partial(ioctl, self._fd, NOTIFY, own)
            self._undo = undo.pop_all()

    def fileno(self) -> int:
        """Give what can be read when there is an event."""
        return self._fd

    def own_barriers(self) -> Barriers:
        """Give barriers for the ring on the page, of which that of reads gives the event back.

        That is, if one was taken.  It is a system call, around which CPython lets go of its
        thread and takes it up again: what comes before a release is not seen after it, what
        comes after an acquire is not seen before it, and the two are not reordered (Arm ARM
        B2.3, barrier-ordered-before).  So it orders as a fence does.
        """
        fences = barriers()
        return Barriers(fences.xen_mb, self.give_back, fences.xen_wmb)

    def wait(self, milliseconds: int) -> bool:
        """Sleep until there is an event to take; False if none came within this time."""
        return bool(self.poll(milliseconds))

    def take(self) -> None:
        """Take the event, if there is one."""
        if self.poll(0):
            self.sleep()

    def is_silent(self) -> bool:
        """Tell whether the last event was `silence`."""
        return self._came == self.silence.port

    def next(self, milliseconds: int) -> bool:
        """Sleep until there is an event, and take it; False if none came within this time.

        For a ring that has other barriers than this one's.
        """
        came = self.wait(milliseconds)
        if came:
            self.sleep()
            self.give_back()
        return came

    def notify(self) -> None:
        """Have the other side look at the page."""
        try:
            self.signal()
        except OSError:
            self.notify_by_library()

    def notify_by_library(self) -> None:
        """Notify through another kernel's device, or raise the error that the library tells of."""
        libxenevtchn.xenevtchn_notify(self._events, self._port)

    def close(self) -> None:
        """Give the ring up; its page must not be used any more."""
        self._undo.close()


def polling(fd: int) -> Callable[[int], list[tuple[int, int]]]:
    """Give what sleeps until a file can be read, for so many milliseconds at most."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return poll.poll


def sleeping(device: FileIO, came: bytearray) -> Callable[[], int | None]:
    """Give what reads the port of the next event, however long that takes to come."""
    return partial(device.readinto, came)


def unmap(address: int) -> None:
    """Let go of a page that a library has mapped, which has no function for that."""
    ctypes.CDLL(None).munmap(ctypes.c_void_p(address), ctypes.c_size_t(PAGE_SIZE))
