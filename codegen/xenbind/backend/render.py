"""Render the IR: to the text of every generated file.

Takes interfaces and the spec; prepares what the templates need, in plain strings, and
gives a mapping of path to text, formatted, for `output`.  Every decision is made here
and in `module`; a template holds text and loops.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import jinja2

from xenbind import __version__
from xenbind.backend import python_text
from xenbind.backend.abi_table import tables
from xenbind.backend.common_module import common_view
from xenbind.backend.formatting import Formatter
from xenbind.backend.module import module_view
from xenbind.backend.python_facts import class_probes
from xenbind.backend.python_model import ProtocolView
from xenbind.backend.ring_module import protocol, protocol_view
from xenbind.backend.rings.behaviour import Protocol, difference
from xenbind.errors import XenbindError
from xenbind.facts.probes import Reference, reference
from xenbind.facts.stubs import stubs
from xenbind.ir import history
from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Interface, Layouts
from xenbind.resources import folder
from xenbind.spec import Spec

# What each template makes: one file, or one for every version if its path has that.
_TEMPLATES = {
    "abi.md.jinja": "abi.md",
    "README.md.jinja": "README.md",
    "pyproject.toml.jinja": "pyproject.toml",
    "package/__init__.py.jinja": "{package}/__init__.py",
    "package/common.py.jinja": "{package}/common.py",
    "package/history.py.jinja": "{package}/history.py",
    "package/macros.py.jinja": "{package}/macros.py",
    "package/py.typed.jinja": "{package}/py.typed",
    "package/version.py.jinja": "{package}/v{edition}.py",
    "reference/version.c.jinja": "reference/v{edition}.c",
    "reference/functions.c.jinja": "reference/v{edition}_functions.c",
    "tests/compiled.py.jinja": "tests/compiled.py",
    "tests/conftest.py.jinja": "tests/conftest.py",
}
# Templates and modules of the runtime that are for interfaces with a ring.
_RING = {"package/macros.py.jinja", "barriers.py", "ring.py"}
# Templates and modules of the runtime that are for interfaces with functions.
_LIBRARY = {
    *("reference/functions.c.jinja", "library.py", "parameters.py"),
    "tests/test_functions.py",
}
# Templates that are for interfaces of which the releases are known.
_RELEASED = {"package/common.py.jinja", "package/history.py.jinja"}


def render(
    spec: Spec,
    interfaces: Sequence[Interface],
    layouts: Sequence[Callable[[], Layouts]],
    headers: Mapping[str, str],
    folders: Mapping[str, Sequence[str]],
    angled: Mapping[str, Sequence[str]],
    templates: Templates,
    formatter: Formatter,
) -> dict[str, str]:
    """Give the text of every generated file by its path, in sorted order.

    `layouts` give each interface's records on every ABI.  `headers` tells, by edition,
    how the generated files speak of its header; `folders` where the generated tests look
    for it and what it includes, and `angled` where for what is in angle brackets.
    """
    shared = _shared_context(spec, interfaces, folders, angled)
    per_version = {
        interface.edition: _version_context(spec, interface, headers)
        for interface in interfaces
    }
    unused = {
        *(() if shared["ring"] is not None else _RING),
        *(() if spec.library is not None else _LIBRARY),
        *(() if spec.is_of_xen else _RELEASED),
    }
    contexts = [
        (name, path.format(package=spec.package, edition=edition), context)
        for name, path in _TEMPLATES.items()
        if name not in unused
        for edition, context in (
            per_version.items() if "{edition}" in path else [(None, shared)]
        )
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
        [(i.title, lay_out()) for i, lay_out in zip(interfaces, layouts, strict=True)]
    )
    files = {
        path: templates.text(name, context)
        for name, path, context in contexts
        if not name.endswith(".py.jinja")
    }
    files |= _runtime(spec.package, unused)
    if spec.license_text is not None:
        files["LICENSE"] = spec.license_text.read_text(encoding="utf-8")
    return dict(sorted((files | formatter.result()).items()))


def _shared_context(
    spec: Spec,
    interfaces: Sequence[Interface],
    folders: Mapping[str, Sequence[str]],
    angled: Mapping[str, Sequence[str]],
) -> dict[str, object]:
    """Give what the templates that make one file may name."""
    return {
        "name": spec.name,
        "summary": _summary(spec),
        "is_of_xen": spec.is_of_xen,
        "package": spec.package,
        "distribution": spec.distribution,
        "generator_version": __version__,
        "defines": spec.defines,
        "header": spec.header,
        "needs": spec.needs,
        "folders": folders,
        "angled": {version: paths for version, paths in angled.items() if paths},
        "has_floats": any(
            isinstance(c.value, float) for i in interfaces for c in i.constants
        ),
        "doc": _package_doc(spec, interfaces),
        "versions": [_version(spec, number) for number in _numbers(interfaces)],
        "modules": [_module(spec, interface) for interface in interfaces],
        "history": _history(interfaces) if spec.is_of_xen else [],
        "common": common_view(interfaces) if spec.is_of_xen else None,
        "interface_doc": _interface_doc(spec, interfaces),
        "version_place": _version_place(interfaces),
        "ring": _protocol(interfaces),
        "has_library": spec.library is not None,
        "targets": list(ABIS),
        "license": spec.license,
        "license_text": spec.license_text,
        "url": spec.url,
    }


def _version_context(
    spec: Spec, interface: Interface, headers: Mapping[str, str]
) -> dict[str, object]:
    """Give what the templates that make a file for every version may name."""
    header, releases = headers[interface.edition], _releases(spec, interface)
    view = module_view(interface, header, releases)
    asked = reference(interface, class_probes(interface, view))
    return {
        **_reference_context(spec, interface, asked),
        "module": view,
        "stubs": stubs(interface),
    }


def _runtime(package: str, unused: Collection[str]) -> dict[str, str]:
    """The modules that are the same in every package, but for the unused, and its tests."""
    modules = folder("runtime")
    found = {}
    for path in modules.rglob("*.py"):
        name = path.relative_to(modules).as_posix()
        if name not in unused:
            place = name if name.startswith("tests/") else f"{package}/runtime/{name}"
            found[place] = path.read_text(encoding="utf-8")
    return found


def render_reference(spec: Spec, interface: Interface, asked: Reference) -> str:
    """A C file that answers what is `asked` of one interface version.

    It lacks the functions of the round trip, which take most of the time to compile.
    """
    context = _reference_context(spec, interface, replace(asked, round_trips=()))
    return Templates().text("reference/version.c.jinja", context)


def _reference_context(
    spec: Spec, interface: Interface, asked: Reference
) -> dict[str, object]:
    return {
        "name": spec.name,
        "version": interface.title,
        "header": spec.header,
        "reference": asked,
    }


class Templates:
    """The templates folder."""

    def __init__(self) -> None:
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder("templates")),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        # How a template writes a string where it stands.
        self.environment.filters["python"] = python_text.text
        self.environment.filters["toml"] = toml_text

    def compile(self) -> Templates:
        """Compile what will be rendered, which needs nothing of the headers yet."""
        for name in _TEMPLATES:
            self.environment.get_template(name)
        return self

    def text(self, name: str, context: Mapping[str, object]) -> str:
        return self.environment.get_template(name).render(context)


def toml_text(value: str) -> str:
    """Write a string as TOML does: as JSON, which escapes all of the same but DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _summary(spec: Spec) -> str:
    owner = "Xen's" if spec.is_of_xen else "the"
    return f"Python bindings for {owner} {spec.name} interface, generated from its C headers"


