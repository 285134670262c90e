"""Atlases, as `xenbind atlas` writes them, and the data in their pages."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support import xenbind


def atlas_of(out: Path, *options: str | Path) -> Path:
    """The page that the command writes into a folder."""
    made = xenbind("atlas", "--out", out, *options)
    assert made.returncode == 0, made.stderr
    return out / "index.html"


_FOLDER = TemporaryDirectory(prefix="atlas-")  # gone with this process


@cache
def own_atlas() -> Path:
    """The page of xenbind's own headers, written once."""
    return atlas_of(Path(_FOLDER.name))


def data_of(page: Path) -> Any:
    """The data in a page."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def layout(data: Any, index: int) -> dict[str, Any]:
    """A layout by its index, its parts as dictionaries too."""
    columns = data["columns"]
    found = dict(zip(columns["layout"], data["layouts"][index], strict=True))
    # What lies between members has but the first of the columns.
    found["parts"] = [
        dict(zip(columns["part"], part, strict=False)) for part in found["parts"]
    ]
    return found


def members(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a layout that have a name."""
    return [part for part in found["parts"] if part["name"]]
