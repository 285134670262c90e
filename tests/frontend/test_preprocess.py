"""Macros expanded: which of them the compiler is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind.errors import CompilerError
from xenbind.frontend.directives import Macro, Preprocessed
from xenbind.frontend.preprocess import start_expanding
from xenbind.source import Coord
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
