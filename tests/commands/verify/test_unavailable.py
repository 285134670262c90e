"""What a header calls unavailable: it has a layout, and C is asked about it all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import own_tests, require, xenbind

SPEC = """\
[interface]
name = "old"
package = "old"
header = "old.h"

[functions]
library = "libold.so.1"
"""
ATTRIBUTES = """\
enum kind { KIND_A, KIND_B __attribute__((unavailable)) };
struct s { int a __attribute__((__unavailable__("by b"))); int b; };
struct __attribute__((unavailable)) gone { int a; };
typedef int number __attribute__((unavailable));
int f(void) __attribute__((unavailable));
"""
NAMES = "struct s { int unavailable; int deprecated; };\nint f(int unavailable);\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    ("header", "number"), [(ATTRIBUTES, "2 structs"), (NAMES, "1 struct")]
)
def test_it_is_verified_and_tested(
    header: str, number: str, compiler: str, tmp_path: Path
) -> None:
    require(shutil.which(compiler) is not None, compiler)
    (tmp_path / "old.toml").write_text(SPEC)
    (tmp_path / "old.h").write_text(header)
    options = ("--spec", "old.toml", "--out", "out", "--cc", compiler)
    made = xenbind("generate", *options, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert number in made.stdout and "1 function" in made.stdout

    verified = xenbind("verify", *options, cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert "0 mismatches" in verified.stdout
    tested = own_tests(tmp_path / "out", CC=compiler)
    assert tested.returncode == 0, tested.stdout
