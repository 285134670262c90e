"""Type checkers find nothing in what README.md, the pages and the examples show.

Each program is checked by itself, and of a page's session all that goes well: what shows an
exception is a mistake on purpose.
"""

from __future__ import annotations

import doctest
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import README, blocks, text_of
from support import PROJECT
from type_checkers import mypy, pyright, with_package

DOCS = PROJECT / "docs"
# Pages of packages that are made for them, by one that they import, and no program beside these.
OF_OTHER_PACKAGES = {
    "backend": "vchan",
    "byte-rings": "xen_9pfs",
    "pages": "xen_kbdif",
    "trees": "xen_public",
}
# Shows a part of a generated module, which is checked as a whole.
OF_A_MODULE = "libraries"
# They call packages of other headers too, beside which their own tests check them.
OTHER_EXAMPLES = {"domains", "vchan"}
SESSION = "_session"


def name_of(document: Path) -> str:
    return document.stem.lower().replace("-", "_")


def is_session(block: str) -> bool:
    return block.startswith(">>> ")


def session(text: str) -> str:
    """What a page's sessions do, but for what is shown to raise an exception."""
    examples = doctest.DocTestParser().get_examples(
        "\n".join(filter(is_session, blocks(text, "python")))
    )
    return "".join(each.source for each in examples if each.exc_msg is None)


def programs(document: Path) -> Iterator[tuple[str, str]]:
    """Give the programs of a document, each with the name of a module."""
    text, name = text_of(document), name_of(document)
    for number, block in enumerate(blocks(text, "python"), 1):
        if not is_session(block):
            yield f"{name}_{number}", block
    if found := session(text):
        yield f"{name}{SESSION}", found


def is_beside_the_package(document: Path) -> bool:
    return document.stem not in {*OF_OTHER_PACKAGES, OF_A_MODULE}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs that are shown, beside the package and the modules that they import."""
    folder = with_package(tmp_path_factory.mktemp("shown"))
    for example in (PROJECT / "examples").glob("*.py"):
        if example.stem not in OTHER_EXAMPLES:
            shutil.copy(example, folder)
    for document in filter(is_beside_the_package, [README, *DOCS.glob("*.md")]):
        for name, text in programs(document):
            (folder / f"{name}.py").write_text(text)
    # The tutorial's other programs import the last that it calls so.
    *_, watch = re.findall(
        r"`watch\.py`[^`]*:\n\n```python\n(.*?)^```$",
        text_of(DOCS / "tutorial.md"),
        re.DOTALL | re.MULTILINE,
    )
    (folder / "watch.py").write_text(watch)
    return folder


def test_mypy_finds_nothing(shown: Path) -> None:
    assert mypy(shown) == set()


@pytest.mark.exhaustive
def test_pyright_finds_nothing(shown: Path) -> None:
    # To pyright an expression whose value a session would print is a mistake, for one.
    assert {place for place in pyright(shown) if SESSION not in place} == set()


def test_what_is_not_checked_is_of_another_package() -> None:
    for page, package in OF_OTHER_PACKAGES.items():
        found = dict(programs(DOCS / f"{page}.md"))
        assert list(found) == [f"{name_of(DOCS / page)}{SESSION}"]
        [text] = found.values()
        assert re.search(rf"^(from|import) {package}\b", text, re.MULTILINE)
    [(_, part)] = programs(DOCS / f"{OF_A_MODULE}.md")
    assert part.startswith("def ")
