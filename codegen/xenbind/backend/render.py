"""Render the IR: to the text of every generated file.

Takes interfaces and the spec; prepares what the templates need, in plain strings, and
gives a mapping of path to text, formatted, for `output`.  Every decision is made here
and in `module`; a template holds text and loops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial

from xenbind import __version__
from xenbind.backend import functions, python_text, tree
from xenbind.backend.abi_table import VersionTable, tables
from xenbind.backend.common_module import CommonView, common_view
from xenbind.backend.formatting import Formatter
from xenbind.backend.module import module_view
from xenbind.backend.names import python_name
from xenbind.backend.package import Package
from xenbind.backend.python_model import ModuleView, ProtocolView
from xenbind.backend.reference import FUNCTIONS, VERSION, render_references
from xenbind.backend.scope import TreePlace
from xenbind.backend.templates import Templates
from xenbind.backend.tree_place import tree_places
from xenbind.ir import history
from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import RecordRef
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.resources import folder
from xenbind.spec import Spec
from xenbind.workers import Beside, Workers

# What each template makes: one file; one for every package, of which those of libraries are
# within the first; or one for every version, if its path has that.
_README, _TREE_README = "README.md.jinja", "tree.md.jinja"
_WHOLE = {
    _README: "README.md",
    "pyproject.toml.jinja": "pyproject.toml",
    "package/py.typed.jinja": "{package}/py.typed",
    "tests/subject.py.jinja": "tests/subject.py",
}
_ABI_TABLE = "abi.md.jinja"
_MACROS, _MODULE = "package/macros.py.jinja", "package/version.py.jinja"
_EACH = {
    "package/__init__.py.jinja": "{package}/__init__.py",
    "package/common.py.jinja": "{package}/common.py",
    "package/history.py.jinja": "{package}/history.py",
    _MACROS: "{package}/macros.py",
    _MODULE: "{package}/v{edition}.py",
}
# Templates and modules of the runtime that are for interfaces with a ring, with a flex ring, with
# pages of events, with pages of bytes, with any ring of bytes, or with any of these.
_RING = {_MACROS}
_FLEX_RING = {"flex_ring.py"}
_EVENTS = {"event_page.py"}
_BYTES = {"byte_page.py", "order_page.py"}
_ANY_BYTES = {"byte_file.py", "byte_ring.py"}
_SHARED = {"barriers.py", "ring.py"}
# Modules of the runtime that are for headers of some targets, or that ask which one it is.
_SOME_TARGETS = {"targets.py"}
# Modules of the runtime that are for interfaces with functions.
_LIBRARY = {"library.py", "mapped.py", "parameters.py", "tests/test_functions.py"}
# Modules of the runtime that are for libraries with a hypervisor's release in their name.
_RELEASE = {"hypervisor.py"}
# Modules of the runtime that are for Xen's monitor ring, and the libraries that they call.
_MONITOR = ("monitor/", "testing/", "pytest_plugin.py")
_MONITORS_LIBRARIES = {"xenctrl", "xenevtchn", "xenforeignmemory", "xentoollog"}
# Templates that are for interfaces of which the releases are known.
_RELEASED = {"package/common.py.jinja", "package/history.py.jinja"}

# Records, constants and functions up to which a copy of this process takes longer than the
# work in it.
_FEW = 50

# A template, the path of what it makes, and what it may name.
_Asked = tuple[str, str, Mapping[str, object]]


class Rendered(Struct, frozen=True):
    """What is being rendered: `files` waits for the texts by path, in sorted order.

    `fingerprints` waits for the digests of what C can be asked about each version.
    """

    files: Callable[[], dict[str, str]]
    fingerprints: Callable[[], Mapping[str, str]]


def compiled_templates() -> Templates:
    """Give the templates, compiled."""
    templates = Templates()
    templates.compile((*_WHOLE, *_EACH, _ABI_TABLE, VERSION, FUNCTIONS))
    return templates


def render(
    spec: Spec,
    packages: Sequence[Package],
    templates: Templates,
    formatter: Formatter,
    workers: Workers,
) -> Rendered:
    """Begin to make every generated file.

    Unless there is little, records are laid out for the table of ABIs in a copy of this process,
    and C is written in another; black formats Python in others: all at once.  `spec` is of the
    package around all others: the first of those, or a tree, whose headers they are.
    """
    interfaces = [i for package in packages for i in package.interfaces]
    size = sum(len((*i.records, *i.constants, *i.functions)) for i in interfaces)
    beside: Beside = workers.beside if size > _FEW else cache  # once, when it is asked
    abi_table = beside(partial(_abi_table, spec, packages, templates))
    places = tree_places(
        [(p.spec, i) for p in packages if p.spec.is_module for i in p.interfaces]
    )
    modules = [
        (package, interface, _view(package, interface, places))
        for package in packages
        for interface in package.interfaces
    ]
    c_side = beside(partial(render_references, modules, templates))
    libraries = [p.spec.library.name for p in packages if p.spec.library]
    has = _shared_memory(interfaces)
    whole = _whole_context(spec, packages)
    if spec.tree is None:
        shared = [_shared_context(package, libraries) for package in packages]
        whole |= {
            name: shared[0][name] for name in ("ring", "has_events", "has_flex_ring")
        }
    else:
        shared = []
        headers = [tree.header_view(p.spec, i) for p in packages for i in p.interfaces]
        whole |= has | {"up": "", "headers": headers, "first": headers[0]}
    contexts: list[_Asked] = [
        (
            _TREE_README if spec.tree and name == _README else name,
            path.format(package=spec.package),
            whole,
        )
        for name, path in _WHOLE.items()
    ]
    for package, own in zip(packages, shared, strict=False):
        views = {i.edition: view for p, i, view in modules if p is package}
        contexts += _contexts(package, own, views)
    if spec.tree is not None:
        contexts += tree.folders(
            spec, [package.spec for package in packages], _summary(spec), has
        )
        if has["ring"] is not None:
            contexts.append((_MACROS, f"{spec.package}/macros.py", whole))
        contexts += [
            (_MODULE, tree.module_file(package.spec), {"module": view})
            for package, _, view in modules
        ]
    formatter.start(
        {
            path: templates.text(name, context)
            for name, path, context in contexts
            if name.endswith(".py.jinja")
        }
    )
    # The rest is made while black is at work.
    files = {
        path: templates.text(name, context)
        for name, path, context in contexts
        if not name.endswith(".py.jinja")
    }
    unused = {
        *(() if has["has_flex_ring"] else _FLEX_RING),
        *(() if has["has_events"] else _EVENTS),
        *(() if has["has_bytes"] else _BYTES),
        *(() if has["has_flex_ring"] or has["has_bytes"] else _ANY_BYTES),
        *(() if has["has_shared"] else _SHARED),
        *(() if libraries else _LIBRARY),
        *(() if any(map(functions.is_of_release, libraries)) else _RELEASE),
        *(() if any(map(_has_targets, packages)) else _SOME_TARGETS),
    }
    files |= _runtime(spec.package, unused, _has_monitor(spec))
    if spec.license_text is not None:
        files["LICENSE"] = spec.license_text.read_text(encoding="utf-8")
    return Rendered(
        files=lambda: dict(
            sorted((files | abi_table() | c_side().files | formatter.result()).items())
        ),
        fingerprints=lambda: c_side().fingerprints,
    )


def _has_targets(package: Package) -> bool:
    """Tell whether a package is for some targets alone, or was read for one."""
    return bool(package.spec.only) or any(i.read_for for i in package.interfaces)


def _view(
    package: Package, interface: Interface, places: Mapping[str, TreePlace]
) -> ModuleView:
    spec = package.spec
    header, releases = package.headers[interface.edition], _releases(spec, interface)
    place = places.get(spec.module)
    return module_view(interface, header, releases, spec.up, place)


def _contexts(
    package: Package,
    shared: Mapping[str, object],
    views: Mapping[str, ModuleView],
) -> Iterator[_Asked]:
    """Give the templates of one package, with the path and the context of what each makes."""
    spec = package.spec
    unused = {
        *(() if shared["ring"] is not None else _RING),
        *(() if spec.is_of_xen else _RELEASED),
    }
    folder = spec.module.replace(".", "/")
    for name, path in _EACH.items():
        if name in unused:
            continue
        if "{edition}" not in path:
            yield name, path.format(package=folder), shared
            continue
        for edition, view in views.items():
            made = path.format(package=folder, edition=edition)
            yield name, made, {"module": view}


def _whole_context(spec: Spec, packages: Sequence[Package]) -> dict[str, object]:
    """Give what the templates that make one file may name."""
    return {
        "name": spec.name,
        "summary": _summary(spec),
        "package": spec.package,
        "distribution": spec.distribution,
        "generator_version": __version__,
        "has_targets": any(each.spec.only for each in packages),
        "packages": [
            {
                "module": each.spec.module,
                "names": {
                    i.edition: each.spec.module_of(i.edition) for i in each.interfaces
                },
                "files": {
                    i.edition: each.spec.file_of(i.edition) for i in each.interfaces
                },
                "only": each.spec.only,
                "is_of_xen": each.spec.is_of_xen,
                "header": each.spec.header,
                "defines": each.spec.defines,
                "needs": each.spec.needs,
                "folders": each.folders,
                "angled": {name: found for name, found in each.angled.items() if found},
                "library": each.spec.library.name if each.spec.library else None,
                "function": _example(each.interfaces[-1]),
                "modules": [_module(each.spec, one) for one in each.interfaces],
                "floating": {i.edition for i in each.interfaces if _has_floats(i)},
            }
            for each in packages
        ],
        "has_functions": any(_example(each.interfaces[-1]) for each in packages),
        "has_monitor": _has_monitor(spec),
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


def _has_floats(interface: Interface) -> bool:
    return any(isinstance(constant.value, float) for constant in interface.constants)


def _abi_table(
    spec: Spec, packages: Sequence[Package], templates: Templates
) -> dict[str, str]:
    """Lay out all records on every ABI, and write the table of that.

    Of a tree there is none: each of its headers would have to be read for every target.
    """
    if spec.tree is not None:
        return {}
    found: list[VersionTable] = []
    for package in packages:
        titles = [package.spec.titled(each.title) for each in package.interfaces]
        laid_out = [lay_out() for lay_out in package.layouts]
        found += tables(list(zip(titles, laid_out, strict=True)))
    context = {"name": spec.name, "targets": list(ABIS), "tables": found}
    return {"abi.md": templates.text(_ABI_TABLE, context)}


def _shared_context(package: Package, libraries: Sequence[str]) -> dict[str, object]:
    """Give what the templates that make one file for a package may name."""
    spec, interfaces = package.spec, package.interfaces
    return {
        **_shared_memory(interfaces),
        "name": spec.name,
        "is_of_xen": spec.is_of_xen,
        "module": spec.module,
        "up": spec.up,
        "doc": _package_doc(spec, interfaces),
        "versions": [_version(spec, number) for number in _numbers(interfaces)],
        "modules": [_module(spec, interface) for interface in interfaces],
        "history": _history(interfaces) if spec.is_of_xen else [],
        "common": _common(spec, interfaces) if spec.is_of_xen else None,
        "interface_doc": _interface_doc(spec, interfaces),
        "version_place": _version_place(interfaces),
        "has_library": bool(libraries),
        "has_release": any(map(functions.is_of_release, libraries)),
    }


def _shared_memory(interfaces: Sequence[Interface]) -> dict[str, object]:
    """Tell which kinds of rings and pages there are, with the protocol of request rings."""
    found: dict[str, object] = {
        "ring": _protocol(interfaces),
        "has_events": any(interface.event_pages for interface in interfaces),
        "has_flex_ring": any(interface.flex_rings for interface in interfaces),
        "has_bytes": any(interface.byte_pages for interface in interfaces),
    }
    return found | {"has_shared": any(found.values())}


def _common(spec: Spec, interfaces: Sequence[Interface]) -> CommonView:
    first = {
        v.edition: v.releases[0] if v.releases else v.edition for v in spec.versions
    }
    return common_view(interfaces, first, spec.up)


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
    """Give the one ring protocol of all versions, None if they have no ring."""
    if not any(interface.rings for interface in interfaces):
        return None
    from xenbind.backend.ring_module import one_protocol  # which few headers need

    return one_protocol(interfaces)


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
