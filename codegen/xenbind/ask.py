"""The commands that answer questions about interfaces: `diff` and `show`.

Part of the command line: arguments in, the pipeline called, its answer printed.  `cli`
adds these commands to its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .errors import XenbindError
from .resources import folder

if TYPE_CHECKING:
    from .ir import Interface
    from .spec import Spec

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow", "warning": "red"}


def spec_path(spec: Path | None) -> Path:
    """The spec to use: the one named, else the one of this folder, else xenbind's own."""
    local = Path("headers/vm_event.toml")
    return spec or (local if local.is_file() else folder("headers") / local.name)


def _load(spec: Path | None) -> Spec:
    from . import spec as specs

    return specs.load(spec_path(spec))


def _interface(spec: Spec, wanted: str, cc: str | None) -> Interface:
    """The interface that a version number of the spec or a header tree's path names."""
    from .pipeline import read
    from .preprocess import find_compiler

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
    from . import diff as differences
    from .difftext import describe, to_json

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
    from . import show as views

    loaded = _load(spec)
    newest = str(loaded.versions[-1].number) if loaded.versions else ""
    view = views.show(_interface(loaded, version or newest, cc), type or None, expand)
    if as_json:
        click.echo(json.dumps(views.to_json(view), indent=2))
        return
    from rich.console import Console

    from .showtext import picture

    console = Console()
    console.print(picture(view), soft_wrap=not console.is_terminal)
