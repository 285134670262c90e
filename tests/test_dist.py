"""What is released: both packages' sources and wheels, with links to where they are kept."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from support import PROJECT
from xenbind import __version__

URL = "https://example.org/xenbind"
PAGES = f"{URL}/blob/v{__version__}"


def dist(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(project / ".ci/dist.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    tag = f"v{__version__}"
    built = dist(PROJECT, "--url", URL, "--tag", tag, "--out", str(out))
    assert built.returncode == 0, built.stderr
    return out


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_both_packages_have_the_version_of_xenbind(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == [
        f"xen_vm_event-{__version__}-py3-none-any.whl",
        f"xen_vm_event-{__version__}.tar.gz",
        f"xenbind-{__version__}-py3-none-any.whl",
        f"xenbind-{__version__}.tar.gz",
    ]


@pytest.mark.parametrize(
    ("name", "folder"), [("xenbind", ""), ("xen_vm_event", "/generated")]
)
def test_a_wheel_tells_its_licence_and_where_it_is_kept(
    name: str, folder: str, made: Path
) -> None:
    (wheel,) = made.glob(f"{name}-*.whl")
    told = metadata(wheel)
    assert (told["License-Expression"], told["License-File"]) == ("MIT", "LICENSE")
    assert told.get_all("Project-URL") == [
        f"Homepage, {URL}",
        f"Documentation, {PAGES}{folder}/README.md",
        f"Changelog, {PAGES}/CHANGELOG.md",
        f"Issues, {URL}/issues",
    ]
    assert told["Description-Content-Type"] == "text/markdown"
    readme = told.get_payload()
    assert isinstance(readme, str) and readme.strip().startswith("# xen")
    assert all(
        re.match("https://|#", address)
        for address in re.findall(r"\]\((.*?)\)", readme)
    )


def test_links_of_the_readme_lead_to_files_of_the_release(made: Path) -> None:
    (wheel,) = made.glob("xenbind-*.whl")
    names = re.findall(rf"\({PAGES}/(.*?)[#)]", str(metadata(wheel).get_payload()))
    assert names and all((PROJECT / name).exists() for name in names)


def test_a_picture_of_the_readme_is_a_file_and_no_page(made: Path) -> None:
    (wheel,) = made.glob("xenbind-*.whl")
    readme = str(metadata(wheel).get_payload())
    pictures = re.findall(r"!\[[^]]*\]\((.*?)\)", readme)
    assert pictures == [f"{URL}/raw/v{__version__}/docs/mem_access.svg"]


@pytest.mark.parametrize("name", ["xenbind", "xen_vm_event"])
def test_a_wheel_made_of_the_source_is_the_one_released(
    name: str, made: Path, tmp_path: Path
) -> None:
    (source,) = made.glob(f"{name}-*.tar.gz")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--wheel-dir"]
    subprocess.run([*build, *options, str(tmp_path), str(source)], check=True)
    (again,) = tmp_path.iterdir()
    assert again.read_bytes() == (made / again.name).read_bytes()


def test_nothing_but_packages_is_taken_away(project: Path) -> None:
    (project / "kept").write_text("mine")
    (project / "old.whl").write_text("")
    refused = dist(project, "--out", str(project))
    assert refused.returncode == 1
    assert refused.stderr.endswith("which is no package: name another --out\n")
    assert (project / "kept").exists() and (project / "old.whl").exists()


def test_without_an_address_none_is_made_up(tmp_path: Path) -> None:
    assert dist(PROJECT, "--out", str(tmp_path)).returncode == 0
    for wheel in tmp_path.glob("*.whl"):
        assert metadata(wheel)["Project-URL"] is None


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (".ci/dist.py", "pyproject.toml", "codegen/xenbind/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def test_a_tag_of_another_version_is_refused(project: Path) -> None:
    refused = dist(project, "--tag", "v0.0.9")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"the tag is v0.0.9, and the version {__version__}: tag v{__version__}\n"
    )
    assert not (project / "dist").exists()


@pytest.mark.parametrize(
    "heading",
    [f"## {__version__}", f"## {__version__} (unreleased)", "## 0.0.9 (2020-01-01)"],
)
def test_a_version_that_the_changelog_does_not_begin_with_is_refused(
    heading: str, project: Path
) -> None:
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\n- It is new.\n")
    refused = dist(project, "--tag", f"v{__version__}")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"CHANGELOG.md does not begin with {__version__} and a day"
    )


def test_the_changelog_begins_with_the_version_that_is_next() -> None:
    headings = re.findall(
        "^## (.*)", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert headings[0].split()[0] == __version__
