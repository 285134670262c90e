"""`xenbind add-version`: make a foreign header tree one of the spec's own versions.

Takes a spec and a header tree of a version that the spec does not have.  A copy of the headers
folder, in `.xenbind-adding` beside it, gets the version, and the package is generated from that.
Only when all is on the disk do the new headers, the spec and the package take their places, in
three steps that no signal comes between.  If the process is killed just there, the headers lie
in a folder that nothing names yet, or the package is that of the old spec: this command again,
or `generate`, puts that right.  Then `verify` does its work, as ever.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from xenbind import spec as specs
from xenbind.commands.generate import command as generating
from xenbind.commands.generate import output
from xenbind.commands.generate.build import Generated, build
from xenbind.commands.generate.change import sync
from xenbind.commands.verify import command as verifying
from xenbind.errors import SourceError, SystemFailure, XenbindError
from xenbind.facts.probes import fingerprint
from xenbind.interruption import Held, UndoneIfEnded
from xenbind.ir.interface import Interface
from xenbind.options import cc_option, load_spec, out_option, places, spec_option
from xenbind.pipeline import read
from xenbind.provenance.job import Job
from xenbind.resources import package
from xenbind.source import Coord
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
    """Bring a new header tree into headers/ as a version.

    Copies the header, adds the version to the spec, generates and verifies: what is left
    to do is to look at the change and commit it.

    \b
    Example:
      xenbind add-version xen/xen/include/public --release 4.23
    """
    where = places(spec, out=out)
    path, out = where.spec, where.out
    _check(path, releases)
    job = Job(path, None, out, cc, where.project)
    beside = path.resolve().parent.parent == out.resolve().parent
    with (
        output.lock(out),
        nullcontext() if beside else output.lock(path.parent),
        _added(job, tree, releases) as addition,
    ):
        made = addition.build()
        changes = generating.compare(job, made)
        with output.Replacement(out, made.files) as replacement:
            with Held(), addition.placed():
                replacement.commit()
            changed = replacement.changed
    click.echo(f"version {addition.number}: {addition.header}, {path}")
    generating.tell(job, made, changes, changed)
    sys.exit(0 if verifying.run(load_spec(path), out, cc) else 1)


@dataclass(frozen=True, slots=True)
class _Addition:
    """A new version in `copy`, a copy of the headers folder of `job`."""

    job: Job
    copy: Path
    tree: Path
    number: int
    name: str
    file: str

    @property
    def directory(self) -> Path:
        """Where the new version's headers go."""
        return self.job.spec.parent / self.name

    @property
    def header(self) -> Path:
        return self.directory / self.file

    def build(self) -> Generated:
        """Generate as from the headers folder with the new version in it."""
        spec = self.job.spec.resolve()
        job = replace(self.job, spec=self.copy / spec.name, stands_for=spec.parent)
        made = build(job)
        return replace(made, interfaces=tuple(map(self._named, made.interfaces)))

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Put headers and spec in their places; if the block raises an error, take it back."""
        spec = self.job.spec.resolve()
        kept = self.copy.parent / "spec"
        new = self.copy / self.directory.name
        is_there = self.directory.is_dir()  # the same: see `_added`
        shutil.copy2(spec, kept)
        try:
            if not is_there:
                new.rename(self.directory)
            (self.copy / spec.name).rename(spec)
            yield  # nothing slow comes between the steps
            sync(spec.parent)
        except BaseException as error:
            kept.replace(spec)
            if not is_there and self.directory.is_dir():
                self.directory.rename(new)
            if isinstance(error, OSError):
                raise _unwritable(spec.parent, error) from error
            raise

    def _named(self, interface: Interface) -> Interface:
        """Give the notes of an interface with the places that headers will have."""
        left_out = tuple(
            replace(item, coord=moved(item.coord, self.copy, self.job.spec.parent))
            for item in interface.left_out
        )
        return replace(interface, left_out=left_out)


def moved(coord: Coord, old: Path, new: Path) -> Coord:
    """Give a place with another folder's name in place of its own."""
    file = Path(coord.file)
    if not file.is_relative_to(old):
        return coord
    return replace(coord, file=str(new / file.relative_to(old)))


