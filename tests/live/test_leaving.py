"""How a monitor ends, and what it says when it cannot begin, on every architecture."""

from __future__ import annotations

import re

import pytest
from live.runs import Run
from xen_vm_event.monitor import EVENTS


@pytest.mark.parametrize("step", ["Ctrl-C", "SIGTERM", "guest dies"])
def test_a_monitor_that_is_told_to_ends_well(live: Run, step: str) -> None:
    ended = live.steps[step]
    assert ended.status == 0
    assert len(ended.events) >= 10
    assert ended.stderr.endswith(
        f"left domain 1 after {len(ended.events)} events\n"
    ), ended.stderr


def test_a_dead_guest_leaves_nothing_behind(live: Run) -> None:
    assert "guest" not in live.steps["domains"].stdout
    assert "(null)" not in live.steps["domains"].stdout


def test_a_handlers_exception_is_shown(live: Run) -> None:
    failing = live.steps["failing handler"]
    assert failing.status == 1
    assert failing.stderr.endswith("Failure: on purpose\n")


def test_another_versions_requests_are_not_decoded(live: Run) -> None:
    other = live.steps["other version"]
    assert (other.status, other.stdout) == (1, "")
    assert other.stderr.endswith(
        "\nmonitor: domain 1: the hypervisor speaks vm_event version 7, not 6;"
        " use interface(7)\n"
    )


def test_a_killed_monitors_ring_is_busy_until_it_is_freed(live: Run) -> None:
    assert live.steps["SIGKILL"].status == -9
    assert live.steps["after SIGKILL"].status == 1
    assert "Device or resource busy" in live.steps["after SIGKILL"].stderr
    assert live.steps["recover"].status == 0


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "second monitor",
            "domain 1: xc_monitor_enable: Device or resource busy; another monitor, or pager,"
            " has it already; if that was killed, run with --recover first",
        ),
        (
            "no such domain",
            "domain 77: xc_monitor_enable: No such process; there is no such domain;"
            " `xl list` shows those there are",
        ),
        (
            "dom0 itself",
            "domain 0: xc_monitor_enable: Invalid argument; this guest, or this build of Xen,"
            " does not support that",
        ),
        (
            "no root",
            "domain 1: xc_interface_open: Permission denied; run this as root in dom0",
        ),
        (
            "no such event",
            f"domain 1: no event 'nonsense'; name one of {', '.join(EVENTS)}",
        ),
        (
            "unknown version",
            "domain 1: no bindings for vm_event version 99: there are versions"
            " 1, 2, 3, 4, 5, 6, 7; make them from that Xen's headers with"
            " `xenbind add-version DIR`",
        ),
    ],
)
def test_what_cannot_be_done_is_told_with_advice(
    live: Run, step: str, message: str
) -> None:
    assert live.steps[step].status == 1
    assert live.steps[step].stderr == f"monitor: {message}\n"


def test_an_event_that_the_machine_does_not_have(live: Run) -> None:
    """It is told before anything is attached, so that nothing is watched."""
    step = live.steps["unsupported event"]
    assert step.status == 1
    assert re.fullmatch(
        r"monitor: domain 1: (cpuid|privileged_call): this machine, or this build of Xen, does not"
        r" report that of this guest; it reports [a-z_, ]*guest_request[a-z_, ]*\n",
        step.stderr,
    )
