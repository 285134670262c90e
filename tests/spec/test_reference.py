"""The reference of a spec's keys: it has all of them, and its examples are a spec."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import PROJECT, xenbind
from xenbind.errors import SourceError
from xenbind.spec import load
from xenbind.spec.schema import ONE_HEADER, SECTIONS, TREE


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


def examples(kind: str) -> str:
    """A spec of a kind, with every key that it may have."""
    return "\n".join(
        line
        for section in SECTIONS.values()
        if section.of in ("", kind)
        for line in (
            section.heading,
            *(
                f"{name} = {key.example}"
                for name, key in section.keys.items()
                if key.of in ("", kind)
            ),
        )
    )


def test_its_examples_together_are_a_spec(tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text(examples(ONE_HEADER))
    library = tmp_path / "tools" / "xenctrl.toml"
    library.parent.mkdir()
    library.write_text('[interface]\nname = "x"\npackage = "x"\nheader = "x.h"\n')
    read = load(spec)
    assert (read.package, read.license) == ("xen_vm_event", "MIT")
    (payload,) = read.payloads
    assert payload.members == {"IO_INSTRUCTION": "io"}
    assert read.rings["NAME"].version == "version"


def test_its_examples_of_a_tree_are_a_spec(tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text(examples(TREE).replace('version = "version"', ""))
    read = load(spec)
    assert read.tree is not None
    assert read.tree.headers == ("**/*.h",)
    assert [each.pattern for each in read.tree.told] == ["PATTERN"]
    assert read.tree.told[0].only == ("arm64", "armhf")


@pytest.mark.parametrize("kind", [ONE_HEADER, TREE])
def test_a_spec_has_not_what_is_for_the_other_kind(tmp_path: Path, kind: str) -> None:
    spec = tmp_path / "spec.toml"
    for section in SECTIONS.values():
        keys = [key for key, each in section.keys.items() if each.of not in ("", kind)]
        for key in keys if section is SECTIONS["interface"] else ():
            if key in ("header", "headers"):
                continue  # which make it that kind
            heading = "[interface]\n"
            added = f"{heading}{key} = {section.keys[key].example}\n"
            spec.write_text(examples(kind).replace(heading, added))
            with pytest.raises(SourceError, match=f"'{key}' is for"):
                load(spec)
        if section.of not in ("", kind):
            needed = [f"{k} = {each.example}" for k, each in section.keys.items()]
            spec.write_text("\n".join([examples(kind), section.heading, *needed]))
            with pytest.raises(SourceError, match="is for"):
                load(spec)
