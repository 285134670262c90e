"""Which headers ask for their target: by the names that real compilers define otherwise there."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict

import pytest
from c_compiler import CLANG, GCC
from support import PROJECT, require
from xenbind.frontend.target_macros import asks_for_target

ASKING = {
    "a machine": "#ifdef __i386__\n#endif",
    "a machine, the other way": "#if !defined(__x86_64__)\n#endif",
    "a machine in a condition": "#if A && defined __aarch64__ || B\n#endif",
    "a family": "#if __ARM_ARCH >= 8\n#endif",
    "a size in a condition": "#if __SIZEOF_POINTER__ == 8\n#endif",
    "a size in a declaration": "struct s { char a[__SIZEOF_LONG__]; };",
    "a type in a macro": "#define WORD __UINTPTR_TYPE__",
    "a name without underscores": "#ifdef i386\n#endif",
    "a name that is defined where the compiler has none": (
        "#if defined(_M_IX86) && !defined(__i386__)\n#define __i386__ 1\n#endif"
    ),
    "a value for compilers without one": (
        "#ifndef __BIGGEST_ALIGNMENT__\n#define __BIGGEST_ALIGNMENT__ 16\n#endif"
    ),
    "a definition in a comment": "/*\n#define __i386__\n*/\n#ifdef __i386__\n#endif",
    "what the target has": "#if __has_builtin(__builtin_ia32_pause)\n#endif",
    "the sign of a character": "#if '\\377' < 0\n#endif",
    "a pasted name": "#define KNOWN(x) __##x##__\n#if KNOWN(SIZEOF_LONG) == 4\n#endif",
    "a name pasted over two lines": "#define KNOWN(x) \\\n    __ ## x\n#if KNOWN(LP64__)\n#endif",
    "a define of the spec": "WORD=__SIZEOF_POINTER__",
    "behind a comment": "/* all */ #ifdef __LP64__\n#endif",
}
NOT_ASKING = {
    "a comment": "/* as on __i386__ */ struct s { int a; };\n// __arm__",
    "a guard of its own": "#ifndef __ARM_PAIR_H__\n#define __ARM_PAIR_H__\n#endif",
    "names that are pasted of its own": (
        "#define RING(__name) struct __name##_ring { union __name##_entry ring[1]; }"
    ),
    "a character that is no condition": "#define LETTER 'a' /* don't ask */",
    "a longer name": "#ifdef __i386__like\n#endif\nint my__arm__;",
    "what is the same everywhere": "#if defined(__GNUC__) && __STDC_VERSION__ > 1\n#endif",
    "a machine's name": "struct arm_regs { int x86; };\n#define XEN_ARM 1",
}


@pytest.mark.parametrize("what", ASKING)
def test_what_asks(what: str) -> None:
    assert asks_for_target([ASKING[what]])
    assert asks_for_target(["struct s { int a; };", ASKING[what]])


@pytest.mark.parametrize("what", NOT_ASKING)
def test_what_does_not(what: str) -> None:
    assert not asks_for_target([NOT_ASKING[what]])


def test_our_own_headers_do_not() -> None:
    """Others may: a tree that was added has an xen.h of its own, which is Xen's."""
    root = PROJECT / "headers"
    headers = [
        path
        for path in root.rglob("*.h")
        if not (root / path.relative_to(root).parts[0] / "xen.h").exists()
    ]
    assert len(headers) > 8
    assert not asks_for_target(path.read_text() for path in headers)


@pytest.mark.parametrize("compilers", [GCC, CLANG], ids=["gcc", "clang"])
def test_every_name_that_a_compiler_defines_otherwise_elsewhere_asks(
    compilers: dict[str, str],
) -> None:
    definitions: dict[str, list[str]] = defaultdict(list)
    for command in compilers.values():
        require(shutil.which(command.split()[0]) is not None, command)
        for line in subprocess.run(
            [*command.split(), "-std=gnu11", "-dM", "-E", "-x", "c", "/dev/null"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines():
            name = line.split()[1].partition("(")[0]
            definitions[name].append(line)
    differing = {
        name
        for name, lines in definitions.items()
        if len(lines) < len(compilers) or len(set(lines)) > 1
    }
    assert len(differing) > 200
    assert not {name for name in differing if not asks_for_target([f"#if {name}"])}
    same = definitions.keys() - differing
    unharmed = {name for name in same if not asks_for_target([f"#if {name}"])}
    assert {"__GNUC__", "__linux__", "__ELF__", "__STDC__", "__CHAR_BIT__"} <= unharmed
