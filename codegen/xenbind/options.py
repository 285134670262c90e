"""What several commands of the command line share: options, and what these stand for.

Takes the values of options, and what the project's configuration says where an option is
not given; gives the spec, or the interface that a version or a folder names, for a command
to work on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from xenbind import config
from xenbind import spec as specs
from xenbind.errors import SystemFailure, XenbindError
from xenbind.plain import Struct, replace
from xenbind.provenance.job import Job
from xenbind.resources import folder
from xenbind.spec import Spec, VersionSpec

if TYPE_CHECKING:
    from xenbind.ir.interface import Interface


def _folders(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer folders, which to click a path may be or not."""
    return [CompletionItem(word, type="dir")]


spec_option = click.option(
    "--spec",
    type=click.Path(path_type=Path),
    help="The spec file.  [default: headers/vm_event.toml here, else xenbind's own]",
)
include_option = click.option(
    "--include",
    multiple=True,
    type=click.Path(path_type=Path),
    shell_complete=_folders,
    metavar="DIR",
    help="Read this header tree (such as /usr/include/xen), not the spec's versions; may be"
    " repeated, to look for headers in others too.",
)
tree_option = click.option(
    "--tree",
    type=click.Path(path_type=Path),
    shell_complete=_folders,
    metavar="DIR",
    help="All headers of this tree, each a module of one package; what is to be known of Xen's"
    " own (such as /usr/include/xen) comes with xenbind.",
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    shell_complete=_folders,
    metavar="DIR",
    help="The folder of the generated package.  [default: generated]",
)
cc_option = click.option(
    "--cc", metavar="COMMAND", help="The C compiler.  [default: $CC, else gcc]"
)
json_option = click.option(
    "--json", "wants_json", is_flag=True, help="Print the answer as JSON."
)


def of_tree(
    tree: Path | None, spec: Path | None, include: Sequence[Path]
) -> tuple[Path | None, Sequence[Path]]:
    """Give the spec and the folders of headers for a tree, or what they are without one.

    Without a spec of the user's it is that of Xen's headers, or of any.
    """
    if tree is None:
        return spec, include
    return spec or _spec_of(tree), (tree, *include)


def load_tree(tree: Path, spec: Path | None) -> Spec:
    """Load the spec of a tree: the user's, or else that of Xen's headers, or of any."""
    return load_spec(spec or _spec_of(tree), tree)


def named_header(
    tree: Path, spec: Path | None, header: str, cc: str | None
) -> Interface:
    """Read one header of a tree.  Raises as `tree.read_one` does."""
    # What is stored needs no parser, which takes a tenth of a second to import.
    from xenbind.toolchain.predefined import working_compiler
    from xenbind.tree import machines_for, read_one

    machines = machines_for(working_compiler(cc))
    return read_one(load_tree(tree, spec), header, machines)


def _spec_of(tree: Path) -> Path:
    is_xens = (tree / "xen.h").is_file() and (tree / "event_channel.h").is_file()
    return folder("headers") / ("xen_public.toml" if is_xens else "tree.toml")


class Places(Struct, frozen=True):
    """What a command works on: a spec file, a header tree or None, an output folder.

    `further` are other trees in which headers are looked for.  `facts` is the folder for what
    the compiler says of headers, None where there is none.  `project` is the folder whose
    configuration says where any of the first three is, None if there is none.
    """

    spec: Path
    include: Path | None
    out: Path
    project: Path | None
    facts: Path | None = None
    further: tuple[Path, ...] = ()


def places(
    spec: Path | None = None, include: Sequence[Path] = (), out: Path | None = None
) -> Places:
    """Give what the options name, else the project's configuration, else what is usual.

    That is the spec of this folder, or else the one that came with xenbind, and `generated`.
    Another spec than the configured one is of its own headers, unless `include` says more, and
    has no folder for facts.
    """
    said = config.find(Path.cwd())
    path = spec or (said.spec if said else None) or _usual_spec()
    configured = said.include if said and spec is None else None
    trees = include or ([configured] if configured else specs.load(path).own_trees)
    tree, further = (trees[0], tuple(trees[1:])) if trees else (None, ())
    if said is None:
        return Places(path, tree, out or Path("generated"), None, further=further)
    says_where = said.spec or said.include or said.out
    return Places(
        spec=path,
        include=tree,
        out=out or said.out or said.folder / "generated",
        project=said.folder if says_where else None,
        facts=said.facts if spec is None else None,
        further=further,
    )


def _usual_spec() -> Path:
    local = Path("headers/vm_event.toml")
    return local if local.is_file() else folder("headers") / local.name


