"""Declarations of many forms: what the package has of them, and that `verify` agrees."""

from __future__ import annotations

import importlib
import pickle
import re
from ctypes import addressof, pointer, sizeof
from pathlib import Path
from typing import Any

import pytest
from support import xenbind

# A header, and what the module should answer to expressions.
HEADERS: dict[str, tuple[str, dict[str, object]]] = {
    "a struct declared along with a variable": (
        "extern struct s { int a; } x;",
        {"sizeof(m.s)": 4},
    ),
    "a struct declared along with a function": (
        "struct s { int a; struct inner { short b; } i; } f(void);",
        {"sizeof(m.s)": 8, "sizeof(m.inner)": 2},
    ),
    "an enum declared along with a variable": (
        "enum kind { KIND_A = 3, KIND_B } current; struct s { int a; };",
        {"m.KIND_B": 4, "m.Kind.A.value": 3},
    ),
    "an enum whose members Python's enums keep for themselves": (
        "enum Kind { _Kind__x = 1, _ignore_, _generate_next_value_, name };"
        "struct s { enum Kind k; };",
        {
            "[k.value for k in m.Kind]": [1, 2, 3, 4],
            "list(m.Kind.__members__)": [
                *("Kind__x", "_ignore__", "_generate_next_value__", "name_")
            ],
        },
    ),
    "an enum with a member called as the next one's constant": (
        "enum kind { A_A_B = 7, A_B, A_C }; struct s { enum kind k; };",
        {"[(k.name, k.value) for k in m.Kind]": [("A_B", 7), ("B", 8), ("C", 9)]},
    ),
    "members called as what a class is written with": (
        "typedef unsigned short u_t; struct s { u_t u_t, _u_t, ZERO, _ZERO, x; };",
        {"sizeof(m.s)": 10, "m.s(1, 2, 3, 4, 5).x": 5},
    ),
    "members called as what ctypes keeps with a type, or an object has": (
        "struct s { int contents, _type_, _length_, _restype_, _argtypes_, value, from_param;"
        "           struct t *_obj, *entry; };"
        "struct t { struct s of[2]; struct s *to; };",
        {
            "m.s(contents=3).contents, m.s(_type__=4)._type__": (3, 4),
            "m.s(_length__=5, value=6).value": 6,
            "m.t([m.s(1), m.s(2)]).of[1].contents": 2,
            "'contents=7' in str(m.t(to=pointer(m.s(7))).to.contents)": True,
            "m.s.from_buffer(bytearray(bytes(m.s(1, 2, 3)))).contents": 1,
        },
    ),
    "pointers to bytes": (
        "#include <stdint.h>\nstruct s { const uint8_t *in; signed char *out; char *text; };",
        {
            "m.s(in_=b'abc').in_[:3]": [97, 98, 99],
            "(m.s(text='ab').text[:2], m.s(in_='ab').in_[1])": (b"ab", 98),
            "(b := bytearray(2), m.s(out=b).out.__setitem__(1, -1), b)[2]": b"\0\xff",
            "m.s(in_=(m.s * 1)(m.s(text=7))).in_[16]": 7,
        },
    ),
    "constants that are addresses": (
        "typedef void (*handler)(int); typedef struct never *handle;"
        "\n#define H_DEFAULT ((handler)0)\n#define H_ERROR ((handler)-1)"
        "\n#define H_HELD ((handler)2)\n#define FAILED ((void *)(char *)-1)"
        "\n#define NO_HANDLE ((handle)0xFFFFFFFFu)\n#define AGAIN FAILED\n"
        "struct s { handler h; void *p; };",
        {
            "[m.H_DEFAULT, m.H_ERROR, m.H_HELD]": [0, 2**64 - 1, 2],
            "[m.FAILED, m.NO_HANDLE, m.AGAIN]": [2**64 - 1, 2**32 - 1, 2**64 - 1],
            "hasattr(m, 'H')": False,
            "m.s(p=m.FAILED).p == m.FAILED": True,
        },
    ),
    "a projection of floats, truth and a character": (
        "struct __attribute__((packed)) s { char c; double d; _Bool b; float f; };",
        {
            "p.projection(m.s, *'fdbc')(bytes(m.s(b'x', 2.5, 1, .5)), 0)": (
                *(0.5, 2.5, True, b"x"),
            )
        },
    ),
    "an array of an untagged struct": (
        "typedef struct { int a; } rows[2]; struct s { rows r; };",
        {"sizeof(m.s)": 8, "sizeof(m.rows_element)": 4},
    ),
    "a pointer to an untagged struct": (
        "typedef struct { int a; } *handle; struct s { handle h; };",
        {"sizeof(m.s)": 8, "m.s(pointer(m.handle_element(7))).h.contents.a": 7},
    ),
    "one untagged struct of several typedefs": (
        "typedef struct { int a; } *pair_p, pair, again, pairs[2];"
        "struct s { pair p; pair_p at; again q; pairs r; };",
        {
            "[m.again is m.pair, hasattr(m, 'pair_p_element')]": [True, False],
            "m.s(at=m.pair(7)).at.contents.a": 7,
            "[type(m.s().q), type(m.s().r[1])] == [m.pair] * 2": True,
        },
    ),
    "one untagged struct that pointers alone lead to": (
        "typedef struct { int a; } *one_p, *other_p, rows[2];"
        "struct s { other_p at; one_p q; rows r; };",
        {
            "[hasattr(m, f'{n}_element') for n in ('one_p', 'other_p', 'rows')]": [
                *(True, False, False)
            ],
            "m.s(at=m.one_p_element(7)).at.contents.a": 7,
            "type(m.s().r[1]) is m.one_p_element": True,
        },
    ),
    "one untagged enum of several typedefs": (
        "typedef enum { E_A, E_B } kind, *kind_p; struct s { kind k; kind_p at; };",
        {"repr(m.s(1))": "s(k=B, at=0x0)", "[m.E(0), m.E_A]": [0, 0]},
    ),
    "typedefs of arrays and pointers": (
        "typedef unsigned char id_t[16]; typedef unsigned long *handle;"
        "typedef int grid[2][3]; typedef void (*callback)(int);"
        "struct s { id_t id; handle h; grid g; callback c; };",
        {
            "[sizeof(x.type) for x in m.s._members_]": [16, 8, 24, 8],
            "[hasattr(m, n) for n in ('id_t', 'handle', 'grid', 'callback')]": [
                *[True] * 4
            ],
        },
    ),
    "an array of pointers to undefined structs": (
        "typedef struct nowhere *handles[3]; struct s { handles h; };",
        {"sizeof(m.s)": 24},
    ),
    "a macro with a member's name": (
        "struct s { int flags; int b; };\n#define flags 5\n#define b(x) (x)\n",
        {"m.flags": 5, "m.s(flags=3, b=4).flags": 3},
    ),
    "a macro with a tag's name": (
        "struct s { int a; };\n#define s 6\n",
        {"m.s": 6, "sizeof(m.s_)": 4},
    ),
    "a macro with a typedef's name": (
        "typedef int t; struct s { t a; };\n#define t 7\n",
        {"m.t": 7, "sizeof(m.s)": 4},
    ),
    "a macro of an enumerator's name": (
        "enum e { E_A, E_B, E_MAX };\n#define E_MAX (E_MAX - 1)\n#define E_A E_A\n"
        "struct s { enum e e; };",
        {"m.E_MAX": 1, "m.E.MAX.value": 2, "m.E_A": 0, "repr(m.s(2))": "s(e=MAX)"},
    ),
    "a string with a member's name": (
        'struct s { int name; };\n#define name "x\\"\\\\"\n',
        {"m.name": 'x"\\'},
    ),
    "variables that never change": (
        "static const short low = -3, none = 0; static const unsigned char cut = 300;"
        'static const _Bool yes = 7; static const char text[] = "a\\"b\\n";'
        'static const char *const name = "dev"; int changes = 4; struct s { int a; };',
        {
            "[m.low, m.none, m.cut, m.yes]": [-3, 0, 44, 1],
            "[m.text, m.name, hasattr(m, 'changes')]": ['a"b\n', "dev", False],
        },
    ),
    "a ternary in an array's length": (
        "struct s { char a[sizeof(int) == 4 ? 3 : 5] __attribute__((packed));"
        "int b : 1 ? 3 : 4 __attribute__((packed)); int c[1 ? 2 : 3]; };",
        {"sizeof(m.s)": 12},
    ),
    "a struct in a typeof below a pragma": (
        "#pragma pack(push, 1)\n"
        "struct s { char c; __typeof__(struct { char x; int y; }) v; char d; };\n"
        "#pragma pack(pop)\nstruct u { char c; int v; };\n",
        {"sizeof(m.s)": 7, "sizeof(m.u)": 8},
    ),
    "typedefs that Python names otherwise": (
        "typedef struct { int *p; } __handle; typedef struct __s { int a; } __s;"
        "typedef struct t { int b; } in; typedef int __word; typedef __word *__at;"
        "struct u { __handle h; __s s; in i; __word w; __at at; };",
        {
            "[m._handle._c_name_, m._s._c_name_]": ["__handle", "struct __s"],
            "[hasattr(m, name) for name in ('_handle_', '_s_')]": [False, False],
            "m.in_ is m.t": True,
        },
    ),
    "records that are aligned more than Python aligns memory": (
        "struct __attribute__((aligned(4096))) page { char head[8]; int *to; };"
        "union frame { struct page p; int n; };"
        "struct frames { char kind; union frame of[2]; };",
        {
            "are_at(4096, m.page(b'a'), m.frame(), m.frames())": True,
            "are_at(4096, m.frames().of[1], (m.page * 2)()[1])": True,
            "are_at(4096, (2 * m.page)(), (m.frame * 2 * 2)())": True,
            "are_at(4096, m.page().copy(), m.page.from_buffer_copy(bytes(4096)))": True,
            "are_at(4096, pickle.loads(pickle.dumps(m.page(b'a'))))": True,
            "are_at(4096, (m.page * 2).from_buffer_copy(bytes(8192)))": True,
            "m.page(b'a').copy().head[:1], (m.page * 2)(m.page(b'b'))[0].head[:1]": (
                b"a",
                b"b",
            ),
            "m.page * 2 is m.page * 2, (m.page * 3 * 2)._length_": (True, 2),
            "m.frames(of=[m.frame(m.page(b'c'))]).of[0].p.head[:1]": b"c",
        },
    ),
    "an enum of an octal number": (
        "enum e { E_X = 0100, E_Y }; struct s { enum e e; };",
        {"m.E_Y": 65},
    ),
}


