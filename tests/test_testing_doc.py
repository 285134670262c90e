"""What docs/testing.md says of a played Xen: its tables against the code, its programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from recordings import record
from support import PROJECT
from xen_vm_event import interface_for_xen, testing
from xen_vm_event.monitor import Xen
from xen_vm_event.monitor.channel import Channel
from xen_vm_event.testing import ADVICE, RELEASES, played

TEXT = (PROJECT / "docs/testing.md").read_text(encoding="utf-8")
NEWEST = interface_for_xen(RELEASES[-1])
REASONS = set(NEWEST.VmEventReason.__members__)
FLAGS = set(NEWEST.VmEventFlag.__members__)
# Of these there is no instruction: of no ring that monitors have, or made by Xen itself.
NO_INSTRUCTIONS = {
    *("UNKNOWN", "MEM_SHARING", "MEM_PAGING", "SINGLESTEP"),
    *("EMUL_UNIMPLEMENTED", "INGUEST_PAGEFAULT", "VMEXIT"),
}
# What an answer repeats, and what tells of a request alone.
NOT_OF_ANSWERS = {"VCPU_PAUSED", "FOREIGN", "NESTED_P2M"}


def section(heading: str) -> str:
    [found] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    return str(found)


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, but for its first row."""
    rows = re.findall(r"^\|(.*)\|$", section(heading), re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


def program(heading: str) -> str:
    [found] = re.findall(r"^```python\n(.*?)^```$", heading, re.M | re.S)
    return str(found)


# --- instructions -------------------------------------------------------------------------


class Told(NamedTuple):
    """A row of the table of instructions: one as it is written, and what is said of it."""

    code: str
    event: str
    architectures: str
    does: str
    answered: str

    @property
    def name(self) -> str:
        return self.code.partition("(")[0]

    @property
    def instruction(self) -> Any:
        return eval(self.code, dict(vars(testing)))


def instructions() -> list[Told]:
    found: list[Told] = []
    for cells in table("Instructions"):
        code, *rest = cells
        found.append(Told(code.strip("`") or found[-1].code, *rest))
    return found


def test_every_instruction_is_told_of() -> None:
    there = {name for name in testing.__all__ if name.islower()} - {"played"}
    assert {each.name for each in instructions()} == there


def test_every_event_of_an_instruction_is_told_of() -> None:
    assert {each.event for each in instructions()} == REASONS - NO_INSTRUCTIONS


@pytest.mark.parametrize("told", instructions(), ids=lambda told: told.code)
def test_an_instruction_is_what_is_told_of_it(told: Told) -> None:
    made = told.instruction
    assert told.architectures == ", ".join(made.architectures)
    if told.event != "SOFTWARE_BREAKPOINT":  # which `execute` is at some byte
        assert made.reason == told.event
    if told.answered != "the same":
        assert ("comes again" in told.answered) == made.waits_for_monitor
        assert ("DENY" in told.answered) == (told.event in heeding("DENY"))


# --- answers ------------------------------------------------------------------------------


def heeding(flags: str) -> set[str]:
    """The events of which Xen does what an answer's flags say, by the table."""
    [events] = [events for told, events, _ in table("Answers") if told == flags]
    named = set(events.split(", "))
    return REASONS if "all" in named else named


def is_heeded(event: str, flags: list[str], steps: bool) -> bool:
    """Whether Xen does what an answer's flags say, of a request of some event."""
    with played(strict=False) as xen, Xen() as own:
        guest, vm_event, functions = xen.guests[1], xen.vm_event, own.functions
        request = vm_event.vm_event_st(
            version=vm_event.VM_EVENT_INTERFACE_VERSION,
            reason=vm_event.VmEventReason[event],
            flags=guest.flag("VCPU_PAUSED"),
        )
        guest.rounds.append([request])
        if steps:
            functions.xc_monitor_singlestep(own.handle, 1, True)
        channel = Channel(own, 1)
        ring = vm_event.BackRing(channel.page, start=0)
        ring.sring.shared_ring_init()
        channel.next(1000)
        for each in ring.requests():
            ring.respond(each, flags=sum(guest.flag(flag) for flag in flags))
        assert ring.push_responses_and_check_notify()
        channel.notify()
        ring.detach()
        channel.close()
    return "ignored-flag" not in xen.findings.kinds


def test_every_flag_of_answers_is_told_of() -> None:
    told = {flag for flags, *_ in table("Answers") for flag in flags.split(", ")}
    assert told == FLAGS - NOT_OF_ANSWERS


@pytest.mark.parametrize("flags", [flags for flags, *_ in table("Answers")])
def test_a_flag_is_heeded_of_the_events_that_are_told(flags: str) -> None:
    given = flags.split(", ")
    heeded = {each for each in REASONS if is_heeded(each, given, steps=True)}
    assert heeded == heeding(flags)


def test_which_flag_needs_single_steps() -> None:
    needs = {
        flags
        for flags, events, _ in table("Answers")
        if "with single steps switched on" in events
    }
    event = "MEM_ACCESS"
    heeded = [flags for flags, *_ in table("Answers") if event in heeding(flags)]
    found = {f for f in heeded if not is_heeded(event, f.split(", "), steps=False)}
    assert found == needs


# --- what is found, and what is there -----------------------------------------------------


def test_every_kind_of_finding_is_told_of() -> None:
    assert dict(table("What is found")) == ADVICE


def test_what_there_is() -> None:
    with played() as xen:
        assert list(xen.guests) == [1, 2]
        assert [len(guest.vcpus) for guest in xen.guests.values()] == [2, 2]
        assert xen.guests[1].memory.last_gfn == 0xFF
    told = section("What there is")
    for said in ("`xen.guests[1]` and `xen.guests[2]`", "two in each guest", "0xff"):
        assert said in told


def test_its_first_program(capsys: pytest.CaptureFixture[str]) -> None:
    exec(program(TEXT.partition("\n## ")[0]), {})
    said = capsys.readouterr().out
    requests = ["3:GUEST_REQUEST"] * 3
    assert sorted(said.splitlines()[0].split()) == sorted(["0:CPUID", *requests])
    assert said.splitlines()[1] == "{'CR3': 20480}"


def test_its_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path / "events.rec", domain=1)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(program(section("Recordings")), names)
    assert len(names["xen"].guests[1].answers) > 0
