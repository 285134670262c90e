"""What is to be done in order when a monitor leaves, whatever of it fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack


def in_turn(*steps: Callable[[], object]) -> None:
    """Do one after the other, all of them, also if some fail; raises what failed last."""
    with ExitStack() as last_first:
        for step in reversed(steps):
            last_first.callback(step)
