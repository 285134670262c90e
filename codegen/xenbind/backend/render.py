"""Render the IR: to the text of every generated file.

Takes interfaces and the spec; prepares what the templates need, in plain strings, and
gives a mapping of path to text, formatted, for `output`.  Every decision is made here
and in `module`; a template holds text and loops.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import jinja2

from xenbind import __version__
from xenbind.backend import functions, python_text
from xenbind.backend.abi_table import VersionTable, tables
from xenbind.backend.common_module import CommonView, common_view
from xenbind.backend.formatting import Formatter
from xenbind.backend.module import module_view
from xenbind.backend.names import python_name
from xenbind.backend.package import Package
from xenbind.backend.python_facts import class_probes
from xenbind.backend.python_model import ProtocolView
from xenbind.backend.ring_module import protocol, protocol_view
from xenbind.backend.rings.behaviour import Protocol, difference
from xenbind.errors import XenbindError
from xenbind.facts.probes import CODES, Reference, reference
from xenbind.facts.stubs import stubs
from xenbind.ir import history
from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Interface
from xenbind.resources import folder
from xenbind.spec import Spec

# What each template makes: one file; one for every package, of which those of libraries are
# within the first; or one for every version, if its path has that.
_WHOLE = {
    "abi.md.jinja": "abi.md",
    "README.md.jinja": "README.md",
    "pyproject.toml.jinja": "pyproject.toml",
    "package/py.typed.jinja": "{package}/py.typed",
    "tests/compiled.py.jinja": "tests/compiled.py",
    "tests/conftest.py.jinja": "tests/conftest.py",
}
_EACH = {
    "package/__init__.py.jinja": "{package}/__init__.py",
    "package/common.py.jinja": "{package}/common.py",
    "package/history.py.jinja": "{package}/history.py",
    "package/macros.py.jinja": "{package}/macros.py",
    "package/version.py.jinja": "{package}/v{edition}.py",
    "reference/version.c.jinja": "reference/{place}v{edition}.c",
    "reference/functions.c.jinja": "reference/{place}v{edition}_functions.c",
}
# Templates and modules of the runtime that are for interfaces with a ring.
_RING = {"package/macros.py.jinja", "barriers.py", "ring.py"}
# Templates and modules of the runtime that are for interfaces with functions.
_LIBRARY = {
    *("reference/functions.c.jinja", "library.py", "parameters.py"),
    "tests/test_functions.py",
}
# Modules of the runtime that are for Xen's monitor ring, and the libraries that they call.
_MONITOR = "monitor/"
_MONITORS_LIBRARIES = {"xenctrl", "xenevtchn", "xenforeignmemory", "xentoollog"}
# Templates that are for interfaces of which the releases are known.
_RELEASED = {"package/common.py.jinja", "package/history.py.jinja"}

# A template, the path of what it makes, and what it may name.
_Rendered = tuple[str, str, Mapping[str, object]]


def render(
    packages: Sequence[Package], templates: Templates, formatter: Formatter
) -> Callable[[], dict[str, str]]:
    """Begin to make every generated file, and give what waits for black to be done with them.

    That gives their texts by path, in sorted order.  The first package is the one around the
    others.
    """
    spec = packages[0].spec
    has_library = any(package.spec.library for package in packages)
    shared = [_shared_context(package, has_library) for package in packages]
    has_ring = any(each["ring"] is not None for each in shared)
    whole = _whole_context(packages) | {"ring": shared[0]["ring"]}
    contexts: list[_Rendered] = [
        (name, path.format(package=spec.package), whole)
        for name, path in _WHOLE.items()
    ]
    for package, own in zip(packages, shared, strict=True):
        contexts += _contexts(package, own)
    formatter.start(
        {
            path: templates.text(name, context)
            for name, path, context in contexts
            if name.endswith(".py.jinja")
        }
    )
    # The rest is made while black is at work.
    whole["tables"] = [table for each in packages for table in _tables(each)]
    files = {
        path: templates.text(name, context)
        for name, path, context in contexts
        if not name.endswith(".py.jinja")
    }
    unused = {*(() if has_ring else _RING), *(() if has_library else _LIBRARY)}
    files |= _runtime(spec.package, unused, _has_monitor(spec))
    if spec.license_text is not None:
        files["LICENSE"] = spec.license_text.read_text(encoding="utf-8")
    return lambda: dict(sorted((files | formatter.result()).items()))


def _contexts(package: Package, shared: Mapping[str, object]) -> Iterator[_Rendered]:
    """Give the templates of one package, with the path and the context of what each makes."""
    spec = package.spec
    unused = {
        *(() if shared["ring"] is not None else _RING),
        *(() if spec.library is not None else _LIBRARY),
        *(() if spec.is_of_xen else _RELEASED),
    }
    per_version = {
        interface.edition: _version_context(package, interface)
        for interface in package.interfaces
    }
    folder = spec.module.replace(".", "/")
    for name, path in _EACH.items():
        if name in unused:
            continue
        is_of_version = "{edition}" in path
        for edition, context in (
            per_version.items() if is_of_version else [("", shared)]
        ):
            made = path.format(package=folder, place=spec.place, edition=edition)
            yield name, made, context


def _whole_context(packages: Sequence[Package]) -> dict[str, object]:
    """Give what the templates that make one file may name."""
    spec = packages[0].spec
    return {
        "name": spec.name,
        "summary": _summary(spec),
        "package": spec.package,
        "distribution": spec.distribution,
        "generator_version": __version__,
        "packages": [
            {
                "module": each.spec.module,
                "place": each.spec.place,
                "is_of_xen": each.spec.is_of_xen,
                "header": each.spec.header,
                "defines": each.spec.defines,
                "needs": each.spec.needs,
                "folders": each.folders,
                "angled": {name: found for name, found in each.angled.items() if found},
                "library": each.spec.library.name if each.spec.library else None,
                "function": _example(each.interfaces[-1]),
                "modules": [_module(each.spec, one) for one in each.interfaces],
            }
            for each in packages
        ],
        "has_functions": any(_example(each.interfaces[-1]) for each in packages),
        "has_floats": any(
            isinstance(constant.value, float)
            for each in packages
            for interface in each.interfaces
            for constant in interface.constants
        ),
        "has_monitor": _has_monitor(spec),
        "targets": list(ABIS),
        "license": spec.license,
        "license_text": spec.license_text,
        "url": spec.url,
    }


def _example(interface: Interface) -> str:
    """Name a function that is called in Python as it is in C; empty where there is none."""
    taken = {record.tag for record in interface.records if record.tag}
    taken |= {typedef.name for typedef in interface.typedefs} | functions.NAMES
    taken |= {name for handle in interface.handles for name in handle.names}
    taken |= {handle.key.split()[-1] for handle in interface.handles}
    names = (function.name for function in interface.functions)
    return next((name for name in names if python_name(name, taken) == name), "")


def _tables(package: Package) -> list[VersionTable]:
    titles = [package.spec.titled(interface.title) for interface in package.interfaces]
    laid_out = [lay_out() for lay_out in package.layouts]
    return tables(list(zip(titles, laid_out, strict=True)))


def _shared_context(package: Package, has_library: bool) -> dict[str, object]:
    """Give what the templates that make one file for a package may name."""
    spec, interfaces = package.spec, package.interfaces
    return {
        "name": spec.name,
        "is_of_xen": spec.is_of_xen,
        "module": spec.module,
        "up": _up(spec),
        "doc": _package_doc(spec, interfaces),
        "versions": [_version(spec, number) for number in _numbers(interfaces)],
        "modules": [_module(spec, interface) for interface in interfaces],
        "history": _history(interfaces) if spec.is_of_xen else [],
        "common": _common(spec, interfaces) if spec.is_of_xen else None,
        "interface_doc": _interface_doc(spec, interfaces),
        "version_place": _version_place(interfaces),
        "ring": _protocol(interfaces),
        "has_library": has_library,
    }


def _common(spec: Spec, interfaces: Sequence[Interface]) -> CommonView:
    first = {
        v.edition: v.releases[0] if v.releases else v.edition for v in spec.versions
    }
    return common_view(interfaces, first, _up(spec))


def _up(spec: Spec) -> str:
    """Give what leads from a module of a package to the run-time modules, before `.runtime`."""
    return "." if spec.within else ""


def _version_context(package: Package, interface: Interface) -> dict[str, object]:
    """Give what the templates that make a file for every version may name."""
    spec = package.spec
    header, releases = package.headers[interface.edition], _releases(spec, interface)
    view = module_view(interface, header, releases, _up(spec))
    asked = reference(interface, class_probes(interface, view))
    return {
        **_reference_context(spec, interface, asked),
        "module": view,
        "stubs": stubs(interface),
    }


def _has_monitor(spec: Spec) -> bool:
    """Whether a package is that of Xen's monitor ring, with what a monitor calls."""
    libraries = {library.package for library in spec.libraries}
    return "vm_event" in spec.rings and libraries >= _MONITORS_LIBRARIES


