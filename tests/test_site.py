"""The site of docs/, as it is read: from the disc, without network, searched."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import browser, complaints, look
from documents import PAGES
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support import PROJECT, require


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(importlib.util.find_spec("mkdocs") is not None, "what `make site` installs")
    folder = tmp_path_factory.mktemp("site")
    build = ["mkdocs", "build", "--strict", "--site-dir", str(folder)]
    subprocess.run([sys.executable, "-m", *build], cwd=PROJECT, check=True)
    return folder


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def fetched(driver: Chrome) -> list[str]:
    """What the page at hand asked for that is not on the disc."""
    names: list[str] = driver.execute_script(
        "return performance.getEntriesByType('resource').map((each) => each.name)"
    )
    return [name for name in names if not name.startswith(("file:", "data:"))]


@pytest.mark.parametrize("width", [1400, 400])
def test_every_page_is_read_without_network(
    site: Path, driver: Chrome, width: int
) -> None:
    look(driver, width, 900)
    complaints(driver)
    docs = PROJECT / "docs"
    names = [str(page.relative_to(docs).with_suffix(".html")) for page in PAGES]
    for name in [*names, "changelog.html", "contributing.html", "atlas/vm_event.html"]:
        driver.get((site / name).as_uri())
        assert (fetched(driver), complaints(driver)) == ([], []), name
        shown = driver.execute_script("return document.documentElement.scrollWidth")
        assert shown <= width, name


def test_search_finds_a_word_also_from_the_disc(site: Path, driver: Chrome) -> None:
    look(driver, 1400, 900)
    driver.get((site / "speed.html").as_uri())
    entry = driver.find_element(By.CSS_SELECTOR, "input.md-search__input")
    driver.execute_script("arguments[0].focus()", entry)
    entry.send_keys("breakpoint")
    found = WebDriverWait(driver, 20).until(
        lambda at: at.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
    )
    assert any("monitor.html" in str(each.get_attribute("href")) for each in found)


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    require(importlib.util.find_spec("mkdocs") is not None, "what `make site` installs")
    settings = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    before_nav, _, _ = settings.partition("\nnav:\n")
    (tmp_path / "mkdocs.yml").write_text(
        before_nav.replace("hooks: [docs/hooks.py]", "")
    )
    (tmp_path / "docs").mkdir()
    for text, fails in (("# Here\n[here](#here)", 0), ("[there](#there)", 1)):
        (tmp_path / "docs" / "index.md").write_text(text)
        build = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        result = subprocess.run(build, cwd=tmp_path, capture_output=True, check=False)
        assert result.returncode == fails, result.stderr
