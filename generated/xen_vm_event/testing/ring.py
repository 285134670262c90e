"""Xen's end of a monitor's ring, and what the monitor writes into the page, as it does."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from typing import Any

from ..macros import REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD
from ..monitor.channel import PAGE_SIZE
from ..runtime.ring import assign
from .findings import Findings
from .port import Port

_U32 = 0xFFFF_FFFF
_BEFORE = 70  # the indices that a monitor before has left in the page


class Words:
    """The words of a page, as a monitor's ring reads and writes them."""

    def __init__(self, words: memoryview, ring: Ring) -> None:
        self._words, self._ring = words, ring

    def __getitem__(self, place: int) -> int:
        number: int = self._words[place]
        return number

    def __setitem__(self, place: int, number: int) -> None:
        before = self._words[place]
        self._words[place] = number
        self._ring.written(place, before, number)

    def release(self) -> None:
        """Let go of the page."""
        self._words.release()
        self._ring.attached -= 1


class Ring:
    """Xen's end of a guest's ring, with its event channel; `requests` counts what was sent.

    `attached` counts the monitor's rings on the page, of those made while it `is_watched`, and
    `is_polled` says that whoever reads it waits for the event channel's file.
    """

    def __init__(self, vm_event: Any, findings: Findings, name: str) -> None:
        self._vm_event, self._findings, self._name = vm_event, findings, name
        self.port = Port()
        self._memory = mmap.mmap(-1, PAGE_SIZE)
        self._anchor = ctypes.c_char.from_buffer(self._memory)
        self.address = ctypes.addressof(self._anchor)
        self.attached = 0
        self.is_given_up = True
        self.is_published_late = self.is_polled = False
        self._begin()

    def _begin(self) -> None:
        self.is_watched = False  # but for this end
        self._front = self._vm_event.FrontRing(memoryview(self._memory), start=0)
        self.is_watched = True
        self._words = self._front.sring.words
        self._snapshots: dict[int, bytes] = {}
        self._notify_due = False
        self.requests = self._extra = 0
        self.is_broken = False

    def attach(self) -> None:
        """Begin anew, on a page with the indices of a monitor before."""
        self._memory[:] = (_BEFORE.to_bytes(4, "little") * 4).ljust(PAGE_SIZE, b"\0")
        self.is_given_up = self.is_published_late = self.is_polled = False
        self._begin()

    # --- what the monitor writes ----------------------------------------------------

    def written(self, place: int, before: int, number: int) -> None:
        """Look at a word that the monitor has written."""
        if place == REQ_PROD:  # it begins
            self._snapshots.clear()
        elif place == RSP_PROD and number != 0 and before != number:
            self._published(before, number)
        elif place == REQ_EVENT:
            ahead = (number - self._words[REQ_PROD]) & _U32
            if 1 < ahead < 2**31:
                self._find("out-of-reach", f"it waits for request {number}")

    def _published(self, before: int, after: int) -> None:
        self.is_published_late = self.is_given_up
        count = (after - before) & _U32
        if count > self._front.nr_ents:
            return
        for index in range(before, before + count):
            self._snapshots[index & _U32] = bytes(self._front.get_response(index))
        if count > (after - self._words[RSP_EVENT]) & _U32:
            self._notify_due = True

    def _find(self, kind: str, where: str) -> None:
        self._findings.add(kind, f"{self._name}, {where}")

    # --- Xen's end ------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Tell whether a request has to wait for an answer to another."""
        waiting = self.requests - (self._front.rsp_cons - self._extra)
        return not self.is_given_up and bool(waiting >= self._front.nr_ents)

    def send(self, *requests: Any) -> None:
        """Put requests into the page, and notify, which Xen does without being asked."""
        front = self._front
        for request in requests:
            assign(front.get_request(front.req_prod_pvt), request)
            front.req_prod_pvt = (front.req_prod_pvt + 1) & _U32
        self.requests += len(requests)
        front.push_requests()
        self.port.notify()

    @property
    def was_not_notified(self) -> bool:
        """Tell whether there are answers that Xen waits to be told of."""
        return self._notify_due and bool(self._front.has_unconsumed_responses())

    def answers(self) -> Iterator[tuple[Any, bool]]:
        """Take the answers, as Xen does, and tell of each whether it was asked for."""
        front = self._front
        self._notify_due = False
        produced = self._words[RSP_PROD]
        while front.rsp_cons != produced and not self.is_broken:
            index = front.rsp_cons
            response = front.get_response(index).copy()
            published = self._snapshots.pop(index, None)
            if published is not None and published != bytes(response):
                self._find("written-late", f"answer {index}")
            is_beyond = index - self._extra >= self.requests
            self._extra += is_beyond
            front.rsp_cons = (index + 1) & _U32
            yield response, not is_beyond
        front.final_check_for_responses()  # asks to be woken for the next one

    def break_off(self) -> None:
        """Take no more answers: the indices are of no use any more."""
        self._find("out-of-reach", f"its answers, of {self.requests} requests")
        self.is_broken = True
