"""Tell whether the output folder is what generating would write, and whose it is.

Takes a `Job` and the manifest of its output folder; gives what is stale, from digests alone
where nothing changed.  `check` prints it; `generate` asks here what its folder was made
from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from xenbind.commands.generate import output
from xenbind.errors import OutputError
from xenbind.options import load_spec
from xenbind.plain import Struct, replace
from xenbind.provenance import inputs, manifest
from xenbind.provenance.job import Job
from xenbind.provenance.manifest import Manifest


class Stale(Struct, frozen=True):
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
    if made is None or not inputs.are_those_of(job, made):
        return False
    here = replace(
        made,
        project=job.to_project,
        further=job.further_trees,
        outputs={path: manifest.file_digest(job.out / path) for path in made.outputs},
    )
    # Looked at last: the compiler has to be asked.
    return here == made and _same_surroundings(job, made)


def _same_surroundings(job: Job, made: Manifest) -> bool:
    """Tell whether the headers find what they found; where there is no compiler, it is the same."""
    loaded = load_spec(job.spec, job.include, job.further)
    now = inputs.surroundings(job, loaded, tuple(made.inputs))
    return {**made.surroundings, **now} == made.surroundings


def with_source(job: Job) -> Job:
    """Give the job the header tree that its output folder was made from, if it names none.

    Raises `OutputError` if that is outside of the project, where no path in it leads.
    """
    made = manifest.load(job.out)
    if made is None or made.include is None or job.include is not None:
        return job
    if not all((made.include, *made.further)):
        raise OutputError(
            f"{job.out} was made from a header tree outside of its project",
            "name the tree with --include, or once for all as 'include' in xenbind.toml",
        )
    tree, *further = (_tree(job, way) for way in (made.include, *made.further))
    return replace(job, include=tree, further=tuple(further))


def _tree(job: Job, way: str) -> Path:
    """Name a tree of the project from here, as a user would."""
    return Path(os.path.normpath(job.out / way))


def keep_source(job: Job, package: str) -> None:
    """Raise `OutputError` if the output folder was made from another source.

    The versions of one would replace those of the other, or one package another.  A tree
    outside of the project, or one that is gone, gives way to another: that is a newer one, or
    it was moved.
    """
    made = manifest.load(job.out)
    if made is None:
        return
    packages = {
        Path(path).parts[0] for path in made.outputs if path.endswith("/py.typed")
    }
    if packages and package not in packages:
        raise OutputError(
            f"{job.out} has the package {', '.join(sorted(packages))}, not {package}",
            "name another folder with --out, or remove this one if the package was renamed",
        )
    if made.include == job.tree:
        return
    if made.include is None or job.include is None:
        was = "the headers of a spec" if made.include is None else "a header tree"
    elif made.include and (tree := _tree(job, made.include)).is_dir():
        was = str(tree)
    else:
        return
    raise OutputError(
        f"{job.out} was made from {was}, not from {job.include or job.spec}",
        "name another folder with --out",
    )


def _diff(old: Path, path: str, text: str) -> Iterator[str]:
    """Give the lines of a unified diff, none for a file that is not there."""
    if not old.exists():
        return iter(())
    before = old.read_text(encoding="utf-8", errors="replace")
    import difflib

    return difflib.unified_diff(
        before.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"{path} (on disk)",
        f"{path} (from the headers)",
    )
