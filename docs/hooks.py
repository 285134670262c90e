"""Adds to the site what is not in docs/: the changelog, how to contribute, and an atlas.

mkdocs calls these functions by their names, as `hooks` of mkdocs.yml has it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[1]
ATLAS = "atlas/vm_event.html"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages whose source is elsewhere, and the atlas as a file that pages may link to."""
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name.lower(), content=text))
    files.append(File.generated(config, ATLAS, content=drawn_atlas()))
    return files


def on_page_markdown(markdown: str, page: Any, **others: object) -> str:
    """Have mkdocs read what a code host reads, and link to what the site has more of."""
    if page.file.src_uri == "atlas.md":
        heading, _, rest = markdown.partition("\n")
        markdown = f"{heading}\n\n[Open that of `vm_event`]({ATLAS})\n{rest}"
    if page.file.src_uri == "spec.md":
        # Code in a list, which is six columns in, needs eight here.
        markdown = re.sub(r"^ {6}", " " * 8, markdown, flags=re.MULTILINE)
    return markdown.replace("](../CONTRIBUTING.md", "](contributing.md")


def drawn_atlas() -> bytes:
    """The page that `xenbind atlas` writes of the built-in interface."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "xenbind", "atlas", "--out", folder]
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        return (Path(folder) / "index.html").read_bytes()
