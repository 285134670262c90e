"""Rendering: from the IR to the text of every generated file.

Takes interfaces and the spec; prepares what the templates need, in plain strings, and
gives a mapping of path to text, formatted, for `output`.  Every decision is made here
and in `module`; a template holds text and loops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import jinja2

from xenbind import __version__
from xenbind.backend import python_text
from xenbind.backend.abi_table import tables
from xenbind.backend.formatting import Formatter
from xenbind.backend.module import module_view
from xenbind.backend.python_model import ProtocolView
from xenbind.backend.ring_module import protocol_view
from xenbind.errors import XenbindError
from xenbind.facts.probes import reference
from xenbind.ir.abi import ABIS
from xenbind.ir.interface import Interface, Layouts
from xenbind.resources import folder
from xenbind.spec import Spec

# Each template that makes one file, and each that makes one file for every version.
_SHARED = {
    "abi.md.jinja": "abi.md",
    "pyproject.toml.jinja": "pyproject.toml",
    "package/__init__.py.jinja": "{package}/__init__.py",
    "package/arrays.py": "{package}/arrays.py",
    "package/base.py": "{package}/base.py",
    "package/layout.py": "{package}/layout.py",
    "package/placed.py": "{package}/placed.py",
    "package/private.py": "{package}/private.py",
    "package/projection.py": "{package}/projection.py",
    "package/py.typed": "{package}/py.typed",
    "package/recording.py": "{package}/recording.py",
    "tests/compiled.py.jinja": "tests/compiled.py",
    "tests/conftest.py.jinja": "tests/conftest.py",
    "tests/members.py": "tests/members.py",
    "tests/test_against_c.py": "tests/test_against_c.py",
}
# The ring protocol, for interfaces that have a ring.
_RING = {
    "package/barrier.py": "{package}/barrier.py",
    "package/macros.py.jinja": "{package}/macros.py",
    "package/ring.py": "{package}/ring.py",
}
_PER_VERSION = {
    "package/version.py.jinja": "{package}/v{version}.py",
    "reference/version.c.jinja": "reference/v{version}.c",
}


def render(
    spec: Spec,
    interfaces: Sequence[Interface],
    layouts: Sequence[Callable[[], Layouts]],
    headers: Mapping[int, str],
    folders: Mapping[int, Sequence[str]],
    templates: Templates,
    formatter: Formatter,
) -> dict[str, str]:
    """The text of every generated file by its path, in sorted order.

    `layouts` give each interface's records on every ABI.  `headers` tells, by version,
    how the generated files speak of its header; `folders` where the generated tests look
    for it and what it includes.
    """
    shared: dict[str, object] = {
        "name": spec.name,
        "package": spec.package,
        "distribution": spec.distribution,
        "generator_version": __version__,
        "defines": [python_text.text(define) for define in spec.defines],
        "needs": [python_text.text(name) for name in spec.needs],
        "folders": {
            version: [python_text.text(path) for path in paths]
            for version, paths in folders.items()
        },
        "versions": [_version(spec, interface) for interface in interfaces],
        "version_place": _version_place(interfaces),
        "ring": _protocol(interfaces),
        "targets": list(ABIS),
    }
    contexts = [
        (name, path.format(package=spec.package), shared)
        for name, path in _shared(interfaces).items()
    ]
    for interface in interfaces:
        number = interface.version
        context = {
            **_reference_context(spec, interface),
            "module": module_view(
                interface, headers[number], _releases(spec, interface)
            ),
        }
        contexts += [
            (name, path.format(package=spec.package, version=number), context)
            for name, path in _PER_VERSION.items()
        ]
    formatter.start(
        {
            path: templates.text(name, context)
            for name, path, context in contexts
            if name.endswith(".py.jinja")
        }
    )
    # The rest is made while black is at work.
    shared["tables"] = tables(
        [(i.version, lay_out()) for i, lay_out in zip(interfaces, layouts, strict=True)]
    )
    files = {
        path: templates.text(name, context)
        for name, path, context in contexts
        if not name.endswith(".py.jinja")
    }
    return dict(sorted((files | formatter.result()).items()))


def render_reference(spec: Spec, interface: Interface) -> str:
    """The reference C file of one interface version."""
    context = _reference_context(spec, interface)
    return Templates().text("reference/version.c.jinja", context)


def _reference_context(spec: Spec, interface: Interface) -> dict[str, object]:
    return {
        "name": spec.name,
        "version": interface.version,
        "header": spec.header,
        "reference": reference(interface),
    }


class Templates:
    """The templates folder: what ends in .jinja is rendered, anything else copied."""

    def __init__(self) -> None:
        self.folder = folder("templates")
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.folder),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )

    def compile(self) -> Templates:
        """Compile what will be rendered, which needs nothing of the headers yet."""
        for name in (*_SHARED, *_RING, *_PER_VERSION):
            if name.endswith(".jinja"):
                self.environment.get_template(name)
        return self

    def text(self, name: str, context: Mapping[str, object]) -> str:
        if not name.endswith(".jinja"):
            return (self.folder / name).read_text(encoding="utf-8")
        return self.environment.get_template(name).render(context)


def _shared(interfaces: Sequence[Interface]) -> dict[str, str]:
    has_ring = any(interface.rings for interface in interfaces)
    return _SHARED | _RING if has_ring else _SHARED


def _protocol(interfaces: Sequence[Interface]) -> ProtocolView | None:
    """The one ring protocol of all versions.

    Raises `XenbindError` where they differ: one module could not speak both.
    """
    views = [protocol_view(i, "io/ring.h") for i in interfaces if i.rings]
    for interface, view in zip(interfaces, views, strict=False):
        if view != views[0]:
            raise XenbindError(
                f"version {interface.version} has another ring protocol than version"
                f" {interfaces[0].version}",
                "generate it into a package of its own, with --include and --out",
            )
    return views[0] if views else None


def _version(spec: Spec, interface: Interface) -> dict[str, object]:
    releases = [f'"{release}"' for release in _releases(spec, interface)]
    comma = "," if len(releases) == 1 else ""
    text = f"({', '.join(releases)}{comma})"
    if len(text) > 80:
        text = (
            "(\n" + "".join(f"        {release},\n" for release in releases) + "    )"
        )
    return {"number": interface.version, "releases": text}


def _releases(spec: Spec, interface: Interface) -> Sequence[str]:
    found = (v.releases for v in spec.versions if v.number == interface.version)
    return next(found, ())


def _version_place(interfaces: Sequence[Interface]) -> dict[str, int] | None:
    """Where a request has its version word, and so a page's first entry, in bytes.

    None unless all versions agree: then the bytes cannot tell which one they are of.
    """
    places = {_places(interface) for interface in interfaces}
    place = places.pop()
    if places or place is None:
        return None
    member, entry = place
    return {"member": member, "entry": entry + member}


def _places(interface: Interface) -> tuple[int, int] | None:
    if interface.payload is None or not interface.rings:
        return None
    records = interface.records_by_key
    request = {f.name: f for f in records[interface.payload.record].fields}
    page = {f.name: f for f in records[interface.rings[0].shared].fields}
    if "version" not in request:
        return None
    return request["version"].offset, page["ring"].offset
