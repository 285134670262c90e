"""Ring macros are compared by what they do: other words are the same, another deed is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import INSTALLED, NEWEST_HEADERS, SPEC, require, tree
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.backend.ring_module import protocol
from xenbind.backend.rings.behaviour import Protocol, difference

RING = (SPEC.parent / "io" / "ring.h").read_text()


def read(folder: Path) -> Protocol:
    spec = specs.load(SPEC).for_tree(folder)
    found = protocol(pipeline.read(spec, spec.versions[0], ("gcc",)))
    assert found is not None
    return found


def with_ring(folder: Path, ring: str) -> Protocol:
    """The protocol of our headers with another ring.h."""
    header = (NEWEST_HEADERS / "vm_event.h").read_text()
    tree(folder, header, xen=(SPEC.parent / "xen.h").read_text())
    (folder / "io").mkdir()
    (folder / "io" / "ring.h").write_text(ring)
    return read(folder)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    return with_ring(tmp_path_factory.mktemp("ours") / "headers", RING)


def test_the_macros_of_xen_s_own_ring_h_do_the_same(ours: Protocol) -> None:
    require((INSTALLED / "io" / "ring.h").is_file(), "libxen-dev")
    assert difference(ours, read(INSTALLED)) == ""


def altered(folder: Path, old: str, new: str) -> Protocol:
    assert RING.count(old) == 1, old
    return with_ring(folder / "headers", RING.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(!RING_FREE_REQUESTS(front))", "(RING_FREE_REQUESTS(front) == 0)"),
        (
            "(RING_SIZE(front) - (front)->req_prod_pvt + (front)->rsp_cons)",
            "((front)->rsp_cons + RING_SIZE(front) - (front)->req_prod_pvt)",
        ),
        (
            "(RING_SIZE(back) <= (index) - (back)->rsp_prod_pvt)",
            "!((index) - (back)->rsp_prod_pvt < RING_SIZE(back))",
        ),
    ],
)
def test_other_words_for_the_same(
    old: str, new: str, ours: Protocol, tmp_path: Path
) -> None:
    assert difference(ours, altered(tmp_path, old, new)) == ""


LOOKS_AGAIN = "xen_mb(); \\\n        (more) = RING_HAS_UNCONSUMED_REQUESTS(back);"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "(!RING_FREE_REQUESTS(front))",
            "(RING_FREE_REQUESTS(front) <= 1)",
            "RING_FULL does otherwise: gives 0, and gives 1",
        ),
        (
            "(RING_SIZE(back) <= (index)",
            "(RING_SIZE(back) < (index)",
            "RING_REQUEST_CONS_OVERFLOW does otherwise: gives 1, and gives 0",
        ),
        (
            "(back)->req_cons + 1",
            "(back)->req_cons",
            "RING_FINAL_CHECK_FOR_REQUESTS does otherwise: words[1] = ",
        ),
        (LOOKS_AGAIN, "xen_mb();", "RING_FINAL_CHECK_FOR_REQUESTS does otherwise: "),
        (
            LOOKS_AGAIN,
            LOOKS_AGAIN.replace("xen_mb", "xen_wmb"),
            "RING_FINAL_CHECK_FOR_REQUESTS does otherwise: ",
        ),
        (
            "#define RING_FULL(front)",
            "#define RING_CROWDED(front)",
            "only one of them has RING_FULL",
        ),
    ],
)
def test_another_deed_is_told(
    old: str, new: str, told: str, ours: Protocol, tmp_path: Path
) -> None:
    assert difference(ours, altered(tmp_path, old, new)).startswith(told)
