"""Read one header: from its path to a `Begun` header, and on to a `ParsedHeader`.

Runs the stages of this folder in order.  `lowering` takes over: the declarations are
still syntax, and the macros text with, for possible constants, the expression behind it.

    #define FLAG (1 << 2)
    struct pair { int first, second; };

is one declaration, and one constant whose expression is a `BinaryOp`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from pycparser import c_ast

from xenbind.errors import SourceError, XenbindError
from xenbind.frontend import comments
from xenbind.frontend.comments import Comments
from xenbind.frontend.cut import NAME
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.expansion import start_expanding
from xenbind.frontend.macros import (
    ExpandedMacro,
    fault_of_literal,
    fault_of_name,
    flex_macros,
    moving,
    place_macros,
    possible_constants,
    ring_macros,
    with_parameters,
)
from xenbind.frontend.needed import is_mostly_of_others, only_needed
from xenbind.frontend.parse import parse, parse_all
from xenbind.frontend.preprocess import (
    finish_check,
    preprocess,
    read,
    start_check,
    start_preprocessing,
)
from xenbind.frontend.roots import roots
from xenbind.frontend.written import Written
from xenbind.header_tree import require_header
from xenbind.plain import Struct, replace
from xenbind.source import Sources
from xenbind.toolchain.compiler import Compiler, printed
from xenbind.toolchain.process import Bounded
from xenbind.toolchain.system_headers import listed_folders, system_folders


class ParsedHeader(Struct, frozen=True):
    """A header and all that it includes, as C's grammar has it.

    `files` are those read, the header first, those in `system` by way of system folders
    alone, and `roots` those whose declarations are the interface's own.  `macros` are the names
    of all macros at the end; `constants` are the roots' that may be such, `callable_macros`
    those with parameters, `ring_macros` those of the header that defines DEFINE_RING_TYPES,
    `flex_macros` those that tell the size of a flex ring, and `place_macros` the roots' that may
    say where an element of an array is.
    `comments` are those of the roots, by file; `written` tells where what was parsed stands.
    `faults` and `lost` are as in `Parsed`: `lowering` adds what else is wrong.
    """

    path: Path
    files: tuple[str, ...]
    roots: tuple[str, ...]
    system: frozenset[str]
    declarations: tuple[c_ast.Node, ...]
    macros: frozenset[str]
    constants: tuple[ExpandedMacro, ...]
    callable_macros: tuple[Macro, ...]
    ring_macros: tuple[ExpandedMacro, ...]
    place_macros: tuple[ExpandedMacro, ...]
    flex_macros: tuple[ExpandedMacro, ...]
    sources: Sources
    comments: Mapping[str, Comments]
    written: Written
    faults: tuple[SourceError, ...] = ()
    lost: frozenset[str] = frozenset()


class Begun(Struct, frozen=True):
    """A header that is preprocessed, and that the compiler still checks: `parsed` goes on."""

    path: Path
    compiler: Compiler
    preprocessed: Preprocessed
    sources: Sources
    check: Bounded


def begin(header: Path, compiler: Compiler) -> Begun:
    """Preprocess a header.

    Raises `SourceError` where the header is wrong, in the words of the C compiler if it is the
    one to say so.
    """
    require_header(header)
    sources = Sources()
    check = start_check(compiler, header)  # runs beside the preprocessor
    try:
        preprocessed = preprocess(compiler, header, sources)
    except XenbindError:
        finish_check(check, header)  # whose words go first
        raise
    return Begun(header, compiler, preprocessed, sources, check)


def parsed(
    begun: Begun,
    skip: frozenset[str],
    parts: frozenset[str] = frozenset(),
    asked: Collection[str] = (),
) -> ParsedHeader:
    """Check and parse a header that is preprocessed; the macros in `skip` are passed over.

    What the files in `parts` declare is the header's own.  Of what else it includes there is at
    least what that, its macros and the names `asked` for need.  Raises as `begin` does.
    """
    header, preprocessed, sources = begun.path, begun.preprocessed, begun.sources
    try:
        own = own_files(begun, preprocessed)
        own += tuple(file for file in preprocessed.files if file in parts - {*own})
        constants = possible_constants(preprocessed, own, skip, sources)
        rings = ring_macros(preprocessed, skip)
        flex = flex_macros(preprocessed, skip)
        places = place_macros(preprocessed, own, skip)
        wanted = dict.fromkeys([*constants, *rings, *flex, *places])
        expanding = start_expanding(begun.compiler, header, preprocessed, list(wanted))
        told = _comments(own, sources)  # which takes as long as the compiler
        expanded = expanding()
    finally:
        finish_check(begun.check, header)
    not_constant = moving(preprocessed.macros)
    text = preprocessed.text
    if is_mostly_of_others(text, own):
        bodies = [m.body for m in preprocessed.macros.values() if m.parameters]
        code = "\n".join([*asked, *bodies, *(m.expansion for m in expanded.values())])
        text = only_needed(text, own, NAME.findall(code), has_functions=True)
    written = Written(text, preprocessed.macros, sources)
    faults = {
        macro.name: (
            "its value depends on its place"
            if macro.name in not_constant
            else fault_of_name(macro.name)
            or expanded[macro.name].fault
            or fault_of_literal(expanded[macro.name].expansion)
        )
        for macro in constants
    }
    syntax = parse_all(
        written,
        [replace(expanded[name], fault=fault) for name, fault in faults.items()],
    )
    return ParsedHeader(
        path=header,
        files=preprocessed.files,
        roots=own,
        system=preprocessed.system,
        declarations=syntax.declarations,
        macros=frozenset(preprocessed.macros),
        constants=syntax.constants,
        callable_macros=with_parameters(preprocessed, own),
        ring_macros=_of_use(expanded, rings),
        place_macros=_of_use(expanded, places),
        flex_macros=_of_use(expanded, flex),
        sources=sources,
        comments=told,
        written=written,
        faults=syntax.faults,
        lost=syntax.lost,
    )


def own_files(begun: Begun, preprocessed: Preprocessed) -> tuple[str, ...]:
    """Give the files whose declarations are the interface's own, as a compiler reads them."""
    system = system_folders(begun.compiler.command)
    return roots(preprocessed, begun.path, system, begun.sources)


