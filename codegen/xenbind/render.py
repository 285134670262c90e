"""Rendering: from the IR to the text of every generated file.

Takes interfaces and the spec; prepares what the templates need, in plain strings, and
gives a mapping of path to text, unformatted, for `output`.  Every decision is made here
and in `module`; a template holds text and loops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import jinja2

from . import __version__
from .ir import Interface
from .module import module_view
from .reference import reference
from .resources import folder
from .spec import Spec

# Each template that makes one file, and each that makes one file for every version.
_SHARED = {
    "pyproject.toml.jinja": "pyproject.toml",
    "package/__init__.py.jinja": "{package}/__init__.py",
    "package/base.py.jinja": "{package}/base.py",
    "package/layout.py.jinja": "{package}/layout.py",
    "package/py.typed": "{package}/py.typed",
    "tests/compiled.py.jinja": "tests/compiled.py",
    "tests/conftest.py.jinja": "tests/conftest.py",
    "tests/members.py.jinja": "tests/members.py",
    "tests/test_against_c.py.jinja": "tests/test_against_c.py",
}
_PER_VERSION = {
    "package/version.py.jinja": "{package}/v{version}.py",
    "reference/version.c.jinja": "reference/v{version}.c",
}


def render(
    spec: Spec,
    interfaces: Sequence[Interface],
    headers: Mapping[int, str],
    folders: Mapping[int, Sequence[str]],
) -> dict[str, str]:
    """The text of every generated file by its path, in sorted order.

    `headers` tells, by version, how the generated files speak of its header; `folders`
    where the generated tests look for it and what it includes.
    """
    environment = _environment()
    shared = {
        "name": spec.name,
        "package": spec.package,
        "distribution": spec.distribution,
        "generator_version": __version__,
        "defines": spec.defines,
        "needs": spec.needs,
        "folders": folders,
        "versions": [_version(spec, interface) for interface in interfaces],
    }
    files = {
        path.format(package=spec.package): environment.get_template(name).render(shared)
        for name, path in _SHARED.items()
    }
    for interface in interfaces:
        files.update(render_version(spec, interface, headers[interface.version]))
    return dict(sorted(files.items()))


def render_version(spec: Spec, interface: Interface, header: str) -> dict[str, str]:
    """The files of one interface version."""
    environment = _environment()
    releases = next(
        (v.releases for v in spec.versions if v.number == interface.version), ()
    )
    context = {
        "name": spec.name,
        "version": interface.version,
        "header": PurePosixPath(interface.header).name,
        "module": module_view(interface, header, releases),
        "reference": reference(interface),
    }
    return {
        path.format(
            package=spec.package, version=interface.version
        ): environment.get_template(name).render(context)
        for name, path in _PER_VERSION.items()
    }


def _version(spec: Spec, interface: Interface) -> dict[str, object]:
    releases = next(
        (v.releases for v in spec.versions if v.number == interface.version), ()
    )
    return {"number": interface.version, "releases": ", ".join(releases)}


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
