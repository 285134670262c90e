"""Write a file that a command was told to write: whole, or not at all.

with whole_file(path) as file:
    file.write(b"...")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from xenbind.errors import SystemFailure
from xenbind.interruption import UndoneIfEnded


@contextmanager
def whole_file(
    path: Path, advice: str = "name another file with --output"
) -> Iterator[BinaryIO]:
    """Open a file to write that takes its place at the end; if that fails, nothing is left.

    What is no plain file, such as a pipe, is written to as it is.  Raises `SystemFailure` for
    one that cannot be written, with `advice`.
    """
    plain = path.is_file() or not path.exists()
    target = path.resolve() if plain else path
    stage = target.with_name(f".{target.name}.new") if plain else target
    undone = UndoneIfEnded(stage.unlink) if plain else nullcontext()
    try:
        with undone, stage.open("wb") as file:
            yield file
        if plain:
            stage.replace(target)
    except OSError as error:
        raise SystemFailure(f"cannot write {path}: {error.strerror}", advice) from error
    finally:
        if plain:
            with suppress(OSError):
                stage.unlink()
