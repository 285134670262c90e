"""The other side of a page of events in a process of its own; a Python side as a program.

`EventPeer` runs `event_peer.c` on a page that two processes share.  As a program this module is
a Python side whose page somebody else scribbles on:

    python event_peer.py MODULE ROLE FD SECONDS
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from event_packages import Header
from ring_peer import ENOUGH, LIMIT, U32, Process, Shared, guarded
from support import PROJECT


class EventShared(Shared):
    """A page of events that two processes map; both directions begin at the index `start`."""

    def __init__(self, start: int = 0) -> None:
        super().__init__(start)
        with memoryview(self.page) as octets, octets.cast("I") as words:
            for place in range(4):
                words[place] = start


def compile_event_peer(folder: Path, source: str, header: Header) -> Path:
    """Compile `event_peer.c` with a header of ours, or with Xen's own."""
    program = folder / "event_peer"
    path = header.folder(source) / f"{header.name}.h"
    events = (f"-D{way.upper()}_EVENT={of}" for way, of in header.events.items())
    command = [
        *("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"),
        *(f'-DHEADER="{path}"', f"-DPREFIX={header.prefix}", f"-DPAGE={header.page}"),
        *("-include", "stddef.h", *events),
        str(PROJECT / "tests" / "soak" / "event_peer.c"),
    ]
    subprocess.run([*command, "-o", str(program)], check=True)
    return program


class EventPeer(Process):
    """`event_peer.c` as the role's side of a page; its top says what the roles do."""

    def __init__(
        self, program: Path, role: str, shared: Shared, count: int = 0
    ) -> None:
        super().__init__(shared, program, role, shared.fd, count, LIMIT)


class EventConsumer(Process):
    """This module as the role's side of a page, for so many seconds."""

    def __init__(self, module: str, role: str, shared: Shared, seconds: float) -> None:
        super().__init__(
            *(shared, sys.executable, __file__),
            *(module, role, shared.fd, str(seconds)),
        )


class Consumption:
    """What a side does while its page is scribbled on, and what it counted.

    Nothing but RingOverflow may come of it, and RingFull between the look at what is free and
    the event; after an overflow, the page is attached to anew.
    """

    def __init__(self, side: Any, fd: int, seconds: float) -> None:
        self.side, self.page = side, guarded(fd)
        self.end = time.monotonic() + seconds
        does = [name for name in ("puts", "takes") if hasattr(side, name)]
        self.counts = dict.fromkeys((*does, "overflows"), 0)
        self.slowest = 0.0

    def goes_on(self) -> bool:
        """Until time is up, and enough has happened on however slow a machine."""
        return time.monotonic() < self.end or min(self.counts.values()) <= ENOUGH

    def run(self) -> None:
        while self.goes_on():
            try:
                with self.side(self.page) as side:
                    while self.goes_on():
                        self.step(side)
            except RuntimeError as error:
                assert type(error).__name__ == "RingOverflow"
                assert 0 <= vars(error)["theirs"] <= U32
                assert 0 <= vars(error)["ours"] <= U32
                self.counts["overflows"] += 1

    def step(self, side: Any) -> None:
        """Take what is there, and put an event if that can be."""
        before = time.monotonic()
        if "takes" in self.counts:
            for event in side.events():
                octets = bytes(event)
                assert repr(event)
                assert bytes(event) == octets
                self.counts["takes"] += 1
        if "puts" in self.counts:
            try:
                side.put(side.puts.event())
                self.counts["puts"] += 1
            except RuntimeError as error:
                if type(error).__name__ != "RingFull":
                    raise
        self.slowest = max(self.slowest, time.monotonic() - before)


def main(module: str, role: str, fd: str, seconds: str) -> None:
    name = {"front": "FrontEventPage", "back": "BackEventPage"}[role]
    side = getattr(importlib.import_module(module), name)
    consumption = Consumption(side, int(fd), float(seconds))
    consumption.run()
    counts = {**consumption.counts, "slowest_ms": round(1000 * consumption.slowest)}
    print(*(f"{name}={number}" for name, number in counts.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
