"""A header with everything that GNU C may say of a layout, by a spec of three lines."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import own_tests, xenbind

SPEC = """\
[interface]
name = "odd"
package = "odd"
header = "odd.h"
needs = ["stdint.h", "stddef.h"]
"""
HEADER = """\
struct ahead;
typedef struct ahead ahead_t;
typedef int handler(struct ahead *self, int code);

#define WIDE L"wide \u263a" "\\u00e9"
#define SHORT u"\\U0001F600"
#define LETTER (U'\\x263a' + 0)
#define GAIN (1.5L * 3)

/* What became of it. */
enum outcome { GOOD, BAD = -5, WORSE };
enum { LIMIT = 1 << 4 };
typedef enum __attribute__((packed)) { SMALL = 200 } small_t;
typedef uint64_t __attribute__((aligned(4))) loose_t;

struct ahead {
    struct ahead *next;
    ahead_t *const before;
    handler *handle;
    int (*other)(void);
    enum outcome outcome;
    small_t small;
};

struct __attribute__((__packed__)) wire {
    uint8_t kind;
    __extension__ union {
        uint32_t whole;
        struct {
            uint16_t low, high;
        };
    };
    unsigned char first : 3, second : 7 __attribute__((packed));
    int64_t wide : 60;
    _Bool flag : 1;
    char name[5];
    __typeof__(((struct ahead *)0)->outcome) outcome;
    struct ahead *link;
    struct { uint8_t in; uint16_t out; } pair[2];
    const uint16_t fixed;
};

typedef struct {
    loose_t loose;
    _Alignas(32) long spaced;
    char empty[0];
} __attribute__((aligned(64))) spaced_t;

#pragma pack(push, 2)
struct halves {
    uint8_t first;
    uint32_t second;
};
#pragma pack(pop)

struct tail {
    uint16_t count;
    struct halves items[];
};

static inline __attribute__((always_inline, unused)) int first(struct tail *tail)
{
    return tail->items[0].second;
}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "spec.toml").write_text(SPEC)
    (folder / "odd.h").write_text(HEADER)
    made = run("generate", folder)
    assert made.returncode == 0
    assert made.stderr.splitlines() == [
        f"{folder}/odd.h:3:13: note: handler is left out: it is a function's type"
    ]
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    spec, out = folder / "spec.toml", folder / "generated"
    return xenbind(command, "--spec", spec, "--include", folder, "--out", out)


@pytest.fixture
def odd(out: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(out / "generated"))
    return importlib.import_module("odd").interface(0)


def test_verify(out: Path) -> None:
    held = run("verify", out)
    assert (held.returncode, held.stderr) == (0, "")
    assert "0 mismatches" in held.stdout


def test_the_generated_tests_pass(out: Path) -> None:
    tested = own_tests(out / "generated")
    assert tested.returncode == 0, tested.stdout


def test_wide_text_and_long_doubles_are_what_python_has_for_them(odd: Any) -> None:
    assert (odd.WIDE, odd.SHORT) == ("wide \u263a\xe9", "\U0001f600")
    assert (odd.LETTER, odd.GAIN) == (0x263A, 4.5)


def test_members_of_anonymous_members_are_the_record_s_own(odd: Any) -> None:
    wire = odd.wire(whole=0x0002_0001)
    assert (wire.low, wire.high) == (1, 2)
    wire.high = 0xFFFF
    assert wire.whole == 0xFFFF_0001


def test_packed_bit_fields_keep_their_neighbours(odd: Any) -> None:
    wire = odd.wire(first=5, wide=-2, flag=True)
    wire.second = 0x155
    assert (wire.first, wire.second, wire.wide, wire.flag) == (5, 0x55, -2, True)
    wire.wide = 1 << 59
    assert (wire.second, wire.wide, wire.flag) == (0x55, -1 << 59, True)


def test_placed_members_behave_as_others(odd: Any) -> None:
    wire = odd.wire()
    assert wire.pair is wire.pair  # one object, as everywhere
    wire.pair[1].in_ = 0x1FF
    wire.name = b"abc"
    copy = wire.copy()
    assert (copy.pair[1].in_, copy.name, copy.outcome) == (0xFF, b"abc\0\0", 0)
    with pytest.raises(AttributeError, match="paire"):
        wire.paire = 1
    assert repr(wire).startswith("wire(kind=0, whole=0, low=0, high=0, first=0, ")


def test_enumerators_are_constants(odd: Any) -> None:
    assert (odd.GOOD, odd.BAD, odd.WORSE, odd.LIMIT, odd.SMALL) == (0, -5, -4, 16, 200)


def test_an_alignment_beyond_what_ctypes_has(odd: Any) -> None:
    assert odd.spaced_t._extent_ == (64, 64)
