"""What ends a sleep when nothing comes: an event of the monitor's own.

A monitor sleeps in the read that takes an event, however long: a `poll` with a limit of time
before each would be a fourth system call for each event.  So a thread looks now and then whether
something came, and if not, has an event come to the same file, through an event channel from
the domain to itself.  `loop` then does what there is time for, and looks after the guest.
"""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import ExitStack
from threading import Lock, Thread
from typing import Any

from ..xenevtchn import v1 as libxenevtchn

_DOMID_SELF = 0x7FF0  # of xen.h: whichever domain the caller is in


class Silence:
    """Tells who reads the event channels of `reader`, by an event of the port `port`.

    It does so while that `is_awaited`, which is to be made true before each sleep and false
    after it: it is told once of each.  What goes on the stack ends it.
    """

    def __init__(self, reader: Any, undo: ExitStack) -> None:
        self._sender = libxenevtchn.xenevtchn_open(None, 0)
        undo.callback(libxenevtchn.xenevtchn_close, self._sender)
        port = libxenevtchn.xenevtchn_bind_unbound_port(reader, _DOMID_SELF)
        self._far = libxenevtchn.xenevtchn_bind_interdomain(
            self._sender, _DOMID_SELF, port
        )
        self.port = bytearray(ctypes.c_uint32(port))
        self._fd = libxenevtchn.xenevtchn_fd(reader)
        self.is_awaited = False
        self._goes_on = Lock()  # held until the thread is to end
        self._goes_on.acquire()
        self._thread: Thread | None = None
        undo.callback(self._end)

    def watch(self, ring: Any, seconds: float) -> None:
        """Tell when nothing has come to a ring for so long, or up to twice that."""
        if self._thread is None:
            thread = Thread(target=self._look, args=(ring, seconds), daemon=True)
            thread.start()
            self._thread = thread

    def _look(self, ring: Any, seconds: float) -> None:
        # A signal is for the thread that sleeps.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        before = None
        while not self._goes_on.acquire(timeout=seconds):
            taken = ring.req_cons if self.is_awaited else None
            if taken is None or taken != before:
                before = taken
            else:
                before = None
                self._tell()

    def _tell(self) -> None:
        # Not after it: who is woken may sleep again by then, and is to be told of that, too.
        self.is_awaited = False
        try:
            os.write(self._fd, self.port)  # it is masked since the last time
            libxenevtchn.xenevtchn_notify(self._sender, self._far)
        except OSError:
            self.is_awaited = True

    def _end(self) -> None:
        if self._thread is not None:
            self._goes_on.release()
            self._thread.join()
