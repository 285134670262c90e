"""Python bindings for the xenforeignmemory interface, generated from its C headers.

Each interface version is a module of its own, `xen_vm_event.xenforeignmemory.v1`.
`interface` gives one by its number. A module is imported when it is first asked for; so
are the few names that work with every version, which `runtime` holds.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError("xen_vm_event.xenforeignmemory needs Python 3.11 or later")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..runtime.arrays import column as column
    from ..runtime.arrays import columns as columns
    from ..runtime.arrays import dtype as dtype
    from ..runtime.hypervisor import running_release as running_release
    from ..runtime.library import LibraryError as LibraryError
    from ..runtime.projection import projection as projection
    from ..runtime.recording import records as records
    from ..runtime.views import raw as raw
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    ModuleType = type(sys)

__all__ = [
    "VERSIONS",
    "LibraryError",
    "UnknownVersion",
    "interface",
    "projection",
    "raw",
    "records",
    "running_release",
]  # without what needs numpy

_ELSEWHERE = {
    "column": "..runtime.arrays",
    "columns": "..runtime.arrays",
    "dtype": "..runtime.arrays",
    "running_release": "..runtime.hypervisor",
    "LibraryError": "..runtime.library",
    "projection": "..runtime.projection",
    "raw": "..runtime.views",
    "records": "..runtime.recording",
}

# Hidden from type checkers, which would otherwise allow every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is in another module when it is first asked for."""
        if name not in _ELSEWHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        path = _ELSEWHERE[name]
        bare = path.lstrip(".")
        module = __import__(bare, globals(), None, ["*"], len(path) - len(bare))
        found = globals()[name] = getattr(module, name)
        return found


_NAME = "xenforeignmemory"
VERSIONS: dict[int, tuple[str, ...]] = {
    1: (),
}
"""The interface versions there are."""


class UnknownVersion(LookupError):
    """There is no module for an interface version; says which there are."""

    def __init__(self, what: str, known: str = "") -> None:
        known = known or f"versions {', '.join(map(str, VERSIONS))}"
        super().__init__(
            f"no bindings for {_NAME} {what}: there are {known}; make them"
            " from its headers with `xenbind generate`"
        )


def interface(version: int) -> ModuleType:
    """The module of an interface version."""
    # 7.0 == 7, but there is no module v7.0
    if not isinstance(version, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a version is an integer, not {version!r}")
    if version not in VERSIONS:
        raise UnknownVersion(f"version {version!r}")
    return _module(f"v{int(version)}")


def _module(name: str) -> ModuleType:
    # What importlib.import_module does, without importing importlib.
    module: ModuleType = __import__(f"{__name__}.{name}", fromlist=["*"])
    return module
