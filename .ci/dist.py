"""Build what is released, in dist/: source and wheel of xenbind and of xen_vm_event.

With an address these link to where the project is kept, and so do their READMEs, whose links
are relative here.  No file of the project has that address, for a copy of it may be kept
elsewhere.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
# Of the address of a page in the project: neither another site's nor a heading of the same page.
RELATIVE = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)")
PICTURE = re.compile(r"!\[[^]]*\]\($")
MADE = ("*.whl", "*.tar.gz")
LINKS = """
[project.urls]
Homepage = "{url}"
Documentation = "{pages}{folder}/README.md"
Changelog = "{pages}/CHANGELOG.md"
Issues = "{url}/issues"
"""


def main() -> None:
    """Read the options, build, and have twine check what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="where the project is kept, as https://…")
    parser.add_argument("--tag", help="the tag of the release: v and the version")
    parser.add_argument("--out", type=Path, default=PROJECT / "dist")
    options = parser.parse_args()
    if options.tag:
        refuse_other(options.tag)
    out = options.out.resolve()
    clear(out)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_project(copy)
        for package, name in ((copy, ""), (copy / "generated", "/generated")):
            if options.url:
                link(package, options.url, options.tag or "HEAD", name)
            build = ["-m", "hatchling", "build", "--directory", str(out)]
            subprocess.run([sys.executable, *build], cwd=package, check=True)
    made = sorted(map(str, out.iterdir()))
    check = ["-m", "twine", "check", "--strict", *made]
    subprocess.run([sys.executable, *check], check=True)


def refuse_other(tag: str) -> None:
    """End with a message unless a tag is the version's, and CHANGELOG has its day."""
    command = [sys.executable, "-m", "hatchling", "version"]
    told = subprocess.run(
        command, cwd=PROJECT, check=True, capture_output=True, text=True
    )
    version = told.stdout.strip()
    if tag != f"v{version}":
        sys.exit(f"the tag is {tag}, and the version {version}: tag v{version}")
    heading = re.search("^## .*", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not heading or not re.fullmatch(
        rf"## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", heading[0]
    ):
        sys.exit(
            f"CHANGELOG.md does not begin with {version} and a day: ## {version} (2000-12-31)"
        )


def clear(out: Path) -> None:
    """Take away what an earlier run made; end with a message if anything else is there."""
    there = set(out.iterdir()) if out.is_dir() else set()
    made = {path for pattern in MADE for path in out.glob(pattern)}
    if there - made:
        sys.exit(
            f"{out} has {min(there - made).name}, which is no package: name another --out"
        )
    for path in made:
        path.unlink()


def copy_project(folder: Path) -> None:
    """Copy all files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True
    )
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, folder / name)


def link(package: Path, url: str, tag: str, folder: str) -> None:
    """Add links to a package's metadata, and make its README's whole.

    A picture is where the host has the file itself, not the page that shows it.
    """
    pages = f"{url}/blob/{tag}"
    metadata = package / "pyproject.toml"
    if "[project.urls]" not in (text := metadata.read_text()):
        links = LINKS.format(url=url, pages=pages, folder=folder)
        metadata.write_text(text + links)
    readme = package / "README.md"
    text = readme.read_text()

    def whole(found: re.Match[str]) -> str:
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        kind = "raw" if PICTURE.search(line) else "blob"
        return f"{url}/{kind}/{tag}{folder}/"

    readme.write_text(RELATIVE.sub(whole, text))


if __name__ == "__main__":
    main()
