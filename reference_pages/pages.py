"""Which pages there are, and what writes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reference_pages import commands, package, version

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / "docs" / "reference"


def abi_tables() -> str:
    """Give the ABI tables, as `xenbind generate` writes them."""
    return (PROJECT / "generated" / "abi.md").read_text(encoding="utf-8")


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "package.md": package.top,
    "version.md": version.page,
    "ring.md": package.rings,
    "monitor.md": package.monitors,
    "testing.md": package.played,
    "abi.md": abi_tables,
}
