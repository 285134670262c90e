"""The ABI table: right by facts that it was not made from, and fit to be read in a diff."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from c_compiler import GCC
from golden_files import check_golden
from support import PROJECT, require, tree, xenbind
from xenbind.backend import abi_table
from xenbind.ir.abi import ABIS

TABLE = (PROJECT / "generated" / "abi.md").read_text(encoding="utf-8")

SPEC_TEXT = """\
[interface]
name = "pairs"
package = "pairs"
header = "pair.h"
version_macro = "PAIR_VERSION"
needs = ["stdint.h"]

[[version]]
number = 1
directory = "v1"

[[version]]
number = 2
directory = "v2"
"""

OLD = """\
#define PAIR_VERSION 1
struct same { uint32_t a; struct { uint32_t b; } inner; };
struct grows { uint64_t a; uint16_t b; };
struct on_some { uint32_t a; void *b; };
struct turned { uint32_t a, b; };
struct inside { struct { uint16_t b, c; } in; };
typedef struct { void *a; } named_t;
union lost { uint64_t a; uint32_t b; };
"""

NEW = """\
#define PAIR_VERSION 2
struct same { uint32_t a; struct { uint32_t b; } inner; };
struct grows { uint64_t a; uint16_t b; uint64_t c; };
struct on_some { uint32_t a; uint64_t b; };
struct turned { uint32_t b, a; };
struct inside { struct { uint16_t c, b; } in; };
typedef struct { void *a; } named_t;
struct added { long word; };
"""


FACTS = sorted((PROJECT / "tests" / "data" / "facts").glob("xen-*.json"))


def title(facts: dict[str, Any]) -> str:
    """What the table of a release is called: the newest of a version has its number alone."""
    number, release = facts["interface_version"], facts["releases"][0]
    first = ".".join(release.split(".")[:2])
    own = f"version {number} of Xen {first}"
    return own if f"## V{own[1:]}\n" in TABLE else f"version {number}"


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_the_committed_table_has_the_sizes_of_the_original_headers(path: Path) -> None:
    facts = json.loads(path.read_text())
    types = facts["types"]
    table = abi_table.read(TABLE, title(facts), "x86_64")
    sizes = {key: table.get(f"{key} size") for key in types}
    assert sizes == {key: facts["size"] for key, facts in types.items()}


def test_every_target_has_every_struct() -> None:
    for path in FACTS:
        of = title(json.loads(path.read_text()))
        names = [abi_table.read(TABLE, of, target).keys() for target in ABIS]
        assert all(keys == names[0] and len(keys) >= 26 for keys in names)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    headers = tmp_path / "headers"
    for folder, text in (("v1", OLD), ("v2", NEW)):
        (headers / folder).mkdir(parents=True)
        (headers / folder / "pair.h").write_text(text)
    (headers / "pairs.toml").write_text(SPEC_TEXT)
    return tmp_path


def run(folder: Path, command: str) -> str:
    result = xenbind(
        command, "--spec", "headers/pairs.toml", "--out", "out", cwd=folder
    )
    return result.stdout + result.stderr


def test_what_differs_is_marked(pairs: Path) -> None:
    run(pairs, "generate")
    text = (pairs / "out" / "abi.md").read_text()
    check_golden(PROJECT / "tests" / "golden" / "abi" / "pairs.md", text)


def test_a_stale_table_is_told(pairs: Path) -> None:
    run(pairs, "generate")
    table = pairs / "out" / "abi.md"
    table.write_text(table.read_text().replace("24/8", "16/8"))
    shown = run(pairs, "check")
    assert "stale: out/abi.md\n" in shown
    assert "\n+| struct grows    |    24/8  |    20/4* |" in shown


def test_a_table_that_says_the_same_otherwise_is_stale(pairs: Path) -> None:
    run(pairs, "generate")
    table = pairs / "out" / "abi.md"
    table.write_text(table.read_text().replace("    24/8  ", " 24/8  "))
    assert "stale: out/abi.md\n" in run(pairs, "check")


def test_a_record_that_another_target_cannot_have_is_left_out(tmp_path: Path) -> None:
    version = "#define VM_EVENT_INTERFACE_VERSION 1\n"
    member = "struct pad { char a[8 / (sizeof(long) - 4)]; };\n"
    enum = "enum e { E = 8 / (sizeof(long) - 4) };\nstruct pad { char a[E]; };\n"
    for number, header in enumerate((member, enum)):
        tree(tmp_path / f"headers{number}", version + header)
        arguments = ("--include", f"headers{number}", "--out", f"out{number}")
        assert xenbind("generate", *arguments, cwd=tmp_path).returncode == 0
        assert (
            "\n| struct pad      |     2/1  |       -* |     2/1  |       -* |     2/1  |\n"
            in (tmp_path / f"out{number}" / "abi.md").read_text()
        )


ASKING = """\
#define VM_EVENT_INTERFACE_VERSION 1
struct same { uint64_t word; };
#ifdef __i386__
struct asking { uint64_t word, more; };
struct on_i386 { uint8_t byte; };
#else
struct asking { uint64_t word; };
#endif
#if defined(__riscv)
#error "not for this one"
#endif
"""
KNOWN = """\
| struct same     |     8/8  |     8/4* |     8/8  |     8/8  |       -* |
| struct asking   |     8/8  |    16/4* |     8/8  |     8/8  |       -* |
| struct on_i386  |       -  |     1/1* |       -  |       -  |       -  |
"""
POOR = """\
| struct same     |     8/8  |       ?  |       ?  |       ?  |       ?  |
| struct asking   |     8/8  |       ?  |       ?  |       ?  |       ?  |
"""
FOREIGN = ("--include", "headers", "--out", "out")


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """A header that is another on each target, in a tree without a package yet."""
    for compiler in GCC.values():
        require(shutil.which(compiler) is not None, compiler)
    tree(tmp_path / "headers", ASKING)
    return tmp_path


def with_compilers(folder: Path, *names: str) -> dict[str, str]:
    """The environment of a machine that has no other compilers."""
    for name in (*names, "as"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return {"PATH": str(folder)}


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine that has gcc for itself and no other compiler."""
    return with_compilers(tmp_path_factory.mktemp("bin"), "gcc")


