"""What docs/recipes.md says, on a Xen that is played: each recipe has a guest to try it on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PROJECT
from xen_vm_event import v7
from xen_vm_event.monitor import Recording
from xen_vm_event.pytest_plugin import play_xen, played_xen
from xen_vm_event.testing import (
    Instruction,
    PlayedXen,
    Vcpu,
    cpuid,
    execute,
    guest_request,
    read,
    write,
    write_cr3,
)

# By name, since a plugin would be the whole run's.
__all__ = ["play_xen", "played_xen"]

TEXT = (PROJECT / "docs/recipes.md").read_text(encoding="utf-8")
# Each recipe's program by its heading.
RECIPES = {
    heading: "".join(
        re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    )
    for heading, _, text in (part.partition("\n") for part in TEXT.split("\n## ")[1:])
}
TRIED = {
    "Hide a CPUID leaf",
    "Follow a process by its CR3",
    "Break on a function",
    "Watch a page",
    "Switch views",
    "Answer asynchronously",
    "Page a guest's memory out",
    "Test your own monitor",
    "Replay a recording",
}


def cook(recipe: str) -> None:
    """Run a recipe's program, as the main one."""
    exec(compile(RECIPES[recipe], recipe, "exec"), {"__name__": "__main__"})


def test_every_recipe_is_tried() -> None:
    assert set(re.findall(r"^## (.*)$", TEXT, re.MULTILINE)) == set(RECIPES) == TRIED


def test_hide_a_cpuid_leaf(played_xen: PlayedXen) -> None:
    seen: list[tuple[int, int]] = []

    def script(vcpu: Vcpu) -> Iterator[Instruction]:
        for leaf in (1, 0x40000000, 7):
            yield cpuid(leaf, result=(1, 2, 1 << 31 | 3, 4))
            seen.append((vcpu.registers.rax, vcpu.registers.rcx))

    played_xen.guests[1].script(script)
    cook("Hide a CPUID leaf")
    assert seen == [(1, 3), (0, 0), (1, 1 << 31 | 3)]


def test_follow_a_process(
    played_xen: PlayedXen, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = played_xen.guests[1]
    guest.script([write_cr3(0x4000), write_cr3(0x5000 | 1), write_cr3(0x6000)])
    cook("Follow a process by its CR3")
    assert capsys.readouterr().out == "vCPU 0 runs it\nvCPU 0 runs another\n"


def test_break_on_a_function(
    played_xen: PlayedXen, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = played_xen.guests[1]
    guest.memory.write(0x3000, b"\x90")
    vcpu = guest.script([execute(0x2FFF), execute(0x3000), execute(0x3001)] * 2)
    vcpu.registers.rdi = 0x77
    cook("Break on a function")
    assert capsys.readouterr().out == "vCPU 0 calls it with 0x77\n" * 2
    assert guest.memory.read(0x3000, 1) == b"\x90"


def test_watch_a_page(
    played_xen: PlayedXen, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = played_xen.guests[1]
    guest.script([write(0x5008, b"abcd"), read(0x5008, 4), write(0x5010, b"efgh")])
    cook("Watch a page")
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(" at ")[0] for line in said] == [
        *("vCPU 0 writes 0x8 of 0x5", "vCPU 0 writes 0x10 of 0x5")
    ]
    assert guest.memory.read(0x5008, 12) == b"abcd\0\0\0\0efgh"


def test_switch_views(played_xen: PlayedXen) -> None:
    guest = played_xen.guests[1]
    guest.memory.write(0x5000, b"real")
    guest.memory.write(0x8000, b"fake")
    seen: list[bytes] = []

    def script(_: Vcpu) -> Iterator[Instruction]:
        for process in (0x6000, 0x7000, 0x6000):
            yield write_cr3(process)
            reading = read(0x5000, 4)
            yield reading
            seen.append(reading.value)

    guest.script(script)
    cook("Switch views")
    assert seen == [b"real", b"fake", b"real"]


def test_answer_asynchronously(
    played_xen: PlayedXen, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = played_xen.guests[1]
    for vcpu in (0, 1):
        guest.script([guest_request(), guest_request()], vcpu=vcpu)
    cook("Answer asynchronously")
    said = capsys.readouterr().out.splitlines()
    assert sorted(said) == [*["vCPU 0 may go on"] * 2, *["vCPU 1 may go on"] * 2]
    assert len(guest.answers) == 4


def test_page_out(played_xen: PlayedXen, capsys: pytest.CaptureFixture[str]) -> None:
    guest = played_xen.guests[1]
    guest.memory.write(0x12000, b"kept")
    used = read(0x12000, 4)
    guest.script([read(0x5000), used])
    cook("Page a guest's memory out")
    said = capsys.readouterr().out.splitlines()
    assert said == ["16 pages are out", "vCPU 0 uses page 0x12"]
    assert used.value == b"kept"


def pytest_runs(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have a user's pytest run tests in a folder of their own, with the plugin."""
    (folder / "test_own.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "xen_vm_event.pytest_plugin"]
    return subprocess.run(
        [*command, "--rootdir", str(folder), "test_own.py"],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT / "generated"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_test_your_own_monitor(tmp_path: Path) -> None:
    result = pytest_runs(RECIPES["Test your own monitor"], tmp_path)
    assert "4 passed" in result.stdout, result.stdout


def test_a_monitor_that_is_wrong_fails_its_test(tmp_path: Path) -> None:
    right = "request.data.regs.x86.rcx &= ~(1 << 31)"
    program = RECIPES["Test your own monitor"]
    assert right in program
    wrong = program.replace(right, f"{right}; monitor.answer(request, 8)")
    result = pytest_runs(wrong, tmp_path)
    assert result.returncode == 1
    assert (
        "ignored-flag: domain 1, vCPU 0, EMULATE_NOWRITE for CPUID: there is no EMULATE"
        " with it; leave out the flag; Xen does not heed it here" in result.stdout
    ), result.stdout


def test_replay_a_recording(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = (PROJECT / "tests/data/requests-v7.jsonl").read_text().splitlines()
    recorded = [json.loads(line) for line in lines]
    with Recording(tmp_path / "events.rec") as recording:
        recording.begin(v7, 1, "4.17")
        for each in recorded:
            octets = bytes.fromhex(each["request"])
            recording.request(v7.vm_event_st.from_buffer_copy(octets))
        recording.flush()
    monkeypatch.chdir(tmp_path)
    cook("Replay a recording")
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    wanted = {"CPUID", "WRITE_CTRLREG"}
    assert said == [each["reason"] for each in recorded if each["reason"] in wanted]
