"""Have the templates compiled when a wheel is built: a first run would take a tenth of a second.

hatchling calls this. `xenbind.backend.templates` says how they are compiled, and finds them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledTemplates(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled templates to a wheel; an editable one has the folder of the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile them into a folder of their own, which the wheel takes its files from."""
        self._folder = TemporaryDirectory()
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root, "codegen")))
        from xenbind.backend import templates

        templates.compile_all(Path(self._folder.name))
        target = f"xenbind/{templates.COMPILED}"
        build_data["force_include"][self._folder.name] = target

    def finalize(self, *_: object) -> None:
        """Take the folder away."""
        self._folder.cleanup()