@contextmanager
def _added(job: Job, tree: Path, releases: Sequence[str]) -> Iterator[_Addition]:
    """Make a copy of the headers folder with the tree's version in it, for the block.

    The headers that all versions share serve the new one too, unless the tree's own make
    another ABI of it; then those are copied as well.  Raises `XenbindError` if the spec has the
    version or a release already, or where an error names a place in the tree or the folder.
    """
    path = job.spec
    spec = specs.load(path)
    known = {release for version in spec.versions for release in version.releases}
    for release in releases:
        if release in known:
            raise XenbindError(
                f"the spec has release {release} already",
                "give a new one with --release",
            )
    command = find_compiler(job.command)
    foreign = spec.for_tree(tree)
    interface = read(foreign, foreign.versions[0], command)
    _require_new(spec, interface, tree, releases, command)
    name = releases[0] if releases else f"v{interface.version}"
    folder = path.resolve().parent.parent / output.ADDING
    copy = folder / path.resolve().parent.name
    forget = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        with UndoneIfEnded(forget):
            _copy_headers(path.resolve(), copy, job.out.resolve())
            addition = _Addition(job, copy, tree, interface.version, name, spec.header)
            directory = copy / addition.directory.name
            _fill(directory, copy / path.name, interface, addition, command)
            version = VersionSpec(interface.version, directory, tuple(releases))
            _enter(copy / path.name, version)
            _refuse_other(addition.directory, directory)
            yield addition
    except SourceError as error:
        added = copy / name
        raise error.moved(
            lambda coord: moved(moved(coord, added, tree), copy, path.parent)
        ) from error
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    finally:
        forget()


def _require_new(
    spec: Spec,
    interface: Interface,
    tree: Path,
    releases: Sequence[str],
    command: tuple[str, ...],
) -> None:
    """Raise `XenbindError` for an interface that the spec has already.

    One that has grown, or changed, and kept its version number is told from the others by its
    first release.
    """
    same = [v for v in spec.versions if v.number == interface.version]
    if not same:
        return
    known = f"the spec has version {interface.version} already"
    newest = read(spec, same[-1], command)
    if fingerprint(newest) == fingerprint(interface):
        raise XenbindError(
            f"{known}, and this is the same",
            "add the release to its 'releases' in the spec, and run `xenbind generate`",
        )
    if not releases:
        raise XenbindError(
            f"{known}, and this is another",
            "name the first release that has it with --release;"
            f" `xenbind diff {interface.version} {tree}` tells what differs",
        )


def _copy_headers(spec: Path, copy: Path, out: Path) -> None:
    """Copy the spec's folder, but for hidden files and the package."""

    def others(folder: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if name.startswith(".") or Path(folder, name).resolve() == out
        ]

    shutil.copytree(spec.parent, copy, ignore=others, ignore_dangling_symlinks=True)


def _fill(
    directory: Path,
    spec: Path,
    interface: Interface,
    addition: _Addition,
    command: tuple[str, ...],
) -> None:
    """Copy what is needed of the tree into a version's folder."""
    loaded = specs.load(spec)
    version = VersionSpec(interface.version, directory, ())
    shutil.rmtree(directory, ignore_errors=True)  # what is there is looked at later
    directory.mkdir()
    for files in ([interface.header], interface.files):
        _copy(files, addition.tree, directory)
        if _same(loaded, version, interface, command):
            return
    raise XenbindError(
        f"{addition.tree} is laid out otherwise when read from {addition.directory}",
        "the tree includes headers from elsewhere; copy those into it first",
    )


def _enter(spec: Path, version: VersionSpec) -> None:
    """Add a version to a spec, and have that and its headers on the disk."""
    with spec.open("a", encoding="utf-8") as file:
        file.write(_entry(version))
    for path in (*version.directory.rglob("*"), version.directory, spec):
        sync(path)


def _refuse_other(directory: Path, new: Path) -> None:
    """Refuse what stands where the headers go, unless a killed run left just them there."""
    if directory.is_dir() and _listing(directory) == _listing(new):
        names = [name for name in _listing(new) if (new / name).is_file()]
        _, differing, failed = filecmp.cmpfiles(directory, new, names, shallow=False)
        if not differing and not failed:
            return
    if directory.exists():
        raise XenbindError(
            f"cannot make {directory}: File exists", "move what is there away first"
        )


def _listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _unwritable(folder: Path, error: OSError) -> SystemFailure:
    return SystemFailure(
        f"cannot write {folder}: {error.strerror or error}",
        "make room or get permission there; nothing was changed",
    )


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
