"""Say which hypervisor runs, and name the library of its release: `libxenctrl.so.{release}`.

`library` imports this where it loads one by such a name.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING
from .library_error import LibraryError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where Linux says which one runs.
VERSION = "/sys/hypervisor/version"


def running_release() -> str:
    """The release of the hypervisor that runs, such as `4.17`.

    Raises `LibraryError` where none runs.
    """
    return f"{_number('major')}.{_number('minor')}"


def named_by_release(name: str, releases: Sequence[str]) -> str:
    """Put the release that runs into a library's name.

    Raises `LibraryError` where none runs, or one that is not of `releases`, if those are known.
    """
    release = running_release()
    if releases and release not in releases:
        known = " or ".join(releases)
        raise LibraryError(
            f"the hypervisor is {release}, and this is the {name} of {known};"
            f" use interface_for_xen({release!r})"
        )
    return name.replace("{release}", release)


def _number(part: str) -> str:
    # pathlib would be most of an import.
    try:
        with open(f"{VERSION}/{part}") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        raise LibraryError("no hypervisor runs here; run this in dom0") from None
