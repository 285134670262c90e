"""Two guests at once in one process, by a program that has nothing but the installed package."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from live.runs import Run


def seen(live: Run) -> list[Any]:
    """The domain, reason and place of each event."""
    step = live.steps["two guests"]
    assert (step.status, step.stderr) == (0, "watching\n")
    return step.objects


@pytest.mark.parametrize("domain", [1, 2])
def test_each_guest_does_one_thing_after_the_other(live: Run, domain: int) -> None:
    """No event is missing of either, or taken for the other's."""
    events = [(reason, pc) for number, reason, pc in seen(live) if number == domain]
    alone = {(reason, pc) for reason, pc, _ in live.steps["events"].events}
    length = len(alone)
    # The first round may have begun before the last kind of event was switched on.
    begun = events[length:]
    assert len(begun) >= 15
    a_round = begun[:length]
    assert set(a_round) == alone
    assert begun == [a_round[n % length] for n in range(len(begun))]


def test_neither_waits_for_the_other(live: Run) -> None:
    turns = [number for number, _ in groupby(number for number, _, _ in seen(live))]
    assert len(turns) >= 4
