"""Count what a recording holds: events and rates, latencies of answers, requests that wait.

Takes `Run`s of requests one after the other and keeps nothing of them but counts; gives words or
plain data.  A latency is counted in one of a few hundred classes, each an eighth wider than the
one before: what is said of it is right to 12.5 %, but for the least and the most.
"""

from __future__ import annotations

from collections import Counter

from xenbind.commands.decode.events import Shapes
from xenbind.commands.decode.stream import Note, Run, Session
from xenbind.plain import Struct, field

_SECOND = 10**9
_SHARES = {"median": 0.5, "p99": 0.99}


class Latencies(Struct):
    """How long answers took, in nanoseconds."""

    count: int = 0
    least: int = 0
    most: int = 0
    classes: Counter[int] = field(default_factory=Counter)

    def add(self, latency: int) -> None:
        self.least = latency if not self.count else min(self.least, latency)
        self.most = max(self.most, latency)
        self.count += 1
        self.classes[_class(latency)] += 1

    def share(self, share: float) -> int:
        """Give what so many of the answers did not exceed."""
        left = share * self.count
        for number in sorted(self.classes):
            left -= self.classes[number]
            if left <= 0:
                return max(self.least, min(self.most, _end(number)))
        return self.most

    def said(self) -> dict[str, int]:
        shares = {name: self.share(share) for name, share in _SHARES.items()}
        return {"least": self.least, **shares, "most": self.most}


def _class(latency: int) -> int:
    """Give the class of a latency: its highest bit and the three below it."""
    shift = max(latency.bit_length() - 4, 0)
    return shift << 4 | latency >> shift


def _end(number: int) -> int:
    """Give the largest latency of a class."""
    shift = number >> 4
    return ((number & 15) + 1 << shift) - 1


class _Span(Struct):
    """The first and the last event's time of a session, in whichever order its parts are read."""

    first: int
    last: int


class _Guest(Struct):
    """What was counted of one domain's sessions."""

    events: int = 0
    unanswered: int = 0
    waiting: Counter[int] = field(default_factory=Counter)
    spans: dict[str, _Span] = field(default_factory=dict)
    # Events in the seconds of parts: only that with which a part begins or ends may be another
    # one's, too, and is kept; of those between, the busiest is.
    edges: Counter[tuple[str, int]] = field(default_factory=Counter)
    busiest_between: int = 0
    part: tuple[str, int] = ("", 0)
    seconds_of_part: int = 0
    second: int = -1
    in_second: int = 0

    def add(self, session: Session, note: Note) -> None:
        self.events += 1
        self.waiting[note.waiting] += 1
        self.unanswered += note.answered is None
        span = self.spans.setdefault(session.name, _Span(note.time, note.time))
        span.first = min(span.first, note.time)
        span.last = max(span.last, note.time)
        part, second = (session.name, session.part), note.time // _SECOND
        if part != self.part or second != self.second:
            self._end_second(part != self.part)
            self.seconds_of_part = 1 if part != self.part else self.seconds_of_part + 1
            self.part, self.second, self.in_second = part, second, 0
        self.in_second += 1

    def _end_second(self, ends_part: bool) -> None:
        if ends_part or self.seconds_of_part == 1:
            self.edges[self.part[0], self.second] += self.in_second
        else:
            self.busiest_between = max(self.busiest_between, self.in_second)

    @property
    def seconds(self) -> float:
        """How long its sessions had events."""
        return sum(span.last - span.first for span in self.spans.values()) / _SECOND

    @property
    def busiest(self) -> int:
        """Events in the busiest second."""
        name, _ = self.part
        at_hand = self.in_second + self.edges[name, self.second]
        return max(at_hand, self.busiest_between, *self.edges.values())

    @property
    def rate(self) -> float | None:
        """Events a second, None where all came at one moment."""
        return round(self.events / self.seconds, 1) if self.seconds else None

    def said(self) -> dict[str, object]:
        rate = self.rate
        return {
            "events": self.events,
            "seconds": round(self.seconds, 6),
            "per_second": rate,
            "busiest_second": self.busiest,
            "unanswered": self.unanswered,
            "waiting": {str(many): self.waiting[many] for many in sorted(self.waiting)},
        }

    def text(self) -> str:
        rate = self.rate
        waited = [
            f"{many}: {100 * self.waiting[many] / self.events:.0f} %"
            for many in sorted(self.waiting)
            if many
        ]
        return (
            f"{self.events} events in {self.seconds:.6f} s"
            f"{'' if rate is None else f', {rate} a second'}"
            f", {self.busiest} in the busiest; {self.unanswered} without an answer\n"
            f"  requests on the ring when one was taken: {', '.join(waited) or 'unknown'}"
        )


class Statistics:
    """What was counted so far."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.events = 0
        self._reasons: Counter[str] = Counter()
        self._vcpus: Counter[int] = Counter()
        self._latencies: dict[str, Latencies] = {}
        self._guests: dict[int, _Guest] = {}

    def add(self, run: Run) -> None:
        """Count a run's events."""
        shape = self._shapes.of(run)
        self.events += len(run)
        reason, vcpu = shape.leaf("reason"), shape.leaf("vcpu_id")
        starts = range(0, len(run.data), run.size)
        if vcpu is not None:
            self._vcpus.update(vcpu.read(run.data, start) for start in starts)
        if reason is None or reason.names is None:
            return
        name = reason.names.of
        reasons = [name(reason.read(run.data, start)) for start in starts]
        self._reasons.update(reasons)
        if run.session is None or run.notes is None:
            return
        guest = self._guests.setdefault(run.session.domain, _Guest())
        for one, note in zip(reasons, run.notes, strict=True):
            guest.add(run.session, note)
            if note.latency is not None:
                self._latencies.setdefault(one, Latencies()).add(note.latency)

    def said(self) -> dict[str, object]:
        """Give all as plain data; latencies are in nanoseconds."""
        reasons = {
            name: {
                "events": count,
                "latency": (
                    self._latencies[name].said() if name in self._latencies else None
                ),
            }
            for name, count in self._reasons.most_common()
        }
        return {
            "events": self.events,
            "reasons": reasons,
            "vcpus": {str(one): self._vcpus[one] for one in sorted(self._vcpus)},
            "domains": {
                str(one): self._guests[one].said() for one in sorted(self._guests)
            },
        }

    def text(self) -> str:
        """Say the same in words, latencies in microseconds."""
        lines = [f"{self.events} events"]
        if self._reasons:
            width = max(map(len, self._reasons))
            titles = "".join(f"{title:>10}" for title in ("least", *_SHARES, "most"))
            known = f"{titles}  µs to the answer" if self._latencies else ""
            lines += ["", f"{'reason':{width}}{'events':>10}{known}"]
            for name, count in self._reasons.most_common():
                line = f"{name:{width}}{count:>10}"
                if name in self._latencies:
                    said = self._latencies[name].said().values()
                    line += "".join(f"{time / 1000:>10.1f}" for time in said)
                lines.append(line)
        if self._vcpus:
            vcpus = ", ".join(
                f"{one}: {self._vcpus[one]}" for one in sorted(self._vcpus)
            )
            lines += ["", f"events by vCPU: {vcpus}"]
        for domain, guest in sorted(self._guests.items()):
            lines += ["", f"domain {domain}: {guest.text()}"]
        return "\n".join(lines)
