"""Preprocess a header: from its path to the text and macros that it amounts to.

Runs `$CC -E`.  `preprocess` gives `Preprocessed`: the C text with line markers, for
`parse`, and the macros with their places, for `expansion`.  `start_check` asks the compiler
whether the header is C at all, because a parser without types accepts redefinitions and unknown
sizes that C refuses.  `header` calls both.

    #define FLAG (1 << BIT)    ->  Preprocessed: Macro("FLAG", None, "(1 << BIT)", ...)
    struct pair { int a; };    ->  Preprocessed: text, with a line marker before it
"""

from __future__ import annotations

from pathlib import Path

from xenbind.errors import SourceError
from xenbind.frontend.directives import Preprocessed, split
from xenbind.source import Coord, Sources
from xenbind.toolchain.compiler import Compiler, output
from xenbind.toolchain.process import Bounded

# Without comments.  Xen's largest public header has 100 KB with all that it includes.
LONGEST_TEXT = 4 << 20
MOST_MACROS = 200_000
# Makes GNU's spellings plain ones that the parser knows.
PLAIN = ("-D__extension__=", "-D__builtin_offsetof=offsetof")


def preprocess(compiler: Compiler, header: Path, sources: Sources) -> Preprocessed:
    """Preprocess a header.

    Raises `SourceError` at the directive that failed: a missing include, an `#error`.
    The exit status decides, for after `#error` the preprocessor still prints text.
    """
    return read(output(start_preprocessing(compiler, header), header), header, sources)


def start_preprocessing(compiler: Compiler, header: Path, *options: str) -> Bounded:
    """Start to preprocess a header to its text, with line markers and directives."""
    # -dD prints directives in place, so that macros keep their line.
    return compiler.run(["-E", "-dD", *options, *PLAIN, str(header)])


def read(printed: str, header: Path, sources: Sources) -> Preprocessed:
    """Take apart what the preprocessor printed.

    Raises `SourceError` for more than can be parsed in a reasonable time.
    """
    found = split(printed, header, sources)
    if len(found.text) > LONGEST_TEXT or len(found.macros) > MOST_MACROS:
        raise SourceError(
            Coord(str(header), 1, 1),
            f"more than {LONGEST_TEXT >> 20} MB of declarations or {MOST_MACROS:,} macros",
            "include less: parsing this would take minutes and gigabytes",
            of_line=False,
        )
    return found


def start_check(compiler: Compiler, header: Path) -> Bounded:
    """Start to compile the header on its own; `finish_check` tells the result."""
    return compiler.run(["-fsyntax-only", "-w", str(header)])


def finish_check(process: Bounded, header: Path) -> None:
    """Raise `SourceError` with the compiler's errors if the header is not valid C."""
    output(process, header)
