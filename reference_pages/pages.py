"""Which pages there are, and what writes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reference_pages import commands

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {"commands.md": commands.page}
