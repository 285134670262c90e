"""Where the headers of a new spec are, and which files it is going to be.

Takes what the command line names; gives a `Layout`: the tree of the headers, what the
interface and its package are called, and the files to write.  One spec has one header:
several are included by one that is written beside the spec.

    /usr/include/linux/input.h  ->  the tree /usr/include, linux/input.h, linux_input
    inc/pair.h                  ->  the tree inc, pair.h, pair
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from xenbind.errors import SystemFailure, UsageError
from xenbind.header_tree import require_header, require_path
from xenbind.plain import Struct
from xenbind.spec import rules
from xenbind.toolchain.system_headers import system_folders


class Layout(Struct, frozen=True):
    """What a new spec is about: names, headers, the folders that have them, files to write.

    `header` is as in the spec.  `trees` are the folders that have the headers, and `system`
    those that the compiler searches by itself.  `umbrella` is the header that includes
    several, None for one.
    """

    name: str
    package: str
    header: str
    trees: tuple[Path, ...]
    system: tuple[Path, ...]
    out: Path
    umbrella: Path | None
    umbrella_text: str

    @property
    def written(self) -> tuple[Path, ...]:
        """Give the files to write."""
        return (self.out,) if self.umbrella is None else (self.out, self.umbrella)

    def named(self, folders: Iterable[Path]) -> list[str]:
        """Name folders as the spec does: a system's where it is, others by the way there.

        Its own folder needs no name.
        """
        here = self.out.parent
        return [
            (
                folder if folder in self.system else Path(os.path.relpath(folder, here))
            ).as_posix()
            for folder in folders
            if folder.resolve() != here.resolve()
        ]


def lay_out(
    headers: Sequence[str],
    include: Sequence[Path],
    command: tuple[str, ...],
    out: Path | None,
) -> Layout:
    """Find the headers, and name what is made of them.

    Raises `SystemFailure` for a header that is nowhere, `UsageError` for one that no spec can
    name, `SourceError` for one that cannot be read.
    """
    system = system_folders(command)
    found = [_find(header, [*include, *system]) for header in dict.fromkeys(headers)]
    trees = list(dict.fromkeys([tree for tree, _ in found] + list(include)))
    names = [name for _, name in found]
    for tree, name in found:
        require_header(tree / name)
    for name in names:
        if not rules.FILE.allows(name):
            raise UsageError(
                f"a spec cannot name the header '{name}': it {rules.FILE.says}",
                "name the folder that it is below with --include",
            )
    stem = _words(PurePosixPath(names[0]).stem)
    out = out or Path(f"{stem}.toml")
    header, umbrella, content = names[0], None, ""
    if len(names) > 1:
        umbrella = out.with_name(f"{stem}_headers.h")
        header = umbrella.name
        require_path(umbrella)
        content = "".join(f'#include "{name}"\n' for name in names)
    return Layout(
        name=stem,
        package=_package(names[0], stem),
        header=header,
        trees=tuple(trees),
        system=system,
        out=out,
        umbrella=umbrella,
        umbrella_text=content,
    )


def _find(header: str, folders: Sequence[Path]) -> tuple[Path, str]:
    """Give the tree that has a header, and its name there.

    A file is in the innermost of the folders around it, or else in its own.
    """
    path = Path(header)
    if path.is_file():
        above = [f for f in folders if path.resolve().is_relative_to(f.resolve())]
        if not above:
            return path.parent, path.name
        tree = max(above, key=lambda folder: len(folder.resolve().parts))
        return tree, path.resolve().relative_to(tree.resolve()).as_posix()
    for folder in folders:
        if not path.is_absolute() and (folder / header).is_file():
            return folder, path.as_posix()
    raise SystemFailure(
        f"there is no header {header}",
        "name a file, or the folder in which C finds it with --include",
    )


def _words(stem: str) -> str:
    """Make a name of what a header is called."""
    return re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")[:40] or "header"


def _package(header: str, stem: str) -> str:
    """Name the package after the header and the first folder that it is in."""
    folders = PurePosixPath(header).parts[:-1]
    name = "_".join(dict.fromkeys([*map(_words, folders[:1]), stem])).lower()
    if name[0].isdigit():
        name = f"of_{name}"
    return name if not rules.fault_of_package(name) else f"{name}_bindings"
