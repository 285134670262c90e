"""Read all headers of a tree: from its spec to the IR of each of them.

Takes the spec of a tree and a machine; has `pipeline` read each header by itself, several beside
each other, and gives the interfaces, with a note of which types other headers' modules have.

A header that cannot be read by itself is part of the one that includes it, and its declarations
are that one's own; what no header includes is left out, and told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from xenbind import pipeline
from xenbind.errors import CompilerError, SourceError, XenbindError
from xenbind.ir.abi import ABIS, X86_64
from xenbind.ir.homes import at_home
from xenbind.ir.interface import Interface, LeftOut
from xenbind.plain import Struct, replace
from xenbind.source import Coord
from xenbind.spec import Spec
from xenbind.spec.tree import header_specs
from xenbind.toolchain.targets import TARGETS, Machine, candidates
from xenbind.workers import Workers, result


class Tree(Struct, frozen=True):
    """The headers of a tree that were read, each with its spec, and those that were left out."""

    modules: tuple[tuple[Spec, Interface], ...]
    left_out: tuple[LeftOut, ...]


def machines_for(command: tuple[str, ...]) -> dict[str, Machine]:
    """Give a compiler for each target that headers may be for, x86_64 first.

    For that it is the user's own, as it is for a single header.
    """
    found = {X86_64.name: Machine(TARGETS[X86_64.name], command)}
    for name, (first, *_) in candidates(command).items():
        found.setdefault(name, first)
    return found


def read_tree(spec: Spec, machines: Mapping[str, Machine], workers: Workers) -> Tree:
    """Read the headers of a tree, each for the first target that it is for.

    `machines` has a compiler for each target, the first of which is for those headers that do not
    say.  Raises `XenbindError` where no header can be read.
    """
    specs = {each.header: each for each in header_specs(spec)}
    found = dict(_read(specs.values(), machines, workers))
    faults = {name: each for name, each in found.items() if isinstance(each, LeftOut)}
    read = {name: each for name, each in found.items() if name not in faults}
    parts = _parts(spec.versions[0].directory, faults, read)
    again = {
        name: replace(specs[name], parts=tuple(own))
        for name, own in parts.items()
        if own
    }
    is_part: set[str] = set()
    for name, each in _read(again.values(), machines, workers):
        # What is no part of a header after all is left out, as if it were none.
        if isinstance(each, Interface):
            specs[name], read[name] = again[name], each
            is_part.update(again[name].parts)
    modules = {
        specs[name].module: each
        for name, each in read.items()
        if isinstance(each, Interface)
    }
    if not modules:
        raise _none_read(list(faults.values()))
    settled = at_home(modules)
    return Tree(
        modules=tuple(
            (each, settled[each.module])
            for each in specs.values()
            if each.module in settled
        ),
        left_out=tuple(
            each
            for each in found.values()
            if isinstance(each, LeftOut) and each.name not in is_part
        ),
    )


def read_one(spec: Spec, header: str, machines: Mapping[str, Machine]) -> Interface:
    """Read one header of a tree by itself, as it is named there.

    Raises `XenbindError` for a name that the tree has not, or without a compiler for it, and as
    `pipeline.read` does.
    """
    specs = {each.header: each for each in header_specs(spec)}
    if header not in specs:
        from difflib import get_close_matches

        near = get_close_matches(header, specs, 3) or list(specs)[:3]
        raise XenbindError(
            f"{spec.versions[0].directory} has no header '{header}' of the spec's",
            f"name one as the tree does, such as {' or '.join(near)}",
        )
    machine = _machine(specs[header], machines)
    if machine is None:
        raise CompilerError(
            f"there is no compiler here for {' or '.join(specs[header].only)}",
            f"install one: {header} is for nothing else",
        )
    return _read_one(specs[header], machine)


def _read(
    specs: Iterable[Spec], machines: Mapping[str, Machine], workers: Workers
) -> Iterator[tuple[str, Interface | LeftOut]]:
    """Read headers beside each other; of one that cannot be read, give why not.

    Raises `SourceError` for what the spec says wrong, whichever header that is of.
    """
    waiting = [
        (spec, workers.submit(_read_one, spec, machine) if machine else None)
        for spec in specs
        for machine in [_machine(spec, machines)]
    ]
    for spec, future in waiting:
        path = str(spec.versions[0].directory / spec.header)
        if future is None:
            reason = f"there is no compiler here for {' or '.join(spec.only)}"
            yield spec.header, LeftOut(spec.header, reason, Coord(path, 1, 1))
            continue
        try:
            yield spec.header, result(future)
        except SourceError as error:
            if any(each.coord.file == spec.places.file for each in error.each):
                raise
            yield spec.header, LeftOut(spec.header, error.message, error.coord)


def _machine(spec: Spec, machines: Mapping[str, Machine]) -> Machine | None:
    """Give the first machine that a header is for, None where there is none."""
    wanted = spec.only or tuple(machines)[:1]
    return next((machines[name] for name in wanted if name in machines), None)


def _read_one(spec: Spec, machine: Machine) -> Interface:
    if any("\udc80" <= char <= "\udcff" for char in spec.header):
        raise SourceError(
            Coord(str(spec.versions[0].directory / spec.header), 1, 1),
            "the name of a tree's header must be text in UTF-8",
            "give it another name",
        )
    abi = ABIS[machine.target.name]
    return pipeline.read(spec, spec.versions[0], machine.command, abi)


def _parts(
    directory: Path,
    faults: Iterable[str],
    read: Mapping[str, Interface | LeftOut],
) -> Mapping[str, Sequence[str]]:
    """Give the header that each file belongs to which cannot be read by itself.

    Of those that include it that is the one which reads the fewest files.
    """
    files = {
        name: {os.path.realpath(file) for file in each.files}
        for name, each in read.items()
        if isinstance(each, Interface)
    }
    parts: dict[str, list[str]] = {name: [] for name in files}
    for part in faults:
        place = os.path.realpath(directory / part)
        including = [name for name, own in files.items() if place in own]
        if including:
            parts[min(including, key=lambda name: (len(files[name]), name))].append(
                part
            )
    return parts


def _none_read(left_out: Sequence[LeftOut]) -> XenbindError:
    first = left_out[0]
    return SourceError(
        first.coord,
        first.reason,
        f"none of {len(left_out)} headers can be read by itself, and this is the first; name"
        " what all of them need under 'needs' or 'defines' in a spec",
    )
