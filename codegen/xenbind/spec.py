"""Read the spec: a TOML file beside the headers, for what C cannot say of an interface.

Takes the path of the file; gives a validated `Spec`.  `pipeline` reads the headers that
it names.  Unknown keys are errors, so that a misspelt one cannot pass for an absent one.

    [[version]]
    number = 7          ->  VersionSpec(7, Path("headers/v7"), ("4.15", ...))
    directory = "v7"
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xenbind.errors import SourceError, XenbindError
from xenbind.source import Coord


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """One interface version: where its header is and which Xen releases speak it."""

    number: int
    directory: Path
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PayloadSpec:
    """Which member of a record says what another one, a union, holds.

    The member of `union` for the constant `prefix` + NAME is name in lower case, unless
    `members` tells another.
    """

    record: str
    tag: str
    union: str
    prefix: str
    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RingSpec:
    """What members of a ring's requests mean to the ring.

    `flags` are what an answer's flags are written to, `keep` names the constants of those
    that an answer keeps of its request, and `version` has the interface's version.
    `place` is where the spec speaks of the ring, `places` where it has each key.
    """

    flags: str | None
    keep: tuple[str, ...]
    version: str | None
    place: Coord
    places: Mapping[str, Coord]


@dataclass(frozen=True, slots=True)
class Spec:
    """What to generate and from which headers.

    `include` are the folders searched for quoted includes, after a version's own folder.
    `version_macro` holds the interface's version; None if the header has no such macro,
    and then is of the version that the spec says, or 0 where it says none.  `defines` are
    macros defined for every read, and `needs` the headers, of the C library or the tree,
    that the interface expects its user to have included.  `names` gives constant groups
    (by prefix, or `enum` and tag) a Python name of choice; those in `flags` are bits of one
    word and those in `values` are not, whatever they look like.  `skip` lists macros that
    are not constants.  `rings` are by the name that `DEFINE_RING_TYPES` is given.
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
    flags: frozenset[str]
    values: frozenset[str]
    payload: PayloadSpec | None
    rings: Mapping[str, RingSpec]
    skip: frozenset[str]

    @property
    def distribution(self) -> str:
        return self.package.replace("_", "-")

    @property
    def is_of_xen(self) -> bool:
        """Tell whether Xen releases speak the interface; others may be anybody's."""
        return any(version.releases for version in self.versions)

    def require_versions(self) -> None:
        """Raise `XenbindError` for a spec without any version."""
        if not self.versions:
            raise XenbindError(
                f"{self.path} has no [[version]]",
                "add one, or name a header tree with --include",
            )

    def for_tree(self, directory: Path) -> Spec:
        """Give the same interface in another header tree, whose version is unknown yet."""
        version = VersionSpec(0, directory, ())
        return replace(self, include=(directory,), versions=(version,))


_SCHEMA: Mapping[str, Mapping[str, type]] = {
    "interface": {
        "name": str,
        "package": str,
        "header": str,
        "version_macro": str,
        "defines": list,
        "needs": list,
        "flags": list,
        "values": list,
        "skip": list,
    },
    "version": {"number": int, "directory": str, "releases": list},
    "names": {},
    "payload": {
        "record": str,
        "tag": str,
        "union": str,
        "prefix": str,
        "members": dict,
    },
    "ring": {"flags": str, "keep": list, "version": str},
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "payload": ("record", "tag", "union", "prefix"),
    "interface": ("name", "package", "header"),
    "version": ("number", "directory"),
    "ring": (),
}


