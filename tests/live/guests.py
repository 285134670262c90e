"""Assemble the guests: what runs in them, and where the instructions are that a monitor sees."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path(__file__).parent / "guest"


@dataclass(frozen=True)
class Guest:
    """A kernel for a guest, and the addresses of its global labels."""

    kernel: Path
    labels: dict[str, int]


def assemble(arch: str, to: Path, is_for_speed: bool = False) -> Guest:
    """The guest for an architecture of Debian's, by its binutils.

    One for speed does nothing but one thing that can be watched, over and over.
    """
    elf, kernel = to / "guest.elf", to / "guest"
    if arch == "amd64":
        tools = "x86_64-linux-gnu-"
        source, flags = "x86_64.S", ["--32"]
        link = ["-m", "elf_i386", "-T", str(_SOURCES / "x86_64.lds")]
        link += ["--no-warn-rwx-segments"]
        make = ["cp"]
    else:
        tools = "aarch64-linux-gnu-"
        source, flags = "arm64.S", []
        link = ["-Ttext=0"]  # wherever it is loaded: it is independent of that
        make = [f"{tools}objcopy", "--output-target=binary"]
    code = to / "guest.o"
    flags += ["--defsym", "FOR_SPEED=1"] if is_for_speed else []
    _run(f"{tools}as", *flags, str(_SOURCES / source), "-o", str(code))
    _run(f"{tools}ld", *link, str(code), "-o", str(elf))
    _run(*make, str(elf), str(kernel))
    labels = _run(f"{tools}nm", "--extern-only", str(elf)).splitlines()
    return Guest(
        kernel, {name: int(address, 16) for address, _, name in map(str.split, labels)}
    )


def _run(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
