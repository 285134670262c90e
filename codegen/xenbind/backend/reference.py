"""Write the C side of a package: what compiled C is asked of each version, and stubs.

Takes packages with the views of their modules; gives the C files by path, and a digest of each
version's answers, for the manifest.  `render` has it done beside what becomes Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xenbind.backend.package import Package
from xenbind.backend.python_facts import class_probes
from xenbind.backend.python_model import ModuleView
from xenbind.backend.templates import Templates
from xenbind.facts.probes import (
    CLASSES,
    CODES,
    Reference,
    fingerprint,
    questions,
    with_round_trips,
)
from xenbind.facts.stubs import stubs
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.spec import Spec

VERSION = "reference/version.c.jinja"
FUNCTIONS = "reference/functions.c.jinja"


class References(Struct, frozen=True):
    """The C files by path, and the digests of the answers by version, `xenctrl/4.17`."""

    files: dict[str, str]
    fingerprints: dict[str, str]


def render_references(
    modules: Iterable[tuple[Package, Interface, ModuleView]], templates: Templates
) -> References:
    """Write the C files of each version of each package."""
    made = References({}, {})
    for package, interface, view in modules:
        spec, version = package.spec, package.spec.name_of(interface.edition)
        asked = questions(interface)
        made.fingerprints[version] = fingerprint(interface, asked)
        asked = asked.also(class_probes(interface, view))
        context = _context(spec, interface, with_round_trips(interface, asked))
        path = f"reference/{spec.file_of(interface.edition)}"
        made.files[f"{path}.c"] = templates.text(VERSION, context)
        if spec.library is not None:
            context["stubs"] = stubs(interface)
            made.files[f"{path}_functions.c"] = templates.text(FUNCTIONS, context)
    return made


def render_header(header: Path) -> str:
    """A C file that includes a header and asks nothing, for what `debug_info` says of it."""
    context = {"header": header.name, "forward": [], "names_unavailable": True}
    return Templates().text("reference/header.c.jinja", context)


def render_questions(spec: Spec, interface: Interface, asked: Reference) -> str:
    """A C file that answers what is `asked` of one interface version, for `object_file`."""
    context = _context(spec, interface, asked)
    context |= {"code": CODES, "classes": CLASSES}
    return Templates().text("reference/questions.c.jinja", context)


def _context(spec: Spec, interface: Interface, asked: Reference) -> dict[str, object]:
    return {
        "name": spec.name,
        "version": interface.title,
        "header": spec.header,
        "reference": asked,
        "forward": _forward(interface),
        "names_unavailable": _has_name(interface, "unavailable"),
    }


def _has_name(interface: Interface, name: str) -> bool:
    """Tell whether something that C may be asked about has a name, other than as an attribute."""
    names = {record.tag for record in interface.records}
    names |= {field.name for record in interface.records for field in record.fields}
    names |= {constant.name for constant in interface.constants}
    names |= {typedef.name for typedef in interface.typedefs}
    return name in names | {function.name for function in interface.functions}


def _forward(interface: Interface) -> list[str]:
    """Give the structs and unions to declare ahead of a header with prototypes.

    In C, one that a prototype is the first to name is known nowhere else.
    """
    if not interface.functions:
        return []
    tagged = [record.key for record in interface.records if record.tag is not None]
    return [*tagged, *(handle.key for handle in interface.handles)]
