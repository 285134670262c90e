"""`xenbind diff`: tell what changed in the ABI between two versions.

Takes two versions or folders; `compare` finds the difference, and `text` or `as_json` puts
it into words or JSON for this to print.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from xenbind.commands.diff.as_json import as_json
from xenbind.commands.diff.compare import Verdict
from xenbind.commands.diff.compare import diff as difference
from xenbind.commands.diff.text import Kind, lines
from xenbind.completion import versions
from xenbind.errors import UsageError
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    named_interface,
    named_version,
    spec_option,
)

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
    """
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
        sources = [_source(wanted) for wanted in (old, new)]
        for line in lines(found, *sources):
            colour, bold = _COLOURS.get(line.kind), line.kind is Kind.HEADING
            click.secho(str(line), fg=colour, bold=bold)
    sys.exit(1 if exit_code and found.verdict is Verdict.BREAKING else 0)


def _source(wanted: str) -> str:
    """Say what a side was named by, where its version number does not."""
    if Path(wanted).is_dir():
        return wanted
    release = wanted.rpartition("/")[2]
    return f"Xen {release}" if "." in release else ""
