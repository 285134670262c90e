"""Tell whether a header asks for its target's macros, and so may be another on another target.

Takes the texts of the files read, as written: what stands in a branch that was not taken
counts too.  What it tells is the same on every machine; no compiler is asked.  `pipeline`
then has a compiler for each target read the header.

    #ifdef __i386__                        ->  it asks
    uint64_t word; /* as on __i386__ */    ->  it does not
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from xenbind.source import without_any_comments

# The names that gcc and clang define for some targets alone, or otherwise on each: those of
# machines, and families of those about types, numbers and what the machine can do.
_PREDEFINED = re.compile(
    r"""\b(?: i386 | _LP64 | _ILP32
    | __(?: i[3-6]86 | x86_64 | amd64 | k8 | pentiumpro | arm | aarch64 | thumb2? | riscv
        )(?:__)?
    | __(?: riscv_ | code_model_ | tune_ | seg_ )\w+
    | __(?: ARM | THUMB | AARCH64 | APCS_ | VFP_ | MMX | SSE | FXSR | LAHF_ | SEG_
        | LP64 | ILP32 | SIZEOF_ | BIGGEST_ALIGNMENT | CHAR_UNSIGNED | POINTER_WIDTH
        | U?INT(?: \d+ | MAX | PTR | _FAST\d+ | _LEAST\d+ )_
        | (?: SIZE | PTRDIFF | WCHAR | LONG )_(?: TYPE | MAX | MIN | WIDTH | FMT | UNSIGNED )
        | FLT | L?DBL_ | DEC(?: \d | IMAL_ ) | FLOAT128 | FP_FAST_
        | [SU]{0,2}L{0,2}(?: ACCUM | FRACT )_ | U?[DHQST][AQ]_ | U?[SU][AQ]_
        | ATOMIC_ | GCC_ | CLANG_ATOMIC_ | GXX_ | HAVE_SPECULATION | NO_MATH | REGISTER_PREFIX
        )\w*
    )\b""",
    re.VERBOSE,
)
_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)


def asks_for_target(texts: Iterable[str]) -> bool:
    """Tell whether headers name a macro of the compiler's that depends on the target.

    A name that they define themselves, such as a guard against being included twice, is
    none of the compiler's.
    """
    asked: set[str] = set()
    own: set[str] = set()
    for text in texts:
        if _PREDEFINED.search(text):
            asked.update(_PREDEFINED.findall(without_any_comments(text)))
        own.update(_DEFINED.findall(text))
    return not asked <= own
