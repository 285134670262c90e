"""The reference of a spec's keys: it has all of them, and its examples are a spec."""

from __future__ import annotations

import os
from pathlib import Path

from support import PROJECT, xenbind
from xenbind.spec import load
from xenbind.spec.schema import SECTIONS


def test_the_document_is_what_the_command_prints() -> None:
    shown = xenbind("spec")
    path = PROJECT / "docs" / "spec.md"
    if os.environ.get("XENBIND_ACCEPT"):
        path.write_text(shown.stdout)
    assert (shown.returncode, shown.stdout) == (0, path.read_text())


def test_every_key_is_in_it() -> None:
    text = xenbind("spec").stdout
    for section in SECTIONS.values():
        assert f"## `{section.heading}`\n" in text
        for name in section.keys:
            assert f"\n- `{name}` (" in text


def test_its_examples_together_are_a_spec(tmp_path: Path) -> None:
    lines = [
        line
        for section in SECTIONS.values()
        for line in (
            section.heading,
            *(f"{name} = {key.example}" for name, key in section.keys.items()),
        )
    ]
    spec = tmp_path / "spec.toml"
    spec.write_text("\n".join(lines))
    library = tmp_path / "tools" / "xenctrl.toml"
    library.parent.mkdir()
    library.write_text('[interface]\nname = "x"\npackage = "x"\nheader = "x.h"\n')
    read = load(spec)
    assert (read.package, read.license) == ("xen_vm_event", "MIT")
    assert read.payload is not None
    assert read.payload.members == {"IO_INSTRUCTION": "io"}
    assert read.rings["NAME"].version == "version"
