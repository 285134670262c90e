"""A guest that is monitored: its requests, and their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from functools import partial
from os import PathLike
from types import ModuleType
from typing import Any, NoReturn, Self

from .. import OtherVersion
from ..common import vm_event_st
from .answers import Handler, Need, answer_last, handlers_of, needs_of
from .arguments import (
    domain_number,
    event_names,
    flags_given,
    named_handlers,
    require_idle,
    require_recording,
    require_xen,
)
from .breakpoints import Breakpoints
from .channel import Channel
from .emulating import Emulated, Emulator
from .events import Events
from .guest import Guest, MonitorError
from .leaving import for_each, in_turn
from .memory import Memory
from .physical import PhysicalMemory
from .recording import Recording
from .signals import Signals
from .stepping import Stepping
from .views import Views
from .xen import Xen

_NOT_WITHIN = "nothing is monitored but in `with Monitor(...)`"
_LOOKING_AFTER = 1.0  # seconds of silence, after which the guest may be gone
_IDLE = 0.01  # seconds of silence, after which there is time for other things


class Monitor:
    """A guest that is monitored, while this is used as a context.

    `domain` is its number, and `events` are what is to be reported, such as `cpuid` and
    `write_ctrlreg:cr3`.  `handlers` are by the reason's name: when a request of that is
    answered, one has it after what its reason needs was done about it, and may change the
    registers once more; the flags that it gives are the answer's, too.  `recording` is a file's
    path, or a `Recording`: requests and answers are recorded there.

        for request in monitor:         # until the guest is gone
            ...                         # answered when the loop goes on
        async for request in monitor:   # the same in asyncio
            ...
        monitor.run()                   # for handlers alone

    `for` and `run` call `idle` when the guest has done nothing for a hundredth of a second: the
    time for what need not be done at each request, such as to write what was printed.

    An event loop of one's own waits until `fileno` can be read, and then takes what is
    `pending`; in it may be any number of monitors, which may share a `xen`.

    Setting up tells what is missing before it attaches; leaving, for whatever reason, answers
    all requests.  Ctrl-C, and what else would end the process, waits until nothing is half
    done: with `for`, until the next request is asked for.  Where such a loop has been left by
    `break`, one that came in it waits for the end of the context, or for the next loop or
    `answer`; one that comes after it does not wait.  It belongs to one thread.

    Within the context, `memory` is for what the guest may do with its memory, `views` for
    others of it, `breakpoints` for instructions, `stepping` for vCPUs that step, `emulator` for
    what Xen carries out in their place, and `physical` for what is in the memory.  What they
    did is undone on leaving, but for what was written to the memory.  `vm_event` is the module
    of the interface's version, `ring` its ring, and `xen` the hypervisor.
    """

    # So many attributes are found faster in slots: the loop reads a dozen for each event.
    __slots__ = (
        *("_always", "_at_work", "_attached", "_channel", "_current", "_emulated"),
        *("_events", "_given_recording", "_guest", "_handlers", "_idle", "_leaving"),
        *("_loop", "_more", "_named_handlers", "_needs", "_reasons", "_recording"),
        *("_shared_xen", "_signals", "_switched", "_unimplemented", "breakpoints"),
        *("domain", "emulator", "memory", "physical", "ring", "stepping", "views"),
        *("vm_event", "xen", "__weakref__"),
    )

    xen: Xen
    vm_event: ModuleType
    ring: Any
    memory: Memory
    views: Views
    breakpoints: Breakpoints
    stepping: Stepping
    emulator: Emulator
    physical: PhysicalMemory

    def __init__(
        self,
        domain: int,
        events: Sequence[str],
        handlers: Mapping[str, Handler] | None = None,
        xen: Xen | None = None,
        idle: Callable[[], object] | None = None,
        recording: str | PathLike[str] | Recording | None = None,
    ) -> None:
        self.domain = domain_number(domain)
        self._events = event_names(events)
        self._named_handlers = named_handlers(handlers)
        require_xen(xen)
        require_idle(idle)
        require_recording(recording)
        self._shared_xen = xen
        self._idle = idle
        self._given_recording = recording
        self._recording: Recording | None = None
        self._signals = Signals(Monitor.__exit__.__code__)
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
        self._loop: Any = None  # that reads the channel
        nothing: Any = _Outside()
        self.xen, self.vm_event, self.ring = nothing, nothing, nothing
        self.memory, self.views, self.breakpoints = nothing, nothing, nothing
        self.stepping, self.emulator, self.physical = nothing, nothing, nothing

    # --- setting up and leaving -----------------------------------------------------

    def __enter__(self) -> Self:
        """Attach, and have the events reported.

        Raises MonitorError for an event that is not to be had, or a handler of a reason that
        there is not; OSError where the guest cannot be monitored, or has a monitor already.
        """
        with ExitStack() as undo:
            undo.enter_context(self._signals)
            self.xen = self._shared_xen or undo.enter_context(Xen())
            self.vm_event = self.xen.vm_event()
            self._guest = guest = Guest(self.xen, self.domain, self.vm_event)
            self._switched = Events(guest, self._events)
            self._handlers = handlers_of(self.vm_event, self._named_handlers)
            self._set_up(guest)
            wanted = self.memory.wanted(self._switched.chosen)
            self._recording = self._open_recording(undo)
            self._attach()
            undo.callback(self._leave)
            self._switched.begin()
            self.memory.begin(wanted)
            try:
                self._signals.let_through()  # what came meanwhile
            finally:
                self._signals.held = True
            self._leaving = undo.pop_all()
        self._signals.held = False
        return self

    def _set_up(self, guest: Guest) -> None:
        """Make what knows how a guest goes on from each of its events."""
        events = self._switched
        self.emulator = Emulator(guest)
        self.physical = PhysicalMemory(guest)
        self.stepping = stepping = Stepping(guest, events)
        self._emulated = emulated = Emulated()
        self.memory = Memory(guest, events, stepping, emulated)
        self.views = Views(guest, events, stepping, emulated, self.memory)
        self.breakpoints = Breakpoints(
            guest, events, stepping, emulated, self.physical, self.views
        )
        needs = needs_of(guest, stepping, emulated) | {
            "MEM_ACCESS": self.views.answer,
            "EMUL_UNIMPLEMENTED": self.views.answer_unimplemented,
            "SOFTWARE_BREAKPOINT": self.breakpoints.answer,
        }
        reasons = self.vm_event.VmEventReason.__members__
        self._needs = {
            int(reasons[name]): need for name, need in needs.items() if name in reasons
        }
        self._unimplemented = reasons.get("EMUL_UNIMPLEMENTED")
        if any(event.reason == "INTERRUPT" for event in self._switched.chosen):
            self._always = guest.flag("GET_NEXT_INTERRUPT")

    def _open_recording(self, undo: ExitStack) -> Recording | None:
        given = self._given_recording
        if given is None or isinstance(given, Recording):
            return given
        return undo.enter_context(Recording(given))

    def _attach(self) -> None:
        with ExitStack() as on_error:
            self._channel = Channel(self.xen, self.domain)
            on_error.callback(self._channel.close)
            # The page may hold the indices of another monitor.
            self.ring = self.vm_event.BackRing(self._channel.page, start=0)
            on_error.callback(self.ring.detach)
            self.ring.sring.shared_ring_init()
            if self._recording is not None:
                self._recording.begin(self.vm_event, self.domain, self.xen.release)
            on_error.pop_all()
        self._attached = True

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Leave the guest to go on by itself, whatever happened; raises what failed then."""
        self._signals.held = True
        if error is not None:
            self._current = None  # its handler may be what failed
        self._leaving.close()

    def _leave(self) -> None:
        gone = False
        with suppress(OSError):  # nobody can tell; all is to be undone anyway
            gone = not self.is_alive()
        self._always = 0
        with suppress(OSError) if gone else nullcontext():
            in_turn(
                self._push,
                self._restore,
                self.stepping.end,
                # From here on the guest may do everything, and what is answered is to go on.
                self._finish,
                self._restore,  # what the handler that comes last did
                self._switched.switch_off,
                self._answer_the_rest,
                # With the ring, Xen forgets the registers that a vCPU is to go on with.
                partial(self.xen.let_run, self.domain),
                self._detach,
                self.ring.detach,
                self._channel.close,
                self.physical.close,
                self._guest.leave,
            )

    def _restore(self) -> None:
        in_turn(self.breakpoints.restore, self.views.restore, self.memory.restore)

    def _detach(self) -> None:
        self._attached = False
        self._switched.end()
        if self._recording is not None:
            self._recording.end()
        self._stop_reading()

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
        self._require_context()
        signals = self._signals
        outside = signals.held
        try:
            signals.held = False
            if signals.came:
                signals.let_through()
            if self._idle is not None:
                if self._channel.wait(_IDLE):
                    return True
                self._idle()
            while not self._channel.wait(_LOOKING_AFTER):
                if not self.is_alive():
                    return False
            return True
        finally:
            signals.held = outside

    def _require_context(self) -> None:
        if not self._attached:
            raise MonitorError(_NOT_WITHIN)

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
        self._loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        self._loop.add_reader(self._channel.fileno(), ready.set)
        try:
            while True:
                for request in self.pending():
                    yield request
                try:
                    async with asyncio.timeout(_LOOKING_AFTER):
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
        flags = flags_given(flags, lambda: "answer() was given")
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
        signals, stepping, recording = self._signals, self.stepping, self._recording
        ring, channel = self.ring, self._channel
        outside = signals.held  # as in a loop that this one is in
        inside = waits or outside
        while not waits or self._wait():
            signals.held = self._at_work = self._more = True
            try:
                if self._current is not None:
                    self._finish()
                channel.take()
                # Xen has an event for every request: for the next, too, without being asked.
                for request in ring.requests(ask=False):
                    if recording is not None:
                        recording.request(request)
                    if stepping.after and stepping.is_own(request):
                        self._give(request, stepping.answer(request))
                        continue
                    self._current = request
                    signals.held = inside
                    yield request
                    signals.held = True
                    self._finish()  # another, if a loop within was left
                self._more = False
            except OtherVersion as other:
                raise MonitorError(
                    f"the hypervisor speaks vm_event version {other.theirs}, not"
                    f" {other.ours}; use interface({other.theirs})"
                ) from None
            finally:
                signals.held = True
                self._at_work = False
                if self._attached:
                    self._push()
                # Those that came are not let through: after a `break` nobody would see an error.
                signals.held = outside
            if not waits:
                if not outside:
                    signals.let_through()
                return

    def _finish(self) -> None:
        """Answer the request that a loop was at, if nobody did."""
        request, self._current = self._current, None
        if request is not None:
            self._respond(request)

    def _respond(self, request: Any, flags: int = 0) -> None:
        flags |= self._needed(request) | self._always
        try:
            if self._handlers:
                handler = self._handlers.get(request.reason)
                if handler is not None:
                    given = handler(request)
                    if given:
                        flags |= flags_given(given, self._handler_of, request)
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
        ring, sring = self.ring, self.ring.sring
        if sring.words[sring.rsp_prod] != ring.rsp_prod_pvt:
            ring.push_responses()
            self._channel.notify()
        if self._recording is not None:
            self._recording.flush()


class _Outside:
    """Stands for what there is within the context alone.

    With a `__getattr__` of the monitor's own, all its attributes would be found more slowly.
    """

    def __getattr__(self, name: str) -> NoReturn:
        raise MonitorError(_NOT_WITHIN)
