"""Which of a header's macros are constants, and what these are: asked of the compiler.

Takes a header; gives it preprocessed, with C behind it that has the value of each macro and
other expression that turned out to be an integer constant or a string.  Which ones that are
the compiler alone decides: by what it takes as an enumerator's value, and as what a `char`
array is made of.  `header_facts` compiles the C, and `values` reads the object file.

    #define FLAG (1 << 2)   ->  enum { xenbind_0 = ((1 << 2)) };
    #define NAME "event"    ->  const char xenbind_string_1[] = ("event");
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from xenbind.facts.object_file import as_text, objects
from xenbind.plain import Struct
from xenbind.toolchain.compiler import Compiler, failure, output, start
from xenbind.toolchain.process import Bounded

_MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"')
_DEFINE = re.compile(r"#define (\w+) (.*\S)")  # with a body, and no parameters
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
# What these make of a macro is another thing at another place, and so no constant.
_OF_ITS_PLACE = (
    *("__BASE_FILE__", "__COUNTER__", "__DATE__", "__FILE__", "__FILE_NAME__"),
    *("__INCLUDE_LEVEL__", "__LINE__", "__TIME__", "__TIMESTAMP__"),
)
# What follows a header is, to the compiler, a file of this name.
_BEHIND = "xenbind-expressions"
_REFUSED = re.compile(rf"^{_BEHIND}:(\d+):(?:\d+:)? (?:fatal )?error: ", re.MULTILINE)


class Program(Struct, frozen=True):
    """A header and C for expressions: `numbers` and `strings` are by their index there."""

    text: str
    numbers: Mapping[int, str]
    strings: Mapping[int, str]


def macros(printed: str, header: Path) -> dict[str, int]:
    """The macros without parameters that a header itself defines, with their lines.

    `printed` is what the compiler makes of the header with -E and -dD.
    """
    found: dict[str, int] = {}
    root = os.path.realpath(header)
    file, line = "", 0
    for text in printed.split("\n"):
        if marker := _MARKER.match(text):
            line, file = int(marker[1]), os.path.realpath(marker[2])
            continue
        if define := _DEFINE.match(text):
            if file == root:
                found[define[1]] = line
        elif text.startswith("#undef "):
            found.pop(text.split()[1], None)
        line += 1
    return found


def without_markers(printed: str) -> str:
    """Give what the preprocessor printed without directives and line markers, as empty lines.

    One may stand between any two words of what a macro expands to.
    """
    return re.sub(r"^#.*$", "", printed, flags=re.MULTILINE)


def program(compiler: Compiler, header: Path, expressions: Sequence[str]) -> Program:
    """Give a header with the values of those expressions behind it that are constants."""
    declared, expanded = _expanded(compiler, header, expressions)
    candidates = {
        index: text
        for index, text in enumerate(expanded)
        if _is_closed(text) and not any(name in text for name in _OF_ITS_PLACE)
    }
    text = f'{declared}\n# 1 "{_BEHIND}"\n'
    numbers = _accepted(
        compiler,
        header,
        text,
        {
            index: f"enum {{ xenbind_{index} = ({text}) }};"
            for index, text in candidates.items()
        },
    )
    strings = _accepted(
        compiler,
        header,
        text,
        {
            # In parentheses, for a list of numbers in braces is no string.
            index: f"const char xenbind_string_{index}[] = ({text});"
            for index, text in candidates.items()
            if index not in numbers
        },
    )
    names = [f"xenbind_{index}" for index in numbers]
    signs = [f"{name} < 0" for name in names]
    lines = [
        *numbers.values(),
        *strings.values(),
        f"const unsigned long long xenbind_numbers[] = {{ {', '.join([*names, '0'])} }};",
        f"const char xenbind_signs[] = {{ {', '.join([*signs, '0'])} }};",
    ]
    return Program(
        text + "\n".join(lines) + "\n",
        {index: expressions[index] for index in numbers},
        {index: expressions[index] for index in strings},
    )


def values(path: Path, program: Program) -> dict[str, int | str]:
    """Read the values of the expressions out of the object file that is made of a program."""
    data = objects(path)
    found: dict[str, int | str] = {}
    for place, expression in enumerate(program.numbers.values()):
        number = data["xenbind_numbers"][8 * place : 8 * place + 8]
        is_negative = bool(data["xenbind_signs"][place])
        found[expression] = int.from_bytes(number, "little", signed=is_negative)
    for index, expression in program.strings.items():
        found[expression] = as_text(data[f"xenbind_string_{index}"])
    return found


def compile_preprocessed(
    compiler: Compiler, options: Sequence[str], text: str
) -> Bounded:
    """Start the compiler on what its preprocessor has been through already."""
    told = ("-x", "cpp-output", "-std=gnu11", "-w", *options, "-")
    return start([*compiler.command, *told], text)


def _expanded(
    compiler: Compiler, header: Path, expressions: Sequence[str]
) -> tuple[str, list[str]]:
    """A header as the preprocessor leaves it, and what expressions behind it expand to."""
    uses = "".join(f"#undef {name}\n" for name in _OF_ITS_PLACE)
    # Of <stddef.h>, which the user of a header may be left to include.
    uses += "#ifndef offsetof\n#define offsetof __builtin_offsetof\n#endif\n"
    uses += "".join(f"@{index} {text}\n" for index, text in enumerate(expressions))
    printed = output(compiler.run(["-E", "-include", str(header), "-"], uses), header)
    declared, *parts = re.split(r"^@\d+", printed, flags=re.MULTILINE)
    # A _Pragma within stands on a line of its own, with a line marker behind it.
    texts = map(without_markers, parts)
    return declared, [" ".join(text.split("\n")).strip() for text in texts]


def _is_closed(text: str) -> bool:
    """Whether a text can be no more than one expression: what it opens it closes."""
    opened: list[str] = []
    for char in _LITERAL.sub(" ", text):
        if char in "([{":
            opened.append(char)
        elif char in ")]}":
            if not opened or opened.pop() != _BRACKETS[char]:
                return False
        elif char in "\"'" or (char == ";" and not opened):
            return False
    return bool(text) and not opened


def _accepted(
    compiler: Compiler, header: Path, before: str, lines: Mapping[int, str]
) -> dict[int, str]:
    """Those of some lines that the compiler accepts.

    Each ends where it ends, so that an error is that of its line; but a compiler may stop
    after some errors, or tell one only once another is gone.
    """
    left = dict(lines)
    while left:
        text = before + "\n".join(left.values()) + "\n"
        finished = compile_preprocessed(compiler, ["-fsyntax-only"], text).finish()
        if not finished.status and not finished.exceeded:
            break
        said = finished.messages.decode("utf-8", errors="replace")
        refused = {int(number) - 1 for number in _REFUSED.findall(said)}
        if not refused or finished.exceeded:
            raise failure(finished, header)
        left = {
            index: line
            for place, (index, line) in enumerate(left.items())
            if place not in refused
        }
    return left
