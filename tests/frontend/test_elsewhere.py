"""What the compilers of other targets make of a header, and how often each is asked."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support import require
from xenbind.frontend.elsewhere import Elsewhere, read_elsewhere
from xenbind.frontend.header import begin
from xenbind.plain import replace
from xenbind.toolchain import compiler as compilers
from xenbind.toolchain.compiler import Compiler
from xenbind.toolchain.process import Bounded

GCC = Compiler(("gcc",), None, (), (), ())
HEADER = """\
struct same { unsigned word; };
#ifdef __i386__
struct other { char byte; };
#else
struct other { int word; };
#endif
"""
CROSS = "i686-linux-gnu-gcc"


def as_told(command: tuple[str, ...], searched: tuple[Path, ...]) -> Compiler:
    return replace(GCC, command=command)


def read(
    tmp_path: Path,
    text: str,
    compiler_for: Callable[[tuple[str, ...], tuple[Path, ...]], Compiler] = as_told,
) -> dict[str, Elsewhere | None]:
    require(shutil.which(CROSS) is not None, CROSS)
    path = tmp_path / "header.h"
    path.write_text(text)
    return read_elsewhere(begin(path, GCC), compiler_for)


def test_names_are_told_with_the_text_to_read_them_in(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER)
    own, there = found["x86_64"], found["i386"]
    assert own is not None
    assert (own.names, own.text) == (frozenset(), "")
    assert there is not None
    assert there.names == {"other"}
    assert "struct other { char byte; };" in there.text


def test_a_text_that_declares_the_same_is_not_kept(tmp_path: Path) -> None:
    there = read(tmp_path, "#define NEW __i386__\nstruct s { long a; };")["i386"]
    assert there is not None
    assert (there.names, there.text) == (frozenset(), "")


def test_what_a_compiler_refuses_is_none(tmp_path: Path) -> None:
    text = "#ifdef __i386__\n#error no\n#endif\nstruct s { int a; };"
    assert read(tmp_path, text)["i386"] is None


def test_what_is_no_c_there_is_none_though_its_text_is_the_same(tmp_path: Path) -> None:
    text = '_Static_assert(sizeof(long) == 8, "");\nstruct s { int a; };'
    assert read(tmp_path, text)["i386"] is None


def test_a_compiler_is_asked_for_the_text_and_whether_that_is_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()

    def counted(command: Sequence[str], *options: object) -> Bounded:
        asked[command[0]] += 1
        return Bounded(command, *options)  # type: ignore[arg-type]

    monkeypatch.setattr(compilers, "Bounded", counted)
    read(tmp_path, HEADER)
    assert asked[CROSS] == 2


def test_it_is_asked_anew_if_it_should_have_been_told_more(tmp_path: Path) -> None:
    """For its C library is elsewhere, or lacks what the first compiler's has."""
    folders: list[tuple[Path, ...]] = []

    def told_more(command: tuple[str, ...], searched: tuple[Path, ...]) -> Compiler:
        folders.append(searched)
        return replace(GCC, command=command, defines=("MORE",))

    text = "#ifdef MORE\nstruct more { int a; };\n#endif"
    there = read(tmp_path, text, told_more)["i386"]
    assert there is not None
    assert there.names == {"more"}
    assert all(folders)
