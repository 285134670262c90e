"""`xenbind check`: tell which generated files are not what generating would write.

Takes the same options as `generate`; `freshness` finds what is stale, and this prints it.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from xenbind.colours import say
from xenbind.commands.generate.freshness import Stale, stale, with_source
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
from xenbind.words import count, printable

# Lines of diff: what a screen or two of a terminal hold, several times over.
_LONGEST = 400


@click.command()
@spec_option
@include_option
@tree_option
@out_option
@cc_option
@click.option("--stat", is_flag=True, help="Name the files that are stale, no more.")
@json_option
def check(
    spec: Path | None,
    include: Sequence[Path],
    tree: Path | None,
    out: Path | None,
    cc: str | None,
    stat: bool,
    wants_json: bool,
) -> None:
    """Tell whether the generated package is current.

    It is if it is what the headers and templates make of it.  Lists each stale file with a
    diff, as far as a person reads one; exit status 1 if there is one.

    \b
    Examples:
      xenbind check
      xenbind check --include /usr/include/xen --out bindings
    """
    asked = [("spec", spec), *(("include", each) for each in include)]
    asked += [("tree", tree), ("out", out)]
    spec, include = of_tree(tree, spec, include)
    job = with_source(job_of(spec, include, out, cc))
    found = stale(job)
    if wants_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    elif not found:
        say(f"{job.out} is current")
    else:
        _print(found, job.out, _LONGEST if not stat else 0)
        options = "".join(
            f" --{name} {shlex.quote(str(value))}" for name, value in asked if value
        )
        told = count(len(found), "stale file")
        say(f"{told}: run `xenbind generate{options}`", err=True)
    sys.exit(1 if found else 0)


def _as_json(found: Sequence[Stale]) -> dict[str, object]:
    files = [{"path": file.path, "diff": file.diff} for file in found]
    return {"current": not found, "stale": files}


def _print(found: Sequence[Stale], out: Path, most: int) -> None:
    """Name each file, with its diff until `most` lines of such are told."""
    for file in found:
        word = "stale" if file.diff else "missing"
        say(f"{word}: {out / file.path}")
        # What splitlines takes for an end may stand within a line of the file.
        lines = file.diff.split("\n")[:-1]
        for line in lines[:most]:
            click.secho(printable(line), fg={"+": "green", "-": "red"}.get(line[:1]))
        if most and len(lines) > most:
            click.echo(f"... and {len(lines) - most} more lines")
        most = max(0, most - len(lines))
