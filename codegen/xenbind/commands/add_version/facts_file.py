"""The file of facts that a new version brings along, where a project keeps such files.

Takes what the compiler says of the foreign tree, and makes a file of it beside the copy of the
headers; `addition` has it put in its place with headers and spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xenbind.commands.generate.change import sync
from xenbind.errors import SystemFailure, XenbindError
from xenbind.facts.header_facts import as_text, header_facts
from xenbind.pipeline import compiler_for, deep_recursion
from xenbind.plain import Struct
from xenbind.spec import Spec


class FactsFile(Struct, frozen=True):
    """A file that goes to `path` and lies ready in `stage`."""

    path: Path
    stage: Path

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Put the file in its place; if the block raises an error, take it back."""
        is_there = self.path.exists()  # the same: see `staged`
        made = [
            folder
            for folder in (self.path.parent, *self.path.parent.parents)
            if not folder.exists()
        ]
        try:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if not is_there:
                    self.stage.rename(self.path)
                sync(self.path.parent)
            except OSError as error:
                raise SystemFailure(
                    f"cannot write {self.path}: {error.strerror or error}",
                    "make room or get permission there, or name another folder under"
                    " 'facts' in the configuration; nothing was changed",
                ) from error
            yield
        except BaseException:
            if not is_there and self.path.exists():
                self.path.unlink()
            for folder in made:
                if folder.is_dir():
                    folder.rmdir()
            raise


def staged(
    folder: Path,
    stage: Path,
    foreign: Spec,
    command: tuple[str, ...],
    number: int,
    releases: Sequence[str],
) -> FactsFile:
    """Ask the compiler of a tree, and have the answer on the disk, for a file in `folder`.

    Raises `XenbindError` if that is there and says something else.
    """
    tree = foreign.versions[0]
    compiler = compiler_for(foreign, tree, command)
    with deep_recursion(tree.directory / foreign.header):
        text = as_text(header_facts(foreign, tree, compiler, releases))
    name = f"xen-{releases[0]}" if releases else f"{foreign.name}-v{number}"
    file = FactsFile(folder / f"{name}.json", stage)
    if file.path.exists() and not _says(file.path, text):
        raise XenbindError(
            f"cannot make {file.path}: File exists", "move what is there away first"
        )
    stage.write_text(text, encoding="utf-8")
    sync(stage)
    return file


def _says(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
