"""`xenbind diff`: tell what changed in the ABI between two versions.

Takes two versions or folders; `compare` finds the difference, and `text` or `as_json` puts
it into words or JSON for this to print.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from xenbind.commands.diff.as_json import as_json
from xenbind.commands.diff.compare import Verdict
from xenbind.commands.diff.compare import diff as difference
from xenbind.commands.diff.text import Kind, Line, lines
from xenbind.commands.diff.trees import diff_trees, tree_as_json, tree_lines
from xenbind.completion import versions
from xenbind.errors import UsageError
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    load_tree,
    named_interface,
    named_version,
    spec_option,
)
from xenbind.toolchain.predefined import working_compiler
from xenbind.workers import Workers

_COLOURS = {
    Kind.ADDED: "green",
    Kind.REMOVED: "red",
    Kind.CHANGED: "yellow",
    Kind.WARNING: "red",
}


@click.command()
@click.argument("old", shell_complete=versions)
@click.argument("new", shell_complete=versions)
@spec_option
@cc_option
@json_option
@click.option("--tree", is_flag=True, help="Compare all headers of two trees.")
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 1 if the difference is breaking, 0 if not.",
)
def diff(
    old: str,
    new: str,
    spec: Path | None,
    cc: str | None,
    wants_json: bool,
    tree: bool,
    exit_code: bool,
) -> None:
    """Tell what changed in the ABI between two versions.

    OLD and NEW are versions in the spec, Xen releases or folders with a header tree; those of
    a library are behind its name. Says as well whether a monitor that was written for OLD
    still works.

    \b
    Examples:
      xenbind diff 6 7
      xenbind diff 4.16 4.17
      xenbind diff xenctrl/4.9 xenctrl/4.10
      xenbind diff 7 /usr/include/xen --exit-code
      xenbind diff --tree xen-4.17/public /usr/include/xen
    """
    if tree:
        is_breaking = _diff_trees(Path(old), Path(new), spec, cc, wants_json)
        sys.exit(1 if exit_code and is_breaking else 0)
    job = job_of(spec, cc=cc)
    loaded = load_spec(job.spec)
    before, after = (named_interface(job, loaded, each) for each in (old, new))
    if before.name != after.name:
        raise UsageError(
            f"'{old}' is of {before.name} and '{new}' of {after.name}",
            "name two versions of one interface, such as xenctrl/4.9 and xenctrl/4.10",
        )
    found = difference(
        before,
        after,
        named_version(loaded, new)[0].version_macro,
    )
    if wants_json:
        click.echo(json.dumps(as_json(found), indent=2))
    else:
        _print(lines(found, *map(_source, (old, new))))
    sys.exit(1 if exit_code and found.verdict is Verdict.BREAKING else 0)


def _diff_trees(
    old: Path, new: Path, spec: Path | None, cc: str | None, wants_json: bool
) -> bool:
    """Print what tells two trees apart, and tell whether it is breaking."""
    # What is stored needs no parser, which takes a tenth of a second to import.
    from xenbind.tree import machines_for, read_tree

    machines = machines_for(working_compiler(cc))
    read = []
    with Workers() as workers:
        for folder in (old, new):
            headers = read_tree(load_tree(folder, spec), machines, workers).modules
            read.append({own.header: interface for own, interface in headers})
    found = diff_trees(*read)
    if wants_json:
        click.echo(json.dumps(tree_as_json(found), indent=2))
    else:
        _print(tree_lines(found, str(old), str(new)))
    return found.verdict is Verdict.BREAKING


def _print(told: Iterable[Line]) -> None:
    for line in told:
        colour, bold = _COLOURS.get(line.kind), line.kind is Kind.HEADING
        click.secho(str(line), fg=colour, bold=bold)


def _source(wanted: str) -> str:
    """Say what a side was named by, where its version number does not."""
    if Path(wanted).is_dir():
        return wanted
    release = wanted.rpartition("/")[2]
    return f"Xen {release}" if "." in release else ""
