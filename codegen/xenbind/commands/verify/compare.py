"""Verification: independent answers to the same questions, held against each other.

Takes the headers and a generated package; compiles the reference file for a machine, and
compares what C's expressions say, what the compiler's debug information says, what
xenbind's layout rules say, and what was generated.  Gives a `Report` for each version;
`cli` prints it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenbind.backend import abi_table
from xenbind.backend.render import render_reference
from xenbind.errors import OutputError
from xenbind.facts import dwarf
from xenbind.facts.object_file import answers, compile_reference
from xenbind.facts.package import ask_package
from xenbind.facts.probes import coords, expected, reference
from xenbind.ir.interface import Interface
from xenbind.pipeline import compiler_for, read
from xenbind.source import Coord
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.targets import Machine, host


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A fact on which not all say the same: what each party says, None for nothing."""

    fact: str
    said: tuple[tuple[str, int | None], ...]
    coord: Coord

    def __str__(self) -> str:
        (first, value), *others = (
            (party, "nothing" if said is None else said) for party, said in self.said
        )
        rest = "".join(f", {party} {said}" for party, said in others)
        return f"{self.coord}: {self.fact}: {first} says {value}{rest}"


@dataclass(frozen=True, slots=True)
class Report:
    """How one version fared on one machine.

    `facts` were held against C's own expressions, `dwarf_facts` of them against its debug
    information too.
    """

    target: str
    command: str
    version: int
    header: str
    facts: int
    dwarf_facts: int
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class _Party:
    """One who answers.  `tells` says whether it must know a fact; it may know others."""

    name: str
    answers: Mapping[str, int]
    tells: Callable[[str], bool] = lambda fact: True

    def speaks_of(self, fact: str) -> bool:
        return self.tells(fact) or fact in self.answers


def verify(spec: Spec, version: VersionSpec, out: Path, machine: Machine) -> Report:
    """Hold one version's header, and what was generated from it, against a compiler.

    The classes of the package in `out` speak the ABI of the Python that runs them, so
    they are asked on the host's target only.  Raises `SourceError` if the header cannot
    be read, `OutputError` if there is no package for its version.
    """
    interface = read(spec, version, machine.command, machine.target.abi)
    asked = reference(interface)
    own = expected(asked)
    c, debug = _ask_c(spec, version, interface, machine)
    parties = [
        _Party("C", c),
        _Party("DWARF", debug, dwarf.tells),
        _Party("xenbind", own),
        _Party("abi.md", _ask_table(out, interface), abi_table.tells),
    ]
    if machine.target == host():
        package = ask_package(spec.package, out, interface.version)
        parties.append(_Party("the package", package))
    start = Coord(interface.header, 1, 1)
    return Report(
        target=machine.target.name,
        command=" ".join(machine.command),
        version=interface.version,
        header=interface.header,
        facts=len(c),
        dwarf_facts=len(debug),
        mismatches=tuple(_compare(parties, coords(asked), start)),
    )


def _ask_c(
    spec: Spec, version: VersionSpec, interface: Interface, machine: Machine
) -> tuple[dict[str, int], dict[str, int]]:
    """What C's expressions say, and what its debug information says."""
    with tempfile.TemporaryDirectory(prefix="xenbind-") as folder:
        source = Path(folder) / f"v{interface.version}.c"
        source.write_text(render_reference(spec, interface), encoding="utf-8")
        compiler = compiler_for(spec, version, machine.command)
        made = compile_reference(source, compiler)
        debug = dwarf.facts(
            made,
            {record.key for record in interface.records},
            {constant.name for constant in interface.constants},
        )
        return answers(made, reference(interface)), debug


def _ask_table(out: Path, interface: Interface) -> dict[str, int]:
    """What the generated ABI table says of the interface's version and ABI."""
    path = out / "abi.md"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot read {path}: {error.strerror}",
            "run `xenbind generate` with the same --out first",
        ) from error
    return abi_table.read(text, interface.version, interface.abi)


def _compare(
    parties: Sequence[_Party], places: Mapping[str, Coord], start: Coord
) -> Iterator[Mismatch]:
    """A mismatch for each fact on which those who speak of it differ."""
    for fact in dict.fromkeys(fact for party in parties for fact in party.answers):
        said = tuple(
            (party.name, party.answers.get(fact))
            for party in parties
            if party.speaks_of(fact)
        )
        if len({value for _, value in said}) > 1:
            yield Mismatch(fact, said, places.get(fact, start))
