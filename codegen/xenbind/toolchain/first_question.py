"""Ask a compiler for all that it has by itself: its macros, and the folders that it searches.

Takes a compiler's command; gives how its run ended.  `predefined` reads the macros out of that,
and `system_headers` the folders: of two questions that take as long each it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from xenbind.toolchain.compiler import start
from xenbind.toolchain.process import Finished

# What is printed before it are the compiler's own macros.
BEGINNING = "the program begins"
# A hosted compiler's stdint.h includes the C library's, and that one those of its machine.
_PROGRAM = f"{BEGINNING}\n#include <stdint.h>\n"
# A compiler answers in a hundredth of a second; one behind a container in a few.
SECONDS = 20


@cache
def start_asking(command: tuple[str, ...]) -> Callable[[], Finished]:
    """Start to ask a compiler, and give what waits for its end.

    It fails if there is no C library for its target.  Raises `CompilerError` if there is no such
    program.
    """
    options = ["-E", "-dD", "-v", "-x", "c", "-std=gnu11", "-"]
    process = start([*command, *options], _PROGRAM, SECONDS)
    return cache(process.finish)
