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
from xenbind.errors import UsageError
from xenbind.ir.interface import Interface
from xenbind.options import (
    cc_option,
    job_of,
    json_option,
    load_spec,
    may_be_version,
    named_header,
    named_interface,
    named_version,
    newest,
    spec_option,
    tree_option,
)
from xenbind.spec import Spec


@click.command()
@click.argument("version", default="", shell_complete=versions_and_names)
@click.argument("name", metavar="[TYPE]", default="", shell_complete=names)
@click.option(
    "--expand", is_flag=True, help="Lay nested structs and unions out in place."
)
@spec_option
@tree_option
@cc_option
@json_option
@click.option(
    "--svg",
    "wants_svg",
    is_flag=True,
    help="Print a struct's picture as SVG, for a document.",
)
def show(
    version: str,
    name: str,
    expand: bool,
    spec: Path | None,
    tree: Path | None,
    cc: str | None,
    wants_json: bool,
    wants_svg: bool,
) -> None:
    """Draw a struct's layout, or list what a version declares.

    VERSION is a version in the spec (the newest if left out), a library's behind its name, or
    a folder with a header tree, or with --tree one of its headers; TYPE a struct, union or
    typedef, a path to a member, a constant or their group, or a function.

    \b
    Examples:
      xenbind show
      xenbind show vm_event_st
      xenbind show 7 vm_event_st.u.mem_access
      xenbind show 7 VmEventReason
      xenbind show 7 vm_event_mem_access --svg > mem_access.svg
      xenbind show xenctrl/4.9 xc_monitor_enable
      xenbind show --tree /usr/include/xen io/blkif.h blkif_request
    """
    if wants_json and wants_svg:
        raise UsageError("--json and --svg are two answers", "ask for one of them")
    if tree is not None:
        read = _of_tree(tree, version, spec, cc)
        _print(read, name, expand, wants_json, wants_svg)
        return
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
    _print(interface, name, expand, wants_json, wants_svg)


def _of_tree(tree: Path, header: str, spec: Path | None, cc: str | None) -> Interface:
    """Read a header of a tree.  Raises `UsageError` if none is named."""
    if not header:
        raise UsageError(
            "which header of the tree?",
            "name one before the type, as the tree does, such as io/blkif.h",
        )
    return named_header(tree, spec, header, cc)


def _print(
    interface: Interface, name: str, expand: bool, wants_json: bool, wants_svg: bool
) -> None:
    view = views.show(interface, name or None, expand)
    if wants_svg:
        click.echo(_picture(view), nl=False)
        return
    if wants_json:
        click.echo(json.dumps(as_json(view), indent=2))
    else:
        console = Console()
        with console.capture() as drawn:  # rich has a way of its own to end on an error
            console.print(text(view), soft_wrap=not console.is_terminal)
        click.echo(drawn.get(), nl=False, color=wanted() is None)


def _picture(view: views.View) -> str:
    """Draw a view as SVG.  Raises `UsageError` for one that is no struct or union."""
    if not isinstance(view, views.RecordView):
        raise UsageError(
            "only a struct or union has a picture",
            "name one behind the version, such as vm_event_mem_access",
        )
    # Templates take a tenth of a second to import, and text needs none.
    from xenbind.commands.show.svg import svg

    return svg(view)


def _is_version(spec: Spec, word: str) -> bool:
    """Tell a version, a library or a header tree from what is the name of none."""
    is_library = word in (own.package for own in spec.libraries)
    return may_be_version(word) or "/" in word or is_library or Path(word).is_dir()
