"""A guest on x86-64, as the monitor sees it: exactly what guest/x86_64.S does, in its order."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from golden_files import check_golden
from live.runs import Event, Run, is_same
from support import PROJECT

# Steps that end in the middle of what the guest does, and after which it is monitored again.
LEAVING = (
    *("left nothing behind", "after Ctrl-C", "after SIGTERM"),
    *("after failing handler", "after other version", "after recover", "after pause"),
)


def a_round(labels: dict[str, int], number: int) -> list[Event]:
    """What the monitor should see in a round of the guest, counted from 1."""
    odd, first = number % 2 == 1, number == 1
    cr4 = (8, 0) if odd else (0, 8)
    cr3 = (0x5000, 0x6000) if odd else (0x6000, 0x5000)
    lstar = 0x1_ABCD_E000
    return [
        (
            "WRITE_CTRLREG",
            labels["write_cr4"],
            {"index": "CR4", "new_value": cr4[0], "old_value": cr4[1]},
        ),
        (
            "WRITE_CTRLREG",
            labels["write_cr3"],
            {"index": "CR3", "new_value": cr3[0], "old_value": 0 if first else cr3[1]},
        ),
        ("GUEST_REQUEST", labels["guest_request"], {}),
        (
            "MOV_TO_MSR",
            labels["write_sysenter_cs"],
            {"msr": 0x174, "new_value": number, "old_value": number - 1},
        ),
        (
            "MOV_TO_MSR",
            labels["write_lstar"],
            {
                "msr": 0xC000_0082,
                "new_value": lstar,
                "old_value": 0 if first else lstar,
            },
        ),
        (
            "CPUID",
            labels["ask_cpuid"],
            {"insn_length": 2, "leaf": 0x12345, "subleaf": 7},
        ),
        (
            "DEBUG_EXCEPTION",
            labels["stepped"],
            {"gfn": 0x100, "pending_dbg": 0, "insn_length": 0, "type": 3},
        ),
    ]


def rounds(live: Run, first: int, count: int) -> list[Event]:
    numbers = range(first, first + count)
    return list(chain.from_iterable(a_round(live.labels, n) for n in numbers))


def test_every_event_from_the_first_instruction_on(live: Run) -> None:
    step = live.steps["events"]
    assert step.status == 0
    assert step.events == rounds(live, first=1, count=10)
    assert Counter(reason for reason, _, _ in step.events) == {
        "WRITE_CTRLREG": 20,
        "GUEST_REQUEST": 10,
        "MOV_TO_MSR": 20,
        "CPUID": 10,
        "DEBUG_EXCEPTION": 10,
    }
    watching, left = step.stderr.splitlines()
    assert watching.startswith("watching domain 1 of Xen ")
    assert left == "left domain 1 after 70 events"


def test_the_readme_shows_what_the_monitor_prints(live: Run) -> None:
    check_golden(PROJECT / "tests/data/monitor.txt", live.steps["events"].stdout)


def test_the_recording_decodes_to_the_same_events(live: Run, tmp_path: Path) -> None:
    step = live.steps["events"]
    decoded = step.decoded("x86", tmp_path)
    assert len(decoded) == 70
    for event, record in zip(step.events, decoded, strict=True):
        assert is_same(event, record, "rip"), (event, record)
        assert (record["version"], record["flags_name"]) == (7, "VCPU_PAUSED")


def test_registers_are_the_guests(live: Run, tmp_path: Path) -> None:
    """As the guest has them at the instruction, by the recording."""
    decoded = live.steps["events"].decoded("x86", tmp_path)
    for number, at in enumerate(range(0, 70, 7), start=1):
        cr4, cr3, request, sysenter, lstar, cpuid, stepped = (
            record["registers"] for record in decoded[at : at + 7]
        )
        assert {record["rbp"] for record in (cr4, cr3, request)} == {number}
        assert cr4["rax"] == 8 * (number % 2)
        assert cr3["cr4"] == cr4["rax"]
        assert request["cr3"] == cr3["rax"] == (0x5000 if number % 2 else 0x6000)
        assert (request["rax"], request["rbx"]) == (34, 24)
        assert (sysenter["rcx"], sysenter["rax"]) == (0x174, number)
        assert (lstar["rcx"], lstar["rdx"], lstar["rax"]) == (
            *(0xC000_0082, 1),
            0xABCD_E000,
        )
        assert lstar["sysenter_cs"] == number
        assert cpuid["msr_lstar"] == 0x1_ABCD_E000
        assert cpuid["rax"] == 0  # the result already, of a leaf that there is not
        assert stepped["rflags"] & 0x100 == 0
        assert (cr4["cs_sel"], cr4["ds_sel"], cr4["ss_sel"]) == (0x08, 0x10, 0x10)
        assert (cr4["cs.limit"], cr4["ds.limit"]) == (0xFFFFF, 0xFFFFF)


def test_descriptor_accesses(live: Run, tmp_path: Path) -> None:
    step = live.steps["descriptors"]
    assert step.status == 0
    gdt, idt, ldt = (("GDTR", 0), ("IDTR", 1), ("LDTR", 0))  # sgdt, lidt, sldt
    decoded = step.decoded("x86", tmp_path)
    places = {
        live.labels["store_gdt"]: gdt,
        live.labels["load_idt"]: idt,
        live.labels["store_ldt"]: ldt,
    }
    order = list(places)
    seen = [record["registers"]["rip"] for record in decoded]
    start = order.index(seen[0])
    assert seen == [order[(start + n) % 3] for n in range(30)]
    for record in decoded:
        details = record["details"]
        assert record["reason_name"] == "DESCRIPTOR_ACCESS"
        assert (details["descriptor_name"], details["is_write"]) == places[
            record["registers"]["rip"]
        ]


def test_json_has_what_decode_says(live: Run, tmp_path: Path) -> None:
    step = live.steps["descriptors"]
    for line, record in zip(step.objects, step.decoded("x86", tmp_path), strict=True):
        assert line.pop("details").items() <= record["details"].items()
        assert line.items() <= record.items()


def test_the_guest_sees_the_cpuid_of_the_monitor(live: Run) -> None:
    """For as long as it is monitored, and never anything else but what the CPU says."""
    assert live.steps["cpuid"].status == 0
    assert len(live.steps["cpuid"].events) == 5
    said = re.findall(
        r"guest: cpuid (.*) round (\w+) exceptions (\w+)", live.steps["console"].stdout
    )
    (chosen, begin, _), (native, end, _) = said
    assert chosen == "11111111 22222222 33333333 44444444"
    assert native == "00000000 00000000 00000000 00000000"
    assert int(end, 16) - int(begin, 16) == 5
    # It steps once a round, after it says this: none of its debug exceptions was lost.
    for _, number, exceptions in said:
        assert int(exceptions, 16) == int(number, 16) - 1


@pytest.mark.parametrize("step", LEAVING)
def test_the_guest_goes_on_as_if_it_had_not_been_watched(live: Run, step: str) -> None:
    """Wherever a monitor left it, its next rounds build on all that it did before."""
    assert live.steps[step].status == 0
    events = live.steps[step].events
    assert len(events) == 20
    starts = [
        (at, details["new_value"])
        for at, (_, where, details) in enumerate(events)
        if where == live.labels["write_sysenter_cs"]
    ]
    # The first round may have begun before the last kind of event was switched on.
    at, number = starts[1]
    assert isinstance(number, int)
    expected = rounds(live, first=number, count=3)[3:]
    assert events[at:] == expected[: len(events) - at]
