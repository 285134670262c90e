"""What one run is about, as its options say, and where that lies.

`options` makes a `Job` of a command's; `generate` and `check` work on it, and `stored` looks
there for what `generate` has kept.

What is generated may be committed, and cloned to another folder on another machine.  So it
names what moves with it, headers within its project, by the way from its own folder, and
nothing else by a path at all.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from xenbind.plain import Struct
from xenbind.provenance import manifest
from xenbind.resources import package


class Job(Struct, frozen=True, dict=True):
    """One run: a spec file, a foreign header tree or None, an output folder, a compiler.

    `further` are other trees in which headers are looked for.
    `configured` is the folder whose configuration names any of these, None without one.
    `stands_for` is the folder whose place the spec's own is going to take, if it is a copy.
    """

    spec: Path
    include: Path | None
    out: Path
    command: str | None
    configured: Path | None = None
    stands_for: Path | None = None
    further: tuple[Path, ...] = ()

    @property
    def root(self) -> Path:
        """The folder that holds the headers: the foreign tree, or the spec's own."""
        return self.include or self.spec.parent

    @cached_property
    def project(self) -> Path:
        """The folder that the output moves with: a repository, or what stands for one.

        It is where the configuration is, or where it was when the output was first made,
        so that a copy without its `.git` is the same project.
        """
        out = self.out.resolve()
        if self.configured is not None:
            return self.configured.resolve()
        made = manifest.load(self.out)
        if made is not None:
            return (out / made.project).resolve()
        for folder in out.parents:
            if any((folder / mark).exists() for mark in (".git", "pyproject.toml")):
                return folder
        shared = Path(os.path.commonpath([out.parent, self._place(self.root)]))
        return out.parent if shared == Path(shared.root) else shared

    @property
    def to_project(self) -> str:
        """The way from the output folder to the project."""
        return _relative(self.project, self.out.resolve())

    @property
    def tree(self) -> str | None:
        """The foreign header tree as the manifest names it."""
        return None if self.include is None else self.from_out(self.include) or ""

    @property
    def further_trees(self) -> list[str]:
        """The other trees as the manifest names them."""
        return [self.from_out(tree) or "" for tree in self.further]

    def from_out(self, path: Path) -> str | None:
        """Name what lies in the project from the output folder; None for what does not.

        An installed xenbind does not, wherever its environment is.
        """
        found = self._place(path)
        if not found.is_relative_to(self.project) or found.is_relative_to(package()):
            return None
        return _relative(found, self.out.resolve())

    def from_root(self, path: Path) -> str:
        """Name a header from the folder of headers."""
        return _relative(self._place(path), self._place(self.root))

    def display(self, path: Path) -> str:
        """Name a header as a reader of the output knows it."""
        if self.from_out(path) is None:
            return self.from_root(path)
        return self._place(path).relative_to(self.project).as_posix()

    def _place(self, path: Path) -> Path:
        """Give where a file is, or will be."""
        found, copy = path.resolve(), self.spec.resolve().parent
        if self.stands_for is None or not found.is_relative_to(copy):
            return found
        return self.stands_for.resolve() / found.relative_to(copy)


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path, start)).as_posix()
