"""See that a version's folder has the interface's header, a file to be read, or tell where it is.

Takes a `Spec` and one of its versions, or the version of a tree that the command line names;
gives an error for whoever reads it next, `pipeline`.  People name a checkout's root, or
/usr, as easily as the folder that the headers are in: that is looked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from xenbind.errors import SourceError, SystemFailure
from xenbind.source import LARGEST, Coord, is_readable
from xenbind.spec import Spec, VersionSpec

# How far down is looked: a checkout of Xen has its headers in xen/include/public.
_LEVELS = 4
_MOST = 2000  # folders of a level: what takes no time
_PUBLIC = "public"  # Xen has internal headers of the same names in other folders


def require(spec: Spec, version: VersionSpec) -> None:
    """Raise an error if a version's folder or its header is missing.

    That is `SystemFailure` for a folder that the command line names and that is none,
    `SourceError` at the header that a folder lacks, or at the spec's line that names it.
    """
    folder, header = version.directory, spec.header
    is_there = False
    try:
        if (folder / header).exists():
            return
        is_there = folder.is_dir()
    except OSError as error:
        missing = f"cannot look into {folder}: {error.strerror}"
    else:
        lack = f"{folder} has no {header}"
        missing = lack if is_there else f"there is no folder {folder}"
    if found := _folders_with(header, folder):
        advice = f"name the folder that has it: {' or '.join(map(str, found))}"
    elif version.entry is not None:
        advice = f"name the folder beside the spec that has this version's {header}"
    else:
        advice = (
            "check the 'directory' and 'header' of the spec, or the folder given with"
            " --include"
        )
    if version.entry is not None:
        place = spec.places.of("version", version.entry, "directory")
        raise SourceError(place, missing, advice)
    if is_there:
        raise SourceError(Coord(str(folder / header), 1, 1), "no such header", advice)
    raise SystemFailure(missing, advice)


def require_path(header: Path) -> None:
    """Raise `SourceError` for a path that no compiler can be told of, or tell of.

    One with quotes, backslashes or control characters is not to be told from what the
    preprocessor says around it.
    """
    coord = Coord(str(header), 1, 1)
    if not all(char.isprintable() or char >= "\udc80" for char in coord.file) or (
        set(coord.file) & set('"\\')
    ):
        raise SourceError(
            coord,
            "a header's path must have no quotes, backslashes or control characters",
            "move the header tree to another folder",
        )


def require_header(header: Path) -> None:
    """Raise `SourceError` unless this is a file that can be read as a header.

    A pipe or a device could be read for ever.
    """
    require_path(header)
    coord = Coord(str(header), 1, 1)
    if not header.is_file():
        raise SourceError(coord, "not a regular file", "name a header file instead")
    if not is_readable(header):
        raise SourceError(
            coord,
            f"larger than {LARGEST >> 20} MB",
            "take what is not needed out of it: no person can have written all this",
        )
    if not _is_text(header):
        raise SourceError(
            coord,
            "not a text: a tenth and more of its beginning are control characters",
            "name a header file in ASCII or UTF-8",
            of_line=False,
        )


def _is_text(header: Path) -> bool:
    """Tell a text, in which somebody may have typed a control character, from other files."""
    with header.open("rb") as file:
        beginning = file.read(1024)
    odd = sum(byte < 32 and byte not in b"\t\n\v\f\r" for byte in beginning)
    return odd * 10 <= len(beginning)


def _folders_with(header: str, folder: Path) -> list[Path]:
    """Give the folders not far below that have the header, public ones if there are any.

    Of what is no folder, it is the one around.
    """
    found: list[Path] = []
    with suppress(OSError):
        places = _below(folder) if folder.is_dir() else [folder.parent]
        found = [place for place in places if (place / header).is_file()]
    public = [place for place in found if place.name == _PUBLIC]
    return (public or found)[:3]


def _below(folder: Path) -> Iterator[Path]:
    """Give the folders in a folder, then those in them, and so on."""
    level = [folder]
    for _ in range(_LEVELS):
        level = list(islice(chain.from_iterable(map(_subfolders, level)), _MOST))
        yield from level


def _subfolders(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return sorted(
            folder / entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )
    return []
