"""Python bindings for Xen's xenctrl interface, generated from its C headers.

Each interface version is a module of its own, `xen_vm_event.xenctrl.v4`. `interface`
gives one by its number, and `interface_for_xen` by a Xen release. A module is imported
when it is first asked for; so are the few names that work with every version, which
`runtime` holds.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError("xen_vm_event.xenctrl needs Python 3.11 or later")

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
    from .history import releases as releases
    from .history import since as since
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    ModuleType = type(sys)

__all__ = [
    "VERSIONS",
    "LibraryError",
    "UnknownVersion",
    "interface",
    "interface_for_xen",
    "projection",
    "raw",
    "records",
    "releases",
    "running_release",
    "since",
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
    "releases": ".history",
    "since": ".history",
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


_NAME = "xenctrl"
VERSIONS: dict[int, tuple[str, ...]] = {
    4: (
        "4.6",
        "4.7",
        "4.8",
        "4.9",
        "4.10",
        "4.11",
        "4.12",
        "4.13",
        "4.14",
        "4.15",
        "4.16",
        "4.17",
        "4.18",
        "4.19",
        "4.20",
        "4.21",
        "4.22",
    ),
}
"""The interface versions there are, and the Xen releases that speak each."""

# A version has a module for each of its interfaces: some grew and kept the number.
_MODULES = {
    "4.6": "v4_4_6",
    "4.7": "v4_4_7",
    "4.8": "v4_4_8",
    "4.9": "v4_4_9",
    "4.10": "v4_4_10",
    "4.11": "v4_4_11",
    "4.12": "v4_4_12",
    "4.13": "v4_4_13",
    "4.14": "v4_4_14",
    "4.15": "v4_4_15",
    "4.16": "v4_4_16",
    "4.17": "v4_4_17",
    "4.18": "v4_4_18",
    "4.19": "v4_4_18",
    "4.20": "v4",
    "4.21": "v4",
    "4.22": "v4",
}


class UnknownVersion(LookupError):
    """There is no module for an interface version; says which there are."""

    def __init__(self, what: str, known: str = "") -> None:
        known = known or f"versions {', '.join(map(str, VERSIONS))}"
        super().__init__(
            f"no bindings for {_NAME} {what}: there are {known}; make them"
            " from that Xen's headers with `xenbind add-version DIR`"
        )


def interface(version: int) -> ModuleType:
    """The module of an interface version: the newest of those that speak it. Other
    releases may have functions with other prototypes; `interface_for_xen` gives the
    module of one.
    """
    # 7.0 == 7, but there is no module v7.0
    if not isinstance(version, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a version is an integer, not {version!r}")
    if version not in VERSIONS:
        raise UnknownVersion(f"version {version!r}")
    return _module(f"v{int(version)}")


def interface_for_xen(release: str) -> ModuleType:
    """The module for a Xen release, given as `4.17` or in full, as in `4.17.3`."""
    # 4.20 would be 4.2
    if not isinstance(release, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a release is a string, as '4.17', not {release!r}")
    major, _, rest = release.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    name = _MODULES.get(f"{major}.{rest[:digits]}")
    if name is None:
        raise UnknownVersion(f"of Xen {release}", f"releases {', '.join(_MODULES)}")
    return _module(name)


def _module(name: str) -> ModuleType:
    # What importlib.import_module does, without importing importlib.
    module: ModuleType = __import__(f"{__name__}.{name}", fromlist=["*"])
    return module