def load_spec(
    spec: Path, include: Path | None = None, further: Sequence[Path] = ()
) -> Spec:
    """Load a spec; with `include`, of that header tree and `further` ones, not its versions."""
    loaded = specs.load(spec)
    return loaded.for_tree(include, *further) if include else loaded


def newest(spec: Spec, job: Job) -> str:
    """Name the spec's newest version, or the configured header tree of a spec that has none."""
    return str(spec.versions[-1].number if spec.versions else job.include or "")


def job_of(
    spec: Path | None = None,
    include: Sequence[Path] = (),
    out: Path | None = None,
    cc: str | None = None,
) -> Job:
    """Make a job of a command's options and the project's configuration."""
    where = places(spec, include, out)
    return Job(
        spec=where.spec,
        include=where.include,
        out=where.out,
        command=cc,
        configured=where.project,
        further=where.further,
    )


def named_version(spec: Spec, wanted: str) -> tuple[Spec, VersionSpec]:
    """Find the version that its number, a Xen release or a header tree's path names.

    Of several with the same number that is the newest; the spec is the one to read it by.  A
    library's versions are behind its package's name: `xenctrl/4.9`.  Raises `XenbindError` for
    a number that the spec or library has not, `SystemFailure` for a folder that is not there,
    with all that there are.
    """
    if Path(wanted).is_dir():
        foreign = spec.for_tree(Path(wanted))
        return foreign, foreign.versions[0]
    library, _, rest = wanted.partition("/")
    for own in spec.libraries:
        if library == own.package:
            if version := _version(own, rest):
                return own, version
            raise XenbindError(
                (
                    f"{library} has no version '{rest}'"
                    if rest
                    else f"'{library}' is a library, and has versions"
                ),
                f"name one behind {library}/: {', or '.join(_known(own))}",
            )
    if version := _version(spec, wanted):
        return spec, version
    if not spec.versions and wanted in ("0", "v0") and spec.own_trees:
        alone = spec.for_tree(*spec.own_trees)  # it has no version, and is told as 0
        return alone, alone.versions[0]
    behind = [f"{own.package}/{own.versions[-1].edition}" for own in spec.libraries]
    libraries = [f"a version of a library ({', '.join(behind)})"] if behind else []
    ways = [*_known(spec), *libraries, f"a folder with {spec.header}"]
    unknown = XenbindError if may_be_version(wanted) else SystemFailure
    raise unknown(
        f"'{wanted}' is neither a version nor a folder", f"name {', or '.join(ways)}"
    )


def _version(spec: Spec, wanted: str) -> VersionSpec | None:
    """Find the version of a spec that its number or a Xen release names."""
    series = ".".join(wanted.split(".")[:2])  # 4.17 of 4.17.3
    for version in spec.versions:
        if wanted.removeprefix("v") == version.edition or series in version.releases:
            return version
    return None


def _known(spec: Spec) -> list[str]:
    """Say which versions a spec has, and of which Xen releases."""
    numbers = [version.edition for version in spec.versions if not version.release]
    releases = [release for version in spec.versions for release in version.releases]
    return [
        *([f"one of the versions {', '.join(numbers)}"] if numbers else []),
        *([f"a Xen release, {releases[0]} to {releases[-1]}"] if releases else []),
    ]


def named_interface(job: Job, spec: Spec, wanted: str) -> Interface:
    """Give the interface that `named_version` finds; raises as that does.

    Without a compiler that the user names, it is the one that `generate` has stored, if there is
    one that is current; else its header is read.
    """
    # `check` and `generate` need the options in this module and no stored interface: what
    # reads one, imported above, took a tenth of `check`'s time.
    from xenbind.provenance import stored

    spec, version = named_version(spec, wanted)
    is_tree = version.entry is None
    job = replace(job, include=version.directory if is_tree else None)
    kept = stored.find(job, None if is_tree else spec.file_of(version.edition))
    return kept or _read(job, spec, version)


def _read(job: Job, spec: Spec, version: VersionSpec) -> Interface:
    # `check` needs the options in this module and reads no header. The parser, imported
    # above, would double its time: 0.1 s on top of 0.1 s.
    from xenbind.pipeline import read
    from xenbind.toolchain.predefined import working_compiler

    return read(spec, version, working_compiler(job.command))


def may_be_version(word: str) -> bool:
    """Tell whether a word is written as a version is, or a release: `7`, `v7_4_15`, `4.15`."""
    return re.fullmatch(r"v?\d+(_\d+)*|\d+(\.\d+)+", word) is not None
