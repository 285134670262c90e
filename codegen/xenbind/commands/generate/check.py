"""`xenbind check`: tell which generated files are not what generating would write.

Takes the same options as `generate`; `freshness` finds what is stale, and this prints it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from xenbind.commands.generate.freshness import Stale, stale, with_source
from xenbind.commands.generate.job import Job
from xenbind.options import (
    OUT,
    cc_option,
    include_option,
    json_option,
    out_option,
    spec_option,
    spec_path,
)
from xenbind.words import count


@click.command()
@spec_option
@include_option
@out_option
@cc_option
@json_option
def check(
    spec: Path | None, include: Path | None, out: Path, cc: str | None, wants_json: bool
) -> None:
    """Tell whether the generated package is what the headers and templates make of it.

    Lists each stale file with a diff; exit status 1 if there is one.

    \b
    Examples:
      xenbind check
      xenbind check --include /usr/include/xen --out bindings
    """
    job = with_source(Job(spec_path(spec), include, out, cc))
    found = stale(job)
    if wants_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    elif not found:
        click.echo(f"{out} is current")
    else:
        _print(found, out)
        options = "".join(
            f" --{name} {value}"
            for name, value in (("spec", spec), ("include", job.include), ("out", out))
            if value and value != OUT
        )
        told = count(len(found), "stale file")
        click.echo(f"{told}: run `xenbind generate{options}`", err=True)
    sys.exit(1 if found else 0)


def _as_json(found: Sequence[Stale]) -> dict[str, object]:
    files = [{"path": file.path, "diff": file.diff} for file in found]
    return {"current": not found, "stale": files}


def _print(found: Sequence[Stale], out: Path) -> None:
    for file in found:
        word = "stale" if file.diff else "missing"
        click.echo(f"{word}: {out / file.path}")
        for line in file.diff.splitlines():
            click.secho(line, fg={"+": "green", "-": "red"}.get(line[:1]))
