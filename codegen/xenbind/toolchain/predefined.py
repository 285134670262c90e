"""Ask a compiler for its macros: those that it has before it reads anything.

Takes a compiler's command; gives the macros' values by name.  `targets` tells by them which
machine it compiles for, and `provenance.inputs` what headers may ask it.

    ("gcc", "-m32")  ->  {"__i386__": "1", "__SIZEOF_POINTER__": "4", ...}
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from xenbind.toolchain.compiler import output, start

_DEFINED = re.compile(r"^#define (\w+) ?(.*)$", re.MULTILINE)


@cache
def predefined(command: tuple[str, ...]) -> Mapping[str, str]:
    """Give what a compiler's own macros stand for; parameters are part of that.

    Raises `CompilerError` if there is no such program, or it does not preprocess.
    """
    process = start([*command, "-E", "-dM", "-x", "c", "-std=gnu11", "-"], "")
    return dict(_DEFINED.findall(output(process, Path(os.devnull))))
