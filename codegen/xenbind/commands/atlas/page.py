"""Write an atlas's page: its data, the style and the script in one file.

Takes the plain data of `data`; the template has the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenbind.backend.templates import Templates
from xenbind.errors import SystemFailure
from xenbind.whole_file import whole_file


def write(out: Path, told: Mapping[str, Any]) -> Path:
    """Write the page into a folder, which is made; gives its path.

    Raises `SystemFailure` where that cannot be.
    """
    path, advice = out / "index.html", "name another folder with --out"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot make the folder {out}: {error.strerror}"
        raise SystemFailure(problem, advice) from error
    with whole_file(path, advice) as file:
        file.write(text(told).encode())
    return path


def text(told: Mapping[str, Any]) -> str:
    """Give the page as HTML."""
    title = str(told["title"])
    return Templates().text(
        "atlas/page.html.jinja", {"title": title, "data": script_json(told)}
    )


def script_json(told: Mapping[str, Any]) -> str:
    """Write data so that it can stand in a script element, which ends at the first `</`."""
    packed = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return packed.replace("<", "\\u003c")
