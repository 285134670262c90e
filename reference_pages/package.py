"""The pages of the package: its top level, rings, monitors, and the Xen that is played."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import xen_vm_event
from xen_vm_event import interface, macros, monitor, testing
from xen_vm_event.monitor import (
    answers,
    breakpoints,
    emulating,
    events,
    memory,
    pages,
    physical,
    stepping,
    views,
)
from xen_vm_event.runtime.ring import Selection
from xen_vm_event.testing import findings, libraries

from reference_pages.interface import Constant, overview, sections
from reference_pages.markdown import fill, inline, prose, table

_NEWEST = interface(max(xen_vm_event.VERSIONS))

_TOP = """interface interface_for_xen interface_of UnknownVersion
    records projection raw dtype column columns since releases running_release
    OtherVersion RingOverflow RingFull LibraryError Barriers NoBarrier""".split()


def top() -> str:
    """Give the page of the package itself."""
    names = [(name, getattr(xen_vm_event, name)) for name in _TOP]
    missing = {*xen_vm_event.__all__} - {*_TOP, "VERSIONS"}
    assert not missing, missing
    versions = [
        [f"`{version}`", ", ".join(releases)]
        for version, releases in xen_vm_event.VERSIONS.items()
    ]
    return fill(
        "package.md.jinja",
        newest=_NEWEST.__name__,
        release=[*xen_vm_event.VERSIONS.values()][-1][-1],
        words=prose(xen_vm_event.__doc__ or ""),
        versions=table(["version", "releases of Xen"], versions),
        overview=overview(names),
        sections=sections(names),
    )


def rings() -> str:
    """Give the page of a ring's halves, and of what is chosen of it."""
    halves = [("BackRing", _NEWEST.BackRing), ("FrontRing", _NEWEST.FrontRing)]
    return _page(
        f"The rings of {_NEWEST.__name__}",
        _words(_NEWEST.BackRing.__mro__[2].__module__),
        [*halves, ("Selection", Selection), ("SharedRing", macros.SharedRing)],
    )


def monitors() -> str:
    """Give the page of `xen_vm_event.monitor`."""
    within = [
        memory.Memory,
        views.Views,
        views.View,
        breakpoints.Breakpoints,
        stepping.Stepping,
        emulating.Emulator,
        physical.PhysicalMemory,
    ]
    values = {
        "Then": pages,
        "Pass": breakpoints,
        "Handler": answers,
        "EVENTS": events,
    }
    return _module_page(monitor, within, values, first="Monitor")


def played() -> str:
    """Give the page of `xen_vm_event.testing`."""
    within = [findings.Findings]
    values = {"ADVICE": findings, "RELEASES": libraries}
    return _module_page(testing, within, values, first="played")


def _module_page(
    module: Any, within: Sequence[type], values: dict[str, Any], first: str
) -> str:
    names: dict[str, Any] = {first: getattr(module, first)}
    names |= {each.__name__: each for each in within}
    for name in module.__all__:
        names.setdefault(name, getattr(module, name))
    names |= {name: Constant(of, name) for name, of in values.items()}
    return _page(module.__name__, module.__doc__ or "", list(names.items()))


def _page(title: str, words: str, names: list[tuple[str, Any]]) -> str:
    parts = [f"# {inline(title)}", prose(words), overview(names), sections(names)]
    return "\n\n".join(parts) + "\n"


def _words(module: str) -> str:
    found: ModuleType = __import__(module, fromlist=["*"])
    return found.__doc__ or ""
