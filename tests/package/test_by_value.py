"""Structs and unions by value: what the package has of it is right, and the rest is told.

Compiled C is given random records by Python, gives them back, and hands them to callbacks.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import require, xenbind

SPEC = """\
[interface]
name = "values"
package = "values"
header = "values.h"

[functions]
library = "libvalues.so"
"""


def generate(folder: Path, header: str) -> list[str]:
    """Make the package of a header; give what is told of it."""
    (folder / "values.h").write_text(header)
    (folder / "values.toml").write_text(SPEC)
    options = ("--spec", folder / "values.toml", "--out", folder / "out")
    made = xenbind("generate", *options)
    assert made.returncode == 0, made.stderr
    return made.stderr.splitlines()


def compiled(folder: Path, compiler: str = "gcc") -> Path:
    """Make a library of values.c."""
    require(shutil.which(compiler) is not None, compiler)
    library = folder / "libvalues.so"
    command = (compiler, "-O2", "-w", "-shared", "-fPIC", "-o", library)
    subprocess.run([*command, folder / "values.c"], check=True)
    return library


def python(
    program: str, *arguments: str | Path, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, which may crash."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


# Bodies of structs, and whether functions take and give them.
RECORDS = {
    "struct { double x, y; }": True,
    "struct { double x, y, z; }": True,
    "struct { float x, y; int n; }": True,
    "struct { char c; float f; short s; }": True,
    "struct { int kind; void *data[2]; }": True,
    "struct { char name[16]; }": True,
    "struct { float v[3]; }": True,
    "struct { char text[100]; union { float f; double d; } u; }": True,
    "struct { struct { float x; } a; struct { float y; } b; }": True,
    "struct { unsigned hi : 16, lo : 16; }": True,
    "union { int i; void *p; }": True,
    "struct { int kind; union { int i; void *p; } u; }": True,
    "struct __attribute__((packed)) { char c; long l[3]; }": True,
    # To libffi it is a struct of both.
    "union { float f; double d; }": False,
    "union { float f; void *p[2]; }": False,
    "union { long double l; long a; }": False,
    "struct { union { float f; double d; } u; int kind; }": False,
    "struct { int n; union { float f; int i; } u; }": False,
    # A bit-field is none to it, which moves what is behind.
    "struct { int a : 3, b : 3; float f; }": False,
    # Compilers have these in memory, and in no register.
    "struct __attribute__((packed)) { char c; int i; }": False,
    "struct __attribute__((packed)) { char c; double d; }": False,
    # clang does, gcc does not.
    "struct __attribute__((packed)) { char c; struct { int i : 9; } s; }": False,
    # Of these ctypes says that they are arrays of bytes.
    "struct __attribute__((aligned(16))) { float f; }": False,
    "struct { float v[2][2]; }": False,
    # A long double comes back in a register of its own.
    "struct { long double l; }": False,
    # On arm64 they are in registers, which older Pythons do not know.
    "struct { double v[3]; }": False,
    "struct { double x; double v[3]; }": False,
    "struct { }": False,
    "struct { int n; float more[]; }": False,
}


@pytest.mark.parametrize("body", RECORDS)
def test_a_record_is_passed_as_in_c_or_told(body: str, tmp_path: Path) -> None:
    told = generate(tmp_path, f"typedef {body} it;\nit give(void);\nvoid take(it a);\n")
    reason = "Python cannot pass 'it' by value as C does"
    left_out = [line for line in told if line.endswith(f" is left out: {reason}")]
    assert len(left_out) == (0 if RECORDS[body] else 2), told


def test_callbacks_that_are_given_such_a_record_are_told(tmp_path: Path) -> None:
    header = """\
        typedef union { float f; double d; } number;
        void each(int (*visit)(number));
        struct table { int (*visit)(number); };
        void use(struct table *t);
    """
    (told,) = generate(tmp_path, header)
    assert "each is left out: Python cannot pass 'number' by value" in told
    (module,) = (tmp_path / "out").glob("**/v0.py")
    assert "visit: Annotated[AnyPointer, c_void_p]" in module.read_text()


def test_strict_makes_it_an_error(tmp_path: Path) -> None:
    generate(tmp_path, "typedef union { float f; double d; } it; void f(it a);\n")
    options = ("--spec", tmp_path / "values.toml", "--out", tmp_path / "out")
    assert xenbind("generate", *options, "--strict").returncode == 1


VARIADIC = """\
import sys
from values import v0 as m
m.library.load(sys.argv[1])
assert m.add(2, m.both(1, m.plain(2.5, 3)), m.both(4, m.plain(5.5, 6))) == 22
for value in (m.number(), m.vector(), m.bits()):
    try:
        m.add(1, value)
    except TypeError as error:
        name = type(value).__name__
        assert f"add: ...: ctypes may not pass a {name} by value" in str(error)
    else:
        raise AssertionError(value)
