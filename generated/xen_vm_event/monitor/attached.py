"""What is attached to a guest's ring while it is used as a context, and leaves it in order.

`watching` does that for a monitor, `own_ring` for the rings of paging and of sharing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from functools import partial
from typing import Any, NoReturn, Self

from .answers import OFTEN_CHANGED, REASON, answer_last
from .arguments import require_idle, require_xen
from .channel import Channel, Enable
from .guest import Guest, MonitorError, domain_number
from .leaving import for_each, in_turn
from .loop import Loop, not_within
from .signals import Signals
from .xen import Xen


class Attached(Loop):
    """A loop over the requests of a guest, which it is attached to within its context."""

    __slots__ = ("_guest", "_leaving", "_shared_xen")

    def __init__(
        self, domain: int, xen: Xen | None, idle: Callable[[], object] | None
    ) -> None:
        number = domain_number(domain)
        require_xen(xen)
        require_idle(idle)
        super().__init__(number, Signals(Attached.__exit__.__code__), idle)
        self._shared_xen = xen
        nothing: Any = Outside(self)
        self.xen, self.vm_event, self.ring, self.stepping = (nothing,) * 4

    def __enter__(self) -> Self:
        """Attach, and have the requests come.

        Raises MonitorError for what cannot be had of this release or guest, or a handler of a
        reason that there is not; OSError where the guest cannot have the ring, or somebody else
        has it.
        """
        if self._attached:
            raise MonitorError(
                f"this {type(self).__name__} is attached already; make another one"
            )
        with ExitStack() as undo:
            undo.enter_context(self._signals)
            self.xen = self._shared_xen or undo.enter_context(Xen())
            self.vm_event = self.xen.vm_event()
            self._guest = Guest(self.xen, self.domain, self.vm_event)
            self._begin(undo)
            try:
                self._signals.let_through()  # what came meanwhile
            finally:
                self._signals.held = True
            self._leaving = undo.pop_all()
        self._signals.held = False
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Leave the guest to go on by itself, whatever happened; raises what failed then."""
        self._signals.held = True
        if error is not None:
            self._current = None  # its answer may be what failed
        self._leaving.close()

    @abstractmethod
    def _begin(self, undo: ExitStack) -> None:
        """Find out what can be had, `_attach`, and have requests come."""

    @abstractmethod
    def _let_go(self) -> None:
        """Have the guest go on by itself, step by step, whatever of it fails."""

    def _attach(self, undo: ExitStack, enable: Enable) -> None:
        """Have the ring made; from here on, undoing is leaving."""
        with ExitStack() as on_error:
            self._channel = Channel(self.xen, self.domain, enable)
            on_error.callback(self._channel.close)
            # The page may hold the indices of who was attached before.
            barriers = self._channel.own_barriers()
            self.ring = self.vm_event.BackRing(self._channel.page, 0, barriers)
            on_error.callback(self.ring.detach)
            self.ring.keep_cells(REASON, *OFTEN_CHANGED)
            self.ring.sring.shared_ring_init()
            self._published = 0
            if self._recording is not None:
                self._recording.begin(
                    self.vm_event, self.domain, self.xen.release, self._guest.arch
                )
            on_error.pop_all()
        self._attached = True
        undo.callback(self._leave)

    def _leave(self) -> None:
        gone = False
        with suppress(OSError):  # nobody can tell; all is to be undone anyway
            gone = not self.is_alive()
        with suppress(OSError) if gone else nullcontext():
            self._let_go()

    def _answer_the_rest(self) -> None:
        """Answer what was taken and not answered, and what came since."""
        taken = self.ring.unanswered()
        in_turn(
            partial(for_each, taken, self._answer_last),
            self._answer_what_came,
            self._push,
        )

    def _answer_what_came(self) -> None:
        came = list(self.ring.requests(any_version=True))
        in_turn(
            partial(for_each, came, self._record),
            partial(for_each, came, self._answer_last),
        )

    def _answer_last(self, request: Any) -> None:
        answer_last(request, self.vm_event, self._needed, self._give)

    def _detach(self) -> None:
        self._attached = False
        if self._recording is not None:
            self._recording.end()
        self._stop_reading()


class Outside:
    """Stands for what there is within the context alone.

    With a `__getattr__` of the monitor's own, all its attributes would be found more slowly.
    """

    def __init__(self, of: Loop) -> None:
        self._message = not_within(of)

    def __getattr__(self, name: str) -> NoReturn:
        raise MonitorError(self._message)
