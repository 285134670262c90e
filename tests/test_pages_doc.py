"""What docs/pages.md shows of pages of events and of bytes is what is seen."""

from __future__ import annotations

import doctest
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from byte_packages import CONSOLE, XS_WIRE
from event_packages import (
    CAMERAIF,
    DISPLIF,
    FBIF,
    KBDIF,
    OURS,
    SNDIF,
    Header,
    module_of,
    require_source,
    spec_text,
)
from support import PROJECT, require, xenbind

TEXT = (PROJECT / "docs" / "pages.md").read_text(encoding="utf-8")


# What init writes for kbdif.h.
TAG = """
[event_ring.XENKBD_IN_RING_REF]
tag = "type"
prefix = "XENKBD_TYPE_"
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The packages that the examples import, of headers that say what Xen's do."""
    require(shutil.which("gcc") is not None, "gcc")
    specs = {"vchan": PROJECT / "examples" / "vchan.toml"}
    for header in (KBDIF, CONSOLE):
        specs[header.name] = tmp_path / f"{header.name}.toml"
        specs[header.name].write_text(spec_text(header, f"xen_{header.name}"))
    with specs["kbdif"].open("a") as file:
        file.write(TAG)
    tree = tmp_path / "tree"
    shutil.copytree(OURS, tree)
    shutil.copytree(OURS, tree / "io")
    for name, spec in specs.items():
        out = tmp_path / "out"
        made = xenbind("generate", "--spec", spec, "--include", tree, "--out", out)
        assert made.returncode == 0, made.stderr
        shutil.move(out / f"xen_{name}", tmp_path)
        shutil.rmtree(out)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in list(sys.modules):
        if name.startswith(tuple(f"xen_{each}" for each in specs)):
            del sys.modules[name]


@pytest.mark.usefixtures("packages")
def test_the_program_does_what_is_shown() -> None:
    test = doctest.DocTestParser().get_doctest(TEXT, {}, "pages.md", "docs/pages.md", 0)
    assert len(test.examples) > 15
    assert doctest.DocTestRunner().run(test).failed == 0


def rows(heading: str) -> dict[str, tuple[str, ...]]:
    """A table of headers: what each one's front end does."""
    table = TEXT.partition(f"| header | {heading}")[2].partition("\n\n")[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return {
        header.strip(): tuple(filter(None, (cell.strip(" `") for cell in others)))
        for header, *others in cells
    }


@pytest.mark.parametrize(
    "header", [KBDIF, FBIF, DISPLIF, SNDIF, CAMERAIF], ids=lambda header: header.name
)
def test_events_are_taken_and_put_as_listed(header: Header, tmp_path: Path) -> None:
    require_source("xen's", header)
    side = module_of(tmp_path, "xen's", header).FrontEventPage
    rings = [vars(side)[does] for does in ("takes", "puts") if does in vars(side)]
    listed = rows("`FrontEventPage`")[f"io/{header.name}.h"]
    assert tuple(ring.event.__name__ for ring in rings) == listed
    assert len(rows("`FrontEventPage`")) == 5


@pytest.mark.parametrize("header", [CONSOLE, XS_WIRE], ids=lambda header: header.name)
def test_bytes_are_read_and_written_as_listed(header: Header, tmp_path: Path) -> None:
    side = module_of(tmp_path, "ours", header).FrontByteRing
    listed = rows("`FrontByteRing`")[f"io/{header.name}.h"]
    words = (f"reads `{listed[0]}` and writes `{listed[1]}`", side.__doc__)
    assert words[0] in " ".join(words[1].split())
    assert len(rows("`FrontByteRing`")) == 2
