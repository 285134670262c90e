"""Have the templates compiled where xenbind is installed: a first run would take 0.1 s for it.

hatchling calls this. `xenbind.backend.templates` says how they are compiled, and finds them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledTemplates(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled templates to a wheel."""

    def initialize(self, _: str, build_data: dict[str, Any]) -> None:
        """Compile them into a folder of their own, which the wheel takes its files from."""
        self._folder = TemporaryDirectory()
        sys.path.insert(0, str(Path(self.root, "codegen")))
        from xenbind.backend.templates import compile_all

        compile_all(Path(self._folder.name))
        build_data["force_include"][self._folder.name] = "xenbind/compiled"

    def finalize(self, *_: object) -> None:
        """Take the folder away."""
        self._folder.cleanup()
