"""`xenbind decode`: tell what recorded requests say.

Takes files in any known form; `recording` finds the requests in them, `choice` chooses among
them, `events` reads them, and `telling` has them told: as words, as JSON, as a table or counted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

import click

from xenbind.colours import is_coloured, say
from xenbind.commands.decode import progress
from xenbind.commands.decode.alike import alike
from xenbind.commands.decode.bytes_text import BytesText
from xenbind.commands.decode.choice import Choice, since
from xenbind.commands.decode.completion import reasons as known_reasons
from xenbind.commands.decode.completion import records as named_records
from xenbind.commands.decode.csv_text import CsvText
from xenbind.commands.decode.events import ARCHES, Shapes, reasons_of
from xenbind.commands.decode.fixed import fixed
from xenbind.commands.decode.json_text import JsonText
from xenbind.commands.decode.recording import Form, read
from xenbind.commands.decode.session_parts import Parts, in_order
from xenbind.commands.decode.stream import (
    DecodeError,
    Input,
    Report,
    Run,
    Torn,
    named_record,
)
from xenbind.commands.decode.telling import (
    Target,
    Tell,
    print_events,
    tell_statistics,
)
from xenbind.commands.decode.text import text
from xenbind.errors import SystemFailure, UsageError, describe
from xenbind.ir.interface import Interface
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    named_interface,
    newest,
    spec_option,
)
from xenbind.provenance.job import Job
from xenbind.streams import terminal_width


@click.command()
@click.argument(
    "files",
    metavar="FILE...",
    type=click.Path(path_type=Path, allow_dash=True),
    nargs=-1,
    required=True,
)
@click.option(
    "--input",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.AUTO.value,
    show_default=True,
    help="What FILE holds: a recording, requests alone, a ring page, or JSON lines.",
)
@click.option(
    "--record",
    metavar="TYPE",
    shell_complete=named_records,
    help="FILE holds structs of this type, of the spec's newest version, and no requests.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Tell what is no request, and go on behind it."
)
@click.option(
    "--arch",
    type=click.Choice(ARCHES),
    help="The CPU whose registers are shown.  [default: as recorded, else x86]",
)
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    shell_complete=known_reasons,
    help="Only such events; may be repeated.",
)
@click.option(
    "--vcpu",
    "vcpus",
    multiple=True,
    type=click.IntRange(0, 0xFFFF_FFFF),
    metavar="NUMBER",
    help="Only its events; may be repeated.",
)
@click.option(
    "--since",
    "first",
    metavar="TIME",
    help="Only what came since: +1h30m (behind the start), -10m (before now), or as in"
    " 2026-03-01T12:00:00Z.",
)
@click.option("--stats", is_flag=True, help="Tell counts, rates, latencies instead.")
@json_option
@click.option(
    "--hex",
    "hexadecimal",
    is_flag=True,
    help="Show each event's bytes, in colour by member on a terminal; in JSON and CSV, 64-bit"
    " numbers as strings.",
)
@click.option(
    "--format",
    "table_form",
    type=click.Choice(["csv", "arrow", "parquet"]),
    help="Write a table.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where to write the table."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write Parquet files there, by domain and date.",
)
@spec_option
@cc_option
def decode(
    files: tuple[Path, ...],
    form: str,
    record: str | None,
    skip_bad: bool,
    arch: str | None,
    reasons: tuple[str, ...],
    vcpus: tuple[int, ...],
    first: str | None,
    stats: bool,
    wants_json: bool,
    hexadecimal: bool,
    table_form: str | None,
    output: Path | None,
    out: Path | None,
    spec: Path | None,
    cc: str | None,
) -> None:
    """Tell what recorded requests say.

    FILE is a recording, requests one after another, a ring page's dump, JSON lines, or - for
    standard input. The interface version is taken from the bytes. Of the union, only the member
    is shown that the reason selects. What --json prints of requests can be read again: its lines
    have the bytes; times and answers are not read back, nor the records of --record TYPE.
    examples/monitor.py records with --record events.rec, or as such lines with --json.

    \b
    Examples:
      xenbind decode events.rec
      xenbind decode events.rec --stats
      xenbind decode events.rec --hex --reason cpuid
      tail -c +1 -f events.raw | xenbind decode --input raw -
      xenbind decode page.dump --json | grep CPUID | xenbind decode -
      xenbind decode events.rec --format parquet --output events.parquet
      xenbind decode *.rec --format parquet --out events
    """
    if table_form == "csv" and str(output) == "-":
        output = None  # standard output, where it goes by itself
    target = Target(table_form, output, out)
    target.check(wants_json=wants_json, stats=stats, hexadecimal=hexadecimal)
    target.require_apart(files)
    if sum(str(file) == "-" for file in files) > 1:
        raise UsageError(
            "- is there twice, and standard input can be read only once",
            "name - once, and the other input by its file",
        )
    job = job_of(spec, cc=cc)
    versions = _Versions(job)
    shapes = Shapes(arch, record)
    report = _Report(skip_bad)
    choice = Choice(
        reasons, vcpus, None if first is None else since(first), versions.reasons
    )
    has_progress = progress.wanted(prints_events=not (stats or target.is_file))
    of_files = _runs(files, Form(form), record, versions, report, has_progress)
    runs = choice.of(of_files, shapes)
    if stats:
        tell_statistics(runs, shapes, wants_json)
    elif target.is_file:
        click.echo(target.write(runs, shapes, hexadecimal))
    else:
        tell: Tell = partial(text, width=terminal_width())
        if wants_json:
            tell = JsonText(hexadecimal)
        elif table_form == "csv":
            runs, tell = alike(runs, shapes), CsvText(hexadecimal)
        elif hexadecimal:
            tell = BytesText(terminal_width(), is_coloured())
        if not print_events(runs, shapes, tell) and not report.count:
            names = ", ".join(map(str, files))
            chosen = " that was asked for" if reasons or vcpus or choice.since else ""
            click.echo(f"{names}: no request in it{chosen}", err=True)
    sys.exit(1 if report.count else 0)


class _Report:
    """Tells what is no request, and counts it; raises it, unless what is bad is skipped."""

    def __init__(self, skip_bad: bool) -> None:
        self._skip_bad = skip_bad
        self.count = 0

    def __call__(self, error: DecodeError) -> None:
        if not isinstance(error, Torn):
            self.count += 1
            if not self._skip_bad:
                raise error
        say(describe(error), err=True)


class _Versions:
    """The interfaces of the spec's versions, each read when it is first met."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._spec = load_spec(job.spec)
        self._numbers = {version.number for version in self._spec.versions}
        self._found: dict[int, Interface] = {}

    def __call__(self, number: int) -> Interface | None:
        """Give the interface of a version number, None where there is none."""
        if number in self._numbers and number not in self._found:
            self._found[number] = named_interface(self._job, self._spec, str(number))
        return self._found.get(number)

    def newest(self) -> Interface:
        """Give that of the newest version, or of the configured header tree."""
        return named_interface(self._job, self._spec, newest(self._spec, self._job))

    def reasons(self) -> list[str]:
        """Give the reasons of all versions, in their order."""
        found: dict[str, None] = {}
        for number in sorted(self._numbers):
            interface = self(number)
            if interface is not None:
                found |= dict.fromkeys(reasons_of(interface))
        return list(found)


def _runs(
    files: Sequence[Path],
    form: Form,
    record: str | None,
    versions: _Versions,
    report: Report,
    has_progress: bool,
) -> Iterator[Run]:
    """Give the requests in all files, one file after the other."""
    parts = Parts()
    for file in in_order(files):
        with _binary(file) as opened, ExitStack() as closing:
            stream: BinaryIO = opened
            if has_progress:
                told = closing.enter_context(
                    contextlib.closing(progress.Progress(opened, str(file)))
                )
                stream = cast(BinaryIO, told)
            if record is None:
                yield from read(stream, str(file), versions, form, report, parts)
            else:
                interface = versions.newest()
                source = Input(stream, str(file), versions, report)
                yield from fixed(source, interface, named_record(interface, record))
    yield from parts.rest()


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