"""


def test_behind_the_parameters_a_record_is_passed_as_in_c_or_refused(
    tmp_path: Path,
) -> None:
    header = """\
        typedef struct { double d; long l; } plain;
        typedef struct { int n; plain p; } both;
        typedef union { float f; double d; } number;
        typedef struct { float v[3]; } vector;
        typedef struct { int a : 3, b : 4; } bits;
        double add(int count, ...);
    """
    assert not generate(tmp_path, header)
    (tmp_path / "values.c").write_text("""\
        #include <stdarg.h>
        #include "values.h"
        double add(int count, ...) {
            va_list given;
            double sum = 0;
            va_start(given, count);
            while (count--) {
                both b = va_arg(given, both);
                sum += b.n + b.p.d + b.p.l;
            }
            return sum;
        }
    """)
    library = compiled(tmp_path)
    ran = python(VARIADIC, library, cwd=tmp_path / "out")
    assert ran.returncode == 0, ran.stderr


# --- random records -------------------------------------------------------------------

NUMBERS = "char short int long float double _Bool unsigned long_double pointer".split()
BITS = {"int": 32, "unsigned": 32, "long": 64, "char": 8}
TYPES = {"long_double": "long double", "pointer": "void *"}


class Drawn:
    """The text of a record, and paths to its members: numbers, and bit-fields."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.count = 0
        self.plain: list[str] = []
        self.bits: list[str] = []
        self.text = self.record("", 2)

    def record(self, path: str, depth: int) -> str:
        kind = self.draw.choice(["struct", "struct", "struct", "union"])
        attribute = self.draw.choice([""] * 8 + ["packed", "aligned(8)", "aligned(16)"])
        asked = f"__attribute__(({attribute})) " if attribute else ""
        favourites = self.draw.choices(NUMBERS, k=2)
        members = [
            self.member(path, depth, favourites)
            for _ in range(self.draw.choice([1, 1, 2, 2, 3, 4]))
        ]
        return f"{kind} {asked}{{ {' '.join(members)} }}"

    def member(self, path: str, depth: int, favourites: list[str]) -> str:
        self.count += 1
        name = f"m{self.count}"
        choice = self.draw.random()
        if depth and choice < 0.2:
            return f"{self.record(f'{path}{name}.', depth - 1)} {name};"
        if choice < 0.3:
            number = self.draw.choice(list(BITS))
            self.bits.append(path + name)
            return f"{number} {name} : {self.draw.randint(1, BITS[number])};"
        number = self.draw.choice(favourites)
        self.plain.append(path + name)
        length = self.draw.choice([""] * 8 + ["[1]", "[2]", "[3]", "[2][2]", "[9]"])
        return f"{TYPES.get(number, number)} {name}{length};"


