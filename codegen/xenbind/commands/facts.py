"""`xenbind facts`: what a compiler says of a header, as a file to hold bindings against.

Takes a version, a release or a header tree; `facts.header_facts` asks the compiler, and this
prints the JSON or writes it.
"""

from __future__ import annotations

from pathlib import Path

import click

from xenbind import completion, header_tree
from xenbind.facts.header_facts import as_text, header_facts
from xenbind.options import (
    cc_option,
    job_of,
    load_spec,
    named_version,
    newest,
    spec_option,
)
from xenbind.pipeline import compiler_for, deep_recursion
from xenbind.toolchain.predefined import working_compiler
from xenbind.whole_file import whole_file


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
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it.  [default: standard output]",
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

    VERSION is a version or a release in the spec (the newest if left out) or a folder with a
    header tree.  Constants, structs and unions with their members, typedefs, and how many
    entries a ring has in a page: the compiler alone says it, and nothing of it comes from
    xenbind's own reading of the header, so that tests can hold a package against it.

    \b
    Examples:
      xenbind facts 4.17
      xenbind facts xen/xen/include/public --release 4.23 --output xen-4.23.json
    """
    job = job_of(spec, cc=cc)
    loaded = load_spec(job.spec)
    found_in, found = named_version(loaded, version or newest(loaded, job))
    header_tree.require(found_in, found)
    compiler = compiler_for(found_in, found, working_compiler(job.command))
    with deep_recursion(found.directory / found_in.header):
        said = header_facts(found_in, found, compiler, releases or found.releases)
        text = as_text(said)
    if output is None:
        click.echo(text, nl=False)
    else:
        with whole_file(output) as file:
            file.write(text.encode())
