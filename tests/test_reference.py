"""docs/reference/ is what `make reference` writes, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from golden_files import check_golden

from reference_pages import measured
from reference_pages.markdown import anchor, inline, prose
from reference_pages.pages import FOLDER, PAGES, VERIFIED


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(name: str) -> None:
    check_golden(FOLDER / name, PAGES[name]())


def test_there_is_no_other_page() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.md")}
    assert there == {*PAGES, VERIFIED}


@pytest.mark.parametrize("name", [*PAGES, VERIFIED])
def test_links_lead_somewhere(name: str) -> None:
    page = FOLDER / name
    for path, wanted in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", outside_code(page)):
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), path
        assert not wanted or wanted in anchors(target), f"{path}#{wanted}"


@pytest.mark.parametrize("name", [*PAGES, VERIFIED])
def test_headings_have_anchors_of_their_own(name: str) -> None:
    found = anchors(FOLDER / name)
    assert len(found) == len(set(found))


def outside_code(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> list[str]:
    headings = re.findall(r"^#+ (.*)", outside_code(page), re.MULTILINE)
    return [anchor(each) for each in headings]


def test_names_in_words_are_code() -> None:
    assert inline("VM_EVENT_FLAG_* of `u`, <1 MiB, *args") == (
        "`VM_EVENT_FLAG_*` of `u`, &lt;1 MiB, \\*args"
    )


def test_indented_lines_stay_what_they_are() -> None:
    assert prose("Like a_b:\n\n    a_b = 1\n\nNo more.") == (
        "Like `a_b`:\n\n    a_b = 1\n\nNo more."
    )


def test_what_is_verified_is_what_the_page_says() -> None:
    (row,) = measured.target_rows("gcc", "x86_64")
    assert "| " + " | ".join(row) + " |" in (FOLDER / VERIFIED).read_text()


@pytest.mark.exhaustive
def test_the_page_of_what_is_verified_is_current() -> None:
    check_golden(FOLDER / VERIFIED, measured.verified())
