"""Which headers use what a system header declares, and so may differ on another target."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind.frontend.directives import split
from xenbind.frontend.system_needs import may_pack_others, uses_system_names
from xenbind.source import Sources

SYSTEM = """\
# 1 "system.h" 1 3 4
#define WORD 64
#define SOME(x) (x)
typedef long __word;
typedef unsigned long uint64_t;
typedef __word off_t;
struct stat { off_t size; };
enum { FIRST = 1 };
"""
USING = {
    "a type": "struct own { off_t of; };",
    "a tag": "struct own { struct stat of; };",
    "an enumerator": "struct own { char of[FIRST]; };",
    "a macro": "struct own { char of[WORD]; };",
    "a macro in a macro": "#define ROOM SOME(4)\nstruct own { char of[ROOM]; };",
    "a condition": "#if WORD == 64\nstruct own { int of; };\n#endif",
    "a condition on what is nowhere defined": "#ifdef LATER\n#endif",
    "an assertion": '_Static_assert(8 == 8, "");',
    "a size": "struct own { char of[sizeof(long)]; };",
    "a wide bit-field": "struct own { unsigned long of : 40; };",
    "a macro that is taken back": "struct own { char of[WORD]; };\n#undef WORD",
    "a macro of its own in the place of one": "#ifndef LATER\n#define LATER 4\n#endif",
    "the same in other words": "#if !defined(LATER)\n#define LATER 4\n#endif",
    "a condition in two lines": "#if defined(__cplusplus) || \\\n    LATER\n#endif",
}
NOT_USING = {
    "nothing": "struct own { unsigned long of[1]; };",
    "a standard integer": "struct own { uint64_t of; int32_t by; };",
    "a guard of its own": "#ifndef OWN_H\n#define OWN_H\nstruct own { int of; };\n#endif",
    "a comment": "struct own { int of; /* as off_t, see WORD */ };",
    "its own macro": "#define ROOM 4\n#if ROOM > 2\nstruct own { char of[ROOM]; };\n#endif",
    "a bit-field": "struct own { int of : 3, by : 32; };",
    "C++": "#ifdef __cplusplus\n#endif",
}


def uses(text: str) -> bool:
    code = [line for line in text.split("\n") if not line.startswith(("#if", "#endif"))]
    printed = f'# 1 "own.h"\n{SYSTEM}# 1 "own.h" 2\n' + "\n".join(code)
    return uses_system_names(
        split(printed, Path("own.h"), Sources()), {"own.h": f"{text}\n"}
    )


@pytest.mark.parametrize("what", USING)
def test_what_uses_the_systems(what: str) -> None:
    assert uses(USING[what])


@pytest.mark.parametrize("what", NOT_USING)
def test_what_does_not(what: str) -> None:
    assert not uses(NOT_USING[what])


PACKING = {
    "#pragma pack(push, 1)\nstruct a { int b; };\n": True,
    "#pragma pack(push, 1)\nstruct a { int b; };\n#pragma pack(pop)\n": False,
    "#ifdef __i386__\n# pragma pack (2)\n#endif\n": True,
    "#pragma pack(2)\nstruct a { int b; };\n#pragma pack()\n": False,
    '#define PACKED _Pragma("pack(1)")\n': True,
    '_Pragma("pack(push, 1)")\nstruct a { int b; };\n_Pragma("pack(pop)")\n': False,
    "#pragma \\\n pack(1)\nstruct a { int b; };\n": True,
    "/* #pragma pack(1) */\n": False,
    "#pragma once\nstruct pack { int b; };\n": False,
}


@pytest.mark.parametrize("text", PACKING)
def test_what_leaves_a_pragma_open_packs_what_includes_it(text: str) -> None:
    assert may_pack_others(["struct plain { int a; };\n", text]) is PACKING[text]
