"""`xenbind generate`: write the package, and tell what changed in the ABI.

Takes a spec or a foreign header tree; `build` makes the files, `abi_break` holds the new
ABI against the old, and `output` writes.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xenbind.colours import say
from xenbind.commands.generate import abi_break, output
from xenbind.commands.generate.abi_break import AbiChange, Uncompared
from xenbind.commands.generate.as_json import as_json
from xenbind.commands.generate.freshness import keep_source, with_source
from xenbind.errors import SourceError, XenbindError, refuse_all
from xenbind.ir.interface import Interface, LeftOut
from xenbind.options import (
    cc_option,
    include_option,
    job_of,
    json_option,
    of_tree,
    out_option,
    spec_option,
    tree_option,
)
from xenbind.provenance.job import Job
from xenbind.toolchain.compiler import find_compiler
from xenbind.toolchain.first_question import start_asking
from xenbind.words import count, one_line

if TYPE_CHECKING:
    from xenbind.commands.generate.build import Generated

AbiChanges = Sequence[AbiChange | Uncompared]


@click.command()
@spec_option
@include_option
@tree_option
@out_option
@cc_option
@click.option(
    "--accept-abi-change",
    is_flag=True,
    help="Overwrite a version whose ABI broke while its number stayed.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse a header that declares something the package cannot have.",
)
@json_option
def generate(
    spec: Path | None,
    include: Sequence[Path],
    tree: Path | None,
    out: Path | None,
    cc: str | None,
    accept_abi_change: bool,
    strict: bool,
    wants_json: bool,
) -> None:
    """Write the package, of a spec's versions or a header tree.

    Of a spec it has all versions; of a foreign header tree, the one that is there.  Tells
    what changed in the ABI since the package was last written, and refuses to overwrite a
    version whose ABI broke without a new version number.  What the header declares and the
    package cannot have, such as a macro without a value, is told on standard error and left
    out with all that needs it, or with --strict an error.

    \b
    Examples:
      xenbind generate
      xenbind generate --include /usr/include/xen --out bindings
      xenbind generate --tree /usr/include/xen --out xen
    """
    spec, include = of_tree(tree, spec, include)
    run(job_of(spec, include, out, cc), accept_abi_change, strict, wants_json)


def run(
    job: Job,
    accept_abi_change: bool = False,
    strict: bool = False,
    wants_json: bool = False,
) -> None:
    """Generate, and print what was read, what changed and what was written."""
    # A short run that allocates syntax trees: looking for garbage took a fifth of it.
    gc.disable()
    job = with_source(job)
    # Imported here: the compiler answers meanwhile, whom `build` would wait for.
    with suppress(XenbindError):  # `build` tells it
        start_asking(find_compiler(job.command))
    from xenbind.commands.generate.build import build

    made = build(job)
    for package in made.packages:
        if strict or package.spec.is_strict:
            refuse_left_out(package.interfaces)
    if strict or made.spec.is_strict:
        refuse(made.left_out)
        refuse_all(made.unmatched)
    with output.lock(job.out):
        changes = compare(job, made, accept_abi_change)
        changed = output.write(job.out, made.files)
    if wants_json:
        click.echo(json.dumps(as_json(made, job.out, changes, changed), indent=2))
    else:
        tell(job, made, changes, changed)


def refuse_left_out(interfaces: Iterable[Interface]) -> None:
    """Raise `SourceError` for what headers declare and the package cannot have, if it is any."""
    refuse(_left_out(interfaces))


def refuse(everything: Iterable[LeftOut]) -> None:
    """Raise `SourceError` for what the package cannot have, if it is any."""
    refuse_all(
        SourceError(
            left_out.coord,
            f"the package cannot have {left_out.name}: {left_out.reason}",
            "list a macro or function under 'skip' in the spec, or do not ask for"
            " strictness there or with --strict",
        )
        for left_out in everything
    )


def _left_out(interfaces: Iterable[Interface]) -> list[LeftOut]:
    """Give what is left out, once each."""
    return list(dict.fromkeys(each for i in interfaces for each in i.left_out))


def compare(job: Job, made: Generated, accept_abi_change: bool = False) -> AbiChanges:
    """Hold the new package against the one in the folder; raises if it must not replace it."""
    keep_source(job, made.spec.package)
    # Asked for where a version's ABI is another than it was.
    elsewhere = cache(partial(_facts_of_a_tree, made))
    changes = [
        change
        for package in made.packages
        for change in abi_break.changes(
            package.spec, job.out, package.interfaces, elsewhere
        )
    ]
    if not accept_abi_change:
        abi_break.refuse(changes)
    return changes


def _facts_of_a_tree(made: Generated) -> set[str]:
    return abi_break.facts_of(made.interfaces) if made.spec.tree else set()


def tell(
    job: Job, made: Generated, changes: AbiChanges, changed: Sequence[str]
) -> None:
    """Print what was read, what changed and what was written."""
    for interface in made.interfaces:
        declared = [
            count(len(interface.own_records), "struct or union", "structs and unions"),
            f"{count(len(interface.constants), 'constant')}"
            f" in {count(len(interface.own_groups), 'group')}",
        ]
        if interface.library:
            declared.append(count(len(interface.functions), "function"))
        title = "" if made.spec.tree else f" {interface.title}"
        click.echo(f"{interface.name}{title}: {', '.join(declared)}")
    for change in changes:
        say(change, err=isinstance(change, Uncompared))
    click.echo(f"{job.out}: {len(made.files)} files, {len(changed) or 'none'} changed")
    for error in made.unmatched:
        say(one_line(f"{error.coord}: note: {error.message}; {error.advice}"), err=True)
    for note in _notes([*made.left_out, *_left_out(made.interfaces)]):
        say(note, err=True)


def _notes(left_out: Iterable[LeftOut]) -> Iterator[LeftOut | str]:
    """Tell what is left out; of what is for the same reason, the first few and how many more."""
    told = Counter[str]()
    for each in left_out:
        told[each.reason] += 1
        if told[each.reason] <= _MOST:
            yield each
    for reason, number in told.items():
        if number > _MOST:
            more = number - _MOST
            left = "is left out (--json names it)"
            if more > 1:
                left = "are left out (--json names them)"
            yield f"note: {more} more {left}: {reason}"


_MOST = 10  # notes with one reason
