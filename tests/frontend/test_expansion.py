"""Macros expanded: which of them the compiler is asked about, and which it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import require
from xenbind.errors import CompilerError
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.expansion import start_expanding
from xenbind.frontend.macros import ExpandedMacro
from xenbind.frontend.preprocess import preprocess
from xenbind.source import Coord, Sources
from xenbind.toolchain.compiler import Compiler

NOBODY = Compiler(("no-such-cc",), None, (), (), ())
NOTHING = Preprocessed("", {}, (), frozenset(), {})


def expanded(body: str, parameters: tuple[str, ...] | None = None) -> str:
    macro = Macro("MACRO", parameters, body, Coord("header.h", 1, 1))
    expand = start_expanding(NOBODY, Path("header.h"), NOTHING, [macro])
    return expand()["MACRO"].expansion


@pytest.mark.parametrize(
    "body", ["1", "(1 << 2)", "0x1FuL", "-1", "1.5e+3f", "1.f", "1 ? 2 : 3", "{ 1, 2 }"]
)
def test_numbers_and_operators_are_what_they_are(body: str) -> None:
    assert expanded(body) == body


@pytest.mark.parametrize(
    "body", ["OTHER", "(1 << OTHER)", "-x", '"text"', "$", "{ .x = 1 }", "1+é"]
)
def test_where_a_name_may_be_the_compiler_is_asked(body: str) -> None:
    with pytest.raises(CompilerError, match="no-such-cc"):
        expanded(body)


def test_a_macro_with_parameters_is_asked_about() -> None:
    with pytest.raises(CompilerError, match="no-such-cc"):
        expanded("1", ("x",))


def header_expanded(header: Path, compiler: str, text: str) -> dict[str, ExpandedMacro]:
    """All macros of a header, expanded by a compiler."""
    header.write_text(text)
    command = Compiler((compiler,), None, (), (), ())
    preprocessed = preprocess(command, header, Sources())
    macros = list(preprocessed.macros.values())
    return start_expanding(command, header, preprocessed, macros)()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "body",
    [
        *("__has_attribute", "__has_include", "__has_include_next", "__has_builtin"),
        *("__has_include(<stdio.h>)", "__has_attribute(", "__has_builtin 1"),
        *("ONE(", "ONE((1)", "TWO(1)", "_Pragma", "_Pragma(1)", 'ONE(ONE(1) "a"'),
    ],
)
def test_what_the_preprocessor_refuses_takes_no_other_with_it(
    body: str, compiler: str, tmp_path: Path
) -> None:
    require(shutil.which(compiler) is not None, compiler)
    found = header_expanded(
        tmp_path / "h.h",
        compiler,
        "#define FOUR 4\n#define ONE(x) x\n#define TWO(a, b) a\n"
        f"#define BEFORE (FOUR)\n#define REFUSED {body}\n"
        f"#define BEHIND )FOUR\n#define AGAIN {body}\n#define LAST ONE(FOUR)\n",
    )
    assert found["BEFORE"].expansion == "(4)"
    assert found["BEHIND"].expansion == ")4"
    assert found["LAST"].expansion == "4"
    assert not any(found[name].fault for name in ("BEFORE", "BEHIND", "LAST"))
    for name in ("REFUSED", "AGAIN"):
        assert found[name].fault.startswith("the preprocessor says: ")


def test_a_header_of_nothing_else_does_not_take_long(tmp_path: Path) -> None:
    text = "#define ONE(x) x\n" + "".join(f"#define M{n} ONE(\n" for n in range(3000))
    found = header_expanded(tmp_path / "h.h", "gcc", text)
    assert all(found[f"M{n}"].fault for n in range(3000))


def test_a_compiler_that_expands_nothing_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho 'cc: error: out of order' >&2\nexit 1\n")
    broken.chmod(0o755)
    macro = Macro("MACRO", None, "OTHER", Coord("header.h", 1, 1))
    command = Compiler((str(broken),), None, (), (), ())
    expand = start_expanding(command, Path("header.h"), NOTHING, [macro])
    with pytest.raises(CompilerError, match="out of order"):
        expand()
