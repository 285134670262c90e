"""How many events a second the package's monitor answers, beside Xen's own in C, xen-access.

All are of one kind, in one boot, in turns.  Only ratios travel, and those within a turn alone:
others may use the machine meanwhile.
"""

from __future__ import annotations

from statistics import median

import pytest
from live.runs import Run

# Of xen-access's events a second, which prints a line for each.  Both write theirs to a file,
# and by 4 KiB at a time.
LEAST = {"printing": 0.7, "silent": 0.8}


def rates(live: Run, monitor: str) -> list[float]:
    return [
        float(step.stdout)
        for name, step in live.steps.items()
        if name.startswith(f"{monitor} ")
    ]


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
    assert ratio >= LEAST[monitor]
