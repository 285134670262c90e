"""Python bindings for Xen's vm_event interface, generated from its C headers.

Each interface version is a module of its own, `xen_vm_event.v7`. `interface` gives one
by its number, and `interface_for_xen` by a Xen release. `interface_of` tells it from
what a hypervisor wrote. A module is imported when it is first asked for; so are the few
names that work with every version, which `runtime` holds.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    raise ImportError("xen_vm_event needs Python 3.11 or later")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap
    from types import ModuleType
    from typing import TypeAlias

    from .history import releases as releases
    from .history import since as since
    from .runtime.arrays import column as column
    from .runtime.arrays import columns as columns
    from .runtime.arrays import dtype as dtype
    from .runtime.barriers import Barriers as Barriers
    from .runtime.barriers import NoBarrier as NoBarrier
    from .runtime.hypervisor import running_release as running_release
    from .runtime.library import LibraryError as LibraryError
    from .runtime.projection import projection as projection
    from .runtime.recording import records as records
    from .runtime.ring import OtherVersion as OtherVersion
    from .runtime.ring import RingFull as RingFull
    from .runtime.ring import RingOverflow as RingOverflow
    from .runtime.views import raw as raw

    _Buffer: TypeAlias = bytes | bytearray | memoryview | mmap
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    ModuleType = type(sys)
    _Buffer = "bytes | bytearray | memoryview | __import__('mmap').mmap"

__all__ = [
    "VERSIONS",
    "Barriers",
    "LibraryError",
    "NoBarrier",
    "OtherVersion",
    "RingFull",
    "RingOverflow",
    "UnknownVersion",
    "interface",
    "interface_for_xen",
    "interface_of",
    "projection",
    "raw",
    "records",
    "releases",
    "running_release",
    "since",
]  # without what needs numpy

_ELSEWHERE = {
    "column": ".runtime.arrays",
    "columns": ".runtime.arrays",
    "dtype": ".runtime.arrays",
    "Barriers": ".runtime.barriers",
    "NoBarrier": ".runtime.barriers",
    "running_release": ".runtime.hypervisor",
    "LibraryError": ".runtime.library",
    "projection": ".runtime.projection",
    "raw": ".runtime.views",
    "records": ".runtime.recording",
    "releases": ".history",
    "since": ".history",
    "OtherVersion": ".runtime.ring",
    "RingFull": ".runtime.ring",
    "RingOverflow": ".runtime.ring",
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


_NAME = "vm_event"
VERSIONS: dict[int, tuple[str, ...]] = {
    1: ("4.6", "4.7"),
    2: ("4.8", "4.9", "4.10"),
    3: ("4.11",),
    4: ("4.12",),
    5: ("4.13",),
    6: ("4.14",),
    7: ("4.15", "4.16", "4.17", "4.18", "4.19", "4.20", "4.21", "4.22"),
}
"""The interface versions there are, and the Xen releases that speak each."""

# A version has a module for each of its interfaces: some grew and kept the number.
_MODULES = {
    "4.6": "v1_4_6",
    "4.7": "v1",
    "4.8": "v2_4_8",
    "4.9": "v2_4_9",
    "4.10": "v2",
    "4.11": "v3",
    "4.12": "v4",
    "4.13": "v5",
    "4.14": "v6",
    "4.15": "v7_4_15",
    "4.16": "v7_4_16",
    "4.17": "v7_4_17",
    "4.18": "v7_4_18",
    "4.19": "v7",
    "4.20": "v7",
    "4.21": "v7",
    "4.22": "v7",
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
    """The module of an interface version: the newest of those that speak it.

    It reads what every Xen with that version writes, but for `vm_event_regs_arm.cpsr`
    of Xen 4.15, uint32_t there. `interface_for_xen` gives the module of one release.
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


_PAGE_SIZE = 4096
# Where the version word is: in a request, and in the first entry of a ring page.
_IN_REQUEST = 0
_IN_PAGE = 64


def interface_of(data: _Buffer) -> ModuleType:
    """The module for a request, or for a whole ring page, by its version word.

    A page is told from a request by its size of 4096 bytes; the word that counts is then
    that of its first entry, which is 0 while the hypervisor has not sent a request.
    """
    start = _IN_PAGE if len(data) == _PAGE_SIZE else _IN_REQUEST
    word = bytes(data[start : start + 4])
    if len(word) < 4:
        raise ValueError(f"no version word in {len(data)} bytes: a request is longer")
    version = int.from_bytes(word, "little")
    if not version and 0 not in VERSIONS:
        raise UnknownVersion("version 0, as of a page without a request yet")
    return interface(version)