HEADER = """\
typedef {text} s{n};
void members{n}(s{n} *of);
s{n} take{n}(s{n} *seen, int k, s{n} a, double d, s{n} b);
s{n} late{n}(s{n} *seen, long a1, long a2, long a3, long a4, long a5, double d1, double d2,
    double d3, double d4, double d5, double d6, double d7, s{n} a, int k, double d, s{n} b);
int call{n}(s{n} *given, int (*each)(int k, s{n} a, double d, s{n} b));
"""
SOURCE = """\
void members{n}(s{n} *of) {{ memset(of, 0, sizeof *of); {marks} }}
s{n} take{n}(s{n} *seen, int k, s{n} a, double d, s{n} b)
{{ seen[0] = a; seen[1] = b; check(k, d); return a; }}
s{n} late{n}(s{n} *seen, long a1, long a2, long a3, long a4, long a5, double d1, double d2,
    double d3, double d4, double d5, double d6, double d7, s{n} a, int k, double d, s{n} b)
{{ seen[0] = a; seen[1] = b; check(k, d); return b; }}
int call{n}(s{n} *given, int (*each)(int k, s{n} a, double d, s{n} b))
{{ return each(7, given[0], 2.5, given[1]); }}
"""
PRELUDE = """\
#include <stdlib.h>
#include <string.h>
#include "values.h"
static void check(int k, double d) { if (k != 7 || d != 2.5) abort(); }
"""
# Calls each function that there is, and compares the bytes of members.
USE = """\
import ctypes, random, sys
from values import v0 as m
m.library.load(sys.argv[1])
draw = random.Random(5)
late = [1, 2, 3, 4, 5] + [0.5] * 7
for n in map(int, sys.argv[2:]):
    print(n, flush=True)
    record = getattr(m, f"s{n}")
    size = ctypes.sizeof(record)
    counts = record()
    getattr(m, f"members{n}")(counts)
    def of(a):
        return bytes(x & y for x, y in zip(bytes(a), bytes(counts), strict=True))
    def new():
        return record.from_buffer_copy(draw.randbytes(size))
    for _ in range(3):
        a, b, seen, given = new(), new(), (record * 2)(), (record * 2)()
        back = getattr(m, f"take{n}")(seen, 7, a, 2.5, b)
        assert [of(a), of(b), of(a)] == [*map(of, seen), of(back)], "passed"
        back = getattr(m, f"late{n}")(seen, *late, a, 7, 2.5, b)
        assert [of(a), of(b), of(b)] == [*map(of, seen), of(back)], "behind others"
        ctypes.memmove(given, bytes(a) + bytes(b), 2 * size)
        got = []
        each = lambda k, a, d, b: got.append((k, of(a), d, of(b))) or 9
        assert getattr(m, f"call{n}")(given, each) == 9
        assert got == [(7, of(a), 2.5, of(b))], "called back"
        m.library.forget(each)
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("begin", range(2))
def test_random_records_go_both_ways_and_to_callbacks(
    begin: int, compiler: str, tmp_path: Path, exhaustive: bool
) -> None:
    draw = random.Random(begin)
    header, source = "", PRELUDE
    count = 1000 if exhaustive else 150
    for n in range(count):
        drawn = Drawn(draw)
        header += HEADER.format(n=n, text=drawn.text)
        marks = [f"memset(&of->{p}, 255, sizeof of->{p});" for p in drawn.plain]
        marks += [f"of->{path} = -1;" for path in drawn.bits]
        source += SOURCE.format(n=n, marks=" ".join(marks))
    told = generate(tmp_path, header)
    left_out = {line.split()[2] for line in told if " is left out: " in line}
    kept = [str(n) for n in range(count) if f"take{n}" not in left_out]
    assert len(left_out) == 3 * (count - len(kept)), "each of a record's, or none"
    assert len(kept) > count // 3
    (tmp_path / "values.c").write_text(source)
    used = python(USE, compiled(tmp_path, compiler), *kept, cwd=tmp_path / "out")
    last = used.stdout.split()[-1]
    declared = [line for line in header.splitlines() if line.endswith(f" s{last};")]
    assert used.returncode == 0, f"{declared[0]}\n{used.stderr}"
