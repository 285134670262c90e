"""Python bindings for Xen's vm_event interface, generated from its C headers.

Each interface version is a module of its own, `xen_vm_event.v7`;
`interface(number)` gives one by its number.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["VERSIONS", "UnknownVersion", "interface"]

VERSIONS: dict[int, str] = {
    1: "4.6, 4.7",
    2: "4.8, 4.9, 4.10",
    3: "4.11",
    4: "4.12",
    5: "4.13",
    6: "4.14",
    7: "4.15, 4.16, 4.17, 4.18, 4.19, 4.20, 4.21, 4.22",
}
"""The interface versions there are, and the Xen releases that speak each."""


class UnknownVersion(LookupError):
    """There is no module for an interface version."""


def interface(version: int) -> ModuleType:
    """The module of an interface version; it is imported when first asked for."""
    if version not in VERSIONS:
        known = ", ".join(map(str, VERSIONS))
        raise UnknownVersion(
            f"no bindings for vm_event version {version}: there are {known}; "
            "add its header to xenbind's headers/ and run `xenbind generate`"
        )
    return importlib.import_module(f"{__name__}.v{version}")
