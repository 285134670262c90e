"""Which pages there are, and what writes each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reference_pages import commands, measured, package, version

FOLDER = measured.PROJECT / "docs" / "reference"


def abi_tables() -> str:
    """Give the ABI tables, as `xenbind generate` writes them."""
    return (measured.PROJECT / "generated" / "abi.md").read_text(encoding="utf-8")


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "package.md": package.top,
    "version.md": version.page,
    "ring.md": package.rings,
    "monitor.md": package.monitors,
    "testing.md": package.played,
    "abi.md": abi_tables,
    "peers.md": measured.peers,
}

# Which takes a minute of compilers, and so is not held current as a whole by each run of tests.
VERIFIED = "verified.md"
