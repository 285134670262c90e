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


class Signals:
    """What would end this process, in the main thread and within this context.

    While it is `held`, a signal is noted only; otherwise, and at `let_through`, it is given to
    the handler that it had before, or raises SystemExit if that is the system's, which would
    end the process.

    `leave` is the code of what leaves this context: Python calls handlers before the first step
    of a function, too, where that has not yet said that signals are held.
    """

    def __init__(self, leave: CodeType | None = None) -> None:
        self._leave = leave
        self.held = False
        self.came: list[int] = []
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self.held = True
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None):
                    self._handlers[number] = handler
                    signal.signal(number, self._come)
        return self

    def __exit__(self, *_: object) -> None:
        """Have all as it was, and the signals come that were held last."""
        for number, handler in self._handlers.items():
            # Another's, who came later and goes later, leads here.
            if signal.getsignal(number) == self._come:
                signal.signal(number, handler)
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

    def let_through(self) -> None:
        """Have those come that were held, and from now on each when it comes."""
        self.held = False
        while self.came:
            self._come(self.came.pop(0), None)

    def _come(self, number: int, frame: Any) -> None:
        if self.held or (frame is not None and frame.f_code is self._leave):
            self.came.append(number)
            return
        handler: Callable[[int, Any], object] | int = self._handlers[number]
        if not callable(handler):
            raise SystemExit(128 + number)
        handler(number, frame)