def _package_doc(spec: Spec, interfaces: Sequence[Interface]) -> str:
    """What the package says of itself."""
    newest = f"{spec.package}.v{interfaces[-1].edition}"
    tells = _version_place(interfaces) is not None
    by_release = ", and `interface_for_xen` by a Xen release" if spec.is_of_xen else ""
    by_word = "`interface_of` tells it from what a hypervisor wrote. "
    return python_text.docstring(
        f"{_summary(spec)}.\n\n"
        f"Each interface version is a module of its own, `{newest}`. `interface` gives one"
        f" by its number{by_release}. {by_word * tells}A"
        " module is imported when it is first asked for; so are the few names that work"
        " with every version, which `runtime` holds.",
        0,
    )


def _interface_doc(spec: Spec, interfaces: Sequence[Interface]) -> str:
    """What the package says of its function `interface`."""
    words = "The module of an interface version"
    if not spec.is_of_xen:
        return python_text.docstring(f"{words}.", 4)
    words += ": the newest of those that speak it."
    if unlike := history.unlike(interfaces):
        words += (
            "\n\nIt reads what every Xen with that version writes, but for"
            f" {'; '.join(map(str, unlike))}. `interface_for_xen` gives the module of one"
            " release."
        )
    return python_text.docstring(words, 4)


