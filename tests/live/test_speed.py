"""How many events a second the package's monitor answers, beside Xen's own in C, xen-access.

All are of one kind, in one boot, in turns.  Only ratios travel, and those within a turn alone:
others may use the machine meanwhile.
"""

from __future__ import annotations

import json
from statistics import median

import pytest
from live.runs import Run

# Of xen-access's events a second, which prints a line for each.  Both write theirs to a file,
# by 8 and by 4 KiB at a time.
LEAST = {"printing": 0.7, "silent": 0.8}


def turns(live: Run, monitor: str) -> list[dict[str, float]]:
    return [
        json.loads(step.stdout)
        for name, step in live.steps.items()
        if name.startswith(f"{monitor} ")
    ]


def rates(live: Run, monitor: str) -> list[float]:
    return [turn["rate"] for turn in turns(live, monitor)]


def spent(live: Run, monitor: str) -> str:
    """Where the time of one event goes; what is elsewhere is Xen's, the guest's, or nobody's."""
    answered = [turn for turn in turns(live, monitor) if turn["rate"]]
    whole = median(1e6 / turn["rate"] for turn in answered)
    own, linux = (median(turn[part] for turn in answered) for part in ("own", "linux"))
    return (
        f"{monitor}: of {whole:.0f} us for an event {own:.0f} in its own code, {linux:.0f} in"
        f" Linux for that, {whole - own - linux:.0f} elsewhere"
    )


@pytest.mark.parametrize("monitor", LEAST)
def test_it_answers_about_as_many_as_xens_own(
    live: Run, monitor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = rates(live, monitor), rates(live, "xen-access")
    assert len(ours) == len(theirs) >= 5
    if not all(theirs):
        pytest.skip("xen-access answers nothing on a Xen without CONFIG_MEM_ACCESS")
    ratios = sorted(mine / its for mine, its in zip(ours, theirs, strict=True))
    ratio = median(ratios)
    with capsys.disabled():
        print(f"\n{monitor}: {median(ours):.0f} events a second", end="")
        print(f" to {median(theirs):.0f} of xen-access: {ratio:.2f}", end="")
        print(f" ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(spent(live, monitor), spent(live, "xen-access"), sep="\n")
    assert ratio >= LEAST[monitor]
