"""Hold independent answers to the same questions against each other.

Takes the headers and a generated package; has `oracle` compile questions for a machine, and
compares what C's expressions say, what the compiler's debug information says, what
xenbind's layout rules say, and what was generated.  Gives a version's `Report` for one
machine, which `command` prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from xenbind.backend import abi_table
from xenbind.backend.python_facts import class_questions
from xenbind.commands.verify.debug_oracle import DebugOracle
from xenbind.commands.verify.oracle import Oracle
from xenbind.commands.verify.report import Mismatch, Report
from xenbind.errors import SystemFailure
from xenbind.facts import dwarf, symbols
from xenbind.facts.package import start_asking
from xenbind.facts.probes import Answer, coords, expected, questions
from xenbind.facts.symbols import Installed
from xenbind.ir.interface import Interface
from xenbind.pipeline import compiler_for, read
from xenbind.plain import Struct
from xenbind.source import Coord
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.targets import Machine, host
from xenbind.words import edition
from xenbind.workers import NICENESS, Workers

Asked = Callable[[], Mapping[str, Answer]]


class _Source(Struct, frozen=True):
    """A source of facts.  `covers` says whether it must know a fact; it may know others."""

    name: str
    answers: Mapping[str, Answer]
    covers: Callable[[str], bool] = lambda fact: True

    def speaks_of(self, fact: str) -> bool:
        return fact in self.answers or self.covers(fact)


def verify(
    spec: Spec, version: VersionSpec, out: Path, machine: Machine, workers: Workers
) -> Report:
    """Read one version's header for a machine, and hold it as `hold` does.

    Raises `SourceError`, too, if the header cannot be read.
    """
    debug = _debug_oracle(spec, version, machine, workers)
    debug.start_reading()  # while it is read here, too
    package = None
    if spec.version_macro is None or version.entry is not None:
        package = _ask_package(
            spec, edition(version.number, version.release), out, machine
        )
    interface = read(spec, version, machine.command, machine.target.abi)
    return _hold(spec, version, interface, out, machine, debug, package)


def hold(
    spec: Spec,
    version: VersionSpec,
    interface: Interface,
    out: Path,
    machine: Machine,
    workers: Workers,
) -> Report:
    """Hold one version's header, and what was generated from it, against a compiler.

    `interface` is the header as read for the machine.  Raises `SourceError` if the compiler
    refuses what it is asked, `OutputError` or `SystemFailure` if there is no package for the
    version.
    """
    debug = _debug_oracle(spec, version, machine, workers)
    return _hold(spec, version, interface, out, machine, debug, None)


def _debug_oracle(
    spec: Spec, version: VersionSpec, machine: Machine, workers: Workers
) -> DebugOracle:
    compiler = compiler_for(spec, version, machine.command)
    return DebugOracle(compiler, version.directory / spec.header, workers)


def _hold(
    spec: Spec,
    version: VersionSpec,
    interface: Interface,
    out: Path,
    machine: Machine,
    debug: DebugOracle,
    package: Asked | None,
) -> Report:
    package = package or _ask_package(spec, interface.edition, out, machine)
    asked = questions(interface)
    debug_answers = debug.start_asking(interface, asked)
    oracle = Oracle(spec, interface, debug.compiler, debug.header)
    # Thought of while other questions are compiled.
    of_classes = cache(partial(class_questions, interface))
    c = oracle.ask_expressions(asked.pieces(of_classes))
    asked = asked.also(of_classes())
    own = expected(asked)
    told_by_dwarf = debug_answers()
    told = {probe.name for probe in asked.told}
    title = spec.titled(interface.title)
    where = title, interface.abi
    sources = [
        _Source("C", c, lambda fact: fact not in told),
        _Source("DWARF", told_by_dwarf, dwarf.covers),
        _Source("xenbind", own),
    ]
    if not spec.is_module:  # a tree has no such table
        table = _read_table(out)
        is_known = abi_table.knows(table, *where)
        covers = abi_table.covers if is_known else (lambda fact: False)
        sources.append(_Source("abi.md", abi_table.read(table, *where), covers))
    if package is not None:
        sources.append(_Source("the package", package()))
    start = Coord(interface.header, 1, 1)
    found = list(_compare(sources, partial(coords, asked), start))
    library = _library(interface, version, machine)
    if library is not None:
        sources = [
            _Source("the header", symbols.expected(interface.functions)),
            _Source(str(library.path), library.answers(interface.functions)),
        ]
        found += _compare(sources, partial(symbols.coords, interface.functions), start)
    return Report(
        target=machine.target.name,
        command=" ".join(machine.command),
        version=interface.version,
        title=title,
        header=interface.header,
        facts=len(c),
        dwarf_facts=len(told_by_dwarf),
        functions=len(interface.functions),
        library=None if library is None else library.path,
        mismatches=tuple(item for item in found if not item.within_compiler),
        differing=tuple(item for item in found if item.within_compiler),
    )


def _ask_package(spec: Spec, edition: str, out: Path, machine: Machine) -> Asked | None:
    """Start to ask the classes of a package, and give what waits for their answers.

    They speak the ABI of the Python that runs them: on another machine's target there is nothing
    to ask.
    """
    if machine.target != host():
        return None
    return start_asking(spec.module_of(edition), out, NICENESS)


def _library(
    interface: Interface, version: VersionSpec, machine: Machine
) -> Installed | None:
    """Find the library that the functions are in, if the machine has it installed.

    It is the one that the package would load here, or else one to link with for the target.
    """
    if interface.library is None:
        return None
    name, releases = interface.library.name, version.releases
    found = None
    if machine.target == host():
        found = symbols.loaded(name, releases, machine.target)
    return found or symbols.installed(name, releases, machine.command)


def _read_table(out: Path) -> str:
    """Read the generated ABI table."""
    path = out / "abi.md"
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SystemFailure(
            f"cannot read {path}: {error.strerror}",
            "run `xenbind generate` with the same --out first",
        ) from error


def _compare(
    sources: Sequence[_Source], places: Callable[[], Mapping[str, Coord]], start: Coord
) -> Iterator[Mismatch]:
    """Give a mismatch for each fact on which those who speak of it differ.

    Its place is one of `places`, or else the `start`.
    """
    # The look at all is a quick one: there are thousands, and most are alike to all.
    everything: dict[str, Answer] = {}
    differing: set[str] = set()
    for source in sources:
        said = source.answers
        if not said.items() <= everything.items():
            known = said.keys() & everything.keys()
            differing |= {fact for fact in known if said[fact] != everything[fact]}
            everything |= said
    for source in sources:
        if len(source.answers) < len(everything):
            unsaid = everything.keys() - source.answers.keys()
            differing.update(filter(source.covers, unsaid))
    if not differing:
        return
    where = places()
    for fact in filter(differing.__contains__, everything):
        told = tuple(
            (source.name, source.answers.get(fact))
            for source in sources
            if source.speaks_of(fact)
        )
        yield Mismatch(fact, told, where.get(fact, start), _within(dict(told)))


def _within(said: Mapping[str, Answer | None]) -> bool:
    """Tell whether all say what C says, but for a DWARF that says something else.

    gcc and clang write some bit-fields' places wrongly, and then contradict themselves.
    A member that only one of the two knows is no such case.
    """
    others = {value for source, value in said.items() if source != "DWARF"}
    return len(others) == 1 and None not in (said.get("DWARF"), *others)
