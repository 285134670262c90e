"""Build the complete set of output files of a spec, in memory.

Takes a `Job`; reads the headers, has everything rendered and formatted, and gives the files
with their manifest, ready for `output`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from xenbind import pipeline, spec, user_cache
from xenbind.backend import abi_table
from xenbind.backend.formatted import Formatted
from xenbind.backend.formatting import Formatter
from xenbind.backend.package import Package
from xenbind.commands.generate.header_copies import HeaderCopies
from xenbind.errors import SourceError, refuse_all
from xenbind.ir import history
from xenbind.ir.interface import Interface, Layouts, LeftOut
from xenbind.lowering import unmatched
from xenbind.plain import Struct, replace
from xenbind.provenance import inputs, manifest, stored
from xenbind.provenance.job import Job
from xenbind.provenance.manifest import Manifest
from xenbind.resources import folder
from xenbind.spec import Spec
from xenbind.toolchain.predefined import working_compiler
from xenbind.tree import machines_for, read_tree
from xenbind.workers import Workers, result

if TYPE_CHECKING:
    from xenbind.backend.templates import Templates

_TABLE = "abi.md"

Read = tuple[Interface, Callable[[], Layouts]]


class Generated(Struct, frozen=True):
    """The text of every output file, manifest included, and the packages that it came from.

    `spec` is of what is around all packages, or a tree, of which `left_out` are the headers
    that are no modules, and `unmatched` the names in the spec that none of them has.
    """

    spec: Spec
    files: dict[str, str]
    packages: tuple[Package, ...]
    left_out: tuple[LeftOut, ...] = ()
    unmatched: tuple[SourceError, ...] = ()

    @property
    def interfaces(self) -> Iterator[Interface]:
        """Give the interfaces of all packages."""
        for package in self.packages:
            yield from package.interfaces


def build(job: Job) -> Generated:
    """Read the headers and render everything, in memory."""
    loaded = spec.load(job.spec)
    if job.include:
        loaded = loaded.for_tree(job.include, *job.further)
    command = working_compiler(job.command)
    specs = loaded.with_libraries
    for each in specs:
        each.require_versions()
    if loaded.tree is not None:
        with Workers() as workers:
            return _build_tree(job, loaded, command, workers)
    versions = sum(len(each.versions) for each in specs)
    known = Formatted(user_cache.folder())
    # One version alone is read by this process, and formatted by another: none, mostly, where
    # black was asked before.
    with Workers(min(versions, 2), at_once=versions > 1 or not known) as workers:
        return _build(job, specs, command, workers, known)


def _build(
    job: Job,
    specs: Sequence[Spec],
    command: tuple[str, ...],
    workers: Workers,
    known: Formatted,
) -> Generated:
    prepared = _start_preparing()
    reading = _read_all(specs, command, workers)
    # Which begins to import black after the reading, if it is new here.
    formatter = Formatter(workers, known)
    copied: dict[str, str] = {}
    packages = tuple(
        _package(job, each, command, read, copied)
        for each, read in zip(specs, reading, strict=True)
    )
    made = Generated(specs[0], copied, packages)
    return _written(job, made, prepared, formatter, workers)


def _build_tree(
    job: Job, loaded: Spec, command: tuple[str, ...], workers: Workers
) -> Generated:
    """Make a package of all headers of a tree."""
    prepared = _start_preparing()
    tree = read_tree(loaded, machines_for(command), workers)
    copied: dict[str, str] = {}
    packages = tuple(
        _package_of(job, each, (interface,), [_already({})], command, copied)
        for each, interface in tree.modules
    )
    interfaces = [interface for _, interface in tree.modules]
    # That of Xen's headers is for all releases, and names what some of them lack.
    is_users = loaded.path.parent != folder("headers")
    nowhere = tuple(unmatched.find(loaded, interfaces)) if is_users else ()
    made = Generated(loaded, copied, packages, tree.left_out, nowhere)
    formatter = Formatter(workers, Formatted(user_cache.folder()))
    return _written(job, made, prepared, formatter, workers)


def _written(
    job: Job,
    made: Generated,
    prepared: _Prepared,
    formatter: Formatter,
    workers: Workers,
) -> Generated:
    """Add to the copies of headers, which are all files so far, what is made of the packages."""
    templates = prepared.templates.result()

    from xenbind.backend.render import render
    from xenbind.backend.spec_names import clashes

    refuse_all(
        error
        for package in made.packages
        for interface in package.interfaces
        for error in clashes(package.spec, interface)
    )
    rendered = render(made.spec, made.packages, templates, formatter, workers)
    # What needs no formatting is made while black is at work.
    interfaces = {
        stored.path(package.spec.file_of(interface.edition)): stored.text(
            job, interface
        )
        for package in made.packages
        for interface in package.interfaces
    }
    names = sorted({job.from_root(Path(f)) for i in made.interfaces for f in i.files})
    listed = Manifest(
        generator=prepared.generator.result(),
        project=job.to_project,
        include=job.tree,
        spec=inputs.spec_digest(job),
        inputs=inputs.header_digests(job, names),
        surroundings=inputs.surroundings(job, made.spec, names),
        layouts=dict(rendered.fingerprints()),
        outputs={},
        further=job.further_trees,
    )
    files = rendered.files() | made.files | interfaces
    listed = replace(listed, outputs=manifest.digests(files))
    old = manifest.load(job.out)
    if old is not None:
        listed = _fullest_table(job, old, listed, files)
        listed = _same_made(old, listed)
    files[manifest.NAME] = listed.text()
    return replace(made, files=files)


def _package(
    job: Job,
    loaded: Spec,
    command: tuple[str, ...],
    read_all: Sequence[Read],
    copied: dict[str, str],
) -> Package:
    """Make one package of all versions of a spec; headers that go along are added to `copied`."""
    interfaces = tuple(
        history.told(
            [interface for interface, _ in read_all],
            [version.releases for version in loaded.versions],
            loaded.version_macro,
        )
    )
    unmatched.refuse(loaded, interfaces)
    layouts = [lay_out for _, lay_out in read_all]
    return _package_of(job, loaded, interfaces, layouts, command, copied)


def _package_of(
    job: Job,
    loaded: Spec,
    interfaces: tuple[Interface, ...],
    layouts: Sequence[Callable[[], Layouts]],
    command: tuple[str, ...],
    copied: dict[str, str],
) -> Package:
    copies = HeaderCopies(job, loaded, interfaces, command)
    copied |= copies.files
    return Package(
        spec=loaded,
        interfaces=interfaces,
        layouts=layouts,
        headers={i.edition: job.display(Path(i.header)) for i in interfaces},
        folders=copies.folders,
        angled=copies.angled,
    )


def _read_all(
    specs: Sequence[Spec], command: tuple[str, ...], workers: Workers
) -> Iterator[list[Read]]:
    """Begin to read every version of each spec; with it comes what lays it out on every ABI.

    Several are read beside each other.  One alone is read here, for it would be as long on its
    way from another process as in it, and laid out later, when black is at work.
    """
    (first, *others), *libraries = [each.versions for each in specs]
    if not others and not libraries:
        return (
            [pipeline.read_for_all(specs[0], each, command, workers.beside)]
            for each in [first]
        )
    reading = [
        [
            workers.submit(pipeline.read_and_lay_out, each, version, command)
            for version in each.versions
        ]
        for each in specs
    ]
    return (
        [(interface, _already(layouts)) for interface, layouts in map(result, futures)]
        for futures in reading
    )


def _already(layouts: Layouts) -> Callable[[], Layouts]:
    return lambda: layouts


class _Prepared(Struct, frozen=True):
    """What needs no header: the templates, compiled, and the digest of the generator."""

    templates: Future[Templates]
    generator: Future[str]


def _start_preparing() -> _Prepared:
    # Importing the backend and compiling the templates takes a tenth of a second. Beside the
    # C compiler it costs nothing. Imported above, generating was 5 % slower.
    thread = ThreadPoolExecutor(1)
    prepared = _Prepared(
        thread.submit(_prepare), thread.submit(manifest.generator_digest)
    )
    thread.shutdown(wait=False)  # it ends with this
    return prepared


def _prepare() -> Templates:
    """Import the backend, and give its templates, compiled."""
    from xenbind.backend.render import compiled_templates

    return compiled_templates()


def _fullest_table(
    job: Job, old: Manifest, made: Manifest, files: dict[str, str]
) -> Manifest:
    """Keep the ABI table on disk, if it is of the same headers and knows more.

    Of a header that asks for its target's macros the table knows as much as there were
    compilers. Whoever has fewer must neither find it stale nor write a poorer one.
    """
    path = job.out / _TABLE
    same = (old.spec, old.inputs) == (made.spec, made.inputs)
    if same and _TABLE in files and path.is_file():
        text = path.read_text(encoding="utf-8", errors="replace")
        if abi_table.completes(text, files[_TABLE]):
            files[_TABLE] = text
            return replace(made, outputs=manifest.digests(files))
    return made


def _same_made(old: Manifest, made: Manifest) -> Manifest:
    """Keep the old manifest if nothing but the surroundings changed.

    Another compiler, with other macros of its own, that makes the same of the headers makes
    nothing stale.
    """
    unchanged = replace(made, surroundings=old.surroundings) == old
    return old if unchanged else made
