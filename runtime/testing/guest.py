"""A guest: its vCPUs, its memory, and the ring that its events are reported in."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from .checks import is_event, is_same, mistakes
from .findings import Findings
from .instructions import Instruction
from .leaving import left_behind
from .memory import RWX, Fault, Memory
from .paged import PAGING_RING, SHARING_RING, Paged, Shared
from .recorded import recorded
from .registers import pc_in
from .ring import Ring
from .roles import ARM64, X86_64
from .side_ring import SideRing
from .switches import Switches
from .vcpu import Vcpu

Script = Iterable[Instruction] | Callable[[Vcpu], Iterable[Instruction]]
_AT_ONCE = 10_000  # instructions of a vCPU before others have their turn
_PATIENCE = 3  # how often a monitor may sleep while nothing can come
_SECONDS = 2  # that who answers may need, where others wait meanwhile


class Guest:
    """A guest whose `vcpus` are idle until they are given a `script`, or a recording.

    `answers` are what the monitor gave, `notified` is how often it notified.  `rounds` are
    requests as they are, sent together each time that a monitor waits, whatever is switched
    on.  Where there is no more to do, the guest shuts down, and is not `alive`.  `paged` are the
    pages that a pager has, and `shared` those that it shares with others.
    """

    def __init__(
        self,
        number: int,
        vm_event: Any,
        findings: Findings | None = None,
        architecture: str = X86_64,
        vcpus: int = 2,
    ) -> None:
        self.number, self.vm_event = number, vm_event
        self.architecture, self.is_arm = architecture, architecture == ARM64
        self.findings = Findings() if findings is None else findings
        self.alive = True
        self.rounds: list[list[Any]] = []
        self.answers: list[Any] = []
        self.notified = 0
        self.memory = Memory()
        self.switches = Switches()
        self.ring = Ring(vm_event, self.findings, f"domain {number}")
        self.paged, self.shared = Paged(self), Shared(self)
        self.sides = self.paged.side, self.shared.side
        self.params = {  # HVM parameters
            PAGING_RING: self.paged.side.gfn,
            SHARING_RING: self.shared.side.gfn,
        }
        self.vcpus = [Vcpu(self, each) for each in range(vcpus)]
        self.is_paused = 0
        self._sent: list[Any] = []  # what waits and is no script's
        self._answered: dict[int, tuple[Any, Any]] = (
            {}
        )  # last, with its answer, by vCPU
        # Answers like the last one of their vCPUs, each with a request that it may be for.
        self._doubtful: list[tuple[Any, Any]] = []
        self._owner = 0  # the way to Xen by which the ring was made
        self._replayed: deque[recorded] = deque()
        self._have_time()
        self._names: dict[int, str] = {
            int(each): name for name, each in vm_event.VmEventReason.__members__.items()
        }
        self._flags: dict[int, str] = {
            int(each): name for name, each in vm_event.VmEventFlag.__members__.items()
        }
        self.known_flags = sum(self._flags)

    # --- what it does ---------------------------------------------------------------

    def script(self, script: Script, vcpu: int = 0) -> Vcpu:
        """Have a vCPU follow instructions: a list of them, or a generator, of the vCPU maybe.

        Raises ValueError for a vCPU that the guest has not, and both it and TypeError for what
        is no instruction here: a generator when it comes to that.
        """
        self._require_vcpu(vcpu)
        chosen = self.vcpus[vcpu]
        made = script(chosen) if callable(script) else script
        if not isinstance(
            made, Iterable
        ):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"a script is a list of instructions, or a generator, not {made!r}"
            )
        if isinstance(made, Sequence):
            for each in made:
                chosen.require(each)
        chosen.follow(iter(made))
        return chosen

    def replay(self, requests: Iterable[Any]) -> None:
        """Have the guest report requests once more that were recorded, in their order.

        Each is reported that is switched on, or about a page that is restricted.  Raises
        ValueError for one of a vCPU that the guest has not, of another version, or of another
        ring; none of them is reported then.
        """
        version = self.vm_event.VM_EVENT_INTERFACE_VERSION
        vm_event_st = self.vm_event.vm_event_st
        replayed: list[recorded] = []
        for request in requests:
            self._require_vcpu(request.vcpu_id)
            if request.version != version:
                raise ValueError(
                    f"a request of version {request.version} cannot be replayed by a Xen that"
                    f" speaks {version}: play the release that it was recorded of"
                )
            # It may be another release's, of the same version.
            own = vm_event_st.from_buffer_copy(bytes(request))
            replayed.append(recorded(own, self.reason(own.reason)))
        self._replayed += replayed
        for each in replayed:
            if each.reason == "MEM_ACCESS":  # the guest had the page
                self.memory.last_gfn = max(
                    self.memory.last_gfn, each.request.payload.gfn
                )

    def _require_vcpu(self, number: int) -> None:
        if number not in range(len(self.vcpus)):
            more = f"; with vcpus={number + 1} there is one" if number >= 0 else ""
            raise ValueError(
                f"domain {self.number} has no vCPU {number}, but {len(self.vcpus)}, from 0"
                f" on{more}"
            )

    def run(self) -> bool:
        """Let the vCPUs go on until each is held or done; tells whether any did something."""
        did_something = self._replay()
        for vcpu in self.vcpus:
            for _ in range(_AT_ONCE):
                if self.is_paused or not self.alive or not vcpu.run():
                    break
                did_something = True
        return did_something

    def _replay(self) -> bool:
        did_something = False
        while self._replayed and not self.is_paused:
            instruction = self._replayed[0]
            number: int = instruction.request.vcpu_id
            vcpu = self.vcpus[number]
            if not vcpu.is_idle:
                break
            vcpu.follow(iter([self._replayed.popleft()]))
            did_something |= vcpu.run()
        return did_something

    def send(self) -> None:
        """Send a round of requests, or die when there are no more."""
        if not self.rounds:
            self.alive = False
            return
        requests = self.rounds.pop(0)
        self._sent += [each for each in requests if each.flags & 1]
        if requests:
            self.ring.send(*requests)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing more will come of it by itself."""
        return not (self.rounds or self._replayed or self.outstanding) and all(
            vcpu.is_idle for vcpu in self.vcpus
        )

    def proceed(self) -> None:
        """Do what happens while a monitor sleeps until the next event."""
        if not self._proceeds():
            self._lose_patience()

    def proceed_elsewhere(self) -> None:
        """Do the same while who reads a ring may be at other things, and looks after the guest.

        An answer may come yet then, so that there is more time for it.
        """
        polled = [each for each in self.rings if each.is_polled]
        if not polled or not all(each.port.is_noticed for each in polled):
            return
        if not self._proceeds() and time.monotonic() > self._fruitful_at + _SECONDS:
            self._lose_patience()

    def _proceeds(self) -> bool:
        """Go on, or shut down; tells whether there was anything to do."""
        self.ring.port.deliver()
        if self.ring.was_not_notified:
            self.find("not-notified", "the monitor waits")
            self.take_answers()
        for side in self.sides:
            side.settle()
        if self._doubtful:  # what they were instead did not come
            self._take_doubtful()
            self.go_on()
        elif self.run():
            self._have_time()
        elif self.rounds:
            self.send()
        elif self.is_done:
            self.alive = False
        else:
            self._fruitless += 1
            return False
        return True

    def _have_time(self) -> None:
        self._fruitless, self._fruitful_at = 0, time.monotonic()

    def _lose_patience(self) -> None:
        if self._fruitless <= _PATIENCE:
            return
        self._tell_of_outstanding()
        for side in self.sides:
            side.tell_of_waiting()
        self.alive = False

    # --- answers --------------------------------------------------------------------

    @property
    def outstanding(self) -> list[Any]:
        """The requests that wait for an answer."""
        held = [vcpu.request for vcpu in self.vcpus if vcpu.is_held]
        return [*self._sent, *held]

    def take_answers(self) -> None:
        """Take the answers that there are, and let the vCPUs go on."""
        self.notified += 1
        if self.ring.is_given_up:
            self._have_time()
            return
        for response, was_asked_for in self.ring.answers():
            self.answers.append(response)
            self._take(response, was_asked_for)
        self.go_on()

    def go_on(self) -> None:
        """Let the vCPUs go on after answers; the guest is done where no more can come."""
        self._have_time()
        self.run()
        if self._was_scripted and self.is_done:
            self.alive = False

    def _take(self, response: Any, was_asked_for: bool) -> None:
        """Take one, and note what is wrong; it is taken as the right one would have been."""
        waiting = self.outstanding
        own = [each for each in waiting if each.vcpu_id == response.vcpu_id]
        request = next((each for each in own if is_same(each, response)), None)
        if request is None and self._is_repeated(response):
            other = self._may_be_for(response)
            if other is not None and was_asked_for:
                self._doubtful.append((response, other))
            else:
                self.find("answered-twice", self._where(response))
            return
        if not was_asked_for:
            if not self._wakes(response):
                self.ring.break_off()
                self._let_all_go()
            return
        if request is None and own:
            request = own[0]
        elif request is None and waiting:
            request = waiting[0]
            self._find_other_vcpu(request, response)
        if request is not None:
            self._resolve(request)
            self._let_go(request, response)

    def _may_be_for(self, response: Any) -> Any:
        """Give a request of another vCPU that an answer may be for; None if there is none."""
        taken = [request for _, request in self._doubtful]
        for request in self.outstanding:
            if is_event(request, response) and not any(
                request is each for each in taken
            ):
                return request
        return None

    def _resolve(self, request: Any) -> None:
        """With the answer to a request: what was taken for it was one that came twice."""
        for response, other in self._doubtful:
            if other is request:
                self.find("answered-twice", self._where(response))
        self._doubtful = [each for each in self._doubtful if each[1] is not request]

    def _take_doubtful(self) -> None:
        """Take those whose requests had no other answer as the answers to these."""
        doubtful, self._doubtful = self._doubtful, []
        for response, request in doubtful:
            self._find_other_vcpu(request, response)
            self._let_go(request, response)

    def _find_other_vcpu(self, request: Any, response: Any) -> None:
        self.find("other-vcpu", f"vCPU {response.vcpu_id} for {self._where(request)}")

    def _let_go(self, request: Any, response: Any) -> None:
        flags = self.flags_of(response.flags)
        number: int = request.vcpu_id
        where = f"vCPU {number}"
        for kind, details in mistakes(self, request, response, flags):
            self.find(kind, f"{where}, {details}")
        if any(request is each for each in self._sent):
            self._sent = [each for each in self._sent if each is not request]
        else:
            self.vcpus[number].go_on(response, flags)
        self._answered[number] = request, response

    def _is_repeated(self, response: Any) -> bool:
        """Tell whether it is for what its vCPU was at before, or like the answer to that."""
        if response.vcpu_id not in self._answered:
            return False
        request, before = self._answered[response.vcpu_id]
        if is_same(request, response):
            return True
        return is_same(before, response) and bytes(before.data) == bytes(response.data)

    def _wakes(self, response: Any) -> bool:
        """Tell whether an answer to nothing is one that frees what a monitor before left."""
        if self.ring.requests or self.flags_of(response.flags) != frozenset(
            {"VCPU_PAUSED"}
        ):
            return False
        number: int = response.vcpu_id
        if number < len(self.vcpus):
            self.vcpus[number].wake()
        return bool(response.reason == 0)

    def _let_all_go(self) -> None:
        self._sent.clear()
        for vcpu in self.vcpus:
            vcpu.wake()
        self.alive = False

    # --- what the monitor has to say ------------------------------------------------

    def attach(self, owner: int) -> int:
        """Give a monitor the address of the ring's page, by the way to Xen that it has."""
        self._owner = owner
        self.ring.attach()
        return self.ring.address

    def give_up(self, by: int) -> None:
        """Take the ring from the monitor, with the requests in it.

        If it is another who says so, that one has found a monitor which was killed.
        """
        self._take_doubtful()
        if by != self._owner:
            self._abandon()
            return
        if self.ring.was_not_notified:
            self.find("not-notified", "the ring is given up")
            self.take_answers()
        self.ring.is_given_up = True
        self.switches.give_up(self.is_arm)

    def _abandon(self) -> None:
        self.ring.attached = 0
        self.ring.is_given_up = True
        self.switches.abandon(self.is_arm)
        self.memory.abandon()

    def finish(self) -> None:
        """Note what a monitor has left undone."""
        self._take_doubtful()
        if self.ring.was_not_notified and not self.ring.is_given_up:
            self.find("not-notified", "the monitor is left")
            self.take_answers()
        self._tell_of_outstanding()
        if not self.ring.is_given_up:
            self.find("ring-left", "at the end")
        for name in self.switches.left:
            self.find("events-left-on", name)
        for name in self.switches.late:
            self.find("disabled-too-early", f"before {name} was off")
        self.paged.finish()
        self.shared.side.finish()
        for kind, details in left_behind(self.memory, self.vcpus):
            self.find(kind, details)

    def close(self) -> None:
        """Let go of its event channel."""
        for ring in self.rings:
            ring.port.close()

    def _tell_of_outstanding(self) -> None:
        kind = "answered-too-late" if self.ring.is_published_late else "unanswered"
        for request in self.outstanding:
            self.find(kind, self._where(request))

    @property
    def ends(self) -> list[Guest | SideRing]:
        """Give what its event channels lead to: the guest, which is the monitor's ring, first."""
        return [self, *self.sides]

    @property
    def rings(self) -> list[Ring]:
        """Its rings: the monitor's, and the others."""
        return [self.ring, *(side.ring for side in self.sides)]

    def side_at(self, gfn: int) -> SideRing | None:
        """Give the ring that has this page, if it is one's but the monitor's."""
        return next((side for side in self.sides if side.gfn == gfn), None)

    def replays_step(self, vcpu: int) -> bool:
        """Tell whether the end of a step is what was recorded next of a vCPU."""
        its = (each for each in self._replayed if each.request.vcpu_id == vcpu)
        return any(each.reason == "SINGLESTEP" for each in islice(its, 1))

    # --- for its vCPUs --------------------------------------------------------------

    def waits_elsewhere(self, vcpu: int) -> bool:
        """Tell whether a vCPU waits for a pager, or for memory."""
        return any(side.waits(vcpu) for side in self.sides)

    def lacks(self, access: tuple[int, str] | None, vcpu: int) -> bool:
        """Tell whether a vCPU has to wait with an access to a page, which was asked for."""
        if access is None:
            return False
        gfn, kind = access
        return self.paged.lacks(gfn, kind, vcpu) or self.shared.lacks(gfn, kind, vcpu)

    def find(self, kind: str, where: str) -> None:
        """Note what a monitor did."""
        self.findings.add(kind, f"domain {self.number}, {where}")

    def is_on(self, reason: str, which: object, changed: int | None = 0) -> bool:
        """Tell whether events of a reason are reported, of one register maybe.

        `changed` are the bits that a write changes, None if it changes none.
        """
        has_monitor = not self.ring.is_given_up
        return has_monitor and self.switches.is_on(reason, which, changed)

    def is_synchronous(self, reason: str, which: object) -> bool:
        """Tell whether a vCPU waits for the answers to events of a reason."""
        return self.switches.is_synchronous(reason, which)

    def fault(self, gfn: int, kind: str, view: int) -> Fault:
        """Tell whether an access is reported; without a monitor Xen frees the page."""
        found = self.memory.fault(gfn, kind, view)
        if found and self.ring.is_given_up:
            self.memory.views[view].access[gfn] = RWX
            return ""
        return found

    def flag(self, name: str) -> int:
        """Give a flag's number."""
        return int(self.vm_event.VmEventFlag[name])

    def flags_of(self, number: int) -> frozenset[str]:
        """Name the flags in a number."""
        return frozenset(self._flags[bit] for bit in self._flags if number & bit)

    def reason(self, number: int) -> str:
        """Name a reason."""
        return self._names.get(number, f"UNKNOWN_{number}")

    def pc_of(self, record: Any) -> int:
        """Give the instruction pointer that a record has."""
        return int(getattr(*pc_in(record, self.is_arm)))

    def is_moved(self, request: Any, response: Any) -> bool:
        """Tell whether an answer has the vCPU go on at another instruction."""
        flags = self.flags_of(response.flags)
        return "SET_REGISTERS" in flags and self.pc_of(request) != self.pc_of(response)

    def _where(self, request: Any) -> str:
        return f"vCPU {request.vcpu_id}, {self.reason(request.reason)}"

    @property
    def _was_scripted(self) -> bool:
        return any(vcpu.has_script for vcpu in self.vcpus)

    # --- by the names of what it is made of -----------------------------------------

    @property
    def ours(self) -> Any:
        """The file of the monitor's end of the event channel."""
        return self.ring.port.ours

    @property
    def unmasked(self) -> int:
        """How many events the monitor has said that it wants the next after."""
        return self.ring.port.unmasked
