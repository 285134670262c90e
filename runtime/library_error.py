"""Say that a library is not to be had: `library` and `hypervisor` raise this."""

from __future__ import annotations


class LibraryError(OSError):
    """A library cannot be loaded or lacks a function, or no hypervisor runs that it is for."""
