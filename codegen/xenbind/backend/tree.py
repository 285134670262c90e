"""Say what the package of a tree has beside its headers' modules: the folders, and what is in them.

Takes the spec of the tree and those of its headers; gives which template makes which file, with
what that may name.  `render` has them made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xenbind.backend import python_text
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.spec import Spec

_TREE = "package/tree.py.jinja"
_FOLDER = "package/folder.py.jinja"
TEMPLATES = (_TREE, _FOLDER)

# What a package has for every record, and for rings, by the module that it is in.
_FOR_RECORDS = (
    (".runtime.arrays", "column"),
    (".runtime.arrays", "columns"),
    (".runtime.arrays", "dtype"),
    (".runtime.projection", "projection"),
    (".runtime.recording", "records"),
    (".runtime.views", "raw"),
)
_FOR_SHARED_MEMORY = {
    "has_shared": (
        (".runtime.barriers", "Barriers"),
        (".runtime.barriers", "NoBarrier"),
        (".runtime.ring", "RingFull"),
        (".runtime.ring", "RingOverflow"),
    ),
    "has_flex_ring": (
        (".runtime.byte_ring", "cell"),
        (".runtime.flex_ring", "RingOrder"),
    ),
}
_OF_NUMPY = ("column", "columns", "dtype")


class HeaderView(Struct, frozen=True):
    """What the README of a tree says of a header; `name` is its module's last one."""

    header: str
    module: str
    name: str
    records: int
    constants: int
    rings: Sequence[str]
    only: Sequence[str]


def header_view(spec: Spec, interface: Interface) -> HeaderView:
    """Tell how much a header declares, anonymous structs and unions not counted."""
    named = (record for record in interface.own_records if not record.is_anonymous)
    return HeaderView(
        header=spec.header,
        module=spec.module,
        name=spec.package,
        records=sum(1 for _ in named),
        constants=len(interface.constants),
        rings=[ring.name for ring in interface.rings],
        only=spec.only,
    )


def module_file(spec: Spec) -> str:
    """Give the path of a header's module in the output folder."""
    path = spec.module.replace(".", "/")
    return f"{path}/__init__.py" if spec.has_modules else f"{path}.py"


def folders(
    spec: Spec, modules: Sequence[Spec], summary: str, has: Mapping[str, object]
) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Give the template, the path and the context of what makes each folder a package.

    `has` tells which kinds of shared memory there are.
    """
    names = [each.module for each in modules]
    inside: dict[str, set[str]] = {}
    for name in names:
        inner = name
        while inner != spec.package:
            folder, _, own = inner.rpartition(".")
            inside.setdefault(folder, set()).add(own)
            inner = folder
    for folder in sorted(inside.keys() - {spec.package, *names}):
        way = folder.partition(".")[2].replace(".", "/")
        headers = sum(name.startswith(f"{folder}.") for name in names)
        doc = f"The modules of the {headers} headers in {way}/, each imported when it is asked for."
        path = f"{folder.replace('.', '/')}/__init__.py"
        told = {"doc": python_text.docstring(doc, 0), "modules": sorted(inside[folder])}
        yield _FOLDER, path, told
    elsewhere = [*_FOR_RECORDS]
    for kind, names_of_kind in _FOR_SHARED_MEMORY.items():
        elsewhere += names_of_kind if has[kind] else ()
    elsewhere.sort()
    exported = [name for _, name in elsewhere if name not in _OF_NUMPY]
    exported += ["HEADERS", "UnknownHeader", "header"]
    context = {
        "doc": python_text.docstring(_doc(spec, modules, summary), 0),
        "package": spec.package,
        "modules": sorted(inside[spec.package]),
        "elsewhere": elsewhere,
        "exported": sorted(exported, key=_as_all_is_sorted),
        "headers": [(each.header, each.module) for each in modules],
        "example": f", as {modules[0].header}",
    }
    yield _TREE, f"{spec.package}/__init__.py", context


def _as_all_is_sorted(name: str) -> tuple[int, str]:
    """Put constants first, then classes, then the rest: as ruff sorts `__all__`."""
    rank = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return rank, name


def _doc(spec: Spec, modules: Sequence[Spec], summary: str) -> str:
    first = modules[0]
    return (
        f"{summary}.\n\n"
        f"Each header is a module of its own, laid out as the headers are: {first.header} is"
        f" `{first.module}`. A type is in the module of the header that declares it, and others"
        " import it from there. A module is imported when it is first asked for; so are the few"
        " names that work with every record, which `runtime` holds."
    )
