"""Take the preprocessor's output apart: directives, text and files.

Takes what `$CC -E -dD` prints; gives `Preprocessed`: the C text with line markers, for
`parse`, and the macros with their places.  `preprocess` runs the compiler.

    # 1 "ring.h" 1              ->  the line marker again, and the file ring.h
    #define RING_SIZE(n) (n)    ->  an empty line, and Macro("RING_SIZE", ("n",), "(n)", ...)
    typedef int RING_IDX;       ->  the line as it is
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from xenbind.errors import SourceError
from xenbind.plain import Struct
from xenbind.source import IDENTIFIER, Coord, Sources


class Macro(Struct, frozen=True):
    """A macro as it stands at the end of the header.

    `parameters` is None for an object-like macro; `body` is its text before expansion.
    """

    name: str
    parameters: tuple[str, ...] | None
    body: str
    coord: Coord


class Preprocessed(Struct, frozen=True):
    """What the preprocessor made of a header.

    `text` is C with GNU line markers and no directives; `files` are the files read, in
    the order of first use, as the compiler names them.  `system` are those among them that
    were found only where system headers are searched for, and `includers` says which file
    included each of the others first.
    """

    text: str
    macros: dict[str, Macro]
    files: tuple[str, ...]
    system: frozenset[str]
    includers: dict[str, str]


_MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"([ \d]*)')
# One in `Preprocessed.text`: its file as `quoted` has it.
MARKER = re.compile(r'^# \d+ "((?:[^"\\]|\\.)*)".*$', re.MULTILINE)
# One that a file has itself: C reads it as `#line`, flags and all.
_WRITTEN_MARKER = re.compile(
    r'^[ \t]*#[ \t]*\d+[ \t]+"((?:[^"\\]|\\.)*)"', re.MULTILINE
)
_PACK = re.compile(r"#pragma pack\s*\((.*)")
_DEFINE = re.compile(r"#define ([^\s(]+)(\([^)]*\))?[ \t]?(.*)")


def split(output: str, header: Path, sources: Sources) -> Preprocessed:
    """Take the directives out of the text, line for line, and keep the macros.

    Pragmas stay.  Raises `SourceError` at a `#line` that names another file, and at a
    `#pragma pack` that names a macro.
    """
    splitter = _Splitter(header, sources)
    if any(digraph in output for digraph in _DIGRAPHS):
        output = _OF_DIGRAPHS.sub(_without_digraph, output)
    for line in output.split("\n"):
        splitter.take(line)
    system = frozenset(name for name, is_one in splitter.files.items() if is_one)
    return Preprocessed(
        text="\n".join(splitter.text),
        macros=splitter.macros,
        files=tuple(splitter.files),
        system=system,
        includers=splitter.includers,
    )


# Other spellings of brackets (C11 6.4.6p3), outside of literals.
_DIGRAPHS = {"<%": "{ ", "%>": "} ", "<:": "[ ", ":>": "] "}
_OF_DIGRAPHS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|<%|%>|<:|:>')


def _without_digraph(found: re.Match[str]) -> str:
    """Give the bracket that a digraph stands for, and a blank for its second column."""
    return _DIGRAPHS.get(found[0], found[0])


class _Splitter:
    """The preprocessor's output as far as it is read: where in which file the line is."""

    def __init__(self, header: Path, sources: Sources) -> None:
        self.text: list[str] = []
        self.macros: dict[str, Macro] = {}
        self._defined: set[str] = set()  # the compiler's and the command line's as well
        self.files: dict[str, bool] = {}  # by name, whether it is a system header
        self.includers: dict[str, str] = {}
        self._file_names = _FileNames(header)
        self._sources = sources
        self._own_markers: dict[str, frozenset[str]] = {}  # by file
        self._file = ""
        self._line = 0
        self._begun = False  # something of a file has been printed

    @property
    def _in_file(self) -> bool:
        """Tell a file from `<built-in>` and `<command-line>`."""
        return not self._file.startswith("<")

    def take(self, line: str) -> None:
        """Read one line more; a directive leaves an empty one in the text."""
        if line.startswith("#"):
            if line.startswith("# ") and (marker := _MARKER.match(line)):
                self._move(int(marker[1]), marker[2], marker[3].split())
                return
            self._begun = self._begun or self._in_file
            if line.startswith("#pragma"):
                self._require_plain(line)
            else:
                self._direct(line)
                line = ""
        elif line and not self._begun:
            self._begun = self._in_file
        self.text.append(line)
        self._line += 1

    def _direct(self, line: str) -> None:
        """Follow a directive; `#ident` and its like declare nothing."""
        if line.startswith("#define "):
            self._define(line)
        elif line.startswith("#undef "):
            name = _with_characters(line.split()[1])
            self.macros.pop(name, None)
            self._defined.discard(name)

    def _require_plain(self, pragma: str) -> None:
        """Raise `SourceError` for a limit of `#pragma pack` that is a macro."""
        found = _PACK.match(pragma)
        for name in IDENTIFIER.findall(found[1]) if found else ():
            if name in self._defined:
                raise SourceError(
                    Coord(self._file, self._line, 1),
                    f"to clang '{name}' is a macro in this pragma, and to gcc a label or a fault",
                    "write its number",
                )

    def _move(self, line: int, written: str, flags: list[str]) -> None:
        """Go where a line marker says.  Raises `SourceError` for one of the header's own.

        The way into a file has the flag 1, the way out 2; only the compiler's own first
        markers have none.
        """
        name = self._file_names.canonical(written)
        explained = {"1", "2"} & set(flags) and not self._is_own(written)
        if self._begun and self._in_file and not explained and name != self._file:
            raise _line_directive_error(Coord(self._file, self._line, 1), name)
        is_file = not name.startswith("<")  # clang's <built-in> is included, it says
        if is_file and "1" in flags and name not in self.files:
            self.includers[name] = self._file
        self._line, self._file = line, name
        if self._in_file:
            self.files[name] = self.files.get(name, True) and "3" in flags
        self.text.append(f'# {line} "{quoted(name)}"')

    def _is_own(self, written: str) -> bool:
        """Tell whether the file that is read has a marker with this name in its own text."""
        if self._file not in self._own_markers:
            found = _WRITTEN_MARKER.findall(self._sources.text(self._file))
            self._own_markers[self._file] = frozenset(found)
        return written in self._own_markers[self._file]

    def _define(self, line: str) -> None:
        """Keep a macro of a file; of those of the compiler and the command line, the name."""
        found = _DEFINE.match(line)
        if not found:
            return
        name, parameters, body = found.groups()
        name = _with_characters(name)
        self._defined.add(name)
        if self._in_file:
            names = None if parameters is None else _parameter_names(parameters)
            coord = self._sources.locate(self._file, self._line, name)
            self.macros[name] = Macro(name, names, body.strip(), coord)


