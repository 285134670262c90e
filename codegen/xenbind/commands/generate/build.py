"""Build the complete set of output files of a spec, in memory.

Takes a `Job`; reads the headers, has everything rendered and formatted, and gives the files
with their manifest, ready for `output`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from xenbind import pipeline, spec
from xenbind.backend import abi_table
from xenbind.backend.formatting import Formatter
from xenbind.commands.generate.header_copies import HeaderCopies
from xenbind.facts.probes import fingerprint
from xenbind.ir import history
from xenbind.ir.interface import Interface
from xenbind.lowering import unmatched
from xenbind.provenance import inputs, manifest, stored
from xenbind.provenance.job import Job
from xenbind.provenance.manifest import Manifest
from xenbind.toolchain.compiler import find_compiler

if TYPE_CHECKING:
    from xenbind.backend.render import Templates

_TABLE = "abi.md"


@dataclass(frozen=True, slots=True)
class Generated:
    """The text of every output file, manifest included, and the IR that it came from.

    `is_strict` says that the spec wants nothing left out.
    """

    package: str
    files: dict[str, str]
    interfaces: tuple[Interface, ...]
    is_strict: bool


def build(job: Job) -> Generated:
    """Read the headers and render everything, in memory."""
    with Formatter() as formatter:
        return _build(job, formatter)


def _build(job: Job, formatter: Formatter) -> Generated:
    # Importing the backend and compiling the templates takes a tenth of a second. Here it
    # costs nothing: the C compiler reads meanwhile. Imported above, generating was 5 % slower.
    templates: list[Templates] = []
    preparing = Thread(target=_prepare, args=(templates,))
    preparing.start()
    loaded = spec.load(job.spec)
    if job.include:
        loaded = loaded.for_tree(job.include, *job.further)
    command = find_compiler(job.command)
    loaded.require_versions()
    read_all = [
        pipeline.read_for_all(loaded, version, command) for version in loaded.versions
    ]
    preparing.join()

    from xenbind.backend.render import render

    interfaces = tuple(
        history.told(
            [interface for interface, _ in read_all],
            [version.releases for version in loaded.versions],
            loaded.version_macro,
        )
    )
    unmatched.refuse(loaded, interfaces)
    layouts = [lay_out for _, lay_out in read_all]
    headers = {i.edition: job.display(Path(i.header)) for i in interfaces}
    copies = HeaderCopies(job, loaded, interfaces, command)
    files = render(
        spec=loaded,
        interfaces=interfaces,
        layouts=layouts,
        headers=headers,
        folders=copies.folders,
        angled=copies.angled,
        templates=templates[0],
        formatter=formatter,
    )
    files |= copies.files
    files |= {stored.path(i.edition): stored.text(job, i) for i in interfaces}
    names = sorted({job.from_root(Path(f)) for i in interfaces for f in i.files})
    made = Manifest(
        generator=manifest.generator_digest(),
        project=job.to_project,
        include=job.tree,
        spec=inputs.spec_digest(job),
        inputs=inputs.header_digests(job, names),
        surroundings=inputs.surroundings(job, loaded, names),
        layouts={i.edition: fingerprint(i) for i in interfaces},
        outputs=manifest.digests(files),
        further=job.further_trees,
    )
    old = manifest.load(job.out)
    if old is not None:
        made = _fullest_table(job, old, made, files)
        made = _same_made(old, made)
    files[manifest.NAME] = made.text()
    return Generated(loaded.package, files, interfaces, loaded.is_strict)


def _prepare(templates: list[Templates]) -> None:
    """Import the backend, and give `_build` its templates, compiled."""
    from xenbind.backend.render import Templates

    templates.append(Templates().compile())


def _fullest_table(
    job: Job, old: Manifest, made: Manifest, files: dict[str, str]
) -> Manifest:
    """Keep the ABI table on disk, if it is of the same headers and knows more.

    Of a header that asks for its target's macros the table knows as much as there were
    compilers. Whoever has fewer must neither find it stale nor write a poorer one.
    """
    path = job.out / _TABLE
    if (old.spec, old.inputs) == (made.spec, made.inputs) and path.is_file():
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
