"""What a spec says, as plain data.

`reader` makes these of a file whose every text it has checked by `rules`; the other stages
go by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath

from xenbind.errors import SourceError
from xenbind.plain import Struct, replace
from xenbind.source import Coord
from xenbind.spec.places import KeyPath, Places
from xenbind.spec.rules import package_like
from xenbind.words import edition


class VersionSpec(Struct, frozen=True):
    """One interface: where its header is and which Xen releases speak it.

    `release` is the first of those, where a later entry has the same `number`; it is empty
    for the newest interface of a number.
    `entry` counts the spec's [[version]]s from 0; it is None for a header tree that the spec
    does not name, whose version is not known before its header is read.
    """

    number: int
    directory: Path
    releases: tuple[str, ...]
    entry: int | None = None
    release: str = ""

    @property
    def edition(self) -> str:
        """Give the name of the interface among those of the spec: `7`, `7_4_15`."""
        return edition(self.number, self.release)


class PayloadSpec(Struct, frozen=True):
    """Which member of a record says what another one, a union, holds.

    The member of `union` for the constant `prefix` + NAME is name in lower case, unless
    `members` tells another.  `place` is where the spec says so.
    """

    place: KeyPath
    record: str
    tag: str
    union: str
    prefix: str
    members: Mapping[str, str]


class RingSpec(Struct, frozen=True):
    """What members of a ring's requests mean to the ring.

    `flags` are what an answer's flags are written to, `keep` names the constants of those
    that an answer keeps of its request, and `version` has the interface's version.
    """

    flags: str | None
    keep: tuple[str, ...]
    version: str | None


class EventRingSpec(Struct, frozen=True):
    """What is said of one macro's events; None for what their names tell.

    `page` is the struct that has their indices, `consumer` and `producer` are its members for
    these, and `reader` is the side that takes the events.  `tag` is the member of an event that
    tells what its `union` holds, as in `PayloadSpec`; without one, that is the event itself.
    """

    page: str | None
    consumer: str | None
    producer: str | None
    reader: str | None
    tag: str | None
    union: str | None
    prefix: str | None
    members: Mapping[str, str]


class ByteRingSpec(Struct, frozen=True):
    """What is said of one array's bytes; None for what names tell.

    `page` is the struct that has it, `consumer` and `producer` are its members for the indices,
    `mask` is the macro that reduces these, and `reader` the side that takes the bytes.  There is
    no array if `order` is the member that tells the ring's size, which has `least_order` or more.
    """

    page: str | None
    consumer: str | None
    producer: str | None
    mask: str | None
    reader: str | None
    order: str | None = None
    least_order: int = 0


class FunctionSpec(Struct, frozen=True):
    """What is said of one function; `errors` is None where it says nothing of those."""

    errors: str | None
    advice: str


class LibrarySpec(Struct, frozen=True):
    """A library and its functions.

    `errors` are the kinds of results that tell of an error, and `advice` is by the names of
    error numbers.  `match` has prefixes of its functions' names, empty for all that the header
    declares but those in `skip`; `opaque` are structs whose members are nobody's business.
    `by_name` has what is said of single functions.
    """

    name: str
    errors: tuple[str, ...]
    advice: Mapping[str, str]
    match: tuple[str, ...]
    skip: tuple[str, ...]
    opaque: tuple[str, ...]
    by_name: Mapping[str, FunctionSpec]

    def has(self, function: str) -> bool:
        """Tell whether a function that the header declares is to be in the package."""
        return function not in self.skip and function.startswith(self.match or ("",))


class HeaderSpec(Struct, frozen=True):
    """What is said of those of a tree's headers that a pattern names, each empty if nothing is.

    `only` are the targets that they are for.
    """

    pattern: str
    needs: tuple[str, ...]
    defines: tuple[str, ...]
    skip: tuple[str, ...]
    only: tuple[str, ...]


class TreeSpec(Struct, frozen=True):
    """Which headers of a tree become modules of one package, by patterns.

    They are those that one of `headers` names and none of `without`; `told` is what is said
    of some of them.
    """

    headers: tuple[str, ...]
    without: tuple[str, ...]
    told: tuple[HeaderSpec, ...]


class Spec(Struct, frozen=True):
    """What to generate and from which headers.

    `include` are the folders searched for includes after a version's own folder: the spec's
    or a foreign tree, and those that the spec lists.  With `has_own_libc`, what stands for the
    C library is xenbind's own, the same on every machine.  With `is_strict`, nothing that
    the headers declare may be left out.
    `version_macro` holds the interface's version; None if the header has no such macro,
    and then is of the version that the spec says, or 0 where it says none.  `defines` are
    macros defined for every read, and `needs` the headers, of the C library or the tree,
    that the interface expects its user to have included.  `names` gives constant groups
    (by prefix, or `enum` and tag) a Python name of choice; those in `flags` are bits of one
    word and those in `values` are not, whatever they look like.  `skip` lists macros that
    are not constants.  `license`, an expression of SPDX's, and `url` are what the package is
    published with; None where that is not said.  `rings` are by the name that
    `DEFINE_RING_TYPES` is given, `event_rings` by the macros that give an event, `byte_rings` by
    their arrays.  `library` has the functions, None where there are none.
    `libraries` are the specs whose packages go into this one's, and `within` is the package
    that a spec's own goes into; empty for one that stands alone.
    `tree` is not None for a package of many headers, and `header` is empty then.  Each of them
    has a spec of its own, whose package is a single module: `is_module`.  It is for the targets
    in `only`, all if that is empty, and `parts` are files of the tree that are no modules, whose
    declarations are its own.  A module that has others within it is a folder: `has_modules`.
    `places` is where the file has all that.  `is_elsewhere` says that the headers are not
    those that the spec was written for, so that they may lack what it names.
    """

    path: Path
    name: str
    package: str
    header: str
    version_macro: str | None
    defines: tuple[str, ...]
    needs: tuple[str, ...]
    include: tuple[Path, ...]
    versions: tuple[VersionSpec, ...]
    names: Mapping[str, str]
    flags: tuple[str, ...]
    values: tuple[str, ...]
    payloads: tuple[PayloadSpec, ...]
    rings: Mapping[str, RingSpec]
    event_rings: Mapping[str, EventRingSpec]
    byte_rings: Mapping[str, ByteRingSpec]
    skip: tuple[str, ...]
    license: str | None
    url: str | None
    library: LibrarySpec | None
    places: Places
    libraries: tuple[Spec, ...] = ()
    within: str = ""
    tree: TreeSpec | None = None
    is_module: bool = False
    has_modules: bool = False
    only: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    has_own_libc: bool = False
    is_strict: bool = False
    is_elsewhere: bool = False

    @property
    def distribution(self) -> str:
        return self.package.replace("_", "-")

    @property
    def module(self) -> str:
        """Give the package as Python imports it."""
        return f"{self.within}.{self.package}" if self.within else self.package

    @property
    def up(self) -> str:
        """Give the dots from its modules to those of the outermost package, but for one."""
        if not self.is_module:
            return "." if self.within else ""
        return "." * (self.within.count(".") + self.has_modules)

    def module_of(self, edition: str) -> str:
        """Give the module of a version as Python imports it."""
        return self.module if self.is_module else f"{self.module}.v{edition}"

    def name_of(self, edition: str) -> str:
        """Name a version among all of the outermost package: `7`, `xenctrl/4.17`, `io/blkif`."""
        if self.is_module:
            return self.module.partition(".")[2].replace(".", "/")
        return f"{self.package}/{edition}" if self.within else edition

    def file_of(self, edition: str) -> str:
        """Give the path of what is written about a version, without an ending: `xenctrl/v4.17`."""
        place, slash, own = self.name_of(edition).rpartition("/")
        return f"{place}{slash}{'' if self.is_module else 'v'}{own}"

    def titled(self, title: str) -> str:
        """Give the title of a version as it is told beside those of the outer package."""
        if self.is_module:
            return self.name
        return f"{self.name} {title}" if self.within else title

    @property
    def named_records(self) -> tuple[str, ...]:
        """Give the records that it tells something of."""
        pages = [ring.page for ring in self.event_rings.values()]
        pages += [ring.page for ring in self.byte_rings.values()]
        return (*(payload.record for payload in self.payloads), *filter(None, pages))

    @property
    def with_libraries(self) -> tuple[Spec, ...]:
        """Give all specs that make one package, this one first."""
        return (self, *self.libraries)

    @property
    def license_text(self) -> Path | None:
        """Give the file LICENSE beside the spec, if the package has a licence and there is one."""
        path = self.path.parent / "LICENSE"
        return path if self.license is not None and path.is_file() else None

    @property
    def is_of_xen(self) -> bool:
        """Tell whether Xen releases speak the interface; others may be anybody's."""
        return any(version.releases for version in self.versions)

    def lacks_version(self, header: Path) -> SourceError:
        """Make the error for a header that does not define the macro of its version."""
        return SourceError(
            Coord(str(header), 1, 1),
            f"the header does not define {self.version_macro}",
            "correct 'version_macro' in the spec, or leave it out if no macro holds the version",
        )

    def require_versions(self) -> None:
        """Raise `SourceError` for a spec without versions whose header is in no folder."""
        if not self.versions:
            import difflib

            near = difflib.get_close_matches(self.header, self._headers_beside(), n=1)
            raise SourceError(
                self.places.of("interface", "header"),
                f"there is no {self.header} beside the spec or under 'include', and no"
                " [[version]] that has it",
                (
                    f"did you mean {near[0]}?"
                    if near
                    else "correct it, or name the folder that has it under 'include' or with"
                    " --include"
                ),
            )

    def _headers_beside(self) -> list[str]:
        """Give the headers that are where this one would be."""
        parts = [(tree / self.header).parent for tree in self.include]
        folder = PurePath(self.header).parent
        names = {path.name for part in parts for path in part.glob("*.h")}
        return [(folder / name).as_posix() for name in sorted(names)]

    @property
    def own_trees(self) -> tuple[Path, ...]:
        """Give the header trees of a spec without versions, the one that has the header first.

        They are the spec's folder and those under `include`; none if no folder has it.
        """
        if self.tree is not None and not self.versions:
            return (self.include[1] if self.include[1:] else self.include[0],)
        has = {tree: _has(tree, self.header) for tree in self.include}
        if self.versions or not any(has.values()):
            return ()
        return tuple(sorted(has, key=lambda tree: not has[tree]))

    def for_tree(self, directory: Path, *further: Path) -> Spec:
        """Give the same interface in another header tree, whose version is unknown yet.

        The header is in the first of the trees that has it.
        """
        trees = (directory, *further)
        found = next((tree for tree in trees if _has(tree, self.header)), directory)
        version = VersionSpec(0, found, ())
        own = self.package or _package_of(directory)
        return replace(
            self,
            name=self.name if self.package else own,
            package=own,
            include=tuple(dict.fromkeys([*trees, *self.include[1:]])),
            versions=(version,),
            libraries=(),
            is_strict=self.is_strict and not self.versions,
            is_elsewhere=bool(self.versions),
        )


def _package_of(directory: Path) -> str:
    """Name a package after the folder of its headers."""
    name = directory.resolve().name
    return package_like(name, name or "headers")


def _has(tree: Path, header: str) -> bool:
    """Tell whether a tree has a header; of what can be no path whoever reads it will tell."""
    with suppress(OSError):
        return (tree / header).is_file()
    return False
