"""Where README.md, CONTRIBUTING.md and the pages of docs/ link to is there, on a code host too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import PAGES, README, text_of
from support import PROJECT

DOCUMENTS = [README, PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md", *PAGES]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "`", text, flags=re.DOTALL | re.MULTILINE)


def links(document: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(document)))


def anchors(document: Path) -> set[str]:
    """What its headings can be linked to by, as code hosts and mkdocs both have it."""
    text = re.sub(
        r"^```.*?^```$", "", text_of(document), flags=re.DOTALL | re.MULTILINE
    )
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings
    }


def is_there(link: str, document: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.is_relative_to(PROJECT) or not target.is_file():
        return False
    return not anchor or anchor in anchors(target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    found = [each for each in links(document) if "://" not in each]
    assert [each for each in found if not is_there(each, document)] == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    assert is_there("docs/verify.md#on-every-target", README)
    assert not is_there("docs/verify.md#on-each-target", README)
    assert not is_there("docs/none.md", README)


def test_readme_leads_to_every_page() -> None:
    linked = {(PROJECT / link.partition("#")[0]).resolve() for link in links(README)}
    assert {page for page in PAGES if page.parent.name == "docs"} - linked == set()


def test_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 130
