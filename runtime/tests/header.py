"""What the tests know of a header: the module made of it, and how C reads it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple


class Header(NamedTuple):
    """The header of a module, by its name there, and what C has to be told to read it.

    `name` is the module's name, and `source` its file in reference/, without an ending.
    `folders` are searched for the header, and `angled` for `#include <x.h>` too: then gcc knows
    no quotes there.
    """

    name: str
    source: str
    header: str
    folders: Sequence[str]
    angled: Sequence[str]
    defines: Sequence[str]
    needs: Sequence[str]
    has_functions: bool
    has_floats: bool

    def __str__(self) -> str:
        return self.source

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(self.name)
