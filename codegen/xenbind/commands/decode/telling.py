"""Have events told where the user wants them: printed, counted, or written to files.

Takes `Run`s; prints what `text`, `json_text`, `csv_text` or `statistics` make of them, or has
`table` write them.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click

from xenbind.commands.decode import table
from xenbind.commands.decode.alike import alike
from xenbind.commands.decode.csv_text import CsvText
from xenbind.commands.decode.events import Event, Shapes
from xenbind.commands.decode.session_parts import each_once
from xenbind.commands.decode.statistics import Statistics
from xenbind.commands.decode.stream import Run
from xenbind.errors import UsageError
from xenbind.plain import Struct
from xenbind.whole_file import whole_file

Tell = Callable[[Event], str]  # an event's line or lines, without the last newline


class Target(Struct, frozen=True):
    """A table's form, and the file or the folder that it is written to."""

    form: str | None
    output: Path | None
    out: Path | None

    @property
    def is_file(self) -> bool:
        """Tell whether anything but standard output is written to."""
        return self.output is not None or self.out is not None

    def check(self, *, wants_json: bool, stats: bool, hexadecimal: bool) -> None:
        """Raise `click.UsageError` for options that do not go together."""
        if self.output and self.out:
            raise click.UsageError("--output is a file and --out a folder: name one")
        if self.out and self.form != "parquet":
            raise click.UsageError("--out goes together with --format parquet")
        if self.output and not self.form:
            raise click.UsageError("--output goes together with --format")
        if self.form in ("arrow", "parquet") and not self.is_file:
            raise click.UsageError(f"--format {self.form} needs --output or --out")
        if self.form in ("arrow", "parquet") and str(self.output) == "-":
            raise click.UsageError(
                f"--format {self.form} needs a file, and - is standard output: name one"
                " with --output"
            )
        if self.form and (wants_json or stats):
            other = "--json" if wants_json else "--stats"
            raise click.UsageError(f"--format and {other} are two different outputs")
        if hexadecimal and (stats or self.form in ("arrow", "parquet")):
            other = "--stats" if stats else f"--format {self.form}"
            raise click.UsageError(f"--hex changes nothing that {other} gives")

    def require_apart(self, files: Iterable[Path]) -> None:
        """Raise `UsageError` if the table would take the place of one of the inputs."""
        output = self.output and _identity(self.output)
        if output and output in map(_identity, files):
            raise UsageError(
                f"--output {self.output} is one of the inputs, and would be overwritten",
                "name another file with --output",
            )

    def write(self, runs: Iterable[Run], shapes: Shapes, hexadecimal: bool) -> str:
        """Write a table; gives what to tell of it."""
        if self.out:
            count, files = table.write_dataset(runs, shapes, self.out)
            return f"{self.out}: {count} events in {files} files"
        assert self.output is not None and self.form is not None
        if self.form == "csv":
            runs = alike(runs, shapes)
            count = _write_csv(runs, shapes, self.output, CsvText(hexadecimal))
        else:
            count = table.write(runs, shapes, self.output, self.form)
        return f"{self.output}: {count} events"


def _identity(file: Path) -> tuple[int, int] | None:
    """Tell which plain file this is, whatever it is called; None for what is none."""
    with suppress(OSError, ValueError):  # what cannot be read is told by who reads it
        found = os.fstat(sys.stdin.fileno()) if str(file) == "-" else file.stat()
        if stat.S_ISREG(found.st_mode):
            return found.st_dev, found.st_ino
    return None


def print_events(runs: Iterable[Run], shapes: Shapes, tell: Tell) -> int:
    """Print events as they come; gives how many."""
    count = 0
    for run in runs:
        count += len(run)
        found = shapes.of(run).events(run)
        sys.stdout.write("".join(f"{tell(event)}\n" for event in found))
        sys.stdout.flush()
    return count


def tell_statistics(runs: Iterable[Run], shapes: Shapes, as_json: bool) -> None:
    """Count events, and print what was counted.

    Raises `XenbindError` for a recording that is there twice.
    """
    statistics = Statistics(shapes)
    for run in each_once(runs):
        statistics.add(run)
    click.echo(json.dumps(statistics.said()) if as_json else statistics.text())


def _write_csv(runs: Iterable[Run], shapes: Shapes, path: Path, tell: Tell) -> int:
    count = 0
    with whole_file(path) as file:
        for run in runs:
            count += len(run)
            found = shapes.of(run).events(run)
            file.write("".join(f"{tell(event)}\n" for event in found).encode())
    return count
