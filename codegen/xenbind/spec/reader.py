"""Read a spec: from the path of a TOML file to a `Spec`.

Each key is held against the schema and each text against its rule, and an error is told
where the file has the key.  Unknown keys are errors, so that a misspelt one cannot pass
for an absent one.  Whether the headers have what the spec names is for `lowering` to tell.

    [[version]]
    number = 7          ->  VersionSpec(7, Path("headers/v7"), ("4.15", ...), 0)
    directory = "v7"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xenbind.errors import SourceError
from xenbind.plain import replace
from xenbind.spec import rules, toml_file
from xenbind.spec.model import (
    ByteRingSpec,
    EventRingSpec,
    FunctionSpec,
    HeaderSpec,
    LibrarySpec,
    PayloadSpec,
    RingSpec,
    Spec,
    TreeSpec,
    VersionSpec,
)
from xenbind.spec.places import KeyPath
from xenbind.spec.rules import Rule
from xenbind.spec.schema import ONE_HEADER, SECTIONS, TREE
from xenbind.spec.toml_file import TomlFile

_HIGHEST = (1 << 63) - 1  # TOML's own


def load(path: Path) -> Spec:
    """Read and validate a spec.

    Raises `SourceError` at the key that is unknown, missing, of the wrong type or not what
    it may be, `XenbindError` for what is no text of such a size, and `SystemFailure` where the
    file cannot be read at all.
    """
    return _Reader(read(path)).spec()


def read(path: Path) -> TomlFile:
    """Read what a spec's file says, without a look at whether it may say that.

    Raises as `toml_file.load` does.
    """
    return toml_file.load(path, "spec", "name an existing spec with --spec")


class _Reader:
    def __init__(self, file: TomlFile) -> None:
        self.file = file
        self.path = file.path
        self.data = file.data

    def spec(self) -> Spec:
        for section in self.data:
            if section not in SECTIONS:
                raise self.unknown((section,), tuple(SECTIONS), "section")
        interface = self.table(("interface",), self.data.get("interface", {}))
        self.check_kind_of_spec(interface)
        if "package" in interface:
            self.check_package(interface)
        self.check_kinds(interface)
        entries = self.data.get("version", [])
        if not isinstance(entries, list):
            raise self.wrong(("version",), "must be an array of tables", "[[version]]")
        versions = tuple(
            self.version(index, entry) for index, entry in enumerate(entries)
        )
        self.check_unique(versions)
        versions = tuple(_with_releases(versions))
        libraries = tuple(self.libraries(interface))
        return Spec(
            path=self.path,
            name=interface["name"],
            package=interface.get("package", ""),
            header=interface.get("header", ""),
            version_macro=interface.get("version_macro"),
            defines=tuple(interface.get("defines", ())),
            needs=tuple(interface.get("needs", ())),
            include=(self.path.parent, *self.folders(interface)),
            versions=versions,
            names=self.names(("names",), rules.GROUP, rules.PYTHON_NAME),
            flags=tuple(interface.get("flags", ())),
            values=tuple(interface.get("values", ())),
            payloads=tuple(self.payloads()),
            rings=self.rings(),
            event_rings=self.event_rings(),
            byte_rings=self.byte_rings(),
            skip=tuple(interface.get("skip", ())),
            license=interface.get("license"),
            url=interface.get("url"),
            library=self.library(),
            places=self.file.places,
            libraries=libraries,
            tree=self.tree(interface),
            has_own_libc=interface.get("libc") == "own",
            is_strict=interface.get("strict", False),
        )

    def tree(self, interface: Mapping[str, Any]) -> TreeSpec | None:
        """Read which headers of a tree there are; None for a spec of one header."""
        if "headers" not in interface:
            return None
        return TreeSpec(
            headers=tuple(interface["headers"]),
            without=tuple(interface.get("without", ())),
            told=tuple(
                HeaderSpec(
                    pattern=pattern,
                    needs=tuple(table.get("needs", ())),
                    defines=tuple(table.get("defines", ())),
                    skip=tuple(table.get("skip", ())),
                    only=tuple(table.get("only", ())),
                )
                for pattern, table in self.tables("headers", rules.HEADERS).items()
            ),
        )

    def check_kind_of_spec(self, interface: Mapping[str, Any]) -> None:
        """Refuse a spec that lacks what its kind needs, or has what is another kind's."""
        kind = TREE if "headers" in interface else ONE_HEADER
        for key in () if kind == TREE else ("package", "header"):
            if key not in interface:
                message = f"[interface] has no '{key}'"
                raise self.error(("interface",), message, f"add '{key} = …' to it")
        keys = SECTIONS["interface"].keys
        found: list[tuple[KeyPath, str]] = [
            (("interface", key), keys[key].of) for key in interface
        ]
        found += [((section,), SECTIONS[section].of) for section in self.data]
        for path, of in found:
            if of and of != kind:
                raise self.error(
                    path,
                    f"'{path[-1]}' is for {of}",
                    "take it out: a spec has either one 'header' or the 'headers' of a tree",
                )

    def folders(self, interface: Mapping[str, Any]) -> Iterator[Path]:
        """Give the folders that the spec lists to search in."""
        for folder in interface.get("include", ()):
            yield self.path.parent / folder

    def libraries(self, interface: Mapping[str, Any]) -> Iterator[Spec]:
        """Read the specs whose packages go into this one's."""
        names: set[str] = set()
        for index, name in enumerate(interface.get("libraries", ())):
            place = ("interface", "libraries", index)
            path = self.path.parent / name
            if not path.is_file():
                raise self.wrong(
                    place, f"there is no file {name}", "a spec that is there"
                )
            file = read(path)
            said = file.data.get("interface")
            if isinstance(said, dict) and "libraries" in said:
                message = f"{name} has libraries of its own"
                raise self.wrong(place, message, "a spec that has none")
            library = _Reader(file).spec()
            if library.package in names or rules.is_own_module(library.package):
                message = f"the package has another module '{library.package}'"
                raise self.wrong(place, message, "a spec with a 'package' of its own")
            names.add(library.package)
            yield replace(library, within=interface["package"])

    def check_package(self, interface: Mapping[str, Any]) -> None:
        if fault := rules.fault_of_package(interface["package"]):
            instead = rules.package_like(interface["package"], interface["name"])
            raise self.wrong(("interface", "package"), fault, instead)

    def check_kinds(self, interface: Mapping[str, Any]) -> None:
        """Refuse constants that are to be both flags and no flags."""
        for index, name in enumerate(interface.get("values", ())):
            if name in interface.get("flags", ()):
                raise self.error(
                    ("interface", "values", index),
                    f"'{name}' is among the 'flags' too",
                    "list it in one of them",
                )

    def version(self, index: int, entry: Any) -> VersionSpec:
        path = ("version", index)
        table = self.table(path, entry)
        if not 0 <= table["number"] <= _HIGHEST:
            message = f"must be from 0 to {_HIGHEST}"
            raise self.wrong(
                (*path, "number"), message, "the number as the header has it"
            )
        return VersionSpec(
            number=table["number"],
            directory=self.path.parent / table["directory"],
            releases=tuple(table.get("releases", ())),
            entry=index,
        )

    def check_unique(self, versions: tuple[VersionSpec, ...]) -> None:
        """Refuse two versions for a release, and two of a number that no release tells apart."""
        numbers: dict[int, VersionSpec] = {}
        releases: set[str] = set()
        for index, version in enumerate(versions):
            before = numbers.get(version.number)
            if before and not before.releases:
                message = f"there are two versions with number {version.number}"
                path: KeyPath = ("version", index, "number")
                instead = "a number of its own for each, or the 'releases' of the first"
                raise self.wrong(path, message, instead)
            for place, release in enumerate(version.releases):
                if release in releases:
                    message = f"there are two versions with release {release}"
                    path = ("version", index, "releases", place)
                    raise self.wrong(path, message, "each release once")
            numbers[version.number] = version
            releases.update(version.releases)

    def payloads(self) -> Iterator[PayloadSpec]:
        """Read the table `[payload]`, or each of `[[payload]]`."""
        said = self.data.get("payload", [])
        entries: list[tuple[KeyPath, Any]] = [(("payload",), said)]
        if isinstance(said, list):
            entries = [(("payload", n), entry) for n, entry in enumerate(said)]
        records: set[str] = set()
        for path, entry in entries:
            table = self.table(path, entry)
            if table["record"] in records:
                message = f"'{table['record']}' has a payload already"
                raise self.wrong((*path, "record"), message, "each record once")
            records.add(table["record"])
            yield PayloadSpec(
                path,
                table["record"],
                table["tag"],
                table["union"],
                table["prefix"],
                self.names((*path, "members"), rules.C_WORD, rules.C_NAME),
            )

    def library(self) -> LibrarySpec | None:
        by_name = {
            name: FunctionSpec(table.get("errors"), table.get("advice", ""))
            for name, table in self.tables("function").items()
        }
        if "functions" not in self.data:
            if by_name:
                raise self.error(
                    ("function", next(iter(by_name))),
                    "there is no library whose function this is",
                    'name the library that has it: library = "…" in [functions]',
                )
            return None
        table = self.table(("functions",), self.data["functions"])
        return LibrarySpec(
            name=table["library"],
            errors=tuple(table.get("errors", ())),
            advice=self.names(("functions", "advice"), rules.ERRNO, rules.WORDS),
            match=tuple(table.get("match", ())),
            skip=tuple(table.get("skip", ())),
            opaque=tuple(table.get("opaque", ())),
            by_name=by_name,
        )

    def tables(
        self, section: str, rule: Rule = rules.C_NAME
    ) -> dict[str, dict[str, Any]]:
        """Read the tables of a section that has one for each of several names."""
        entries = self.data.get(section, {})
        if not isinstance(entries, dict):
            message = f"must have a table for each {section}"
            raise self.wrong((section,), message, f"[{section}.NAME]")
        for name, entry in entries.items():
            path = (section, name)
            if not isinstance(entry, dict):
                message = f"must be in the table of one {section}"
                raise self.wrong(path, message, f"[{section}.NAME] above '{name}'")
            self.check_text(path, name, rule)
            self.table(path, entry)
        return entries

    def rings(self) -> dict[str, RingSpec]:
        """Read the tables `[ring.NAME]`."""
        return {
            name: self.ring(name, each) for name, each in self.tables("ring").items()
        }

    def event_rings(self) -> dict[str, EventRingSpec]:
        """Read the tables `[event_ring.NAME]`."""
        return {
            name: EventRingSpec(
                page=table.get("page"),
                consumer=table.get("consumer"),
                producer=table.get("producer"),
                reader=table.get("reader"),
                tag=table.get("tag"),
                union=table.get("union"),
                prefix=table.get("prefix"),
                members=self.names(
                    ("event_ring", name, "members"), rules.C_WORD, rules.C_NAME
                ),
            )
            for name, table in self.tables("event_ring").items()
        }

    def byte_rings(self) -> dict[str, ByteRingSpec]:
        """Read the tables `[byte_ring.NAME]`."""
        return {
            name: ByteRingSpec(
                page=table.get("page"),
                consumer=table.get("consumer"),
                producer=table.get("producer"),
                mask=table.get("mask"),
                reader=table.get("reader"),
                order=table.get("order"),
                least_order=table.get("least_order", 0),
            )
            for name, table in self.tables("byte_ring").items()
        }

    def ring(self, name: str, table: Mapping[str, Any]) -> RingSpec:
        path = ("ring", name)
        if "version" in table and "version_macro" not in self.data["interface"]:
            raise self.error(
                (*path, "version"),
                "there is no version to hold 'version' against",
                "name the macro that holds it as 'version_macro' in [interface]",
            )
        return RingSpec(
            flags=table.get("flags"),
            keep=tuple(table.get("keep", ())),
            version=table.get("version"),
        )

    def names(self, path: KeyPath, of_key: Rule, of_value: Rule) -> dict[str, str]:
        """Read a table from names of one kind to names of another; it may be missing."""
        table: Any = self.data
        for key in path:
            table = table[key] if isinstance(key, int) else table.get(key, {})
        if not isinstance(table, dict):
            raise self.wrong(path, "must be a table", f"[{_heading(path)}]")
        for key, value in table.items():
            self.check_text((*path, key), key, of_key)
            self.check_type((*path, key), value, str)
            self.check_text((*path, key), value, of_value)
        return table

    def table(self, path: KeyPath, table: Any) -> dict[str, Any]:
        """Check the keys of one table of a section."""
        section = str(path[0])
        known = SECTIONS[section].keys
        if not isinstance(table, dict):
            raise self.wrong(path, "must be a table", f"[{section}]")
        for key, value in table.items():
            place = (*path, key)
            if key not in known:
                raise self.unknown(place, tuple(known), f"key in [{_heading(path)}]")
            kind, rule = known[key].kind, known[key].rule
            self.check_type(place, value, kind)
            if kind is list:
                self.check_list(place, value)
            if rule is not None:
                for where, text in _texts(place, value):
                    self.check_text(where, text, rule)
        for key in known:
            if known[key].is_required and key not in table:
                message = f"[{section}] has no '{key}'"
                raise self.error(path, message, f"add '{key} = …' to it")
        return table

    def check_type(self, path: KeyPath, value: Any, kind: type) -> None:
        if type(value) is not kind:
            key, want = path[-1], kind.__name__
            message = f"'{key}' must be of type {want}, not {type(value).__name__}"
            raise self.error(path, message, f"write '{key}' as a TOML {want}")

    def check_list(self, path: KeyPath, entries: list[Any]) -> None:
        """Refuse what is no list of strings, or has one of them twice."""
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            if not isinstance(entry, str):
                instead = f'{path[-1]} = ["…"]'
                raise self.wrong(path, "must be a list of strings", instead)
            if entry in seen:
                raise self.wrong((*path, index), f"has '{entry}' twice", "it once")
            seen.add(entry)

    def check_text(self, path: KeyPath, text: str, rule: Rule) -> None:
        if not rule.allows(text):
            raise self.wrong(path, rule.says, rule.example)

    def unknown(self, path: KeyPath, known: tuple[str, ...], what: str) -> SourceError:
        message = f"unknown {what}: '{path[-1]}'"
        return self.error(path, message, f"use one of {', '.join(known)}")

    def wrong(self, path: KeyPath, message: str, instead: str) -> SourceError:
        """Say that a key has what it may not have; an entry of a list is its key's."""
        keys = [part for part in path if isinstance(part, str)]
        return self.error(path, f"'{keys[-1]}': {message}", f"write {instead}")

    def error(self, path: KeyPath, message: str, advice: str) -> SourceError:
        return self.file.error(path, message, advice)


def _with_releases(versions: Sequence[VersionSpec]) -> Iterator[VersionSpec]:
    """Tell versions with the same number apart, all but the newest by their first release."""
    newest = {version.number: version.entry for version in versions}
    for version in versions:
        is_newest = newest[version.number] == version.entry
        yield version if is_newest else replace(version, release=version.releases[0])


def _texts(path: KeyPath, value: str | list[str]) -> Iterator[tuple[KeyPath, str]]:
    """Give the text of a key, or each of its list, with where it is."""
    if isinstance(value, str):
        yield path, value
    else:
        yield from (((*path, index), text) for index, text in enumerate(value))


def _heading(path: KeyPath) -> str:
    """Write the path of a table as its heading does, which counts no entries."""
    return ".".join(part for part in path if isinstance(part, str))
