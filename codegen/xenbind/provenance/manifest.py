"""Keep the manifest: what an output folder was made of, and what it should hold.

Takes the files read and the files rendered; gives the JSON that `output` stores beside
them, and reads it back.  By its digests `freshness` knows without reading any header that
nothing changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xenbind.errors import OutputError, SystemFailure
from xenbind.plain import Struct, asdict
from xenbind.resources import own_files

NAME = "manifest.json"


class Manifest(Struct, frozen=True):
    """The digests of one run, and where it found things, without a path of any machine.

    `project` is the way from the output folder to what it moves with.  `include` is the way
    to the foreign header tree that was read, empty if that is outside of the project, and
    None for the spec's own headers; `further` are the ways to other trees.  `spec` is a digest
    of what the spec says, `inputs` are the headers by their names from their folder, and
    `surroundings` what else they ask for.  `layouts` holds a fingerprint of each version's ABI.
    """

    generator: str
    project: str
    include: str | None
    spec: str
    inputs: Mapping[str, str]
    surroundings: Mapping[str, str]
    layouts: Mapping[str, str]
    outputs: Mapping[str, str]
    further: Sequence[str] = ()

    def text(self) -> str:
        """Write the manifest as the file that it is."""
        said = asdict(self)
        if not self.further:
            del said["further"]
        return json.dumps(said, indent=2) + "\n"


def load(out: Path) -> Manifest | None:
    """Read the manifest of an output folder, None if there is none.

    Raises `SystemFailure` for one that cannot be read, `OutputError` for one that cannot be
    understood: without it nobody knows which files are xenbind's.
    """
    path = out / NAME
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        include = content["include"]
        return Manifest(
            generator=content["generator"],
            # What follows was not there, or an absolute path, in xenbind's first manifests.
            project=content.get("project", ".."),
            include="" if include and Path(include).is_absolute() else include,
            spec=content.get("spec", ""),
            inputs=dict(content["inputs"]),
            surroundings=dict(content.get("surroundings", {})),
            layouts=dict(content["layouts"]),
            outputs=dict(content["outputs"]),
            further=list(content.get("further", ())),
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


def generator_digest() -> str:
    """Give one digest for all of xenbind's own files, by their names and contents."""
    lines = (f"{_content_digest(path)} {name}\n" for name, path in own_files().items())
    return digest("".join(lines).encode())


def file_digest(path: Path) -> str:
    """Give the digest of a file's content, empty for one that cannot be read."""
    return _content_digest(path) if path.is_file() else ""


def _content_digest(path: Path) -> str:
    try:
        return digest(path.read_bytes())
    except OSError:
        return ""
