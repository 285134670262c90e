"""Libraries in the place of Xen's: functions by their names, with their releases' parameters."""

from __future__ import annotations

import ctypes
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from .. import VERSIONS, interface_for_xen, xenctrl
from ..runtime import parameters

_STABLE = ("xenevtchn", "xenforeignmemory", "xentoollog")


def _stable() -> Iterator[tuple[str, ModuleType]]:
    """Give the libraries that are the same for every release, of those that the package has."""
    package = (__package__ or "").rpartition(".")[0]
    for name in _STABLE:
        if find_spec(f"{package}.{name}"):
            module = import_module(f"{package}.{name}.v1")
            yield module.library.name, module


STABLE = dict(_stable())
"""The modules of libraries that are the same for every release, by the libraries' names."""


RELEASES = tuple(
    each for speaking in VERSIONS.values() for each in speaking if each != "4.6"
)
"""The releases of Xen that can be played.

Xen 4.6 cannot: its event channels are in libxenctrl, where the package's monitors do not look.
"""


def series(release: str) -> str:
    """Give a release as `RELEASES` has it, which may be given in full, as in `4.17.3`.

    Raises UnknownVersion for a release of no Xen, ValueError for one that cannot be played.
    """
    interface_for_xen(release)
    found = ".".join(re.findall("[0-9]+", release)[:2])
    if found not in RELEASES:
        raise ValueError(
            f"Xen {release} is not played: its event channels are in libxenctrl, where this"
            f" package's monitors do not look; there are {', '.join(RELEASES)}"
        )
    return found


def library(name: str, release: str) -> ModuleType | None:
    """Give what the package knows of a library, None where a release has no such one."""
    if name == f"libxenctrl.so.{release}":
        return xenctrl.interface_for_xen(release)
    return STABLE.get(name)


def names_of(function: Any) -> list[str]:
    """Name the parameters that a function is declared with."""
    return list(inspect.signature(function).parameters)


class Function:
    """A function of a library, as ctypes has one."""

    argtypes: Any = None
    restype: Any = None
    errcheck: Any = None

    def __init__(self, name: str, names: list[str], does: Callable[..., Any]) -> None:
        self.name, self.names, self._does = name, names, does

    def __call__(self, *given: Any) -> Any:
        takes = len(self.names)
        assert len(given) == takes, f"{self.name} takes {takes}: {given}"
        result = self._does(*map(_plain, given))
        # Of a pointer ctypes gives the number, of a class made of one the object.
        if self.restype is None or self.restype.__module__ == "ctypes":
            return result
        return self.restype(result)


class Loaded:
    """A library, as ctypes has one: an index gives a function anew, an attribute keeps it.

    `does` gives what a function does, by its name and its parameters' names.
    """

    def __init__(
        self,
        name: str,
        declared: ModuleType,
        does: Callable[[str], Callable[..., Any]],
    ) -> None:
        self._name, self._does = name, does
        self._declared = parameters.functions(declared)

    def __getitem__(self, name: str) -> Function:
        if name not in self._declared:
            raise AttributeError(name)
        return Function(name, names_of(self._declared[name]), self._does(name))

    def __getattr__(self, name: str) -> Function:
        function = self[name]
        setattr(self, name, function)
        return function


def _plain(given: Any) -> Any:
    """Give what a simple object of ctypes holds; an array of characters is one in its place."""
    is_array = issubclass(type(given), ctypes.Array)  # of items of any type
    return given if is_array else getattr(given, "value", given)


def pointed(pointer: Any) -> Any:
    """Give what a pointer was made of: a variable, a record, or an array."""
    return getattr(pointer, "_obj", pointer)


def fail(number: int, result: int = -1) -> int:
    """Give the result of a function that fails, and leave why in errno."""
    ctypes.set_errno(number)
    return result
