"""Recordings of real requests that say the same each time they are made: the clock is played."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from support import PROJECT
from xen_vm_event import v7
from xen_vm_event.monitor import Recording, recording

LINES = (PROJECT / "tests" / "data" / "requests-v7.jsonl").read_text().splitlines()
REQUESTS = [bytes.fromhex(json.loads(line)["request"]) for line in LINES]
STARTED = "2026-03-01T12:00:00Z"
STEP = 250_000_000  # nanoseconds from one request to the next
CPUID = int(v7.VmEventReason.CPUID)


class Clock:
    """A clock that goes on when it is told to; `started` is the wall clock's time."""

    def __init__(self, started: str) -> None:
        seconds = round(datetime.fromisoformat(started).timestamp())
        self.start = seconds * 10**9
        self.now = 5_000_000

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(
            monotonic_ns=lambda: self.now,
            time_ns=lambda: self.start,
            gmtime=time.gmtime,
            strftime=time.strftime,
        )


@contextmanager
def played(started: str, session: int) -> Iterator[Clock]:
    """Have recordings take their times from a clock, and their session's name from a number."""
    clock = Clock(started)
    with (
        mock.patch.object(recording, "time", clock.module()),
        mock.patch.object(os, "urandom", lambda size: session.to_bytes(size, "big")),
    ):
        yield clock


def taken(number: int) -> Any:
    """A real request, of one vCPU after the other."""
    request = v7.vm_event_st.from_buffer_copy(REQUESTS[number % len(REQUESTS)])
    request.vcpu_id = number % 2
    return request


def record(
    path: Path,
    domain: int = 1,
    count: int = 8,
    started: str = STARTED,
    session: int = 1,
    step: int = STEP,
) -> None:
    """Record real requests, each answered 10 µs later, one of CPUID's 30 and with another rip.

    The last one has no answer.
    """
    page = bytearray(4096)
    front, back = v7.FrontRing(page, start=0), v7.BackRing(page, start=0)
    with played(started, session) as clock, Recording(path) as written:
        written.begin(v7, domain, "4.20")
        for number in range(count):
            clock.now += step
            front.send(taken(number))
            front.push_requests()
            (request,) = back.requests()
            written.request(request)
            if number == count - 1:
                break
            clock.now += 10_000
            if request.reason == CPUID:
                clock.now += 20_000
                request.data.regs.x86.rip += 2
                request.flags |= v7.VmEventFlag.EMULATE
            back.respond(request)
            written.answer(request)
            back.push_responses()
            list(front.responses())