def table_of(folder: Path) -> str:
    return (folder / "out" / "abi.md").read_text()


def test_a_header_that_asks_for_its_target_is_read_for_each(asking: Path) -> None:
    made = xenbind("generate", *FOREIGN, cwd=asking)
    assert (made.returncode, made.stderr) == (0, "")
    assert table_of(asking).endswith(KNOWN)
    for target in ("x86_64", "i386", "arm64", "armhf"):
        held = xenbind("verify", *FOREIGN, "--target", target, cwd=asking)
        assert (held.returncode, held.stderr) == (0, "")


def test_where_no_compiler_can_be_asked_the_table_says_so(
    asking: Path, alone: dict[str, str]
) -> None:
    xenbind("generate", *FOREIGN, cwd=asking, **alone)
    assert table_of(asking).endswith(POOR)
    assert xenbind("check", *FOREIGN, cwd=asking).returncode == 0
    # What it does not know it says nothing wrong of.
    for target in ("x86_64", "i386", "arm64"):
        held = xenbind("verify", *FOREIGN, "--target", target, cwd=asking)
        assert (held.returncode, held.stderr) == (0, "")


def test_clang_is_asked_where_gcc_has_no_cross_compiler(
    asking: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    require(shutil.which("clang") is not None, "clang")
    both = with_compilers(tmp_path_factory.mktemp("bin"), "gcc", "clang")
    xenbind("generate", *FOREIGN, cwd=asking, **both)
    assert table_of(asking).endswith(KNOWN)


def test_a_table_that_knows_more_is_not_stale(
    asking: Path, alone: dict[str, str]
) -> None:
    xenbind("generate", *FOREIGN, cwd=asking)
    # Another xenbind, which has to look at every file.
    manifest = asking / "out" / "manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "generator": "of before"}, indent=2))

    shown = xenbind("check", *FOREIGN, cwd=asking, **alone)
    assert "stale: out/manifest.json\n" in shown.stdout
    assert "abi.md" not in shown.stdout
    xenbind("generate", *FOREIGN, cwd=asking, **alone)
    assert table_of(asking).endswith(KNOWN)
    assert xenbind("check", *FOREIGN, cwd=asking).returncode == 0


def test_a_table_of_other_headers_does_not_stay(
    asking: Path, alone: dict[str, str]
) -> None:
    xenbind("generate", *FOREIGN, cwd=asking)
    tree(asking / "headers", ASKING.replace("uint8_t byte", "uint16_t byte"))
    xenbind("generate", *FOREIGN, cwd=asking, **alone)
    assert table_of(asking).endswith(POOR)


def test_a_wrong_cell_is_stale_though_another_is_unknown(
    asking: Path, alone: dict[str, str]
) -> None:
    xenbind("generate", *FOREIGN, cwd=asking)
    table = asking / "out" / "abi.md"
    table.write_text(
        table.read_text().replace("     8/8  |    16/4*", "     9/8  |    16/4*")
    )
    shown = xenbind("check", *FOREIGN, cwd=asking, **alone)
    assert "stale: out/abi.md\n" in shown.stdout
