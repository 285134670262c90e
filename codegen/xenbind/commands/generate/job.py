"""What one run of `generate` or `check` is about, as its options say.

`command` and `check` make a `Job` of their options; `freshness` and `build` work on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    """One run: a spec file, a foreign header tree or None, an output folder, a compiler."""

    spec: Path
    include: Path | None
    out: Path
    command: str | None

    @property
    def tree(self) -> str | None:
        """The foreign header tree as the manifest names it."""
        return str(self.include.resolve()) if self.include else None
