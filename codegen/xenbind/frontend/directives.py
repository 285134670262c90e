"""Take the preprocessor's output apart: directives, text and files.

Takes what `$CC -E -dD` prints; gives `Preprocessed`: the C text with line markers, for
`parse`, and the macros with their places.  `preprocess` runs the compiler.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from xenbind.errors import SourceError
from xenbind.source import Coord, Sources


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro as it stands at the end of the header.

    `parameters` is None for an object-like macro; `body` is its text before expansion.
    """

    name: str
    parameters: tuple[str, ...] | None
    body: str
    coord: Coord


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """What the preprocessor made of a header.

    `text` is C with GNU line markers and no directives; `files` are the files read, in
    the order of first use, as the compiler names them.
    """

    text: str
    macros: dict[str, Macro]
    files: tuple[str, ...]


_MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"([ \d]*)')
_DEFINE = re.compile(r"#define ([^\s(]+)(\([^)]*\))?[ \t]?(.*)")


def split(output: str, header: Path, sources: Sources) -> Preprocessed:
    """Take the directives out of the text, line for line, and keep the macros.

    Pragmas stay.  Raises `SourceError` at a `#line` that names another file.
    """
    file_names = _FileNames(header)
    macros: dict[str, Macro] = {}
    files: dict[str, None] = {}
    text: list[str] = []
    file, number, begun = "", 0, False
    for line in output.split("\n"):
        if line.startswith("#") and (marker := _MARKER.match(line)):
            name, flags = file_names.canonical(_unescaped(marker[2])), marker[3].split()
            # The way into a file has the flag 1, the way out 2; only the compiler's own
            # first markers have none.
            unexplained = (
                begun and not file.startswith("<") and not {"1", "2"} & set(flags)
            )
            if unexplained and name != file:
                raise _misleading(Coord(file, number, 1), name)
            number, file = int(marker[1]), name
            if not file.startswith("<"):
                files[file] = None
            escaped = re.sub(r'(["\\])', r"\\\1", file)
            text.append(f'# {number} "{escaped}"')
            continue
        begun = begun or (bool(line) and not file.startswith("<"))
        if line.startswith("#define "):
            if not file.startswith("<") and (found := _DEFINE.match(line)):
                name, parameters, body = found.groups()
                names = None if parameters is None else _names(parameters)
                macros[name] = Macro(
                    name, names, body.strip(), sources.locate(file, number, name)
                )
            line = ""
        elif line.startswith("#undef "):
            macros.pop(line.split()[1], None)
            line = ""
        text.append(line)
        number += 1
    return Preprocessed("\n".join(text), macros, tuple(files))


class _FileNames:
    """One name for each file, however it was reached: `io/../xen.h` is `xen.h`.

    The header that is read keeps the name that it was given.
    """

    def __init__(self, header: Path) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[tuple[int, int], str] = {}
        self.canonical(str(header))

    def canonical(self, name: str) -> str:
        if name not in self._names:
            try:
                status = Path(name).stat()
            except (OSError, ValueError):  # ValueError: a NUL in the name
                self._names[name] = name  # as `<built-in>`
            else:
                file = (status.st_dev, status.st_ino)
                self._names[name] = self._files.setdefault(file, name)
        return self._names[name]


def _unescaped(quoted: str) -> str:
    """Undo the escapes of a file's name in a line marker: clang writes octal ones."""
    data = re.sub(
        rb"\\([0-3][0-7]{2}|.)",
        lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else found[1],
        quoted.encode("utf-8", errors="surrogateescape"),
    )
    return data.decode("utf-8", errors="surrogateescape")


def _misleading(coord: Coord, name: str) -> SourceError:
    return SourceError(
        coord,
        f"#line says that what follows stands in '{name}'",
        "take it out: xenbind must know which declarations are the header's own",
    )


def _names(parameters: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in parameters[1:-1].split(",") if name.strip())
