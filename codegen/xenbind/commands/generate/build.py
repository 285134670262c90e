"""Generation and its check: from a spec to the complete set of output files.

Takes a `Spec` and where to look; gives the files with their manifest, ready for
`output`.  `stale` answers `xenbind check`, from digests alone where nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from xenbind.commands.generate import manifest, output
from xenbind.commands.generate.manifest import Manifest
from xenbind.errors import OutputError
from xenbind.facts.probes import fingerprint
from xenbind.ir.interface import Interface

if TYPE_CHECKING:
    from xenbind.backend.formatting import Formatter
    from xenbind.backend.render import Templates


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a spec file, a foreign header tree or None, an output folder, a compiler."""

    spec: Path
    include: Path | None
    out: Path
    command: str | None


@dataclass(frozen=True, slots=True)
class Generated:
    """The text of every output file, manifest included, and the IR that it came from."""

    package: str
    files: dict[str, str]
    interfaces: tuple[Interface, ...]


@dataclass(frozen=True, slots=True)
class Stale:
    """An output file that is not what generating would write.

    `diff` is a unified diff, empty for a file that is not there.
    """

    path: str
    diff: str


def build(job: Job) -> Generated:
    """Read the headers and render everything, in memory."""
    from xenbind.backend.formatting import Formatter

    with Formatter() as formatter:
        return _build(job, formatter)


def _build(job: Job, formatter: Formatter) -> Generated:
    from xenbind import pipeline, spec
    from xenbind.toolchain.compiler import find_compiler

    # What comes after reading is made ready while the C compiler reads.
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
    layouts = [lay_out for _, lay_out in read_all]
    headers = {i.version: _display(i.header, job) for i in interfaces}
    folders = {
        interface.version: [
            _seen_from(job, path) for path in (version.directory, *loaded.include)
        ]
        for interface, version in zip(interfaces, loaded.versions, strict=True)
    }
    files = render(
        loaded, interfaces, layouts, headers, folders, templates[0], formatter
    )
    read = [file for interface in interfaces for file in interface.files]
    made = Manifest(
        generator=manifest.generator_digest(),
        include=str(job.include.resolve()) if job.include else None,
        inputs=_inputs(job, read),
        outputs=manifest.digests(files),
        layouts={str(i.version): fingerprint(i) for i in interfaces},
    )
    return Generated(loaded.package, {**files, manifest.NAME: made.text()}, interfaces)


def _prepare(templates: list[Templates]) -> None:
    """Import what `_build` needs, and give it the templates, compiled."""
    from xenbind.backend.render import Templates
    from xenbind.commands.generate import abi_break  # noqa: F401

    templates.append(Templates().compile())


def _display(header: str, job: Job) -> str:
    """How generated files name a header: from the project's folder, or as it was given."""
    path = Path(header)
    if job.include:
        return path.as_posix()
    return path.relative_to(job.spec.parent.parent).as_posix()


def _seen_from(job: Job, path: Path) -> str:
    """A header folder for the generated tests: relative within one project, else absolute."""
    project = job.spec.resolve().parent.parent
    if job.include is None and job.out.resolve().parent == project:
        return f"../{path.resolve().relative_to(project).as_posix()}"
    return path.resolve().as_posix()


def _inputs(job: Job, read: list[str]) -> dict[str, str]:
    if job.include is None:
        return manifest.tree_inputs(job.spec.parent)
    return manifest.file_inputs(str(Path(file).resolve()) for file in read)


def is_current(job: Job) -> bool:
    """Whether digests alone show that generating would change nothing."""
    made = manifest.load(job.out)
    if made is None or made.generator != manifest.generator_digest():
        return False
    if job.include is None:
        inputs = manifest.tree_inputs(job.spec.parent)
    else:
        inputs = manifest.file_inputs(made.inputs)
    include = str(job.include.resolve()) if job.include else None
    outputs = {
        path: manifest.digest((job.out / path).read_bytes())
        for path in made.outputs
        if (job.out / path).is_file()
    }
    return (include, inputs, outputs) == (made.include, made.inputs, made.outputs)


def stale(job: Job) -> list[Stale]:
    """What `generate` would change in the output folder; empty if nothing."""
    if is_current(job):
        return []
    files = build(job).files
    # The manifest says least, and last.
    changed = sorted(
        output.changes(job.out, files), key=lambda path: path == manifest.NAME
    )
    return [
        Stale(path, "".join(_diff(job.out / path, path, files.get(path, ""))))
        for path in changed
    ]


def with_source(job: Job) -> Job:
    """The job with the header tree that its output folder was made from, if none is named."""
    made = manifest.load(job.out)
    if made is None or made.include is None or job.include is not None:
        return job
    return replace(job, include=Path(made.include))


def keep_source(job: Job) -> None:
    """Raise `OutputError` if the output folder was made from another source.

    The versions of one would replace those of the other.
    """
    made = manifest.load(job.out)
    include = str(job.include.resolve()) if job.include else None
    if made is not None and made.include != include:
        raise OutputError(
            f"{job.out} was made from {made.include or 'the headers of a spec'},"
            f" not from {job.include or job.spec}",
            "name another folder with --out",
        )


def _diff(old: Path, path: str, text: str) -> Iterator[str]:
    import difflib

    if not old.exists():
        return iter(())
    before = old.read_text(encoding="utf-8", errors="replace")
    return difflib.unified_diff(
        before.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{path} (on disk)",
        f"{path} (from the headers)",
    )
