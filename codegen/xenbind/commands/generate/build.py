"""Build the complete set of output files of a spec, in memory.

Takes a `Job`; reads the headers, has everything rendered and formatted, and gives the files
with their manifest, ready for `output`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from xenbind import pipeline, spec
from xenbind.backend import abi_table
from xenbind.backend.formatting import Formatter
from xenbind.commands.generate import manifest
from xenbind.commands.generate.job import Job
from xenbind.commands.generate.manifest import Manifest
from xenbind.facts.probes import fingerprint
from xenbind.ir.interface import Interface
from xenbind.lowering import unmatched
from xenbind.toolchain.compiler import find_compiler

if TYPE_CHECKING:
    from xenbind.backend.render import Templates


@dataclass(frozen=True, slots=True)
class Generated:
    """The text of every output file, manifest included, and the IR that it came from."""

    package: str
    files: dict[str, str]
    interfaces: tuple[Interface, ...]


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
        loaded = loaded.for_tree(job.include)
    command = find_compiler(job.command)
    loaded.require_versions()
    read_all = [
        pipeline.read_for_all(loaded, version, command) for version in loaded.versions
    ]
    preparing.join()

    from xenbind.backend.render import render

    interfaces = tuple(interface for interface, _ in read_all)
    unmatched.refuse(loaded, interfaces)
    layouts = [lay_out for _, lay_out in read_all]
    headers = {i.version: _display(i.header, job) for i in interfaces}
    folders = {
        interface.version: [
            _seen_from(job, path) for path in (version.directory, *loaded.include)
        ]
        for interface, version in zip(interfaces, loaded.versions, strict=True)
    }
    files = render(
        spec=loaded,
        interfaces=interfaces,
        layouts=layouts,
        headers=headers,
        folders=folders,
        templates=templates[0],
        formatter=formatter,
    )
    read = [file for interface in interfaces for file in interface.files]
    inputs = _inputs(job, read)
    files["abi.md"] = _fullest_table(job, inputs, files["abi.md"])
    made = Manifest(
        generator=manifest.generator_digest(),
        include=job.tree,
        inputs=inputs,
        outputs=manifest.digests(files),
        layouts={str(i.version): fingerprint(i) for i in interfaces},
    )
    return Generated(loaded.package, {**files, manifest.NAME: made.text()}, interfaces)


def _prepare(templates: list[Templates]) -> None:
    """Import the backend, and give `_build` its templates, compiled."""
    from xenbind.backend.render import Templates

    templates.append(Templates().compile())


def _fullest_table(job: Job, inputs: Mapping[str, str], text: str) -> str:
    """Give the ABI table on disk instead, if it is of the same headers and knows more.

    Of a header that asks for its target's macros the table knows as much as there were
    compilers. Whoever has fewer must neither find it stale nor write a poorer one.
    """
    made = manifest.load(job.out)
    path = job.out / "abi.md"
    if made is not None and made.inputs == inputs and path.is_file():
        old = path.read_text(encoding="utf-8", errors="replace")
        if abi_table.completes(old, text):
            return old
    return text


def _display(header: str, job: Job) -> str:
    """Write a header as generated files name it: from the project's folder, or as it was given."""
    path = Path(header)
    if job.include:
        return path.as_posix()
    return path.relative_to(job.spec.parent.parent).as_posix()


def _seen_from(job: Job, path: Path) -> str:
    """Write a header folder for the generated tests: relative within one project, else absolute."""
    project = job.spec.resolve().parent.parent
    if job.include is None and job.out.resolve().parent == project:
        return f"../{path.resolve().relative_to(project).as_posix()}"
    return path.resolve().as_posix()


def _inputs(job: Job, read: list[str]) -> dict[str, str]:
    if job.include is None:
        return manifest.tree_inputs(job.spec.parent)
    return manifest.file_inputs(str(Path(file).resolve()) for file in read)
