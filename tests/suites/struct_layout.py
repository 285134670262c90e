"""The random types of gcc's own test of struct layouts, from Debian's package of its source."""

from __future__ import annotations

import subprocess
from pathlib import Path

import packages
from suites.declarations import Declaration, split

PACKAGE = "gcc-12-source"
COUNT = 3000  # the most that it makes without a long list of plain ones

_PLACE = "gcc/testsuite/gcc.dg/compat"
_GENERATOR = ("struct-layout-1_generate.c", "generate-random.c", "generate-random_r.c")
# The generator takes no seed, but has a function for one.
_SEED = """\
void generate_srandom(unsigned);
__attribute__((constructor)) static void seed(void) { generate_srandom(%du); }
"""
# The types use these of the C library's headers, and macros that say how wide types are.
_LIBRARY = {
    "limits.h": "#define UCHAR_MAX 255\n#define USHRT_MAX 65535\n"
    "#define USHORT_MAX USHRT_MAX\n#define UINT_MAX 4294967295U\n"
    "#define ULONG_MAX 18446744073709551615UL\n"
    "#define ULLONG_MAX 18446744073709551615ULL\n",
    "stdbool.h": "#define bool _Bool\n",
    **dict.fromkeys(["complex.h", "stdarg.h", "stdio.h", "stdlib.h", "string.h"], ""),
}
# A long's bit-fields have what they may have everywhere, so that one header does for all targets.
_BEFORE = """\
#define SKIP_DECIMAL_FLOAT
#include "struct-layout-1.h"
#undef BLN
#define BLN(n) BN32(n)
#define TX(n, type, attrs, fields, ops) type S##n { fields } attrs;
"""


def sources(folder: Path) -> Path:
    """Fetch gcc's source, and unpack these tests below `folder`; where they are."""
    [package] = packages.fetch_alone(packages.host_architecture(), [PACKAGE])
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    [archive] = folder.glob("usr/src/gcc-*/gcc-*.tar.*")
    subprocess.run(
        ["tar", "-xf", archive, "--wildcards", f"*/{_PLACE}/*"], cwd=folder, check=True
    )
    [found] = folder.glob(f"*/{_PLACE}")
    return found


def make(source: Path, seed: int, folder: Path) -> list[Declaration]:
    """Make the types of a seed, after the ones that they need."""
    (folder / "seed.c").write_text(_SEED % seed)
    generator = folder / "generator"
    subprocess.run(
        [
            *("gcc", "-w", "-DSKIP_DECIMAL_FLOAT", "-o", generator, folder / "seed.c"),
            *(source / name for name in _GENERATOR),
        ],
        check=True,
    )
    made = folder / "made"
    made.mkdir()
    subprocess.run([generator, "-s", source, "-d", made, "-n", str(COUNT)], check=True)
    for name, text in _LIBRARY.items():
        (folder / name).write_text(text)
    tests = sorted(made.glob("*_test.h"))
    (folder / "all.c").write_text(
        _BEFORE + "".join(f'#include "{test}"\n' for test in tests)
    )
    shown = subprocess.run(
        ["gcc", "-E", "-P", "-nostdinc", f"-I{folder}", f"-I{source}", "all.c"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return split(shown.stdout)
