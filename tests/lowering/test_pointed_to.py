"""Structs of included headers that members only point to."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind import pipeline, spec

SPEC = """\
[interface]
name = "list"
package = "list"
header = "list.h"
"""
NODE = '#include "node.h"\n'
LIST = "struct node;\nstruct list { struct node *first; };\n"


@pytest.mark.parametrize("header", [NODE + LIST, LIST + NODE])
def test_one_is_there_wherever_it_is_defined(header: str, tmp_path: Path) -> None:
    (tmp_path / "node.h").write_text(
        "#pragma once\nstruct item;\nstruct node { struct node *next; struct item *item; };\n"
        "struct item { long held; };\nstruct other { int unused; };\n"
    )
    (tmp_path / "list.h").write_text(header)
    (tmp_path / "list.toml").write_text(SPEC)
    loaded = spec.load(tmp_path / "list.toml").for_tree(tmp_path)
    found = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    keys = {record.key for record in found.records}
    assert keys == {"struct list", "struct node", "struct item"}
