"""The requests of a guest that is monitored, as they come, and their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from .. import OtherVersion
from ..common import vm_event_st
from .answers import REASON, Handler, Need
from .arguments import known_flags
from .channel import Channel
from .emulating import Emulated
from .guest import MonitorError
from .recording import Recording
from .signals import Signals
from .stepping import Stepping
from .xen import Xen

_LOOKING_AFTER = 1000  # milliseconds of silence, after which the guest may be gone
_IDLE = 10  # milliseconds of silence, after which there is time for other things


def not_within(loop: Loop) -> str:
    """Say that there is nothing to be had outside of the context."""
    return f"nothing is monitored but in `with {type(loop).__name__}(...)`"


class Loop:
    """What a monitor does with requests while it is attached; it is `attached` that attaches."""

    # So many attributes are found faster in slots: the loop reads a dozen for each event.
    __slots__ = (
        *("_always", "_at_work", "_attached", "_channel", "_current", "_emulated"),
        *("_handlers", "_idle", "_loop", "_more", "_needs", "_published", "_reasons"),
        *("_recording", "_signals", "_unimplemented", "domain", "ring", "stepping"),
        *("vm_event", "xen", "__weakref__"),
    )

    xen: Xen
    vm_event: ModuleType
    ring: Any
    stepping: Stepping
    _channel: Channel
    _emulated: Emulated
    _unimplemented: int | None

    def __init__(
        self, domain: int, signals: Signals, idle: Callable[[], object] | None
    ) -> None:
        self.domain = domain
        self._signals = signals
        self._idle = idle
        self._recording: Recording | None = None
        self._attached = False
        self._reasons: dict[int, str] = {}
        self._needs: dict[int, Need] = {}
        self._handlers: dict[int, Handler] = {}
        self._always = 0  # flags of every answer
        # What a loop has and did not answer yet, whether it is at a request, and whether it
        # was broken off before it had them all.
        self._current: Any = None
        self._at_work = False
        self._more = False
        self._published = 0  # the ring's index of the last answer that Xen was told of
        self._loop: Any = None  # that reads the channel

    # --- waiting --------------------------------------------------------------------

    def is_alive(self) -> bool:
        """Tell whether the guest still exists, and has not shut down."""
        return self.xen.is_alive(self.domain)

    def fileno(self) -> int:
        """Give the file descriptor that can be read when requests are `pending`."""
        self._require_context()
        return self._channel.fileno()

    def _wait(self) -> bool:
        """Sleep until there may be requests; False if the guest is gone."""
        if self._more:
            return True
        signals = self._signals
        outside = signals.held
        try:
            signals.held = False
            if signals.came:
                signals.let_through()
            return self._channel.wait(self._patience()) or self._wait_longer()
        finally:
            signals.held = outside

    def _patience(self) -> int:
        """Give the milliseconds without an event after which there is something else to do."""
        return _LOOKING_AFTER if self._idle is None else _IDLE

    def _wait_longer(self) -> bool:
        """Go on waiting where nothing came, after what there was time for; as `_wait` does."""
        if self._idle is not None:
            self._idle()
            # A loop in it was broken off: no event tells of the rest.
            if self._more or self._channel.wait(_LOOKING_AFTER):
                return True
        while self.is_alive():
            if self._channel.wait(_LOOKING_AFTER):
                return True
        return False

    def _require_context(self) -> None:
        if not self._attached:
            raise MonitorError(not_within(self))

    # --- requests -------------------------------------------------------------------

    def __iter__(self) -> Iterator[vm_event_st]:
        """Give the requests, as each comes, until the guest is gone.

        A request is answered when the next is asked for, if it was not before, or postponed.
        """
        return self._take(waits=True)

    async def __aiter__(self) -> AsyncIterator[vm_event_st]:
        """Give the requests, as `for` does, while other tasks of an asyncio loop run."""
        import asyncio

        self._require_context()
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise MonitorError(
                "no asyncio loop runs, which `async for` needs; in another event loop wait until"
                " fileno() can be read, and go through pending()"
            ) from None
        ready = asyncio.Event()
        self._loop.add_reader(self._channel.fileno(), ready.set)
        try:
            while True:
                for request in self.pending():
                    self._at_work = False  # another task's answer is published at once
                    yield request
                    self._at_work = True
                try:
                    async with asyncio.timeout(_LOOKING_AFTER / 1000):
                        await ready.wait()
                except TimeoutError:
                    if not self.is_alive():
                        return
                ready.clear()
        finally:
            self._stop_reading()

    def _stop_reading(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._channel.fileno())

    def pending(self) -> Iterator[vm_event_st]:
        """Give the requests that are there, and answer each as `for` on the monitor does.

        This does not wait.  The answers are published when the loop is at its end.  One that
        is broken off leaves requests for the next, which no event tells of any more.
        """
        return self._take(waits=False)

    def run(self) -> None:
        """Have the handlers deal with all requests, until the guest is gone."""
        for _ in self:
            pass

    def reason(self, request: Any) -> str:
        """Give the name of a request's reason, such as `CPUID`."""
        number = request.reason
        name = self._reasons.get(number)
        if name is None:
            name = self._reasons[number] = self.vm_event.VmEventReason(number).name
        return name

    def answer(self, request: Any, flags: int = 0) -> None:
        """Answer a request now, as its reason needs and its handler wants, with more flags.

        The answer is published at once, or with those of the loop that this is called in.
        Raises ValueError for a request that was answered, or flags that there are not.
        """
        self._require_context()
        flags = known_flags(self.vm_event, flags, lambda: "answer() was given")
        if not any(waiting is request for waiting in self.ring.unanswered()):
            raise ValueError("this request does not wait for an answer")
        with self._signals.hold():
            if request is self._current:
                self._current = None
            self._respond(request, flags)
            if not self._at_work:
                self._push()

    def postpone(self, request: Any) -> None:
        """Let the loop go on without this one's answer, which `answer` gives later.

        Until then its vCPU waits.
        """
        if request is self._current:
            self._current = None

    def _take(self, waits: bool) -> Iterator[Any]:
        """Give the requests that are there, or each as it comes, until the guest is gone.

        Signals are held while the caller of one that waits has a request.  Raises MonitorError
        for a request that another version's Xen wrote.
        """
        # The guest waits for each of its events: nothing here is called in vain.
        self._require_context()
        signals, recording, ring = self._signals, self._recording, self.ring
        needs, always, is_plain = self._needs, self._always, not self._handlers
        steps, instead = self.stepping.after, self._emulated.instead
        channel = self._channel
        silence, signal, sleep = channel.silence, channel.signal, channel.sleep
        outside = signals.held  # as in a loop that this one is in
        inside = waits or outside
        if waits and not self._wait():
            return
        signals.held = self._at_work = self._more = True
        try:
            if waits:
                silence.watch(ring, self._patience() / 1000)
            channel.take()
            if self._current is not None:
                self._finish()
            # Xen has an event for every request: for the next, too, without being asked.
            give = ring.every_request().send  # it takes the flags that answer the last
            flags = None
            while True:
                request = give(flags)
                flags = None
                if request is None:
                    self._more = False
                    if not waits:
                        break
                    self._at_work = False
                    if recording is None:
                        notifies = ring.rsp_prod_pvt != self._published
                    else:  # it writes while the guest runs
                        self._push()
                        notifies = False
                    signals.held = False
                    if signals.came:
                        signals.let_through()
                    if notifies:
                        try:
                            signal()
                        except OSError:
                            channel.notify_by_library()
                    self._published = ring.rsp_prod_pvt
                    if notifies or not channel.is_silent():
                        self._more = True  # the event may be taken when a signal comes
                        silence.is_awaited = True
                        sleep()
                        silence.is_awaited = False
                        signals.held = True
                    else:
                        if not self._wait_longer():
                            return
                        signals.held = True
                        channel.take()
                    self._at_work = self._more = True
                    if self._current is not None:  # of a loop that `idle` was left in
                        self._finish()
                    continue
                if recording is not None:
                    recording.request(request)
                if steps and self.stepping.is_own(request):
                    self._give(request, self.stepping.answer(request))
                    continue
                self._current = request
                signals.held = inside
                yield request
                signals.held = True
                current, self._current = self._current, None
                if (
                    current is request
                    and is_plain
                    and not instead
                    and recording is None
                ):
                    # As `_respond` does, without a call of it, nor of the ring's.
                    need = needs.get(request._copy_.cells[REASON][0])
                    flags = always if need is None else always | need(request)
                elif current is not None:  # another, if a loop within was left
                    self._respond(current)
        except OtherVersion as other:
            raise MonitorError(
                f"the hypervisor speaks vm_event version {other.theirs}, not"
                f" {other.ours}; use interface({other.theirs})"
            ) from None
        finally:
            signals.held = True
            self._at_work = silence.is_awaited = False
            if self._attached:
                self._push()
                channel.give_back()  # if it was broken off
            # Those that came are not let through: after a `break` nobody would see an error.
            signals.held = outside
        if not waits and not outside:
            signals.let_through()

    def _finish(self) -> None:
        """Answer the request that a loop was at, if nobody did."""
        request, self._current = self._current, None
        if request is not None:
            self._respond(request)

    def _respond(self, request: Any, flags: int = 0) -> None:
        reason = request.reason
        if reason in self._needs or self._emulated.instead:
            flags |= self._needed(request)
        flags |= self._always
        try:
            if self._handlers:
                handler = self._handlers.get(reason)
                if handler is not None:
                    given = handler(request)
                    if given:
                        flags |= known_flags(
                            self.vm_event, given, self._handler_of, request
                        )
        finally:
            self.ring.respond(request, flags)  # as `_give` does, without a call of it
            if self._recording is not None:
                self._recording.answer(request)

    def _handler_of(self, request: Any) -> str:
        return f"the handler of {self.reason(request)} gave"

    def _record(self, request: Any) -> None:
        if self._recording is not None:
            self._recording.request(request)

    def _give(self, request: Any, flags: int) -> None:
        self.ring.respond(request, flags=flags)
        if self._recording is not None:
            self._recording.answer(request)

    def _needed(self, request: Any) -> int:
        reason = request.reason
        if self._emulated.instead and reason != self._unimplemented:
            self._emulated.forget(request)
        need = self._needs.get(reason)
        return 0 if need is None else need(request)

    def _push(self) -> None:
        """Publish the answers, and wake Xen for them; then there is time to write.

        Xen asks to hear of each answer, so nothing is gained by a look at whether it does.
        """
        ring = self.ring
        if ring.rsp_prod_pvt != self._published:
            ring.push_responses()
            self._published = ring.rsp_prod_pvt
            self._channel.notify()
        if self._recording is not None:
            self._recording.flush()
