"""An event channel, as Linux's device has it at the monitor's end."""

from __future__ import annotations

import socket
from contextlib import suppress

LOCAL_PORT = 70  # of every event channel, at the monitor's end
_OCTETS = LOCAL_PORT.to_bytes(4, "little")


class Port:
    """An event channel: `ours` is the file of the monitor's end.

    An event masks the port until the monitor writes it back; further ones are one, then.
    What is written of a port that is not masked means nothing, and is lost where it is too much
    for the file: as the device, it has nobody wait to write.
    """

    def __init__(self) -> None:
        self.ours, self._theirs = socket.socketpair()
        for end in (self.ours, self._theirs):
            end.setblocking(False)
        self._masked = self._pending = False
        self._unmasked = 0

    def notify(self) -> None:
        """Raise an event."""
        self._pending = True
        self.deliver()

    def deliver(self) -> None:
        """Give an event that came while the port was masked, if it is no more."""
        with suppress(BlockingIOError):
            if self._theirs.recv(4096) and self._masked:
                self._unmasked += 1
                self._masked = False
        if self._pending and not self._masked:
            self._pending, self._masked = False, True
            self._theirs.send(_OCTETS)

    @property
    def is_noticed(self) -> bool:
        """Tell whether the monitor has taken all events."""
        self.deliver()
        return not self._masked

    @property
    def unmasked(self) -> int:
        """How many events the monitor has said that it wants the next after."""
        self.deliver()
        return self._unmasked

    def close(self) -> None:
        """Close both ends."""
        self.ours.close()
        self._theirs.close()
