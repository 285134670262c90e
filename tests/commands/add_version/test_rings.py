"""add-version on a tree with another ring.h: other words are welcome, other deeds are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import PROJECT, project_of, xenbind

RELEASE = "4.19"
HEADERS = PROJECT / "headers"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one version that keeps facts, with its package."""
    folder = project_of(tmp_path_factory.mktemp("rings") / "p", RELEASE)
    (folder / "xenbind.toml").write_text('facts = "facts"\n')
    assert xenbind("generate", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def project(generated: Path, tmp_path: Path) -> Path:
    shutil.copytree(generated, tmp_path / "project")
    return tmp_path / "project"


def with_ring(folder: Path, old: str, new: str) -> Path:
    """A tree of the next version, with another text for one of ring.h."""
    shutil.copytree(HEADERS / "io", folder / "io")
    shutil.copyfile(HEADERS / "xen.h", folder / "xen.h")
    text = (HEADERS / RELEASE / "vm_event.h").read_text()
    assert "VERSION 0x00000007" in text
    (folder / "vm_event.h").write_text(
        text.replace("VERSION 0x00000007", "VERSION 0x00000008")
    )
    ring = folder / "io" / "ring.h"
    assert ring.read_text().count(old) == 1, old
    ring.write_text(ring.read_text().replace(old, new))
    return folder


def state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


GET = "(&(half)->sring->ring[(RING_SIZE(half) - 1) & (index)].req)"
PUSH = """\
    (front)->sring->req_prod = (front)->req_prod_pvt; \\
} while (0)
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            GET,
            GET.replace("RING_SIZE(half) - 1", "RING_SIZE(half) / 2 - 1"),
            "RING_GET_REQUEST does otherwise: ",
        ),
        (
            PUSH,
            PUSH.replace("req_prod_pvt;", "req_prod_pvt - 1;"),
            "RING_PUSH_REQUESTS does otherwise: ",
        ),
    ],
    ids=["masks", "publishes"],
)
def test_a_ring_that_works_otherwise_is_refused(
    old: str, new: str, told: str, project: Path, tmp_path: Path
) -> None:
    with_ring(tmp_path / "new", old, new)
    before = state(project)
    result = xenbind("add-version", "../new", "--release", "4.99", cwd=project)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(
        "xenbind: error: version 8 has another ring protocol than version 7:" f" {told}"
    )
    assert state(project) == before


def test_a_ring_in_other_words_is_taken(project: Path, tmp_path: Path) -> None:
    with_ring(
        tmp_path / "new", GET, GET.replace("RING_SIZE(half) - 1", "~-RING_SIZE(half)")
    )
    result = xenbind("add-version", "../new", "--release", "4.99", cwd=project)
    assert (result.returncode, result.stderr) == (0, "")
    assert [path.name for path in (project / "headers" / "4.99").iterdir()] == [
        "vm_event.h"
    ]
    assert (project / "facts" / "xen-4.99.json").is_file()
