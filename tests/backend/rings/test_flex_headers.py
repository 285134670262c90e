"""Which headers have a flex ring, by whatever macro, and what is told where one cannot be had."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flex_rings import NEEDS
from support import INSTALLED, PROJECT, own_tests, require, xenbind

RING = (PROJECT / "headers" / "io" / "ring.h").read_text()
SPEC = '[interface]\nname = "pipe"\npackage = "xen_pipe"\nheader = "pipe.h"\n'
COPY = "memcpy(to, stream + at, size); \\\n        } \\\n        *masked_cons"
NAMES = ("FrontFlexRing", "BackFlexRing", "FlexFunctions")

Generate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def generate(tmp_path: Path) -> Generate:
    """Generate the package of a header, with a ring.h of its own beside it."""

    def run(
        header: str, ring: str = RING, further: str = ""
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "ring.h").write_text(ring)
        (tmp_path / "pipe.h").write_text(f'{NEEDS}#include "ring.h"\n{header}\n')
        (tmp_path / "spec.toml").write_text(SPEC + further)
        return xenbind("generate", "--spec", "spec.toml", "--cc", "gcc", cwd=tmp_path)

    return run


def classes(folder: Path) -> set[str]:
    """The classes of a ring in the module that was generated."""
    text = (folder / "generated" / "xen_pipe" / "v0.py").read_text()
    return {
        line.removeprefix("class ").partition("(")[0]
        for line in text.split("\n")
        if line.startswith("class ") and "Flex" in line
    }


def test_a_macro_of_any_name_makes_a_ring(generate: Generate, tmp_path: Path) -> None:
    ring = RING.replace("DEFINE_XEN_FLEX_RING", "PIPES").replace("XEN_FLEX", "MY_FLEX")
    made = generate("PIPES(pipe);\nPIPES_AND_INTF(hose);", ring)
    assert made.returncode == 0, made.stderr
    assert classes(tmp_path) == {*NAMES, *(f"Hose{name}" for name in NAMES)}
    text = (tmp_path / "generated" / "xen_pipe" / "v0.py").read_text()
    assert "class BackFlexRing(FlexRing)" in text
    assert "class HoseBackFlexRing(PageFlexRing)" in text
    assert "MY_FLEX_RING_SIZE" in text
    found = xenbind("verify", "--spec", "spec.toml", "--cc", "gcc", cwd=tmp_path)
    assert found.stdout.endswith(" 0 mismatches\n"), found.stdout


def test_a_package_without_requests_has_nothing_for_them(
    generate: Generate, tmp_path: Path
) -> None:
    assert generate("DEFINE_XEN_FLEX_RING(pipe);").returncode == 0
    package = tmp_path / "generated" / "xen_pipe"
    assert (package / "runtime" / "byte_ring.py").exists()
    assert not (package / "macros.py").exists()


def test_a_header_that_uses_no_ring_has_none(
    generate: Generate, tmp_path: Path
) -> None:
    assert generate("struct pipe_data { char *in, *out; };").returncode == 0
    assert not classes(tmp_path)
    runtime = tmp_path / "generated" / "xen_pipe" / "runtime"
    assert not (runtime / "byte_ring.py").exists()


def test_a_ring_of_a_header_that_is_only_included_is_not_the_interface_s(
    generate: Generate, tmp_path: Path
) -> None:
    (tmp_path / "other.h").write_text("DEFINE_XEN_FLEX_RING(other);\n")
    made = generate('#include "other.h"\nstruct pipe { struct other_data other; };')
    assert made.returncode == 0, made.stderr
    assert not classes(tmp_path)


def test_a_loop_is_told_at_the_macro_that_has_it(
    generate: Generate, tmp_path: Path
) -> None:
    assert RING.count(COPY) == 1
    ring = RING.replace(COPY, COPY.replace("memcpy", "while (size) memcpy"))
    refused = generate("DEFINE_XEN_FLEX_RING(pipe);", ring)
    assert refused.returncode == 1
    line = ring.split("\n").index("#define DEFINE_XEN_FLEX_RING(name) \\") + 1
    assert refused.stderr == (
        f"ring.h:{line}:9: error: cannot translate pipe_read_packet: a statement of kind"
        " While is not understood\n"
        "  #define DEFINE_XEN_FLEX_RING(name) \\\n"
        "          ^\n"
        "  help: mend it, or list 'pipe_read_packet' under 'skip' in the spec to do without\n"
    )
    assert not (tmp_path / "generated").exists()


FUNCTIONS = """\
static inline unsigned pipe_mask(unsigned i, unsigned n) { return i & (n - 1); }
static inline char *pipe_get_ring_ptr(char *m, unsigned i, unsigned n)
{ return m + pipe_mask(i, n); }
static inline void pipe_read_packet(void *p, const char *m, size_t s, unsigned e,
                                    unsigned *i, unsigned n)
{ memcpy(p, m + *i, s); *i = pipe_mask(*i + s, n); }
static inline void pipe_write_packet(char *m, const void *p, size_t s, unsigned *e,
                                     unsigned i, unsigned n)
{ memcpy(m + *e, p, s); *e = pipe_mask(*e + s, n); }
static inline unsigned pipe_queued(unsigned e, unsigned i, unsigned n) { return e - i; }
struct pipe_data { char *in, *out; };
"""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("e - i;", "other(e);", "a call of what is no function of this ring"),
        ("e - i;", "sizeof(n);", "sizeof of this"),
        ("e - i;", "seen;", "the name 'seen'"),
        ("{ memcpy(m + *e", "{ e = 0; memcpy(m + *e", "the assignment to e"),
        ("return i & (n - 1)", "n++; return i", "a statement of kind UnaryOp"),
        ("return i & (n - 1)", "static int k = 0; return k", "the declaration of 'k'"),
        ("memcpy(p, m + *i, s)", "memcpy(p, i, s)", "a cell where a pointer is wanted"),
        ("return e - i;", "_Bool b = e; return b;", "int to _Bool"),
        ("return e - i;", "return (i < n) / (e < n);", "on numbers with a sign"),
        ("memcpy(p, m", "text_t q = m; memcpy(p, m", "the type text_t"),
        ("return e - i;", "return e * 1.5;", "the constant 1.5"),
        ("return e - i;", "double d = e; return d;", "the type double"),
    ],
)
def test_what_is_not_understood_is_told_at_the_function(
    old: str, new: str, what: str, generate: Generate
) -> None:
    assert old in FUNCTIONS
    before = (
        "unsigned other(unsigned); extern unsigned seen;\ntypedef const char *text_t;\n"
    )
    refused = generate(before + FUNCTIONS.replace(old, new, 1))
    assert refused.returncode == 1
    assert f"{what} is not understood" in refused.stderr
    assert refused.stderr.startswith("pipe.h:")


def test_functions_that_no_macro_made_are_a_ring_s(
    generate: Generate, tmp_path: Path
) -> None:
    made = generate(FUNCTIONS)
    assert made.returncode == 0, made.stderr
    assert classes(tmp_path) == set(NAMES)


def test_a_function_may_be_declared_before_with_attributes_and_literals_within(
    generate: Generate, tmp_path: Path
) -> None:
    declared = "static inline unsigned pipe_mask(unsigned, unsigned);\n"
    made = generate(
        declared
        + FUNCTIONS.replace("static", "static __attribute__((unused))").replace(
            "e - i;", "e - i + ('}' - '}');"
        )
    )
    assert "cannot translate pipe_queued: the constant '}'" in made.stderr
    made = generate(
        declared + FUNCTIONS.replace("static", "static __attribute__((unused))")
    )
    assert made.returncode == 0, made.stderr
    assert classes(tmp_path) == set(NAMES)


def test_a_ring_with_a_function_to_skip_is_left_out(
    generate: Generate, tmp_path: Path
) -> None:
    made = generate(
        FUNCTIONS.replace("e - i;", "sizeof(n);"), further='skip = ["pipe_queued"]\n'
    )
    assert made.returncode == 0, made.stderr
    assert not classes(tmp_path)


def test_a_function_that_is_called_otherwise_is_told(
    generate: Generate, tmp_path: Path
) -> None:
    made = generate(
        FUNCTIONS.replace("pipe_mask(unsigned i, unsigned n)", "pipe_mask(unsigned i)")
        .replace("(n - 1)", "1023")
        .replace(", n); }", "); }")
    )
    assert made.returncode == 0, made.stderr
    assert made.stderr == (
        "pipe.h:8:24: note: pipe_mask is left out: it is not called as the mask of Xen's"
        " flex rings is\n"
    )
    assert not classes(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        ("pipe_queued(", "pipe_count("),
        ("struct pipe_data {", "struct pipe {"),
        ("*in, *out", "in[4], out[4]"),
        ("unsigned n) { return e - i; }", "unsigned n);"),
    ],
)
def test_functions_of_some_of_the_names_are_no_ring_s(
    change: tuple[str, str], generate: Generate, tmp_path: Path
) -> None:
    made = generate(FUNCTIONS.replace(*change))
    assert (made.returncode, made.stderr) == (0, "")
    assert not classes(tmp_path)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("9pfs", {f"Xen9pfs{name}" for name in NAMES}),
        ("pvcalls", set(NAMES)),
        ("console", {f"Xencons{name}" for name in NAMES}),
    ],
)
def test_xen_s_own_headers_have_theirs(
    header: str, found: set[str], tmp_path: Path
) -> None:
    require((INSTALLED / "io" / f"{header}.h").is_file(), "libxen-dev")
    spec = tmp_path / "spec.toml"
    spec.write_text(
        f'[interface]\nname = "{header}"\npackage = "xen_pipe"\nheader = "io/{header}.h"\n'
        'defines = ["XEN_WANT_FLEX_CONSOLE_RING"]\n'
        'needs = ["stdint.h", "stddef.h", "string.h"]\n'
    )
    options = ("--spec", spec, "--include", INSTALLED, "--out", tmp_path / "generated")
    made = xenbind("generate", *options)
    assert (made.returncode, made.stderr) == (0, "")
    assert classes(tmp_path) == found
    verified = xenbind("verify", *options)
    assert verified.stdout.endswith(" 0 mismatches\n"), verified.stdout
    assert own_tests(tmp_path / "generated").returncode == 0
