"""A tiny header and the module that it makes: one folder of tests/golden/package each.

A folder holds header.h, perhaps its own spec.toml, and the module as `expected.py`.
"""

from __future__ import annotations

import shutil

import black
import pytest
from golden_files import check_golden
from support import PROJECT, require
from xenbind import pipeline, spec
from xenbind.backend.module import module_view
from xenbind.backend.templates import Templates
from xenbind.plain import replace

GOLDEN = PROJECT / "tests" / "golden" / "package"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())


def module(case: str) -> str:
    """The module of a case's header, as `generate` would write it."""
    folder = GOLDEN / case
    own = folder / "spec.toml"
    loaded = spec.load(own if own.exists() else GOLDEN / "spec.toml").for_tree(folder)
    loaded = replace(loaded, include=(folder, PROJECT / "headers"))
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    view = module_view(interface, "header.h", ())
    text = Templates().text("package/version.py.jinja", {"module": view})
    return black.format_str(text, mode=black.Mode())


@pytest.mark.parametrize("case", CASES)
def test_the_module_of_a_header(case: str) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    check_golden(GOLDEN / case / "expected.py", module(case))
