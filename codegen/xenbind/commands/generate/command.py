"""`xenbind generate`: write the package, and tell what changed in the ABI.

Takes a spec or a foreign header tree; `build` makes the files, `abi_break` holds the new
ABI against the old, and `output` writes.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import click

from xenbind.colours import say
from xenbind.commands.generate import abi_break, output
from xenbind.commands.generate.abi_break import AbiChange, Uncompared
from xenbind.commands.generate.build import Generated, build
from xenbind.commands.generate.freshness import keep_source, with_source
from xenbind.commands.generate.job import Job, job_of
from xenbind.options import (
    cc_option,
    include_option,
    out_option,
    spec_option,
)

AbiChanges = Sequence[AbiChange | Uncompared]


@click.command()
@spec_option
@include_option
@out_option
@cc_option
@click.option(
    "--accept-abi-change",
    is_flag=True,
    help="Overwrite a version whose ABI broke while its number stayed.",
)
def generate(
    spec: Path | None,
    include: Path | None,
    out: Path | None,
    cc: str | None,
    accept_abi_change: bool,
) -> None:
    """Write the package, of a spec's versions or a header tree.

    Of a spec it has all versions; of a foreign header tree, the one that is there.  Tells
    what changed in the ABI since the package was last written, and refuses to overwrite a
    version whose ABI broke without a new version number.  What the header declares and the
    package cannot have, such as a macro without a value, is told on standard error.

    \b
    Examples:
      xenbind generate
      xenbind generate --include /usr/include/xen --out bindings
    """
    run(job_of(spec, include, out, cc), accept_abi_change)


def run(job: Job, accept_abi_change: bool = False) -> None:
    """Generate, and print what was read, what changed and what was written."""
    # A short run that allocates syntax trees: looking for garbage took a fifth of it.
    gc.disable()
    job = with_source(job)
    made = build(job)
    with output.lock(job.out):
        changes = compare(job, made, accept_abi_change)
        changed = output.write(job.out, made.files)
    tell(job, made, changes, changed)


def compare(job: Job, made: Generated, accept_abi_change: bool = False) -> AbiChanges:
    """Hold the new package against the one in the folder; raises if it must not replace it."""
    keep_source(job)
    changes = list(abi_break.changes(made.package, job.out, made.interfaces))
    if not accept_abi_change:
        abi_break.refuse(changes)
    return changes


def tell(
    job: Job, made: Generated, changes: AbiChanges, changed: Sequence[str]
) -> None:
    """Print what was read, what changed and what was written."""
    for interface in made.interfaces:
        click.echo(
            f"{interface.name} {interface.title}:"
            f" {len(interface.records)} structs and unions,"
            f" {len(interface.constants)} constants in {len(interface.groups)} groups"
            + (f", {len(interface.functions)} functions" if interface.library else "")
        )
        for left_out in interface.left_out:
            say(left_out, err=True)
    for change in changes:
        say(change, err=isinstance(change, Uncompared))
    click.echo(f"{job.out}: {len(made.files)} files, {len(changed) or 'none'} changed")
