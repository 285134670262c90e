"""A monitor: it is attached to its guest, which goes on by itself when it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from typing import Any

from .answers import Handler, handlers_of, needs_of
from .arguments import event_names, named_handlers, require_recording
from .attached import Attached, Outside
from .breakpoints import Breakpoints
from .channel import enable_monitor
from .emulating import Emulated, Emulator
from .events import Events
from .guest import Guest
from .leaving import in_turn
from .memory import Memory
from .physical import PhysicalMemory
from .recording import Recording
from .stepping import Stepping
from .views import Views
from .xen import Xen


class Monitor(Attached):
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

    __slots__ = (
        *("_events", "_given_recording", "_named_handlers", "_switched", "breakpoints"),
        *("emulator", "memory", "physical", "views"),
    )

    memory: Memory
    views: Views
    breakpoints: Breakpoints
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
        super().__init__(domain, xen, idle)
        self._events = event_names(events)
        self._named_handlers = named_handlers(handlers)
        require_recording(recording)
        self._given_recording = recording
        nothing: Any = Outside(self)
        self.memory, self.views, self.breakpoints = nothing, nothing, nothing
        self.emulator, self.physical = nothing, nothing

    def _begin(self, undo: ExitStack) -> None:
        guest = self._guest
        self._switched = Events(guest, self._events)
        self._handlers = handlers_of(self.vm_event, self._named_handlers)
        self._set_up(guest)
        wanted = self.memory.wanted(self._switched.chosen)
        self._recording = self._open_recording(undo)
        self._attach(undo, enable_monitor)
        self._switched.begin()
        self.memory.begin(wanted)

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

    def _let_go(self) -> None:
        self._always = 0
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
        self._switched.end()
        super()._detach()
