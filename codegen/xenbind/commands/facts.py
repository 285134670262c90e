"""`xenbind facts`: what a compiler says of a header, as a file to hold bindings against.

Takes a version, a release or a header tree; `facts.header_facts` asks the compiler, and this
prints the JSON or writes it.
"""

from __future__ import annotations

from pathlib import Path

import click

from xenbind import completion
from xenbind.options import cc_option, load_spec, named_version, newest, places, spec_option


@click.command()
@click.argument("version", default="", shell_complete=completion.versions)
@click.option(
    "--release",
    "releases",
    multiple=True,
    help="A Xen release that has this header; may be repeated.  [default: the spec's]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write this file.  [default: standard output]",
)
@spec_option
@cc_option
def facts(
    version: str,
    releases: tuple[str, ...],
    output: Path | None,
    spec: Path | None,
    cc: str | None,
) -> None:
    """Print what a compiler says of a header, as JSON.

    VERSION is a version or release in the spec (the newest if left out) or a folder with a
    header tree.  Constants, structs and unions with their members, typedefs and how many
    entries a ring has: all of it is asked of the compiler, and none taken from xenbind's own
    reading of the header, so that tests can hold the package against it.

    \b
    Examples:
      xenbind facts 7
      xenbind facts xen/xen/include/public --release 4.23 --output xen-4.23.json
    """
    from xenbind import header_tree
    from xenbind.facts.header_facts import as_text, header_facts
    from xenbind.pipeline import compiler_for
    from xenbind.toolchain.compiler import find_compiler
