"""The commands that answer questions about interfaces: `diff`, `show` and `decode`.

Part of the command line: arguments in, the pipeline called, its answer printed.  `cli`
adds these commands to its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from xenbind.errors import XenbindError
from xenbind.resources import folder

if TYPE_CHECKING:
    from xenbind.ir.interface import Interface
    from xenbind.spec import Spec

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow", "warning": "red"}


def spec_path(spec: Path | None) -> Path:
    """The spec to use: the one named, else the one of this folder, else xenbind's own."""
    local = Path("headers/vm_event.toml")
    return spec or (local if local.is_file() else folder("headers") / local.name)


def _load(spec: Path | None) -> Spec:
    from xenbind import spec as specs

    return specs.load(spec_path(spec))


def _interface(spec: Spec, wanted: str, cc: str | None) -> Interface:
    """The interface that a version number of the spec or a header tree's path names."""
    from xenbind.pipeline import read
    from xenbind.toolchain.compiler import find_compiler

    if Path(wanted).is_dir():
        foreign = spec.for_tree(Path(wanted))
        return read(foreign, foreign.versions[0], find_compiler(cc))
    for version in spec.versions:
        if wanted in (str(version.number), f"v{version.number}"):
            return read(spec, version, find_compiler(cc))
    known = ", ".join(str(version.number) for version in spec.versions)
    raise XenbindError(
        f"'{wanted}' is neither a version nor a folder",
        f"name one of the versions {known}, or a folder with {spec.header}",
    )


_spec_option = click.option(
    "--spec", type=click.Path(path_type=Path), help="The spec file."
)
_cc_option = click.option("--cc", metavar="COMMAND", help="The C compiler.")
_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the answer as JSON."
)


@click.command()
@click.argument("old")
@click.argument("new")
@_spec_option
@_cc_option
@_json_option
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
    as_json: bool,
    exit_code: bool,
) -> None:
    """Tell what changed in the ABI from OLD to NEW, and whether an old monitor still works.

    OLD and NEW are versions in the spec or folders with a header tree.

    \b
    Examples:
      xenbind diff 6 7
      xenbind diff 7 /usr/include/xen --exit-code
    """
    from xenbind.commands.diff import compare as differences
    from xenbind.commands.diff.text import describe, to_json

    loaded = _load(spec)
    found = differences.diff(
        _interface(loaded, old, cc), _interface(loaded, new, cc), loaded.version_macro
    )
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
    else:
        sources = [wanted if Path(wanted).is_dir() else "" for wanted in (old, new)]
        for line in describe(found, *sources):
            kind = line.kind.value
            click.secho(str(line), fg=_COLOURS.get(kind), bold=kind == "heading")
    breaking = found.verdict is differences.Verdict.BREAKING
    sys.exit(1 if exit_code and breaking else 0)


@click.command()
@click.argument("version", default="")
@click.argument("type", default="")
@click.option(
    "--expand", is_flag=True, help="Lay nested structs and unions out in place."
)
@_spec_option
@_cc_option
@_json_option
def show(
    version: str,
    type: str,
    expand: bool,
    spec: Path | None,
    cc: str | None,
    as_json: bool,
) -> None:
    """Draw the layout of a struct or union, or list what a version declares.

    VERSION is a version in the spec (the newest if left out) or a folder with a header
    tree; TYPE a struct, union or typedef, a path to a member, or a group of constants.

    \b
    Examples:
      xenbind show
      xenbind show 7 vm_event_st
      xenbind show 7 vm_event_st.u.mem_access
      xenbind show 7 VmEventReason
    """
    from xenbind.commands.show import view as views

    loaded = _load(spec)
    newest = str(loaded.versions[-1].number) if loaded.versions else ""
    view = views.show(_interface(loaded, version or newest, cc), type or None, expand)
    if as_json:
        click.echo(json.dumps(views.to_json(view), indent=2))
        return
    from rich.console import Console

    from xenbind.commands.show.text import picture

    console = Console()
    console.print(picture(view), soft_wrap=not console.is_terminal)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--input",
    "form",
    type=click.Choice(["auto", "raw", "page", "jsonl"]),
    default="auto",
    show_default=True,
    help="What FILE holds: requests, a ring page, or JSON lines.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Tell what is no request, and go on behind it."
)
@click.option(
    "--arch",
    type=click.Choice(["x86", "arm"]),
    default="x86",
    show_default=True,
    help="The CPU whose registers are shown.",
)
@_json_option
@click.option(
    "--format", "table", type=click.Choice(["arrow", "parquet"]), help="Write a table."
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where to write the table."
)
@_spec_option
@_cc_option
def decode(
    file: Path,
    form: str,
    skip_bad: bool,
    arch: str,
    as_json: bool,
    table: str | None,
    output: Path | None,
    spec: Path | None,
    cc: str | None,
) -> None:
    """Tell what recorded requests say: FILE is a recording, a ring page's dump, or -.

    The interface version is taken from the bytes. Of the union, only the member is shown
    that the reason selects.

    \b
    Examples:
      xenbind decode requests.bin
      xenbind decode page.dump --json
      monitor --record - | xenbind decode --input raw -
      xenbind decode requests.bin --format parquet --output requests.parquet
    """
    from xenbind.commands.decode.events import events
    from xenbind.commands.decode.recording import DecodeError, read
    from xenbind.commands.decode.text import text, to_json
    from xenbind.errors import describe

    if bool(table) != bool(output):
        raise click.UsageError("--format and --output go together")
    if table and as_json:
        raise click.UsageError("--format and --json are two different outputs")
    bad = 0

    def report(error: DecodeError) -> None:
        nonlocal bad
        bad += 1
        if not skip_bad:
            raise error
        click.echo(describe(error), err=True)

    interfaces = _by_version(_load(spec), cc)
    with _binary(file) as stream:
        found = events(read(stream, str(file), interfaces, form, report), arch)
        if table and output:
            from xenbind.commands.decode.table import write

            click.echo(f"{output}: {write(found, output, table)} events")
        else:
            count = 0
            for event in found:
                count += 1
                click.echo(json.dumps(to_json(event)) if as_json else text(event))
                sys.stdout.flush()
            if not count and not bad:
                click.echo(f"{file}: no request in it", err=True)
    sys.exit(1 if bad else 0)


def _binary(file: Path) -> BufferedReader:
    """A file, or standard input for `-`."""
    if str(file) == "-":
        return cast(BufferedReader, sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise XenbindError(
            f"cannot read {file}: {error.strerror}",
            "name a file, or - for standard input",
        ) from error


def _by_version(spec: Spec, cc: str | None) -> Callable[[int], Interface | None]:
    """The interfaces of the spec's versions, each read when it is first met."""
    known = {version.number for version in spec.versions}
    found: dict[int, Interface] = {}

    def interface(number: int) -> Interface | None:
        if number in known and number not in found:
            found[number] = _interface(spec, str(number), cc)
        return found.get(number)

    return interface
