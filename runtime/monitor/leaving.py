"""What is to be done in order when a monitor leaves, whatever of it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any


def in_turn(*steps: Callable[[], object]) -> None:
    """Do one after the other, all of them, also if some fail; raises what failed last."""
    with ExitStack() as last_first:
        for step in reversed(steps):
            last_first.callback(step)


def for_each(items: Iterable[Any], do: Callable[[Any], object]) -> None:
    """Do it with each of the items, as `in_turn` does."""
    in_turn(*(partial(do, item) for item in items))
