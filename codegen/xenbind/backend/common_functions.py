"""Prepare what all releases have in common of a library's functions, for common.py's template.

Takes the interfaces of a spec; gives a `CommonFunctionsView`: the functions of a version's
module as members of a protocol, of which some releases lack some.  A function whose prototype
changed is a union of protocols, and `has` narrows it by a parameter that not all of them have.

    4.9: int f(bool sync);    4.10: int f(bool sync, bool deep);
    ->  _f_4_9 | _f_4_10, and has(f, "deep") is TypeIs[_f_4_10]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenbind.backend.functions import PARAMETERS, Functions
from xenbind.backend.names import python_name
from xenbind.backend.python_text import text
from xenbind.backend.python_types import TYPING, Types
from xenbind.ir.interface import Function, Interface


@dataclass(frozen=True, slots=True)
class PrototypeView:
    """One of several prototypes: its protocol, and how Python declares what is behind `self`."""

    name: str
    parameters: Sequence[str]
    result: str


@dataclass(frozen=True, slots=True)
class CommonFunctionView:
    """A function with its prototypes, the oldest first; `union` names these together."""

    name: str
    prototypes: Sequence[PrototypeView]
    union: str


@dataclass(frozen=True, slots=True)
class CommonFunctionsView:
    """The functions that all releases have, and those that only `some` have.

    `narrowings` are what `has` tells: of what, of which member or parameter, and what it is then.
    """

    name: str
    functions: Sequence[CommonFunctionView]
    some: Sequence[CommonFunctionView]
    narrowings: Sequence[tuple[str, str, str]]

    @property
    def changed(self) -> list[CommonFunctionView]:
        """Give those that have more than one prototype."""
        both = (*self.functions, *self.some)
        return [function for function in both if len(function.prototypes) > 1]


def common_functions(
    interfaces: Sequence[Interface],
    releases: Mapping[str, str],
    use: Callable[[str, str], str],
) -> CommonFunctionsView | None:
    """Give what the interfaces have in common of their functions, None where there are none.

    `releases` are the first of each, by edition; `use` is called with what to import.
    """
    found: dict[str, dict[PrototypeView, str]] = {}
    having: dict[str, int] = {}
    for interface in interfaces:
        own = _functions(interface, use)
        for function in interface.functions:
            name = python_name(function.name, set())
            prototype = _prototype(own, function)
            found.setdefault(name, {}).setdefault(
                prototype, releases[interface.edition].replace(".", "_")
            )
            having[name] = having.get(name, 0) + 1
    if not found:
        return None
    views = [_function(name, prototypes) for name, prototypes in found.items()]
    in_all = {name for name, count in having.items() if count == len(interfaces)}
    some = [view for view in views if view.name not in in_all]
    return CommonFunctionsView(
        name="Functions",
        functions=[view for view in views if view.name in in_all],
        some=some,
        narrowings=[
            *(("Functions", text(v.name), f"_Functions_{v.name}") for v in some),
            *(narrowing for view in views for narrowing in _narrowings(view)),
        ],
    )


def _functions(interface: Interface, use: Callable[[str, str], str]) -> Functions:
    """Have types written as they are in every release: a handle is a handle, a record any."""
    records = {record.key: "Any" for record in interface.records}
    handles = {handle.key: use(PARAMETERS, "Handle") for handle in interface.handles}
    types = Types(records, {}, use, lambda name: use(TYPING, name))
    return Functions(interface, {}, handles, types)


def _prototype(own: Functions, function: Function) -> PrototypeView:
    taken: set[str] = {"self"}
    parameters = []
    for number, parameter in enumerate(function.type.parameters, 1):
        name = python_name(parameter.name or f"argument_{number}", taken)
        taken.add(name)
        parameters.append(f"{name}: {own.python_parameter(parameter.type)}")
    if function.type.is_variadic:
        more = own.types.use(PARAMETERS, "Variadic")
        parameters.append(f"*{python_name('arguments', taken)}: {more}")
    result = own.python_result(function.type.result, function.errors)
    return PrototypeView("", tuple(parameters), result)


def _function(name: str, prototypes: Mapping[PrototypeView, str]) -> CommonFunctionView:
    """Name the prototypes of one function after the first releases that have them."""
    named = [
        PrototypeView(f"_{name}_{release}", one.parameters, one.result)
        for one, release in prototypes.items()
    ]
    return CommonFunctionView(name, named, " | ".join(one.name for one in named))


def _narrowings(view: CommonFunctionView) -> Iterator[tuple[str, str, str]]:
    """Give each parameter that tells some of a function's prototypes from others."""
    by_parameter: dict[str, list[str]] = {}
    for prototype in view.prototypes:
        for parameter in prototype.parameters:
            name = parameter.partition(":")[0]
            by_parameter.setdefault(name, []).append(prototype.name)
    for name, having in by_parameter.items():
        if len(having) < len(view.prototypes):
            yield view.union, text(name), " | ".join(having)
