"""Load the library of the hypervisor that runs, where each release has one: libxenctrl.so.4.17.

A `Library` for modules whose library has `{release}` in its name.
"""

from __future__ import annotations

from .annotations import TYPE_CHECKING
from .library import Library, LibraryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    Mapping, Sequence = dict, tuple

# Where Linux says which one runs.
VERSION = "/sys/hypervisor/version"


def running_release() -> str:
    """The release of the hypervisor that runs, such as `4.17`.

    Raises `LibraryError` where none runs.
    """
    return f"{_number('major')}.{_number('minor')}"


class LibraryOfRelease(Library):
    """A library in whose name `{release}` stands for that of the hypervisor.

    It has to be one of `releases` if those are known: others have other prototypes.
    """

    def __init__(
        self,
        name: str,
        module: str,
        releases: Sequence[str] = (),
        **given: Mapping[str, str],
    ) -> None:
        super().__init__(name, module, **given)
        self._releases = releases

    def _file(self) -> str:
        release = running_release()
        if self._releases and release not in self._releases:
            known = " or ".join(self._releases)
            raise LibraryError(
                f"the hypervisor is {release}, and this is the {self.name} of {known};"
                f" use interface_for_xen({release!r})"
            )
        return self.name.replace("{release}", release)


def _number(part: str) -> str:
    # pathlib would be most of an import.
    try:
        with open(f"{VERSION}/{part}") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        raise LibraryError("no hypervisor runs here; run this in dom0") from None
