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

from xenbind.source import RESERVED, code_of

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
        | ATOMIC_ | GCC_ | STDC_IEC_ | CLANG_ATOMIC_ | GXX_ | HAVE_SPECULATION | NO_MATH
        | REGISTER_PREFIX
        )\w*
    )\b""",
    re.VERBOSE,
)
# Those of them that do not begin with two underscores.
_PLAIN = ("i386", "_LP64", "_ILP32")
# What a compiler answers by what its target has.
_HAS = re.compile(r"\b__has_\w+")
# A macro against being included twice, which is the first thing in its file.
_GUARD = re.compile(
    r"\s*#[ \t]*ifndef[ \t]+(\w+)[ \t]*\n\s*#[ \t]*define[ \t]+\1[ \t]*\n"
)
# Whether a char has a sign is asked with one.
_CHARACTER = re.compile(r"^[ \t]*#[ \t]*(?:el)?if\b.*'", re.MULTILINE)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+\w+\(([^)]*)\)(.*##.*)", re.MULTILINE)
# What else may ask, in few headers.
_RARE = ("__has_", "##", "'")
_PASTED = re.compile(r"(\w+)?[ \t]*##[ \t]*(?=(\w+)?)")


def asks_for_target(texts: Iterable[str]) -> bool:
    """Tell whether headers name a macro of the compiler's that depends on the target.

    A guard against being included twice is none, whatever it is called.  One that a header
    defines where the compiler does not is.
    """
    return any(map(_asks, texts))


def _asks(text: str) -> bool:
    code = code_of(text)
    if not (_may_name_one(code) or any(word in code for word in _RARE)):
        return False
    guard = _GUARD.match(code)
    asked = set(_PREDEFINED.findall(code)) - {guard[1] if guard else ""}
    return bool(asked or _HAS.search(code) or _CHARACTER.search(code) or _pastes(code))


def _may_name_one(code: str) -> bool:
    """Tell quickly whether one of the names may be in code, if only as a part of another.

    To look for them takes several times as long as for two underscores.
    """
    if any(word in code for word in _PLAIN):
        return True
    return any(map(_PREDEFINED.fullmatch, {*RESERVED.findall(code)}))


def _pastes(code: str) -> bool:
    """Tell whether a macro makes a name like the compiler's of its argument: `__##x##__`."""
    for parameters, body in _MACRO.findall(code):
        own = {name.strip() for name in parameters.split(",")}
        for pasted in _PASTED.findall(body):
            for name in pasted:
                if name not in own and (name.startswith("__") or name.endswith("__")):
                    return True
    return False
