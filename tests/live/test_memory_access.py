"""A guest on arm64 whose pages are restricted: each access of its, exactly, and how it goes on.

That takes a hypervisor with CONFIG_MEM_ACCESS, which Debian's lacks: `make live ARCH=arm64
XEN=FILE`.  Debian's has to say so.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from live.runs import Run
from live.test_arm64 import LOADED_AT, a_round
from xen_vm_event import v7

ROUNDS = 5
WRITTEN, READ, CALLED = 0x40400128, 0x40500010, 0x40600000


@pytest.fixture
def steps(request: pytest.FixtureRequest, live: Run) -> Run:
    """A run on a hypervisor that has memory access."""
    if request.config.getoption("--arch") != "arm64":
        pytest.skip("QEMU's x86 has no EPT, which memory access takes")
    if request.config.getoption("--xen") is None:
        pytest.skip("takes XEN=FILE, a hypervisor with CONFIG_MEM_ACCESS")
    return live


def access(live: Run, kind: int, address: int, pc: int) -> dict[str, Any]:
    """What is told of an access; without an MMU the address is that of the memory."""
    return {
        "reason": "MEM_ACCESS",
        "pc": pc,
        "gfn": address // 4096,
        "offset": address % 4096,
        "gla": address,
        "flags": kind | v7.MEM_ACCESS_GLA_VALID | v7.MEM_ACCESS_FAULT_WITH_GLA,
    }


def request_of_its_own(live: Run) -> dict[str, Any]:
    return {
        "reason": "GUEST_REQUEST",
        "pc": LOADED_AT + live.labels["guest_request"] + 4,
    }


def test_each_access_to_a_page_that_may_not_have_it(steps: Run) -> None:
    step = steps.steps["access: pages"]
    assert (step.status, step.stderr) == (0, "")
    at = {name: LOADED_AT + place for name, place in steps.labels.items()}
    assert step.objects == ROUNDS * [
        request_of_its_own(steps),
        access(steps, v7.MEM_ACCESS_W, WRITTEN, at["write_page"]),
        access(steps, v7.MEM_ACCESS_R, READ, at["read_page"]),
        access(steps, v7.MEM_ACCESS_X, CALLED, CALLED),
    ]


def test_each_page_in_which_it_carries_out_instructions_once(steps: Run) -> None:
    step = steps.steps["access: everything"]
    assert (step.status, step.stderr) == (0, "")
    accesses = [each for each in step.objects if each["reason"] == "MEM_ACCESS"]
    assert sorted(each["gfn"] for each in accesses) == [
        LOADED_AT // 4096,
        CALLED // 4096,
    ]
    for each in accesses:
        assert each == access(steps, v7.MEM_ACCESS_X, each["pc"], each["pc"])
    others = [each for each in step.objects if each not in accesses]
    assert others == ROUNDS * [request_of_its_own(steps)]


def test_pages_are_as_they_were_when_the_monitor_has_left(steps: Run) -> None:
    step = steps.steps["access: pages left"]
    assert (step.status, step.stderr) == (0, "")
    told = [json.loads(line) for line in step.stdout.splitlines()]
    assert [access for _, access in told] == 4 * ["rwx"]


def test_the_guest_goes_on_as_if_its_pages_had_never_been_restricted(
    steps: Run,
) -> None:
    step = steps.steps["after access"]
    assert step.status == 0
    request, call = a_round(steps)
    assert step.events[2:] in (9 * [request, call], 9 * [call, request])


def test_a_build_without_memory_access_says_so(
    request: pytest.FixtureRequest, live: Run
) -> None:
    if request.config.getoption("--arch") != "arm64":
        pytest.skip("QEMU's x86 has no EPT, which memory access takes")
    if request.config.getoption("--xen") is not None:
        pytest.skip("is for Debian's hypervisor, without CONFIG_MEM_ACCESS")
    for name in ("pages", "everything"):
        step = live.steps[f"access: {name}"]
        assert step.status == 1
        assert "this build of Xen does not have that" in step.stderr
