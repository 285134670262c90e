"""Which files' declarations are an interface's own: those of the header and of its parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tree
from xenbind import pipeline, spec
from xenbind.toolchain.system_headers import system_folders

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
    assert found == ["OTHER"]


LINKAGES = {
    "written": (
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        "#ifdef __cplusplus\n}\n#endif",
    ),
    "on two lines": (
        '#ifdef __cplusplus\nextern "C"\n{\n#endif',
        "#if 0\n} /* C */\n#endif",
    ),
    "a macro": ("#include <sys/cdefs.h>\n__BEGIN_DECLS", "__END_DECLS"),
}


@pytest.mark.parametrize("linkage", LINKAGES)
def test_what_makes_c_of_c_plus_plus_is_no_code(linkage: str, tmp_path: Path) -> None:
    before, behind = LINKAGES[linkage]
    header = f'#include "needed.h"\n{before}\n#include "other.h"\n{behind}\n'
    others = {"needed": "#define NEEDED 1\n", "other": "#define OTHER 1\n"}
    assert constants(tmp_path, header, **others) == ["OTHER"]


def test_linkage_around_nothing_is(tmp_path: Path) -> None:
    header = '#include "other.h"\n#ifdef __cplusplus\nextern "C" {\n}\n#endif\n'
    assert constants(tmp_path, header, other="#define OTHER 1\n") == []


def test_a_macro_that_declares_something_is(tmp_path: Path) -> None:
    header = '#include "other.h"\nPAIRS\n'
    others = "#define OTHER 1\n#define PAIRS struct pair { int first; };\n"
    assert constants(tmp_path, header, other=others) == []


def test_what_a_header_asks_of_the_c_library_is_no_code(tmp_path: Path) -> None:
    header = '#define _GNU_SOURCE 1\n#include "other.h"\n'
    found = constants(tmp_path, header, other="#define OTHER 1\n")
    assert found == ["OTHER", "_GNU_SOURCE"]


def test_another_macro_of_the_header_is(tmp_path: Path) -> None:
    header = '#ifndef VM_EVENT_H\n#define OWN 1\n#include "other.h"\n#endif\n'
    assert constants(tmp_path, header, other="#define OTHER 1\n") == ["OWN"]


def system(folder: Path, **texts: str) -> list[str]:
    """Give the constants of vm_event.h in a folder that the compiler searches by itself."""
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    path = folder / "spec.toml"
    path.write_text(SPEC)
    loaded = spec.load(path).for_tree(folder)
    command = ("gcc", "-isystem", str(folder))
    interface = pipeline.read(loaded, loaded.versions[0], command)
    return [constant.name for constant in interface.constants]


BITS = {
    "vm_event": "#define WHOLE 0\n#include <bits/part.h>\n#include <other.h>\n",
    "bits__part": "#define PART 1\n#include <linux/part.h>\n",
    "linux__part": "#include <asm/part.h>\n",
    "asm__part": "#define OF_ASM 2\n",
    "other": "#define OTHER 3\n#include <bits/more.h>\n",
    "bits__more": "#define MORE 4\n",
}


def test_a_system_header_has_what_only_such_headers_include(tmp_path: Path) -> None:
    assert system(tmp_path, **BITS) == ["OF_ASM", "PART", "WHOLE"]


def test_what_a_user_s_header_includes_of_those_is_not_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "system"
    system(folder, **BITS)
    own = tmp_path / "own"
    tree(own, "#define OWN 0\n#include <bits/part.h>\n")
    (own / "spec.toml").write_text(SPEC)
    loaded = spec.load(own / "spec.toml").for_tree(own)
    command = ("gcc", "-isystem", str(folder))
    interface = pipeline.read(loaded, loaded.versions[0], command)
    assert [constant.name for constant in interface.constants] == ["OWN"]


@pytest.mark.parametrize(
    "part",
    [
        "#ifndef W\n# error use <other.h> instead\n#endif\n#define PART 1\n",
        "#define __PART 1\ntypedef int __part_t;\n#define _PART 2\n",
    ],
    ids=["another's", "reserved names alone"],
)
def test_not_all_of_these_are_a_header_s(part: str, tmp_path: Path) -> None:
    whole = "#define W 0\n#include <bits/part.h>\n"
    assert system(tmp_path, vm_event=whole, bits__part=part) == ["W"]


def test_what_include_next_finds_by_a_header_s_name_is_the_rest_of_it(
    tmp_path: Path,
) -> None:
    names = ["CHAR_BIT", "PATH_MAX", "_POSIX_PATH_MAX"]
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.replace("vm_event.h", "limits.h"))
    for folder in system_folders(("gcc",)):
        if (folder / "limits.h").is_file():
            loaded = spec.load(path).for_tree(folder)
            interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
            found = {constant.name for constant in interface.constants}
            assert found.issuperset(names), folder


@pytest.mark.parametrize("body", ["", " 1"])
@pytest.mark.parametrize("asking", ["#ifndef GUARD", "#if !defined(GUARD)"])
def test_an_include_guard_is_no_constant(
    asking: str, body: str, tmp_path: Path
) -> None:
    text = f"/* of a ring */\n{asking}\n#define GUARD{body}\n#define A 1\n#endif\n"
    assert constants(tmp_path, text) == ["A"]


def test_a_default_is_a_constant(tmp_path: Path) -> None:
    text = "#ifndef SIZE\n#define SIZE 1\n#endif\n#define A 1\n"
    assert constants(tmp_path, text) == ["SIZE", "A"]


def test_what_everybody_includes_is_no_part_beside_the_header_s_own(
    tmp_path: Path,
) -> None:
    part = "#define PART 1\nstruct s { int a; };\n"
    header = '#include <stdio.h>\n#include <sys/types.h>\n#include "part.h"\n'
    assert constants(tmp_path, header, part=part) == ["PART"]
    assert "EOF" in constants(tmp_path, "#include <stdio.h>\n")