class _FileNames:
    """One name for each file, however it was reached: `io/../xen.h` is `xen.h`.

    The header that is read keeps the name that it was given.
    """

    def __init__(self, header: Path) -> None:
        self._canonical: dict[str, str] = {}  # by the name as written
        self._files: dict[tuple[int, int], str] = {}
        self.canonical(quoted(str(header)))

    def canonical(self, written: str) -> str:
        """Give the name of the file that a line marker names."""
        if written not in self._canonical:
            name = _unescaped(written)
            try:
                status = Path(name).stat()
            except (OSError, ValueError):  # ValueError: a NUL in the name
                self._canonical[written] = name  # as `<built-in>`
            else:
                file = (status.st_dev, status.st_ino)
                self._canonical[written] = self._files.setdefault(file, name)
        return self._canonical[written]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Give what stands between the markers of preprocessed text, each with its file as `quoted`."""
    _, *parts = MARKER.split(text)
    return zip(parts[::2], parts[1::2], strict=True)


def quoted(name: str) -> str:
    """Write a file's name as it stands in a line marker, between the quotation marks."""
    return re.sub(r'(["\\])', r"\\\1", name)


def _unescaped(written: str) -> str:
    """Undo the escapes of a file's name in a line marker: clang writes octal ones."""
    data = re.sub(
        rb"\\([0-3][0-7]{2}|.)",
        lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else found[1],
        written.encode("utf-8", errors="surrogateescape"),
    )
    return data.decode("utf-8", errors="surrogateescape")


# How gcc prints the characters of a macro's name beyond ASCII, and a header may write them.
_UNIVERSAL = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")


def _with_characters(name: str) -> str:
    """Give a name with its universal character names (C11 6.4.3) as the characters."""
    return _UNIVERSAL.sub(lambda found: chr(int(found[1] or found[2], 16)), name)


def _line_directive_error(coord: Coord, name: str) -> SourceError:
    return SourceError(
        coord,
        f"#line says that what follows stands in '{name}'",
        "take it out: xenbind must know which declarations are the header's own",
    )


def _parameter_names(parameters: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in parameters[1:-1].split(",") if name.strip())
