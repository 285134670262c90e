"""Tell whether the output folder is what generating would write, and whose it is.

Takes a `Job` and the manifest of its output folder; gives what is stale, from digests alone
where nothing changed.  `check` prints it; `generate` asks here what its folder was made
from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xenbind.commands.generate import manifest, output
from xenbind.commands.generate.job import Job
from xenbind.errors import OutputError


@dataclass(frozen=True, slots=True)
class Stale:
    """An output file that is not what generating would write.

    `diff` is a unified diff, empty for a file that is not there.
    """

    path: str
    diff: str


def stale(job: Job) -> list[Stale]:
    """Give what `generate` would change in the output folder; empty if nothing."""
    if is_current(job):
        return []
    # A folder that is current needs digests alone. The stages, imported above, would more
    # than double the time that takes: 0.15 to 0.2 s on top of 0.1 s.
    from xenbind.commands.generate.build import build

    files = build(job).files
    # List the manifest last: its diff is digests alone.
    changed = sorted(
        output.changes(job.out, files), key=lambda path: path == manifest.NAME
    )
    return [
        Stale(path, "".join(_diff(job.out / path, path, files.get(path, ""))))
        for path in changed
    ]


def is_current(job: Job) -> bool:
    """Tell whether digests alone show that generating would change nothing."""
    made = manifest.load(job.out)
    if made is None or made.generator != manifest.generator_digest():
        return False
    if job.include is None:
        inputs = manifest.tree_inputs(job.spec.parent)
    else:
        inputs = manifest.file_inputs(made.inputs)
    outputs = {
        path: manifest.digest((job.out / path).read_bytes())
        for path in made.outputs
        if (job.out / path).is_file()
    }
    return (job.tree, inputs, outputs) == (made.include, made.inputs, made.outputs)


def with_source(job: Job) -> Job:
    """Give the job the header tree that its output folder was made from, if it names none."""
    made = manifest.load(job.out)
    if made is None or made.include is None or job.include is not None:
        return job
    return replace(job, include=Path(made.include))


def keep_source(job: Job) -> None:
    """Raise `OutputError` if the output folder was made from another source.

    The versions of one would replace those of the other.
    """
    made = manifest.load(job.out)
    if made is not None and made.include != job.tree:
        raise OutputError(
            f"{job.out} was made from {made.include or 'the headers of a spec'},"
            f" not from {job.include or job.spec}",
            "name another folder with --out",
        )


def _diff(old: Path, path: str, text: str) -> Iterator[str]:
    """Give the lines of a unified diff, none for a file that is not there."""
    if not old.exists():
        return iter(())
    before = old.read_text(encoding="utf-8", errors="replace")
    return difflib.unified_diff(
        before.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{path} (on disk)",
        f"{path} (from the headers)",
    )
