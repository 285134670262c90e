"""Keep the manifest: what an output folder was made of, and what it should hold.

Takes the files read and the files rendered; gives the JSON that `output` stores beside
them, and reads it back.  By its digests `freshness` knows without reading any header that
nothing changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenbind.errors import OutputError, SystemFailure
from xenbind.resources import own_files

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The digests of one run.

    `include` is the foreign header tree that was read, None for the spec's own headers.
    `inputs` are keyed by path: relative to the spec's folder, or as read where `include`
    is set.  `layouts` holds a fingerprint of each version's ABI.
    """

    generator: str
    include: str | None
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    layouts: Mapping[str, str]

    def text(self) -> str:
        """Write the manifest as the file that it is."""
        content = {
            "generator": self.generator,
            "include": self.include,
            "inputs": dict(self.inputs),
            "layouts": dict(self.layouts),
            "outputs": dict(self.outputs),
        }
        return json.dumps(content, indent=2) + "\n"


def load(out: Path) -> Manifest | None:
    """Read the manifest of an output folder, None if there is none.

    Raises `SystemFailure` for one that cannot be read, `OutputError` for one that cannot be
    understood: without it nobody knows which files are xenbind's.
    """
    path = out / NAME
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            content["generator"],
            content["include"],
            dict(content["inputs"]),
            dict(content["outputs"]),
            dict(content["layouts"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SystemFailure(
            f"cannot read {path}: {error.strerror}",
            "get permission to read it, or name another folder with --out",
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutputError(
            f"cannot read {path}: {error}",
            "put it back as xenbind wrote it, out of version control or a backup,"
            " or name another folder with --out",
        ) from error


def digest(data: bytes) -> str:
    """Give the digest of a content."""
    return hashlib.sha256(data).hexdigest()


def digests(files: Mapping[str, str]) -> dict[str, str]:
    """Give the digest of each text, by path."""
    return {path: digest(text.encode()) for path, text in sorted(files.items())}


def tree_inputs(root: Path) -> dict[str, str]:
    """Give the digests of every header and spec under a folder, by relative path.

    All of them, not only those read: a new one may come before another on the search path.
    """
    paths = [path for path in root.rglob("*") if path.suffix in (".h", ".toml")]
    return {
        path.relative_to(root).as_posix(): _file_digest(path) for path in sorted(paths)
    }


def file_inputs(paths: Iterable[str]) -> dict[str, str]:
    """Give the digests of some files, by path; a missing one has an empty digest."""
    return {path: _file_digest(Path(path)) for path in sorted(paths)}


def generator_digest() -> str:
    """Give one digest for all of xenbind's own files, by their names and contents."""
    lines = (f"{_file_digest(path)} {name}\n" for name, path in own_files().items())
    return digest("".join(lines).encode())


def _file_digest(path: Path) -> str:
    try:
        return digest(path.read_bytes()) if path.is_file() else ""
    except OSError:
        return ""
