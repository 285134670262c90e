"""`xenbind verify`: hold the generated package against compiled C, on one target or many.

Takes a spec or a foreign header tree and the targets; `compare` makes a report for each
version and machine, and `report` puts them into words or JSON for this to print.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from xenbind.colours import say
from xenbind.commands.verify import compare
from xenbind.commands.verify.report import Report, as_json, text, total
from xenbind.errors import SourceError, describe
from xenbind.ir.abi import ABIS
from xenbind.options import (
    cc_option,
    include_option,
    json_option,
    load_spec,
    of_tree,
    out_option,
    places,
    spec_option,
    tree_option,
)
from xenbind.spec import Spec
from xenbind.toolchain.compiler import find_compiler
from xenbind.toolchain.targets import Machine, find_machines
from xenbind.tree import read_tree
from xenbind.words import count
from xenbind.workers import NICENESS, Workers


@click.command()
@spec_option
@include_option
@tree_option
@out_option
@cc_option
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice([*ABIS, "all"]),
    help="Compile for this machine, or all that there is a compiler for; may be repeated."
    "  [default: the compiler's own]",
)
@json_option
def verify(
    spec: Path | None,
    include: Sequence[Path],
    tree: Path | None,
    out: Path | None,
    cc: str | None,
    targets: tuple[str, ...],
    wants_json: bool,
) -> None:
    """Hold the package against what compiled C says.

    Compiles the headers, and compares every size, offset and bit, the kind and sign of
    every member, constants and strings, enums, what a tag selects, and rings.  Several
    answers are held against each other: C's own, the debug information, xenbind's reading
    of the headers, and what was generated: the package's classes, which speak the ABI of
    the machine that runs them, and for every target the ABI table abi.md.  Nothing that is
    compiled is run.  Each mismatch is told with its place in the header; exit status 1 if
    there is one.

    \b
    Examples:
      xenbind verify
      xenbind verify --cc clang
      xenbind verify --target arm64 --target i386
      xenbind verify --include /usr/include/xen --out bindings
      xenbind verify --tree /usr/include/xen --out xen
    """
    spec, include = of_tree(tree, spec, include)
    where = places(spec, include, out)
    loaded = load_spec(where.spec, where.include, where.further)
    sys.exit(0 if run(loaded, where.out, cc, targets, wants_json) else 1)


def run(
    spec: Spec,
    out: Path,
    cc: str | None,
    targets: Sequence[str] = (),
    wants_json: bool = False,
) -> bool:
    """Verify, and print the reports; gives whether nothing differs.

    A header that one target's compiler refuses is told as that, and the others go on.
    """
    # Facts by the hundred thousand, and none of them garbage before the end.
    gc.disable()
    machines, missing = find_machines(targets, find_compiler(cc))
    for reason in missing:
        say(f"skipped {reason.message}; {reason.advice}", err=True)
    reports = []
    refused = False
    with Workers(1, niceness=NICENESS) as workers:
        for target, held in (
            (machine.target.name, each)
            for machine in machines
            for each in _held(spec, out, machine, workers)
        ):
            try:
                report = held()
            except SourceError as error:
                if len(machines) == 1:
                    raise
                refused = True
                say(f"{target}: refused by its compiler\n{describe(error)}", err=True)
                continue
            reports.append(report)
            if not wants_json:
                say(text(report))
    if wants_json:
        click.echo(json.dumps([as_json(report) for report in reports], indent=2))
    elif len(reports) > 1:
        say(total(reports))
    return not (refused or any(report.mismatches for report in reports))


def _held(
    spec: Spec, out: Path, machine: Machine, workers: Workers
) -> Iterator[Callable[[], Report]]:
    """Give what holds each version of a spec, or each header of a tree, against a machine.

    Headers of the tree that are not for the machine are counted.
    """
    if spec.tree is None:
        for own in spec.with_libraries:
            for version in own.versions:
                yield partial(compare.verify, own, version, out, machine, workers)
        return
    spec.require_versions()
    target = machine.target.name
    tree = read_tree(spec, {target: machine}, workers)
    if tree.left_out:
        headers = count(len(tree.left_out), "header")
        say(f"{target}: {headers} cannot be read for it, each by itself", err=True)
    for own, interface in tree.modules:
        (version,) = own.versions
        yield partial(compare.hold, own, version, interface, out, machine, workers)
