"""`xenbind add-version`: make a foreign header tree one of the spec's own versions.

Takes a spec and a header tree of a version that the spec does not have; copies what is
needed into the headers folder, adds the entry to the spec, and has `generate` and `verify`
do the rest, as ever.  If generating fails, all of it is taken back.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from xenbind import spec as specs
from xenbind.commands.generate import command as generating
from xenbind.commands.generate.job import Job
from xenbind.commands.verify import command as verifying
from xenbind.errors import SourceError, XenbindError
from xenbind.facts.probes import fingerprint
from xenbind.ir.interface import Interface
from xenbind.options import cc_option, load_spec, out_option, places, spec_option
from xenbind.pipeline import read
from xenbind.resources import package
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.compiler import find_compiler


@click.command()
@click.argument("tree", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--release",
    "releases",
    multiple=True,
    help="A Xen release that speaks it, such as 4.23.",
)
@spec_option
@out_option
@cc_option
def add_version(
    tree: Path,
    releases: tuple[str, ...],
    spec: Path | None,
    out: Path | None,
    cc: str | None,
) -> None:
    """Bring a new header tree into headers/ as its interface version.

    Copies the header, adds the version to the spec, generates and verifies: what is left
    to do is to look at the change and commit it.

    \b
    Example:
      xenbind add-version xen/xen/include/public --release 4.23
    """
    where = places(spec, out=out)
    path = where.spec
    with added_version(path, tree, releases, find_compiler(cc)) as added:
        click.echo(f"version {added.version}: {added.header}, {path}")
        generating.run(Job(path, None, where.out, cc, where.project))
    sys.exit(0 if verifying.run(load_spec(path), where.out, cc) else 1)


@contextmanager
def added_version(
    path: Path, tree: Path, releases: Sequence[str], command: tuple[str, ...]
) -> Iterator[Interface]:
    """Copy a tree's header into headers/vN and enter it in the spec at `path`.

    If the block that follows raises an error, all of that is taken back.

    The headers that all versions share serve the new one too, unless the tree's own make
    another ABI of it; then those are copied as well.  Raises `XenbindError`, with
    everything as it was, if the spec has the version or a release already, or is the one
    that came with an installed xenbind.
    """
    _check(path, releases)
    spec = specs.load(path)
    known = {release for version in spec.versions for release in version.releases}
    for release in releases:
        if release in known:
            raise XenbindError(
                f"the spec has release {release} already",
                "give a new one with --release",
            )
    foreign = spec.for_tree(tree)
    interface = read(foreign, foreign.versions[0], command)
    if interface.version in {version.number for version in spec.versions}:
        raise XenbindError(
            f"the spec has version {interface.version} already",
            f"see what differs with `xenbind diff {interface.version} {tree}`",
        )
    directory = path.parent / f"v{interface.version}"
    version = VersionSpec(interface.version, directory, tuple(releases))
    before = path.read_bytes()
    try:
        directory.mkdir()
    except OSError as error:
        raise XenbindError(
            f"cannot make {directory}: {error.strerror}",
            "move what is there away first",
        ) from error
    try:
        _copy([interface.header], tree, directory)
        if not _same(spec, version, interface, command):
            _copy(interface.files, tree, directory)
            if not _same(spec, version, interface, command):
                raise XenbindError(
                    f"{tree} is laid out otherwise when read from {directory}",
                    "the tree includes headers from elsewhere; copy those into it first",
                )
        with path.open("a", encoding="utf-8") as file:
            file.write(_entry(version))
        yield replace(interface, header=str(directory / spec.header))
    except Exception:
        shutil.rmtree(directory)
        path.write_bytes(before)
        raise


def _check(path: Path, releases: Sequence[str]) -> None:
    if path.resolve().is_relative_to(package()):
        raise XenbindError(
            "these headers belong to the installed xenbind",
            f"copy {path.parent} to headers/ and run this beside it, or name a spec",
        )
    for release in releases:
        if not specs.RELEASE.allows(release):
            raise XenbindError(
                f"'{release}' is no Xen release", "write it as in --release 4.23"
            )


def _copy(files: Sequence[str], tree: Path, directory: Path) -> None:
    for file in files:
        source = Path(file)
        if source.resolve().is_relative_to(tree.resolve()):
            target = directory / source.resolve().relative_to(tree.resolve())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _same(
    spec: Spec, version: VersionSpec, interface: Interface, command: tuple[str, ...]
) -> bool:
    try:
        return fingerprint(read(spec, version, command)) == fingerprint(interface)
    except SourceError:
        return False  # the shared headers lack something that the tree's own have


def _entry(version: VersionSpec) -> str:
    releases = ", ".join(f'"{release}"' for release in version.releases)
    return (
        f"\n[[version]]\nnumber = {version.number}\n"
        f'directory = "{version.directory.name}"\nreleases = [{releases}]\n'
    )
