"""A new version of a spec: made in a copy of its folder, and put in its place at the end.

Takes a spec and a foreign header tree.  A copy of the headers folder, in `.xenbind-adding`
beside it, gets the version; `command` has the package generated from that, and everything
placed.
"""

from __future__ import annotations

import filecmp
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from xenbind import spec as specs
from xenbind.backend.ring_module import protocol
from xenbind.backend.rings.behaviour import difference
from xenbind.commands.add_version.facts_file import FactsFile, staged
from xenbind.commands.generate import output
from xenbind.commands.generate.build import Generated, build
from xenbind.commands.generate.change import sync
from xenbind.errors import SourceError, SystemFailure, XenbindError
from xenbind.facts.probes import fingerprint
from xenbind.interruption import UndoneIfEnded
from xenbind.ir.interface import Interface
from xenbind.pipeline import read
from xenbind.plain import Struct, replace
from xenbind.provenance.job import Job
from xenbind.source import Coord, Sources
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.predefined import working_compiler

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)


class Addition(Struct, frozen=True):
    """A new version in `copy`, a copy of the headers folder of `job`.

    `facts` is the file that comes with it, None where the project has none.
    """

    job: Job
    copy: Path
    tree: Path
    number: int
    name: str
    file: str
    facts: FactsFile | None = None

    @property
    def directory(self) -> Path:
        """Where the new version's headers go."""
        return self.job.spec.parent / self.name

    @property
    def header(self) -> Path:
        return self.directory / self.file

    @property
    def written(self) -> list[Path]:
        """What of the project becomes another, but for the package."""
        facts = [self.facts.path] if self.facts else []
        return [self.header, self.job.spec, *facts]

    def build(self) -> Generated:
        """Generate as from the headers folder with the new version in it."""
        spec = self.job.spec.resolve()
        job = replace(self.job, spec=self.copy / spec.name, stands_for=spec.parent)
        made = build(job)
        own, *libraries = made.packages
        own = replace(own, interfaces=tuple(map(self._named, own.interfaces)))
        return replace(made, packages=(own, *libraries))

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Put all but the package in its place; if the block raises an error, take it back."""
        with self.facts.placed() if self.facts else nullcontext(), self._headers():
            yield  # nothing slow comes between the steps

    @contextmanager
    def _headers(self) -> Iterator[None]:
        """Put headers and spec in their places for the block, as `placed` does."""
        spec = self.job.spec.resolve()
        kept = self.copy.parent / "spec"
        new = self.copy / self.directory.name
        is_there = self.directory.is_dir()  # the same: see `added`
        shutil.copy2(spec, kept)
        try:
            if not is_there:
                new.rename(self.directory)
            (self.copy / spec.name).rename(spec)
            yield
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
def added(
    job: Job, tree: Path, releases: Sequence[str], facts: Path | None
) -> Iterator[Addition]:
    """Make a copy of the headers folder with the tree's version in it, for the block.

    The headers that all versions share serve the new one too, unless the tree's own make
    another ABI of it, or rings that work otherwise; then those are copied as well.  `facts` is
    the folder for what the compiler says of the tree.  Raises `XenbindError` if the spec has the
    version or a release already, if something else is in the way, or where an error names a
    place in the tree or the folder.
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
    if facts is not None and facts.resolve().is_relative_to(job.out.resolve()):
        raise XenbindError(
            f"the folder for facts, {facts}, is in that of the package, {job.out}",
            "name another one under 'facts' in the configuration",
        )
    command = working_compiler(job.command)
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
            addition = Addition(job, copy, tree, interface.version, name, spec.header)
            if facts is not None:
                stage = folder / "facts.json"
                number = interface.version
                file = staged(facts, stage, foreign, command, number, releases)
                addition = replace(addition, facts=file)
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
    if _alike(newest, interface):
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
    addition: Addition,
    command: tuple[str, ...],
) -> None:
    """Copy what is needed of the tree into a version's folder.

    That is the header, or that with all that it may include: another target reads other files.
    """
    loaded = specs.load(spec)
    version = VersionSpec(interface.version, directory, ())
    shutil.rmtree(directory, ignore_errors=True)  # what is there is looked at later
    directory.mkdir()
    tree = addition.tree.resolve()
    header = tree / addition.file
    for files in ([header], _with_included(header, tree)):
        _copy(files, tree, directory)
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


def _with_included(header: Path, tree: Path) -> list[Path]:
    """Give a header and those of its tree that it may include, whatever the macros say."""
    found: dict[Path, None] = {}
    waiting = [header]
    sources = Sources()
    while waiting:
        file = waiting.pop().resolve()
        if file in found or not file.is_relative_to(tree):
            continue
        found[file] = None
        for name in _INCLUDE.findall(sources.text(str(file))):
            places = (folder / name for folder in (file.parent, tree))
            waiting += [place for place in places if place.is_file()][:1]
    return list(found)


def _copy(files: Sequence[Path], tree: Path, directory: Path) -> None:
    for file in files:
        target = directory / file.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _same(
    spec: Spec, version: VersionSpec, interface: Interface, command: tuple[str, ...]
) -> bool:
    try:
        return _alike(read(spec, version, command), interface)
    except SourceError:
        return False  # the shared headers lack something that the tree's own have


def _alike(one: Interface, other: Interface) -> bool:
    """Whether two interfaces have the same ABI, and rings that work alike."""
    if fingerprint(one) != fingerprint(other):
        return False
    mine, its = protocol(one), protocol(other)
    return mine is None or its is None or not difference(mine, its)


def _entry(version: VersionSpec) -> str:
    releases = ", ".join(f'"{release}"' for release in version.releases)
    return (
        f"\n[[version]]\nnumber = {version.number}\n"
        f'directory = "{version.directory.name}"\nreleases = [{releases}]\n'
    )
