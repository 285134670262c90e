"""Golden files: expected outputs kept as files, and the one way to accept a change."""

from __future__ import annotations

import os
from pathlib import Path

ACCEPT = "XENBIND_ACCEPT"


def check_golden(path: Path, text: str) -> None:
    """Compare a text with its golden file; with $XENBIND_ACCEPT set, write it instead."""
    if os.environ.get(ACCEPT):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    assert (
        text == expected
    ), f"differs from {path}; if the change is meant, run `make accept` and look at the diff"
