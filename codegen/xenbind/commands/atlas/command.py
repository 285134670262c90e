"""`xenbind atlas`: write a page that draws every struct, to be opened in a browser.

Takes a spec, a foreign header tree or all headers of one; `chapters` reads them, `data` makes
plain data of the layouts, and `page` a file of these.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import click

from xenbind.options import (
    cc_option,
    include_option,
    job_of,
    of_tree,
    spec_option,
    tree_option,
)
from xenbind.words import count


@click.command()
@spec_option
@include_option
@tree_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("atlas"),
    metavar="DIR",
    help="The folder of the page.  [default: atlas]",
)
@cc_option
def atlas(
    spec: Path | None,
    include: Sequence[Path],
    tree: Path | None,
    out: Path,
    cc: str | None,
) -> None:
    """Write a page that draws every struct of every release.

    Byte by byte and bit by bit, on each target, with what moved from one release to the next; a
    ring's page, a recording or bytes in hexadecimal that are dropped on it are seen in their
    places.  The page is one file, DIR/index.html, which needs no network.

    \b
    Examples:
      xenbind atlas
      xenbind atlas --spec headers/console.toml --out docs/atlas
      xenbind atlas --tree /usr/include/xen --out xen-atlas
    """
    # Reading takes long beside this: it is not for `xenbind --help` to wait for.
    from xenbind.commands.atlas import page
    from xenbind.commands.atlas.chapters import chapters
    from xenbind.commands.atlas.data import data

    gc.disable()  # a short run that allocates syntax trees
    spec, include = of_tree(tree, spec, include)
    title, found = chapters(job_of(spec, include, cc=cc))
    told = data(title, found)
    path = page.write(out, told)
    editions = sum(len(chapter.editions) for chapter in found)
    layouts = count(len(told["layouts"]), "layout")
    size = path.stat().st_size / 1000
    click.echo(f"{path}: {count(editions, 'interface')}, {layouts}, {size:.0f} kB")