def _runtime(
    package: str, unused: Collection[str], has_monitor: bool
) -> dict[str, str]:
    """The modules that are the same in every package, but for the unused, and its tests."""
    modules = folder("runtime")
    found = {}
    for path in modules.rglob("*.py"):
        name = path.relative_to(modules).as_posix()
        if name in unused or (name.startswith(_MONITOR) and not has_monitor):
            continue
        if name.startswith("tests/"):
            place = name
        elif name.startswith(_MONITOR):
            place = f"{package}/{name}"
        else:
            place = f"{package}/runtime/{name}"
        found[place] = path.read_text(encoding="utf-8")
    return found


def render_questions(spec: Spec, interface: Interface, asked: Reference) -> str:
    """A C file that answers what is `asked` of one interface version, for `object_file`."""
    context = {**_reference_context(spec, interface, asked), "code": CODES}
    return Templates().text("reference/questions.c.jinja", context)


def _reference_context(
    spec: Spec, interface: Interface, asked: Reference
) -> dict[str, object]:
    return {
        "name": spec.name,
        "version": interface.title,
        "header": spec.header,
        "reference": asked,
        "forward": _forward(interface),
    }


def _forward(interface: Interface) -> list[str]:
    """Give the structs and unions to declare ahead of a header with prototypes.

    In C, one that a prototype is the first to name is known nowhere else.
    """
    if not interface.functions:
        return []
    tagged = [record.key for record in interface.records if record.tag is not None]
    return [*tagged, *(handle.key for handle in interface.handles)]


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
        for name in (*_WHOLE, *_EACH):
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
    newest = f"{spec.module}.v{interfaces[-1].edition}"
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
    if spec.library is not None:
        words += (
            " Other releases may have functions with other prototypes; `interface_for_xen`"
            " gives the module of one."
        )
        return python_text.docstring(words, 4)
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