def are_at(alignment: int, *things: Any) -> bool:
    """Tell whether records and arrays are at multiples of an alignment."""
    return not any(addressof(thing) % alignment for thing in things)


@pytest.mark.parametrize("case", HEADERS)
def test_the_package_has_what_is_declared(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, expected = HEADERS[case]
    package = re.sub(r"\W", "_", case)
    (tmp_path / "h.h").write_text(header)
    (tmp_path / "spec.toml").write_text(
        f'[interface]\nname = "c"\npackage = "{package}"\nheader = "h.h"\n'
    )
    out = tmp_path / "out"
    options = ("--spec", tmp_path / "spec.toml", "--include", tmp_path, "--out", out)
    made = xenbind("generate", *options, CC="gcc")
    told = [n for n in made.stderr.splitlines() if "it is a variable" not in n]
    assert (made.returncode, told) == (0, [])
    verified = xenbind("verify", *options, CC="gcc")
    assert verified.returncode == 0, verified.stdout

    monkeypatch.syspath_prepend(str(out))
    module = importlib.import_module(f"{package}.v0")
    names: dict[str, Any] = {
        "m": module,
        "p": importlib.import_module(package),
        "sizeof": sizeof,
        "pointer": pointer,
        "pickle": pickle,
        "are_at": are_at,
    }
    assert {text: eval(text, names) for text in expected} == expected
