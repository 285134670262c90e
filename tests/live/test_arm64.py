"""A guest on arm64, as the monitor sees it: exactly what guest/arm64.S does, in its order."""

from __future__ import annotations

from pathlib import Path

import pytest
from live.runs import Event, Run, is_same

LOADED_AT = 0x4000_0000  # where Xen puts a guest's kernel


def a_round(live: Run) -> list[Event]:
    """A guest request is told with pc behind its hypercall, a privileged call with pc at it."""
    return [
        ("GUEST_REQUEST", LOADED_AT + live.labels["guest_request"] + 4, {}),
        ("PRIVILEGED_CALL", LOADED_AT + live.labels["privileged_call"], {}),
    ]


def test_every_event_from_the_first_instruction_on(live: Run) -> None:
    step = live.steps["events"]
    assert step.status == 0
    assert step.events == 10 * a_round(live)
    assert step.stderr.startswith(f"watching domain 1 of Xen {live.release}\n")


def test_the_recording_decodes_to_the_same_events(live: Run, tmp_path: Path) -> None:
    step = live.steps["events"]
    for event, record in zip(step.events, step.decoded("arm", tmp_path), strict=True):
        assert is_same(event, record, "pc"), (event, record)


def test_registers_are_the_guests(live: Run, tmp_path: Path) -> None:
    """A round later only because pc was moved on behind the privileged call."""
    decoded = live.steps["events"].decoded("arm", tmp_path)
    registers = [record["registers"] for record in decoded]
    assert [each["ttbr0"] for each in registers] == [
        number << 12 for number in range(1, 11) for _ in range(2)
    ]
    assert {each["ttbr1"] for each in registers} == {0x1234_5678_9000}
    el1h = 0b0101
    assert {each["cpsr"] & 0b1111 for each in registers} == {el1h}


@pytest.mark.parametrize(
    "step",
    [
        *("left nothing behind", "after Ctrl-C", "after SIGTERM"),
        *("after failing handler", "after other version", "after recover"),
        *("after two guests", "after two guests, second"),
    ],
)
def test_the_guest_goes_on_as_if_it_had_not_been_watched(live: Run, step: str) -> None:
    assert live.steps[step].status == 0
    events = live.steps[step].events
    assert len(events) == 20
    # The first round may have begun before the last kind of event was switched on.
    request, call = a_round(live)
    assert events[2:] in (9 * [request, call], 9 * [call, request])