def _of_use(
    expanded: Mapping[str, ExpandedMacro], macros: Iterable[Macro]
) -> tuple[ExpandedMacro, ...]:
    """Give macros expanded, without those that the preprocessor refuses."""
    found = (expanded[macro.name] for macro in macros)
    return tuple(macro for macro in found if not macro.fault)


def _comments(files: Iterable[str], sources: Sources) -> dict[str, Comments]:
    return {file: comments.read(sources.text(file)) for file in files}


def start_text(
    header: Path, compiler: Compiler
) -> Callable[[], tuple[str, tuple[Path, ...]]]:
    """Start to check a header and to preprocess it, no more; what it gives waits for the text.

    With the text come the folders that were searched for `<x.h>`.  Raises as `begin` does.
    """
    check = start_check(compiler, header)
    process = start_preprocessing(compiler, header, "-v")

    def finish() -> tuple[str, tuple[Path, ...]]:
        try:
            finished = process.finish()
            return printed(finished, header), listed_folders(finished.messages)
        finally:
            finish_check(check, header)

    return finish


def read_types(
    begun: Begun, text: str, asked: Collection[str], has_functions: bool
) -> ParsedHeader:
    """Parse the types in what another compiler has printed of a header that one has begun.

    `start_text` gives the text.  They are the header's own, those that are `asked` for, and what
    these mention; with `has_functions` its functions are there, too.  Of its macros there is
    nothing but their names.  Raises as `begin` does.
    """
    header, sources = begun.path, begun.sources
    preprocessed = read(text, header, sources)
    own = own_files(begun, preprocessed)
    text = only_needed(preprocessed.text, own, asked, has_functions)
    written = Written(text, preprocessed.macros, sources)
    return ParsedHeader(
        path=header,
        files=preprocessed.files,
        roots=own,
        system=preprocessed.system,
        declarations=parse(written, []).declarations,
        macros=frozenset(preprocessed.macros),
        constants=(),
        callable_macros=(),
        ring_macros=(),
        place_macros=(),
        flex_macros=(),
        sources=sources,
        comments=_comments(own, sources),
        written=written,
    )
