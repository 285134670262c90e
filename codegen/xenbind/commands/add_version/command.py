"""`xenbind add-version`: make a foreign header tree one of the spec's own versions.

Takes a spec and a header tree of a version that the spec does not have.  `addition` makes the
new version in a copy of the headers folder, and the package is generated from that.  Only when
all is on the disk do headers, spec, facts and package take their places, in steps that no signal
comes between.  If the process is killed just there, the headers lie in a folder that nothing
names yet, or the package is that of the old spec: this command again, or `generate`, puts that
right.  Then `verify` does its work, as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from xenbind import spec as specs
from xenbind.commands.add_version.addition import added
from xenbind.commands.generate import command as generating
from xenbind.commands.generate import output
from xenbind.commands.verify import command as verifying
from xenbind.errors import XenbindError
from xenbind.interruption import Held
from xenbind.options import cc_option, load_spec, out_option, places, spec_option
from xenbind.provenance.job import Job
from xenbind.resources import package


@click.command()
@click.argument("tree", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--release",
    "releases",
    multiple=True,
    help="A Xen release that speaks it, such as 4.23; may be repeated.",
)
@spec_option
@out_option
@cc_option
def add_version(
    tree: Path,
    releases: tuple[str, ...],
    spec: Path | None,
    out: Path | None,
    cc: str | None,
) -> None:
    """Bring a new header tree into headers/ as a version.

    Copies the header, adds the version to the spec, generates and verifies; where the
    project's configuration names a folder for them, it also writes what `xenbind facts` says
    of the tree.  What is left to do is to look at the change and commit it.

    \b
    Example:
      xenbind add-version xen/xen/include/public --release 4.23
    """
    where = places(spec, out=out)
    path, out = where.spec, where.out
    _check(path, releases)
    job = Job(path, None, out, cc, where.project)
    beside = path.resolve().parent.parent == out.resolve().parent
    with (
        output.lock(out),
        nullcontext() if beside else output.lock(path.parent),
        added(job, tree, releases, where.facts) as addition,
    ):
        made = addition.build()
        changes = generating.compare(job, made)
        with output.Replacement(out, made.files) as replacement:
            with Held(), addition.placed():
                replacement.commit()
            changed = replacement.changed
    written = ", ".join(map(str, addition.written))
    click.echo(f"version {addition.number}: {written}")
    generating.tell(job, made, changes, changed)
    if not verifying.run(load_spec(path), out, cc):
        sys.exit(1)
    click.echo("what is left: look at the change, and commit it")


def _check(path: Path, releases: Sequence[str]) -> None:
    if path.resolve().is_relative_to(package()):
        raise XenbindError(
            "these headers belong to the installed xenbind",
            f"copy {path.parent} to headers/ and run this beside it, or name a spec",
        )
    for release in releases:
        if not specs.RELEASE.allows(release):
            raise XenbindError(
                f"'{release}' is no Xen release", "write it as in --release 4.23"
            )
