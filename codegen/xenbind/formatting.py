"""Formatting: rendered Python text as black leaves it.

The templates write what black wants already, which spares it most of its work. Files
that hold nothing of the headers are no templates, and are not formatted again.
"""

from __future__ import annotations


def format_python(text: str) -> str:
    """Python source, formatted."""
    import black  # takes a tenth of a second, which a run that writes nothing spares

    return black.format_str(text, mode=black.Mode())
