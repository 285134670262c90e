"""`xenbind show`: draw what one version of an interface declares.

Takes a version and a name; `view` works out what there is to see, and `text` draws it, or
`as_json` turns it into JSON, for this to print.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from xenbind.colours import say, wanted
from xenbind.commands.show import view as views
from xenbind.commands.show.as_json import as_json
from xenbind.commands.show.completion import names, versions_and_names
from xenbind.commands.show.text import text
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    may_be_version,
    named_interface,
    named_version,
    newest,
    spec_option,
)
from xenbind.spec import Spec


@click.command()
@click.argument("version", default="", shell_complete=versions_and_names)
@click.argument("name", metavar="[TYPE]", default="", shell_complete=names)
@click.option(
    "--expand", is_flag=True, help="Lay nested structs and unions out in place."
)
@spec_option
@cc_option
@json_option
def show(
    version: str,
    name: str,
    expand: bool,
    spec: Path | None,
    cc: str | None,
    wants_json: bool,
) -> None:
    """Draw a struct's layout, or list what a version declares.

    VERSION is a version in the spec (the newest if left out), a library's behind its name, or
    a folder with a header tree; TYPE a struct, union or typedef, a path to a member, a
    constant or their group, or a function.

    \b
    Examples:
      xenbind show
      xenbind show vm_event_st
      xenbind show 7 vm_event_st.u.mem_access
      xenbind show 7 VmEventReason
      xenbind show xenctrl/4.9 xc_monitor_enable
    """
    job = job_of(spec, cc=cc)
    loaded = load_spec(job.spec)
    if version and not name and not _is_version(loaded, version):
        version, name = "", version
    version = version or newest(loaded, job)
    own, _ = named_version(loaded, version)
    interface = named_interface(job, loaded, version)
    if own.is_of_xen and not (interface.has_spans or cc or Path(version).is_dir()):
        note = "since which Xen each is there is not told: run `xenbind generate`"
        say(f"{interface.header}: note: {note}", err=True)
    view = views.show(interface, name or None, expand)
    if wants_json:
        click.echo(json.dumps(as_json(view), indent=2))
    else:
        console = Console()
        with console.capture() as drawn:  # rich has a way of its own to end on an error
            console.print(text(view), soft_wrap=not console.is_terminal)
        click.echo(drawn.get(), nl=False, color=wanted() is None)


def _is_version(spec: Spec, word: str) -> bool:
    """Tell a version, a library or a header tree from what is the name of none."""
    is_library = word in (own.package for own in spec.libraries)
    return may_be_version(word) or "/" in word or is_library or Path(word).is_dir()
