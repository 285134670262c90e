"""`xenbind decode`: tell what recorded requests say.

Takes a file in any known form; `recording` finds the requests in it, `events` reads them,
and `text`, `json_text` or `table` puts them into words, JSON or a table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import cast

import click

from xenbind.colours import say
from xenbind.commands.decode import table
from xenbind.commands.decode.events import ARCHES, Shapes
from xenbind.commands.decode.json_text import JsonText
from xenbind.commands.decode.recording import Form, read
from xenbind.commands.decode.stream import DecodeError
from xenbind.commands.decode.text import text
from xenbind.errors import SystemFailure, describe
from xenbind.ir.interface import Interface
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    named_interface,
    spec_option,
)
from xenbind.provenance.job import Job
from xenbind.streams import terminal_width


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--input",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.AUTO.value,
    show_default=True,
    help="What FILE holds: requests, a ring page, or JSON lines.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Tell what is no request, and go on behind it."
)
@click.option(
    "--arch",
    type=click.Choice(ARCHES),
    default="x86",
    show_default=True,
    help="The CPU whose registers are shown.",
)
@json_option
@click.option(
    "--format",
    "table_form",
    type=click.Choice(["arrow", "parquet"]),
    help="Write a table.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where to write the table."
)
@spec_option
@cc_option
def decode(
    file: Path,
    form: str,
    skip_bad: bool,
    arch: str,
    wants_json: bool,
    table_form: str | None,
    output: Path | None,
    spec: Path | None,
    cc: str | None,
) -> None:
    """Tell what recorded requests say.

    FILE is a recording, a ring page's dump, JSON lines, or - for standard input. The
    interface version is taken from the bytes. Of the union, only the member is shown
    that the reason selects. What --json prints can be read again: its lines have the bytes.
    examples/monitor.py records with --record events.raw, or as such lines with --json.

    \b
    Examples:
      xenbind decode events.raw
      tail -c +1 -f events.raw | xenbind decode --input raw -
      xenbind decode page.dump --json | grep CPUID | xenbind decode -
      xenbind decode events.raw --format parquet --output events.parquet
    """
    if bool(table_form) != bool(output):
        raise click.UsageError("--format and --output go together")
    if table_form and wants_json:
        raise click.UsageError("--format and --json are two different outputs")
    bad = 0

    def report(error: DecodeError) -> None:
        nonlocal bad
        bad += 1
        if not skip_bad:
            raise error
        say(describe(error), err=True)

    interfaces = _by_version(job_of(spec, cc=cc))
    shapes = Shapes(arch)
    tell = JsonText() if wants_json else partial(text, width=terminal_width())
    with _binary(file) as stream:
        runs = read(stream, str(file), interfaces, Form(form), report)
        if table_form and output:
            written = table.write(runs, shapes, output, table_form)
            click.echo(f"{output}: {written} events")
        else:
            told = 0
            for run in runs:
                told += len(run)
                found = shapes.of(run.interface).events(run)
                sys.stdout.write("".join(f"{tell(event)}\n" for event in found))
                sys.stdout.flush()
            if not told and not bad:
                click.echo(f"{file}: no request in it", err=True)
    sys.exit(1 if bad else 0)


def _binary(file: Path) -> BufferedReader:
    """Open a file, or standard input for `-`."""
    if str(file) == "-":
        return cast(BufferedReader, sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise SystemFailure(
            f"cannot read {file}: {error.strerror}",
            "name a file, or - for standard input",
        ) from error


def _by_version(job: Job) -> Callable[[int], Interface | None]:
    """Give the interfaces of the spec's versions, each read when it is first met."""
    spec = load_spec(job.spec)
    known = {version.number for version in spec.versions}
    found: dict[int, Interface] = {}

    def interface(number: int) -> Interface | None:
        if number in known and number not in found:
            found[number] = named_interface(job, spec, str(number))
        return found.get(number)

    return interface
