"""Preprocess a header: from its path to the text and macros that it amounts to.

Runs `$CC -E`.  `preprocess` gives `Preprocessed`: the C text with line markers, for
`parse`, and the macros with their places; `start_expanding` leads to what macros stand for.
`header` calls both.

    #define FLAG (1 << BIT)    ->  Preprocessed: Macro("FLAG", None, "(1 << BIT)", ...)
    #define BIT 2              ->  start_expanding: ExpandedMacro(FLAG, "(1 << 2)")
    struct pair { int a; };    ->  Preprocessed: text, with a line marker before it
  `start_check` asks the compiler whether the header is C at all, because a
parser without types accepts redefinitions and unknown sizes that C refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from xenbind.errors import CompilerError, SourceError
from xenbind.frontend.directives import Macro, Preprocessed, split
from xenbind.frontend.macros import ExpandedMacro
from xenbind.source import Coord, Sources
from xenbind.toolchain.compiler import Compiler, output
from xenbind.toolchain.process import Bounded

# Without comments.  Xen's largest public header has 100 KB with all that it includes.
LONGEST_TEXT = 4 << 20
MOST_MACROS = 200_000
_NAME = re.compile(r"(?<!\w)(?<!\d\.)[^\W\d]|[$\\]")
# Makes GNU's spellings plain ones that the parser knows.
_PLAIN = ("-D__extension__=", "-D__builtin_offsetof=offsetof")


def preprocess(compiler: Compiler, header: Path, sources: Sources) -> Preprocessed:
    """Preprocess a header.

    Raises `SourceError` at the directive that failed: a missing include, an `#error`.
    The exit status decides, for after `#error` the preprocessor still prints text.
    """
    return read(output(start_preprocessing(compiler, header), header), header, sources)


def start_preprocessing(compiler: Compiler, header: Path, *options: str) -> Bounded:
    """Start to preprocess a header to its text, with line markers and directives."""
    # -dD prints directives in place, so that macros keep their line.
    return compiler.run(["-E", "-dD", *options, *_PLAIN, str(header)])


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


def start_expanding(
    compiler: Compiler,
    header: Path,
    preprocessed: Preprocessed,
    wanted: Sequence[Macro],
) -> Callable[[], dict[str, ExpandedMacro]]:
    """Start to expand the wanted macros as the header's user sees them.

    What it gives waits for them, by name.
    A function-like macro is given its own parameters, and those that it uses stay calls,
    unless they paste tokens together and so are no functions of their arguments.  Where all
    are numbers and operators alone, the compiler is not asked.
    """
    if not any(map(_has_names, wanted)):
        known = {macro.name: ExpandedMacro(macro, macro.body) for macro in wanted}
        return lambda: known
    process = compiler.run(
        ["-E", "-P", *_PLAIN, "-imacros", str(header), "-"],
        _uses(preprocessed, wanted),
        needs="-imacros",  # else they would come after the header's own
    )
    return lambda: _expanded(wanted, _expansions(output(process, header), wanted))


def _expanded(
    wanted: Sequence[Macro], expansions: Sequence[str]
) -> dict[str, ExpandedMacro]:
    if sum(map(len, expansions)) > LONGEST_TEXT:
        longest = max(range(len(wanted)), key=lambda index: len(expansions[index]))
        macro = wanted[longest]
        raise SourceError(
            macro.coord,
            f"the macro {macro.name} expands to {len(expansions[longest]) >> 10:,} KB",
            f"list '{macro.name}' under 'skip' in the spec if it is no constant",
        )
    # A _Pragma within stands on a line of its own.
    return {
        macro.name: ExpandedMacro(macro, text.replace("\n", " ").strip())
        for macro, text in zip(wanted, expansions, strict=True)
    }


def _has_names(macro: Macro) -> bool:
    """Tell whether there may be a name in a macro, which may be another macro's."""
    return macro.parameters is not None or _NAME.search(macro.body) is not None


def _uses(preprocessed: Preprocessed, wanted: Sequence[Macro]) -> str:
    """Write C in which each wanted macro is used once, after `@` and its index."""
    lines = [
        f"@{index} {macro.name}"
        for index, macro in enumerate(wanted)
        if macro.parameters is None
    ]
    lines += [
        f"#undef {macro.name}"
        for macro in preprocessed.macros.values()
        if macro.parameters is not None and "##" not in macro.body
    ]
    lines += ["#undef __typeof__", "#define __typeof__ typeof"]
    for index, macro in enumerate(wanted):
        if macro.parameters is not None:
            call = f"{macro.name}({', '.join(macro.parameters)})"
            lines += [f"#undef {macro.name}", f"#define {call} {macro.body}"]
            lines += [f"@{index} {call}", f"#undef {macro.name}"]
    return "\n".join(lines) + "\n"


def _expansions(printed: str, wanted: Sequence[Macro]) -> list[str]:
    """Find in what the preprocessor made of `_uses` the text of each macro, in order."""
    parts = re.split(r"^@(\d{1,9})(?!\d)", printed, flags=re.MULTILINE)[1:]
    found = dict(zip(map(int, parts[::2]), parts[1::2], strict=True))
    if found.keys() != set(range(len(wanted))):
        raise CompilerError(
            "the C compiler did not expand the macros that it was given",
            "check that --cc or CC names a working compiler",
        )
    return [found[index] for index in range(len(wanted))]


def start_check(compiler: Compiler, header: Path) -> Bounded:
    """Start to compile the header on its own; `finish_check` tells the result."""
    return compiler.run(["-fsyntax-only", "-w", str(header)])


def finish_check(process: Bounded, header: Path) -> None:
    """Raise `SourceError` with the compiler's errors if the header is not valid C."""
    output(process, header)
