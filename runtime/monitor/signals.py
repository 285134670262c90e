"""Signals that come while something is half done, kept back until it is done.

Python calls a handler between any two of its steps, and SIGTERM ends the process at once: a
guest whose monitor ends between two steps of attaching or leaving waits for ever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import CodeType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Link:
    """A handler in the place of another one, until its context ends, from when it is that one."""

    def __init__(self, owner: Signals, before: Any) -> None:
        self.owner: Signals | None = owner
        self.before = before

    def __call__(self, number: int, frame: Any) -> None:
        owner = self.owner
        if owner is not None and owner.holds(frame):
            owner.came.append(number)
            return
        handler: Callable[[int, Any], object] | int = self.before
        if not callable(handler):
            raise SystemExit(128 + number)
        handler(number, frame)

    def end(self) -> None:
        """Lead to nobody whose context has ended, however many there were."""
        self.owner = None
        self.before = _standing(self.before)


def _standing(handler: Any) -> Any:
    """Give the handler that is behind those whose contexts have ended.

    Contexts need not end in the order that they began in: those of several guests do not.
    """
    standing = handler
    while isinstance(standing, _Link) and standing.owner is None:
        standing = standing.before
    return standing


class Signals:
    """What would end this process, in the main thread and within this context.

    While it is `held`, a signal is noted only; otherwise, and at `let_through`, it is given to
    the handler that it had before, or raises SystemExit if that is the system's, which would
    end the process.

    `leave` is the code of what leaves this context: Python calls handlers before the first step
    of a function, too, where that has not yet said that signals are held.
    """

    __slots__ = ("_leave", "_links", "came", "held")

    def __init__(self, leave: CodeType | None = None) -> None:
        self._leave = leave
        self.held = False
        self.came: list[int] = []
        self._links: dict[int, _Link] = {}

    def __enter__(self) -> Self:
        self.held = True
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = _standing(signal.getsignal(number))
                if before not in (signal.SIG_IGN, None):
                    self._links[number] = link = _Link(self, before)
                    signal.signal(number, link)
        return self

    def __exit__(self, *_: object) -> None:
        """Have all as it was, and the signals come that were held last."""
        links, self._links = self._links, {}
        for number, link in links.items():
            link.end()
            # Another's, who came later and goes later, leads here.
            handler: object = signal.getsignal(number)
            if handler is link:
                signal.signal(number, link.before)
        self.held = False
        came, self.came = self.came, []
        for number in came:
            signal.raise_signal(number)

    @contextmanager
    def hold(self) -> Generator[None]:
        """Let none through within this context; then those that came, if it did before."""
        held, self.held = self.held, True
        try:
            yield
        finally:
            self.held = held
        if not held:
            self.let_through()

    def holds(self, frame: Any) -> bool:
        """Tell whether a signal that came at a frame is to be noted only."""
        return self.held or (frame is not None and frame.f_code is self._leave)

    def let_through(self) -> None:
        """Have those come that were held, and from now on each when it comes."""
        self.held = False
        while self.came:
            number = self.came.pop(0)
            self._links[number](number, None)
