"""Which files' declarations are an interface's own: those of the header and of its parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tree
from xenbind import pipeline, spec

SPEC = '[interface]\nname = "c"\npackage = "c_bound"\nheader = "vm_event.h"\n'


def constants(folder: Path, header: str, **others: str) -> list[str]:
    tree(folder, header, **others)
    path = folder / "spec.toml"
    path.write_text(SPEC)
    loaded = spec.load(path).for_tree(folder)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    return [constant.name for constant in interface.constants]


def part(whole: str) -> str:
    return f"#ifndef WHOLE\n# error {whole}\n#endif\n#define PART 1\n"


HEADER = '#define WHOLE 0\n#include "part.h"\nstruct s { int a; };\n'


@pytest.mark.parametrize(
    "words",
    [
        '"Never include <part.h> directly; use <vm_event.h> instead."',
        '"Only <vm_event.h> can be included directly."',
        "please use vm_event.h instead",
    ],
)
def test_what_is_not_to_be_included_by_itself_is_a_part(
    words: str, tmp_path: Path
) -> None:
    assert constants(tmp_path, HEADER, part=part(words)) == ["PART", "WHOLE"]


def test_it_is_one_however_the_header_s_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "include <vm_event.h> instead"
    monkeypatch.chdir(tmp_path)
    assert constants(Path(), HEADER, part=part(words)) == ["PART", "WHOLE"]


@pytest.mark.parametrize(
    "words",
    [
        '"Never include <part.h> directly; use <other.h> instead."',
        '"Never include <part.h> directly; use <my_vm_event.h> instead."',
        '"include <vm_event.h> before this"',
    ],
)
def test_what_is_a_part_of_another_header_or_of_none_is_not(
    words: str, tmp_path: Path
) -> None:
    assert constants(tmp_path, HEADER, part=part(words)) == ["WHOLE"]


def test_a_part_may_have_parts_and_come_by_another_header(tmp_path: Path) -> None:
    inner = part('"use <part.h> instead"').replace("PART", "INNER")
    found = constants(
        tmp_path,
        HEADER,
        part='#include "between.h"\n' + part('"use <vm_event.h> instead"'),
        between='#define BETWEEN 1\n#include "inner.h"\n',
        inner=inner,
    )
    assert found == ["INNER", "PART", "WHOLE"]


@pytest.mark.parametrize(
    "guard",
    [
        "#ifndef VM_EVENT_H\n#define VM_EVENT_H 1",
        "/* All. */\n# if ! defined(VM_EVENT_H)\n\n#  define VM_EVENT_H (1)",
    ],
)
def test_what_keeps_a_header_from_being_read_twice_is_no_code(
    guard: str, tmp_path: Path
) -> None:
    header = f'{guard}\n#include "other.h"\n#endif\n'
    found = constants(tmp_path, header, other="#define OTHER 1\n")
    assert found == ["OTHER", "VM_EVENT_H"]


def test_another_macro_of_the_header_is(tmp_path: Path) -> None:
    header = '#ifndef VM_EVENT_H\n#define OWN 1\n#include "other.h"\n#endif\n'
    assert constants(tmp_path, header, other="#define OTHER 1\n") == ["OWN"]
