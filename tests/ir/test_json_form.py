"""An interface is the same after it was written as JSON and read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PROJECT, tree
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.ir import json_form
from xenbind.plain import replace
from xenbind.toolchain.compiler import find_compiler

STORED = sorted((PROJECT / "generated" / "interfaces").rglob("*.json"))

# Something of each kind that an interface holds.
HEADER = r"""
#define ODD_VERSION 1
#define TEXT "Zurück\n\0\x7f"
#define LARGE 0xFFFFFFFFFFFFFFFFull
#define MAKE { 1 }
/* Ein Modus: 模式. */
enum mode { MODE_SLOW = -1, MODE_FAST };
typedef uint32_t number;
struct later;
struct odd {
    enum mode mode;
    number numbers[2][3];
    struct odd *next;
    struct later *later;
    void *any;
    union { uint8_t byte; struct { uint64_t low : 4, high : 60; } bits; } u;
    struct { double weight; } __attribute__((packed));
    uint16_t rest[];
};
static const int limit = 5;
"""


def same(file: str) -> str:
    return file


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_is_stored_is_written_as_it_is_read(path: Path) -> None:
    text = path.read_text()
    assert json_form.dump(json_form.load(text, same), same) == text


def test_something_of_each_kind(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(
        "[interface]\nname = 'odd'\npackage = 'odd'\nheader = 'odd.h'\n"
        "version_macro = 'ODD_VERSION'\nneeds = ['stdint.h']\n"
    )
    spec = specs.load(tmp_path / "spec.toml").for_tree(
        tree(tmp_path / "tree", odd=HEADER)
    )
    read = pipeline.read(spec, spec.versions[0], find_compiler())
    assert read.left_out and read.groups and len(read.records) == 3
    text = json_form.dump(read, lambda file: file.replace(str(tmp_path), "HERE"))
    assert str(tmp_path) not in text
    back = json_form.load(text, lambda file: file.replace("HERE", str(tmp_path)))
    assert repr(back) == repr(read)


def test_a_flex_ring_keeps_its_functions() -> None:
    golden = PROJECT / "tests" / "golden" / "package"
    spec = replace(
        specs.load(golden / "spec.toml").for_tree(golden / "flex_ring"),
        include=(golden / "flex_ring", PROJECT / "headers"),
    )
    read = pipeline.read(spec, spec.versions[0], find_compiler())
    assert [len(ring.functions) for ring in read.flex_rings] == [5, 5]
    assert json_form.load(json_form.dump(read, same), same) == read


def test_each_constant_and_record_has_a_line_of_its_own() -> None:
    lines = (PROJECT / "generated" / "interfaces" / "v7.json").read_text().splitlines()
    records = [line for line in lines if line.startswith('  {"Record"')]
    assert sum('"struct vm_event_io", [' in line for line in records) == 1
