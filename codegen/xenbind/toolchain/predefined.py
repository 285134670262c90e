"""Ask a compiler for its macros: those that it has before it reads anything.

Takes a compiler's command; gives the macros' values by name.  `targets` tells by them which
machine it compiles for, and `provenance.inputs` what headers may ask it.  A command that is
no C compiler is told by this first question, before any header is read.

    ("gcc", "-m32")  ->  {"__i386__": "1", "__SIZEOF_POINTER__": "4", ...}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from xenbind.errors import CompilerError
from xenbind.toolchain.compiler import (
    find_compiler,
    is_missing_file,
    start,
    why_it_failed,
)
from xenbind.toolchain.first_question import BEGINNING, SECONDS, start_asking
from xenbind.toolchain.process import Finished

_DEFINED = re.compile(r"^#define (\w+) ?(.*)$", re.MULTILINE)


def working_compiler(wanted: str | None = None) -> tuple[str, ...]:
    """Find the compiler as `find_compiler` does, and see that it is one.

    Raises as that does, and `CompilerError` for a command that is none.
    """
    command = find_compiler(wanted)
    predefined(command)
    return command


@cache
def predefined(command: tuple[str, ...]) -> Mapping[str, str]:
    """Give what a compiler's own macros stand for; parameters are part of that.

    Raises `CompilerError` if there is no such program, or it is no C compiler that works.
    """
    finished = start_asking(command)()
    own, _, _ = finished.output.decode("utf-8", "replace").partition(BEGINNING)
    if finished.status and is_missing_file(why_it_failed(finished)):  # of a C library
        question = [*command, "-E", "-dM", "-x", "c", "-std=gnu11", "-"]
        finished = start(question, "", SECONDS).finish()
        own = finished.output.decode("utf-8", "replace")
    macros = dict(_DEFINED.findall(own))
    if fault := _fault(finished, macros):
        raise CompilerError(
            f"{' '.join(command)} is no C compiler that works: {fault}",
            "name gcc or clang, and options that it knows, with --cc or the variable CC",
        )
    return macros


def _fault(finished: Finished, macros: Mapping[str, str]) -> str:
    """Say why an answer is none, empty if it is one."""
    if finished.exceeded:
        return f"asked for its macros, it {finished.exceeded}"
    if finished.status:
        return why_it_failed(finished)
    return "" if "__STDC__" in macros else "asked for its macros, it names none"