def _protocol(interfaces: Sequence[Interface]) -> ProtocolView | None:
    """Give the one ring protocol of all versions, in the words of the newest.

    Raises `XenbindError` where their macros do different things: one module could not speak
    both.
    """
    spoken: list[tuple[Interface, Protocol]] = []
    for interface in reversed(interfaces):
        if (found := protocol(interface)) and all(found != one for _, one in spoken):
            spoken.append((interface, found))
    if not spoken:
        return None
    (newest, ours), *others = spoken
    for interface, theirs in others:
        if other := difference(theirs, ours):
            raise XenbindError(
                f"{newest.title} has another ring protocol than {interface.title}: {other}",
                "generate it into a package of its own, with --include and --out",
            )
    return protocol_view(newest, "io/ring.h")


def _history(interfaces: Sequence[Interface]) -> list[tuple[str, str]]:
    """Give the releases of everything that any interface declares, as Python writes them."""
    found = []
    for name, spans in history.timeline(interfaces).items():
        pairs = [
            f'("{span.since}", {python_text.text(span.until) if span.until else None})'
            for span in spans
        ]
        before = f"    {python_text.text(name)}: "
        found.append((name, python_text.tuple_of(pairs, before)))
    return found


def _numbers(interfaces: Sequence[Interface]) -> list[int]:
    """Give each version number once."""
    return list(dict.fromkeys(interface.version for interface in interfaces))


def _version(spec: Spec, number: int) -> dict[str, object]:
    speaking = [v.releases for v in spec.versions if v.number == number]
    releases = [python_text.text(release) for some in speaking for release in some]
    before = f"    {number}: "
    return {"number": number, "releases": python_text.tuple_of(releases, before)}


def _module(spec: Spec, interface: Interface) -> dict[str, object]:
    return {
        "name": f"v{interface.edition}",
        "number": interface.version,
        "releases": _releases(spec, interface),
    }


def _releases(spec: Spec, interface: Interface) -> Sequence[str]:
    found = (v.releases for v in spec.versions if v.edition == interface.edition)
    return next(found, ())


def _version_place(interfaces: Sequence[Interface]) -> dict[str, int] | None:
    """Where a request has its version, and so a page's first entry, in bytes.

    None unless all versions agree: then the bytes cannot tell which one they are of.
    """
    places = {_places(interface) for interface in interfaces}
    place = places.pop()
    if places or place is None:
        return None
    member, size, entry = place
    return {"member": member, "size": size, "entry": entry + member}


def _places(interface: Interface) -> tuple[int, int, int] | None:
    """Give where a request has its version, in how many bytes, and where a page has one."""
    records = interface.records_by_key
    for ring in interface.rings:
        if ring.version is not None:
            request = records[ring.entry].fields[0].type
            assert isinstance(request, RecordRef)
            fields = {f.name: f for f in records[request.key].fields}
            page = {f.name: f for f in records[ring.shared].fields}
            member = fields[ring.version]
            return member.offset, member.size, page["ring"].offset
    return None