def load(path: Path) -> Spec:
    """Read and validate a spec.

    Raises `SourceError` at the key that is unknown, missing or of the wrong type, and
    `XenbindError` where the file cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise XenbindError(
            f"cannot read the spec {path}: {reason}",
            "name an existing spec with --spec",
        ) from error
    return _Reader(path, text).spec()


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line, column = map(int, place.groups()) if place else (len(self.lines), 1)
            message = str(error).partition(" (at ")[0]
            raise self._error(
                line, column, message, "see https://toml.io for the syntax"
            ) from None

    def spec(self) -> Spec:
        for section in self.data:
            if section not in _SCHEMA:
                raise self._unknown(section, tuple(_SCHEMA), "section")
        interface = self._table("interface", self.data.get("interface", {}))
        package = interface["package"]
        if not package.isidentifier() or keyword.iskeyword(package):
            raise self._wrong(
                "package", "must be a Python identifier and no keyword", "xen_vm_event"
            )
        entries = self.data.get("version", [])
        if not isinstance(entries, list):
            raise self._wrong("version", "must be an array of tables", "[[version]]")
        versions = tuple(self._version(entry) for entry in entries)
        self._check_unique(versions)
        root = self.path.parent
        return Spec(
            path=self.path,
            name=interface["name"],
            package=interface["package"],
            header=interface["header"],
            version_macro=interface.get("version_macro"),
            defines=tuple(interface.get("defines", ())),
            needs=tuple(interface.get("needs", ())),
            include=(root,),
            versions=versions,
            names=dict(self.data.get("names", {})),
            flags=frozenset(interface.get("flags", ())),
            values=frozenset(interface.get("values", ())),
            payload=self._payload(),
            rings=self._rings(),
            skip=frozenset(interface.get("skip", ())),
        )

    def _version(self, entry: dict[str, Any]) -> VersionSpec:
        table = self._table("version", entry)
        return VersionSpec(
            number=table["number"],
            directory=self.path.parent / table["directory"],
            releases=tuple(table.get("releases", ())),
        )

    def _check_unique(self, versions: tuple[VersionSpec, ...]) -> None:
        """Refuse two entries for a number, and two versions for a release."""
        numbers: set[int] = set()
        releases: set[str] = set()
        for version in versions:
            if version.number in numbers:
                message = f"there are two versions with number {version.number}"
                raise self._wrong("number", message, "a number of its own for each")
            for release in version.releases:
                if release in releases:
                    message = f"there are two versions with release {release}"
                    raise self._wrong("releases", message, "each release once")
            numbers.add(version.number)
            releases.update(version.releases)

    def _wrong(
        self, key: str, message: str, instead: str, heading: str = ""
    ) -> SourceError:
        line, column = self._find(key, heading)
        return self._error(line, column, f"'{key}': {message}", f"write {instead}")

    def _payload(self) -> PayloadSpec | None:
        if "payload" not in self.data:
            return None
        table = self._table("payload", self.data["payload"])
        return PayloadSpec(
            table["record"],
            table["tag"],
            table["union"],
            table["prefix"],
            table.get("members", {}),
        )

    def _rings(self) -> dict[str, RingSpec]:
        """Read the tables `[ring.NAME]`."""
        entries = self.data.get("ring", {})
        if not isinstance(entries, dict):
            raise self._wrong("ring", "must have a table for each ring", "[ring.NAME]")
        return {name: self._ring(name, entry) for name, entry in entries.items()}

    def _ring(self, name: str, entry: Any) -> RingSpec:
        heading = f"ring.{name}"
        if not isinstance(entry, dict):
            message = "must be in the table of one ring"
            raise self._wrong(name, message, f"[ring.NAME] above '{name}'")
        table = self._table("ring", entry, heading)
        if "version" in table and "version_macro" not in self.data["interface"]:
            line, column = self._find("version", heading)
            raise self._error(
                *(line, column, "there is no version to hold 'version' against"),
                "name the macro that holds it as 'version_macro' in [interface]",
            )
        return RingSpec(
            flags=table.get("flags"),
            keep=tuple(table.get("keep", ())),
            version=table.get("version"),
            place=self._coord(heading),
            places={key: self._coord(key, heading) for key in table},
        )

    def _coord(self, key: str, heading: str = "") -> Coord:
        return Coord(str(self.path), *self._find(key, heading))

    def _table(self, section: str, table: Any, heading: str = "") -> dict[str, Any]:
        """Check a section's keys; `heading` is its own where it is one of several."""
        known = _SCHEMA[section]
        heading = heading or section
        if not isinstance(table, dict):
            raise self._wrong(section, "must be a table", f"[{section}]")
        for key, value in table.items():
            if key not in known:
                raise self._unknown(key, tuple(known), f"key in [{heading}]", heading)
            if type(value) is not known[key]:
                line, column = self._find(key, heading)
                want = known[key].__name__
                message = f"'{key}' must be of type {want}, not {type(value).__name__}"
                raise self._error(
                    line, column, message, f"write '{key}' as a TOML {want}"
                )
            if isinstance(value, list) and not all(isinstance(i, str) for i in value):
                raise self._wrong(
                    key, "must be a list of strings", f'{key} = ["…"]', heading
                )
        for key in _REQUIRED[section]:
            if key not in table:
                line, column = self._find(section)
                message = f"[{section}] has no '{key}'"
                raise self._error(line, column, message, f"add '{key} = …' to it")
        return table

    def _unknown(
        self, key: str, known: tuple[str, ...], what: str, heading: str = ""
    ) -> SourceError:
        line, column = self._find(key, heading)
        return self._error(
            line, column, f"unknown {what}: '{key}'", f"use one of {', '.join(known)}"
        )

    def _find(self, key: str, heading: str = "") -> tuple[int, int]:
        """Find where a key or section header stands: tomllib gives no positions.

        Behind `[heading]`, if the key stands there, before it stands elsewhere.
        """
        pattern = re.compile(rf"^\s*(?:\[+\s*)?\"?({re.escape(key)})\"?\s*(?:[=\].]|$)")
        numbered = list(enumerate(self.lines, 1))
        below = re.compile(rf"^\s*\[+\s*{re.escape(heading)}\s*\]")
        start = next((n for n, line in numbered if below.match(line)), 0)
        for number, line in (*numbered[start:], *numbered[:start]):
            if found := pattern.match(line):
                return number, found.start(1) + 1
        return 1, 1

    def _error(self, line: int, column: int, message: str, advice: str) -> SourceError:
        return SourceError(Coord(str(self.path), line, column), message, advice)
