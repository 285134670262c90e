"""`xenbind init`: write a spec for a header, with what could be found out about it.

Takes headers; `layout` says where they are, `asking` has the compiler say what they lack to be
C, `findings` looks at what they declare, and `text` puts it down.  The spec can be used at once
and is the user's from then on: nothing that is there is ever written over.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from xenbind import spec as specs
from xenbind.commands.init import asking, findings, text
from xenbind.commands.init.layout import Layout, lay_out
from xenbind.errors import OutputError, UsageError
from xenbind.options import cc_option
from xenbind.spec import Spec, rules
from xenbind.spec.rules import Rule
from xenbind.toolchain.predefined import working_compiler
from xenbind.toolchain.scratch import scratch
from xenbind.whole_file import whole_file
from xenbind.words import count


@click.command()
@click.argument(
    "headers", nargs=-1, required=True, metavar="HEADER...", type=click.Path()
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The spec to write.  [default: the header's name, with .toml]",
)
@click.option(
    "--include",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder in which headers are looked for; may be repeated.",
)
@click.option(
    "--needs",
    multiple=True,
    metavar="HEADER",
    help="A header that must be included before; may be repeated.",
)
@click.option(
    "--define",
    "defines",
    multiple=True,
    metavar="MACRO",
    help="A macro that must be defined before; may be repeated.",
)
@cc_option
def init(
    headers: tuple[str, ...],
    out: Path | None,
    include: tuple[Path, ...],
    needs: tuple[str, ...],
    defines: tuple[str, ...],
    cc: str | None,
) -> None:
    """Write a spec for a header, with what is found out about it.

    HEADER is a file, or the name by which C includes it.  Which headers and macros it needs
    before it, the compiler is asked; what else the spec says is what the header has: groups of
    constants, rings, pages of events, unions that a member selects from.  Of several headers the
    package has what all of them declare.  A file that is there is never overwritten.

    \b
    Examples:
      xenbind init /usr/include/xen/io/blkif.h
      xenbind generate --spec blkif.toml
      xenbind init linux/input.h -o bindings/input.toml
    """
    command = working_compiler(cc)
    layout = lay_out(headers, include, command, out)
    for path in layout.written:
        if path.exists() or path.is_symlink():
            raise OutputError(
                f"{path} is there already, and init overwrites nothing",
                "name another file with --out, or remove that one",
            )
    _check("--needs", needs, rules.FILE)
    _check("--define", defines, rules.DEFINE)
    with scratch() as folder:
        draft = _draft(layout, folder, needs, defines)
        spec = asking.completed(draft, command)
        found = findings.find(spec, command)
    written = text.spec(layout, spec, found)
    layout.out.parent.mkdir(parents=True, exist_ok=True)
    for path in layout.written:
        content = written if path == layout.out else layout.umbrella_text
        with whole_file(path) as file:
            file.write(content.encode())
    for line in _told(layout, found):
        click.echo(line)


def _check(option: str, texts: tuple[str, ...], rule: Rule) -> None:
    """Raise `UsageError` for what a spec could not say."""
    for each in texts:
        if not rule.allows(each):
            raise UsageError(
                f"{option} '{each}': it {rule.says}", f"write {rule.example}"
            )


def _draft(
    layout: Layout, folder: Path, needs: tuple[str, ...], defines: tuple[str, ...]
) -> Spec:
    """Make the least spec of the headers, in a folder of the moment."""
    path = folder / "draft.toml"
    path.write_text(text.least(layout, needs, defines), encoding="utf-8")
    trees = layout.trees
    if layout.umbrella is not None:
        (folder / layout.header).write_text(layout.umbrella_text, encoding="utf-8")
        trees = (folder, *trees)
    return specs.load(path).for_tree(*trees)


def _told(layout: Layout, found: findings.Findings) -> Iterator[str]:
    interface = found.interface
    yield (
        f"{interface.name}: {count(len(interface.records), 'record')},"
        f" {count(len(interface.constants), 'constant')}"
        f" in {count(len(interface.groups), 'group')},"
        f" {count(len(found.functions), 'function')}"
    )
    for path in layout.written:
        yield f"{path}: written"
    number = len(found.functions)
    for library, has in found.libraries:
        so_has = ", and so has the package" if found.has_library else ""
        yield f"{library} has {has} of {count(number, 'function')}{so_has}: see [functions] there"
    if number and not found.libraries:
        yield "no installed library has its functions: see [functions] there"
    for header, names in found.further.items():
        yield f"{header} has {count(len(names), 'function')} more: see there how to have these"
    yield f"next: xenbind generate --spec {shlex.quote(str(layout.out))}"
