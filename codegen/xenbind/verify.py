"""Verification: three answers to the same questions, held against each other.

Takes the headers and a generated package; compiles the reference file, and compares what
C says with what the package's classes say and with the IR.  Gives a `Report` for each
version; `cli` prints it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import OutputError
from .ir import Coord, Interface
from .pipeline import compiler_for, read
from .reference import answers, compile_reference, coords, expected, reference
from .render import render_reference
from .source import Sources
from .spec import Spec, VersionSpec


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A fact on which C and `party` (the package, or xenbind's layout rules) disagree.

    `c` is what C says and `said` what the party says; None where it says nothing.
    """

    fact: str
    party: str
    c: int | None
    said: int | None
    coord: Coord

    def __str__(self) -> str:
        if self.said is None:
            return (
                f"{self.coord}: {self.fact}: missing from {self.party}, C says {self.c}"
            )
        if self.c is None:
            return f"{self.coord}: {self.fact}: {self.party} has it, the header has not"
        return f"{self.coord}: {self.fact}: expected {self.c}, {self.party} says {self.said}"


@dataclass(frozen=True, slots=True)
class Report:
    """How one version fared: the number of facts that C was asked about, and what failed."""

    version: int
    header: str
    facts: int
    mismatches: tuple[Mismatch, ...]


def verify(
    spec: Spec, version: VersionSpec, out: Path, command: tuple[str, ...]
) -> Report:
    """Hold the package in `out` against one version's header.

    Raises `SourceError` if the header cannot be read, `OutputError` if there is no
    package for its version.
    """
    interface = read(spec, version, command)
    c = _ask_c(spec, version, interface, command)
    package = ask_package(spec.package, out, interface.version)
    known = reference(interface)
    places = coords(known)
    start = Coord(interface.header, 1, 1)
    mismatches = [
        *_compare(c, package, "the package", places, start),
        *_compare(c, expected(known), "xenbind's layout", places, start),
    ]
    return Report(interface.version, interface.header, len(c), tuple(mismatches))


def _ask_c(
    spec: Spec, version: VersionSpec, interface: Interface, command: tuple[str, ...]
) -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="xenbind-") as folder:
        source = Path(folder) / f"v{interface.version}.c"
        source.write_text(render_reference(spec, interface), encoding="utf-8")
        compiler = compiler_for(spec, version, command)
        target = compile_reference(source, compiler, Sources())
        return answers(target, reference(interface))


def ask_package(package: str, out: Path, version: int) -> dict[str, int]:
    """What the generated classes say, in a process of their own."""
    process = subprocess.run(
        [sys.executable, "-m", f"{package}.layout", str(version)],
        env={
            **os.environ,
            "PYTHONPATH": str(out.resolve()),
            "PYTHONSAFEPATH": "1",  # no package of the same name where the user is
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or ["no message"]
        raise OutputError(
            f"cannot import {package} version {version} from {out}: {last[0]}",
            "run `xenbind generate` with the same --out first",
        )
    facts: dict[str, int] = json.loads(process.stdout)
    return facts


def _compare(
    c: Mapping[str, int],
    said: Mapping[str, int],
    party: str,
    places: Mapping[str, Coord],
    start: Coord,
) -> Iterator[Mismatch]:
    for fact in [*c, *(fact for fact in said if fact not in c)]:
        if c.get(fact) != said.get(fact):
            yield Mismatch(
                fact, party, c.get(fact), said.get(fact), places.get(fact, start)
            )
