"""What a run of the scenario left: its steps, and the events that monitors printed in them."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import xenbind

# What a monitor prints of an event, but for the vCPU: its reason, where, and what of.
Event = tuple[str, int, dict[str, int | str]]


@dataclass(frozen=True)
class Step:
    """A command that ran in dom0."""

    status: int | str
    stdout: str = ""
    stderr: str = ""
    recording: str = ""

    @property
    def events(self) -> list[Event]:
        """The events that a monitor printed as text."""
        return [_event(line) for line in self.stdout.splitlines()]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Its lines of JSON."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def decoded(self, arch: str, folder: Path) -> list[dict[str, Any]]:
        """What `xenbind decode` says of what the monitor recorded."""
        recording = folder / "recording"
        recording.write_bytes(base64.b64decode(self.recording))
        result = xenbind("decode", "--json", "--arch", arch, recording)
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]


@dataclass(frozen=True)
class Run:
    """A machine's run: each step by its name, the labels of its guest, and Xen's release."""

    steps: dict[str, Step] = field(repr=False)
    labels: dict[str, int] = field(repr=False)
    release: str


def _event(line: str) -> Event:
    found = re.fullmatch(r"vCPU 0 (0x\w+) (\w+)((?:,? \w+=\w+)*)", line)
    assert found, line
    details: dict[str, int | str] = {
        name: int(value, 0) if value[0].isdigit() else value
        for name, value in re.findall(r"(\w+)=(\w+)", found[3])
    }
    return found[2], int(found[1], 0), details


def is_same(event: Event, decoded: dict[str, Any], pc: str) -> bool:
    """Whether a printed event is what `xenbind decode` says of its recording."""
    reason, where, details = event
    names = {
        name.removesuffix("_name"): value
        for name, value in decoded["details"].items()
        if name.endswith("_name")
    }
    return (
        decoded["reason_name"] == reason
        and decoded["registers"][pc] == where
        and {**decoded["details"], **names}.items() >= details.items()
    )
