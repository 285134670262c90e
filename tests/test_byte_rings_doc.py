"""What docs/byte-rings.md says of the rings of bytes."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest
from support import INSTALLED, PROJECT, require, xenbind

TEXT = (PROJECT / "docs" / "byte-rings.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"`xenbind (.*?)`", TEXT)


def test_the_program_does_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require((INSTALLED / "io" / "9pfs.h").is_file(), "libxen-dev")
    for command in COMMANDS:
        if " " in command:
            made = xenbind(*command.split(), cwd=tmp_path)
            assert made.returncode == 0, made.stderr
    monkeypatch.syspath_prepend(tmp_path / "generated")
    test = doctest.DocTestParser().get_doctest(TEXT, {}, "byte-rings.md", "", 0)
    assert len(test.examples) > 15
    try:
        assert doctest.DocTestRunner().run(test).failed == 0
    finally:
        for name in [name for name in sys.modules if name.startswith("xen_9pfs")]:
            del sys.modules[name]


def test_every_method_is_told() -> None:
    runtime = PROJECT / "runtime"
    text = (runtime / "byte_ring.py").read_text().partition("class ByteRing:")[2]
    text += (runtime / "flex_ring.py").read_text().partition("class PageFlexRing")[2]
    methods = set(re.findall(r"def ([a-z]\w+)\(", text)) - {"order"}
    assert methods == {name for name in methods if re.search(rf"`{name}\b", TEXT)}
