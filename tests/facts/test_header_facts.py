"""What `xenbind facts` says of a header: the compiler's word alone, and the same by every compiler.

tests/data/facts is of Xen's own headers: that those in headers/ give the same files, byte for
byte, holds for either.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from golden_files import check_golden
from support import INSTALLED, PROJECT, SPEC, TINY, require, tree, xenbind
from xenbind import spec as specs
from xenbind.facts.header_facts import as_text, header_facts
from xenbind.options import named_version
from xenbind.pipeline import compiler_for

FACTS = sorted((PROJECT / "tests" / "data" / "facts").glob("xen-*.json"))
GOLDEN = PROJECT / "tests" / "golden" / "facts"
BLKIF = PROJECT / "examples" / "blkif.toml"


def said_of(
    wanted: str | Path, spec: Path = SPEC, cc: str = "gcc", *releases: str
) -> dict[str, Any]:
    """What a compiler says of a release's header or of a tree's."""
    loaded, version = named_version(specs.load(spec), str(wanted))
    return header_facts(loaded, version, compiler_for(loaded, version, (cc,)), releases)


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_our_headers_say_what_xen_s_own_do(path: Path) -> None:
    known = path.read_text()
    releases = json.loads(known)["releases"]
    assert as_text(said_of(releases[0], SPEC, "gcc", *releases)) == known


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_a_header_with_something_of_everything(cc: str) -> None:
    require(shutil.which(cc) is not None, cc)
    said = said_of(GOLDEN, GOLDEN / "spec.toml", cc, "1.0")
    check_golden(GOLDEN / "expected.json", as_text(said))


def header(folder: Path, lines: str) -> Path:
    return tree(folder, TINY.replace("1\n", f"1\n{lines}\n", 1))


def constants(folder: Path, *lines: str) -> dict[str, int | str]:
    said = said_of(header(folder, "\n".join(lines)), SPEC)["constants"]
    assert said.pop("VM_EVENT_INTERFACE_VERSION") == 1
    return dict(said)


def test_a_macro_that_is_no_expression_spoils_no_other(tmp_path: Path) -> None:
    said = constants(
        tmp_path,
        "#define BEFORE 1",
        "#define OPENED {",
        "#define CLOSED }",
        '#define QUOTE "',
        "#define CALL f(",
        "#define TWO 1; int two",
        "#define DONE };",
        "#define UNKNOWN nowhere",
        "#define FLOAT 1.5",
        "#define NOTHING",
        "#define FUNCTION(x) x",
        "#define BEHIND 2",
    )
    assert said == {"BEFORE": 1, "BEHIND": 2}


def test_what_depends_on_its_place_is_no_constant(tmp_path: Path) -> None:
    said = constants(
        tmp_path,
        "#define ROW __LINE__",
        '#define WHERE __FILE__ ":"',
        "#define SERIAL __COUNTER__",
        "#define BUILT_ON __DATE__",
        "#define LAST 2",
    )
    assert said == {"LAST": 2}


def test_constants_are_of_the_header_itself_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "other.h").write_text("#define OTHER 1\nenum { ANOTHER = 2 };\n")
    said = constants(
        tmp_path,
        '#include "other.h"',
        "#define FIRST (OTHER + 1)",
        "enum { SECOND = 3,",
        "       THIRD };",
        "#define FOURTH THIRD",
    )
    assert list(said.items()) == [
        ("FIRST", 2),
        ("SECOND", 3),
        ("THIRD", 4),
        ("FOURTH", 4),
    ]


def test_a_header_without_a_ring_has_no_entries(tmp_path: Path) -> None:
    said = said_of(tree(tmp_path))
    assert "ring_entries_in_4096" not in said
    assert list(said["types"]) == ["struct pair"]


def test_other_interfaces_of_xen() -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    said = said_of(INSTALLED, BLKIF)
    assert said["interface_version"] == 0
    assert said["ring_entries_in_4096"] == 32
    assert said["constants"]["BLKIF_OP_DISCARD"] == 5
    assert said["types"]["struct blkif_request"]["size"] == 112
    assert said["typedefs"]["blkif_sring_t"] == "struct blkif_sring"


def test_each_of_several_rings_is_told_by_its_name(tmp_path: Path) -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    spec = tmp_path / "netif.toml"
    spec.write_text(BLKIF.read_text().replace("io/blkif.h", "io/netif.h"))
    rings = said_of(INSTALLED, spec)["ring_entries_in_4096"]
    assert rings == {"xen_netif_ctrl": 128, "netif_tx": 256, "netif_rx": 256}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_command_prints_or_writes_the_file(tmp_path: Path) -> None:
    tree(tmp_path / "new")
    arguments = ("facts", "new", "--release", "4.98.0", "--release", "4.98.1")
    printed = xenbind(*arguments, cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert json.loads(printed.stdout)["releases"] == ["4.98.0", "4.98.1"]
    written = xenbind(*arguments, "--output", "facts.json", cwd=tmp_path)
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert (tmp_path / "facts.json").read_text() == printed.stdout
    assert names(tmp_path) == ["facts.json", "new"]


def test_a_release_of_the_spec_has_the_spec_s_releases() -> None:
    printed = xenbind("facts", "4.17")
    assert json.loads(printed.stdout)["releases"] == ["4.17"]


def refused(folder: Path, *arguments: str) -> str:
    """What is said of a tree in `new` that is refused; no file is written then."""
    result = xenbind("facts", "new", "--output", "facts.json", *arguments, cwd=folder)
    assert (result.returncode, result.stdout) == (1, "")
    assert names(folder) == ["new"]
    return result.stderr


def test_an_error_in_a_header_is_told_at_its_place(tmp_path: Path) -> None:
    header(tmp_path / "new", "struct single { event_t only; };")
    assert refused(tmp_path, "--cc", "gcc") == (
        "new/vm_event.h:2:17: error: unknown type name 'event_t'\n"
        "  struct single { event_t only; };\n"
        "                  ^\n"
        "  help: declare the type before its use, or include its header, there or by the"
        " spec's 'needs'\n"
    )


def test_a_header_that_nests_too_deep_is_told(tmp_path: Path) -> None:
    deep = f"struct s {{ int (*f)(int {'(*)(int ' * 2000}{')' * 2000}); }};\n"
    folder = tree(tmp_path, f"#define VM_EVENT_INTERFACE_VERSION 1\n{deep}")
    result = xenbind("facts", folder)
    assert result.returncode == 1
    assert result.stderr.startswith(
        f"{folder}/vm_event.h:1:1: error: the header nests structs, types or expressions"
        " too deep"
    )


def test_a_header_has_the_version_s_macro(tmp_path: Path) -> None:
    tree(tmp_path / "new", TINY.replace("VM_EVENT_INTERFACE_VERSION", "VERSION"))
    assert refused(tmp_path).startswith(
        "new/vm_event.h:1:1: error: the header does not define VM_EVENT_INTERFACE_VERSION\n"
    )


def test_a_header_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    os.mkfifo(tmp_path / "new" / "vm_event.h")
    assert refused(tmp_path).startswith(
        "new/vm_event.h:1:1: error: not a regular file\n"
    )
