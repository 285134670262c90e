"""Formatting: the rendered Python text as black leaves it.

Takes and gives a mapping of path to text, for `output`.  The templates write what black
wants already, which spares most of its work; this makes sure of it.
"""

from __future__ import annotations

from collections.abc import Mapping


def format_files(files: Mapping[str, str]) -> dict[str, str]:
    """The files with every `.py` among them formatted."""
    import black  # takes a tenth of a second, which a run that writes nothing spares

    mode = black.Mode()
    return {
        path: black.format_str(text, mode=mode) if path.endswith(".py") else text
        for path, text in files.items()
    }
