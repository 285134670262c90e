"""The command line: arguments in, the pipeline called, its answer printed.

Exit status 0 when all is well, 1 for a finding or an error in the input, 2 for wrong
usage.  Stages are imported by the command that needs them, so that a quick one is quick.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from xenbind import __version__, options
from xenbind.commands.generate.build import Job
from xenbind.errors import XenbindError, describe
from xenbind.ir.abi import ABIS
from xenbind.options import spec_path

F = TypeVar("F", bound=Callable[..., Any])


class _Group(click.Group):
    """Turns the errors that stages raise into a message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except XenbindError as error:
            click.echo(describe(error), err=True)
            sys.exit(1)


def _job_options(command: F) -> F:
    options = [
        click.option(
            "--spec",
            type=click.Path(path_type=Path),
            help="The spec file.  [default: headers/vm_event.toml here, else xenbind's own]",
        ),
        click.option(
            "--include",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Read this header tree (such as /usr/include/xen), not the spec's versions.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            default=Path("generated"),
            show_default=True,
            metavar="DIR",
            help="The folder of the generated package.",
        ),
        click.option(
            "--cc", metavar="COMMAND", help="The C compiler.  [default: $CC, else gcc]"
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _job(spec: Path | None, include: Path | None, out: Path, cc: str | None) -> Job:
    return Job(spec_path(spec), include, out, cc)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xenbind")
def main() -> None:
    """Generate Python bindings from Xen's C headers, and hold them against compiled C.

    \b
    Examples:
      xenbind generate
      xenbind generate --include /usr/include/xen --out bindings
      xenbind verify --cc clang
      xenbind check --json
      xenbind diff 6 7
      xenbind show 7 vm_event_st
    """


@main.command()
@_job_options
@click.option(
    "--accept-abi-change",
    is_flag=True,
    help="Overwrite a version whose ABI broke while its number stayed.",
)
def generate(
    spec: Path | None,
    include: Path | None,
    out: Path,
    cc: str | None,
    accept_abi_change: bool,
) -> None:
    """Write the package for all versions in the spec, or for one foreign header tree.

    Tells what changed in the ABI since the package was last written, and refuses to
    overwrite a version whose ABI broke without a new version number.

    \b
    Examples:
      xenbind generate
      xenbind generate --include /usr/include/xen --out bindings
    """
    _generate(_job(spec, include, out, cc), accept_abi_change)


def _generate(job: Job, accept_abi_change: bool) -> None:
    # A short run that allocates syntax trees: looking for garbage took a fifth of it.
    gc.disable()

    from xenbind.commands.generate.build import build, keep_source, with_source

    job = with_source(job)
    made = build(job)
    from xenbind.commands.generate import abi_break, output

    with output.lock(job.out):
        keep_source(job)
        changes = list(abi_break.changes(made.package, job.out, made.interfaces))
        if not accept_abi_change:
            abi_break.refuse(changes)
        changed = output.write(job.out, made.files)
    for interface in made.interfaces:
        click.echo(
            f"{interface.name} version {interface.version}:"
            f" {len(interface.records)} structs and unions,"
            f" {len(interface.constants)} constants in {len(interface.groups)} groups"
        )
    for change in changes:
        click.echo(change)
    click.echo(f"{job.out}: {len(made.files)} files, {len(changed) or 'none'} changed")


@main.command()
@_job_options
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def check(
    spec: Path | None, include: Path | None, out: Path, cc: str | None, as_json: bool
) -> None:
    """Tell whether the generated package is what the headers and templates make of it.

    Lists each stale file with a diff; exit status 1 if there is one.

    \b
    Examples:
      xenbind check
      xenbind check --include /usr/include/xen --out bindings
    """
    from xenbind.commands.generate.build import stale, with_source

    job = with_source(_job(spec, include, out, cc))
    found = stale(job)
    if as_json:
        files = [{"path": file.path, "diff": file.diff} for file in found]
        click.echo(json.dumps({"current": not found, "stale": files}, indent=2))
    elif not found:
        click.echo(f"{out} is current")
    else:
        for file in found:
            word = "stale" if file.diff else "missing"
            click.echo(f"{word}: {out / file.path}")
            for line in file.diff.splitlines():
                click.secho(line, fg={"+": "green", "-": "red"}.get(line[:1]))
        count = f"{len(found)} stale file{'s' * (len(found) > 1)}"
        options = "".join(
            f" --{name} {value}"
            for name, value in (("spec", spec), ("include", job.include), ("out", out))
            if value and value != Path("generated")
        )
        click.echo(f"{count}: run `xenbind generate{options}`", err=True)
    sys.exit(1 if found else 0)


@main.command()
@_job_options
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice([*ABIS, "all"]),
    help="Compile for this machine, or all that there is a compiler for; may be repeated."
    "  [default: the compiler's own]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def verify(
    spec: Path | None,
    include: Path | None,
    out: Path,
    cc: str | None,
    targets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compile the headers and compare every size, offset, bit and value with the package.

    Several answers are held against each other: C's own, the debug information,
    xenbind's layout rules, and what was generated: the package's classes, which speak
    the ABI of the machine that runs them, and for every target the ABI table abi_break.md.
    Nothing that is compiled is run.  Each mismatch is told with its place in the header;
    exit status 1 if there is one.

    \b
    Examples:
      xenbind verify
      xenbind verify --cc clang
      xenbind verify --target arm64 --target i386
      xenbind verify --include /usr/include/xen --out bindings
    """
    _verify(_job(spec, include, out, cc), targets, as_json)


def _verify(job: Job, targets: tuple[str, ...] = (), as_json: bool = False) -> None:
    from xenbind import spec as specs
    from xenbind.commands.verify import compare as verification
    from xenbind.commands.verify import report as words
    from xenbind.toolchain.compiler import find_compiler
    from xenbind.toolchain.targets import find_machines

    loaded = specs.load(job.spec)
    if job.include:
        loaded = loaded.for_tree(job.include)
    machines, missing = find_machines(targets, find_compiler(job.command))
    for reason in missing:
        click.echo(f"skipped {reason.message}; {reason.advice}", err=True)
    reports = []
    for machine in machines:
        for version in loaded.versions:
            report = verification.verify(loaded, version, job.out, machine)
            reports.append(report)
            if not as_json:
                click.echo(words.text(report))
    if as_json:
        answer = [words.as_json(report) for report in reports]
        click.echo(json.dumps(answer, indent=2))
    elif len(reports) > 1:
        click.echo(words.total(reports))
    sys.exit(1 if any(report.mismatches for report in reports) else 0)


@main.command("add-version")
@click.argument("tree", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--release", multiple=True, help="A Xen release that speaks it, such as 4.23."
)
@click.option(
    "--spec", type=click.Path(path_type=Path), help="The spec file to add to."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("generated"),
    show_default=True,
)
@click.option(
    "--cc", metavar="COMMAND", help="The C compiler.  [default: $CC, else gcc]"
)
def add_version(
    tree: Path, release: tuple[str, ...], spec: Path | None, out: Path, cc: str | None
) -> None:
    """Bring a new header tree into headers/ as its interface version.

    Copies the header, adds the version to the spec, generates and verifies: what is left
    to do is to look at the change and commit it.

    \b
    Example:
      xenbind add-version xen/xen/include/public --release 4.23
    """
    from xenbind.commands.add_version import added_version
    from xenbind.toolchain.compiler import find_compiler

    job = _job(spec, None, out, cc)
    with added_version(job.spec, tree, release, find_compiler(cc)) as added:
        click.echo(f"version {added.version}: {added.header}, {job.spec}")
        _generate(job, accept_abi_change=False)
    _verify(job)


main.add_command(options.diff)
main.add_command(options.show)
main.add_command(options.decode)
